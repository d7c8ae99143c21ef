"""What is predicted: it fixes what runs on the device and what models are compared by."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, model_validator

from compress.recipe.section import Section


class NextItem(Section):
    """Predict the next item from a user's history; fixes what runs on the device."""

    metric: ClassVar[str] = "ndcg@10"
    """What models are compared by, and what training keeps the best of."""

    kind: Literal["next-item"]
    history_length: Annotated[int, Field(ge=2, le=4096)] = 50
    """L: the last L items are the input; shorter histories are padded on the left with 0."""
    top_k: Annotated[int, Field(ge=20, le=10_000)] = 100
    """K: how many items the graph returns. At least 20, so that metrics at 20 exist.

    The graph knows the last L items of a history; an app drops older ones from the K.
    """
    mask_seen: bool = True
    """Never return an item of the history: masked inside the graph, before the top-K.

    In training, such items are left out of the softmax.
    """


Target = Literal["one-of", "any-of", "score"]
"""What the target of a text is: one class, any number of classes, or a number."""


class TextTask(Section):
    """What tasks that read text have in common."""

    max_length: Annotated[int, Field(ge=4, le=512)] = 128
    """L: longer texts are cut to this many word pieces, special ones included, and counted."""


def _as_class_name(name: object) -> object:
    """Name what YAML reads as a number or as yes/no as the data's reader names such a cell."""
    if isinstance(name, bool):
        return str(name).lower()
    if isinstance(name, float) and name.is_integer():
        return str(int(name))
    return str(name) if isinstance(name, int | float) else name


ClassName = Annotated[str, BeforeValidator(_as_class_name)]
"""A class, or a grade: `{0: 0, 1: 1}` is what it looks like."""


class TextLabel(TextTask):
    """Put a text into one of N classes, or into any number of them."""

    metric: ClassVar[str] = "macro_f1"

    kind: Literal["text-label"]
    multi_label: bool = False
    """A text may have any number of classes: sigmoid instead of softmax, each class on its own."""
    threshold: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    """Of a class's probability, above which a multi-label answer has it."""
    class_weights: Literal["none", "balanced"] | dict[ClassName, PositiveFloat] = "none"
    """Weights of the classes in the label loss: `balanced` is N / (classes x texts of the class).

    A mapping names some classes; the others have weight 1.
    """

    @property
    def target(self) -> Literal["one-of", "any-of"]:
        """What an example's target is: one class, or any number of them."""
        return "any-of" if self.multi_label else "one-of"


class TextPair(TextTask):
    """Say how relevant a product is to a query, to rank the products of a query."""

    metric: ClassVar[str] = "ndcg@10"

    kind: Literal["text-pair"]
    relevance: Literal["grade", "score"] = "grade"
    """Relevance is one of several grades (the model answers a probability for each), or a number.
    """
    gains: dict[ClassName, Annotated[float, Field(ge=0.0)]] | None = None
    """What each grade is worth in NDCG and in the ranking score; None: grades are numbers."""
    relevant_from: PositiveFloat | None = None
    """Gain (or score) from which a product counts as relevant for MRR.

    None: for grades the highest gain; for scores there is no MRR then.
    """

    @property
    def target(self) -> Literal["one-of", "score"]:
        """What an example's target is: one grade, or a number."""
        return "one-of" if self.relevance == "grade" else "score"

    @model_validator(mode="after")
    def _gains_are_of_grades(self) -> "TextPair":
        if self.relevance == "score" and self.gains is not None:
            raise ValueError("gains are of grades; relevance: score has none")
        return self
