"""Students: the small models that are shipped."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from compress.recipe.section import Kind, Probability, Section, check_heads
from compress.recipe.training import StudentTraining, TextStudentTraining


class TransformerStudent(Kind):
    """A small causal transformer with an item table of its own."""

    implementation: ClassVar[str] = "compress.students.transformer:TransformerStudent"
    not_arguments: ClassVar[frozenset[str]] = frozenset(
        {"kind", "training", "dropout_without_teacher"}
    )
    given_arguments: ClassVar[frozenset[str]] = frozenset({"items", "history_length"})

    kind: Literal["transformer"]
    width: PositiveInt = 32
    layers: PositiveInt = 1
    heads: PositiveInt = 2
    dropout: Probability = 0.1
    dropout_without_teacher: Probability | None = None
    """Of the same student trained without a teacher; None: `dropout`.

    Hard labels alone need more dropout than soft labels do: give it its own best, or the
    comparison flatters distillation.
    """
    training: StudentTraining = StudentTraining()

    _heads_divide_width = model_validator(mode="after")(check_heads)


# ------------------------------------------------------------------------ students of text tasks


class Tokenizer(Section):
    """How the student cuts text into pieces: need not be as its teacher does."""

    source: str = "teacher"
    """`teacher`, `characters` (made from the training texts), a Hugging Face Hub id, a folder, or
    `package:NAME`."""
    minimum_count: PositiveInt | None = 1
    """Keep only the pieces that occur at least as often in the training texts; None: all of them.

    The word table is most of a small student; what is left out becomes smaller pieces or unknown.
    """


class Initialise(Section):
    """What a student takes over from its teacher, where the shapes allow; the rest is random."""

    layers: Literal["none", "first", "last", "uniform"] | tuple[NonNegativeInt, ...] = "uniform"
    """Teacher layers (0 is the lowest) for the student's, by rule or by number."""
    embeddings: bool = True
    """Word pieces that both know; a narrower student takes their principal components."""


_TEXT_STUDENT = frozenset(
    {"kind", "tokenizer", "initialise", "training", "dropout_without_teacher"}
)
_TEXT_GIVEN = frozenset({"pieces", "outputs", "max_length", "padding_id"})


class TextStudent(Kind):
    """What students that read text have in common."""

    not_arguments: ClassVar[frozenset[str]] = _TEXT_STUDENT
    given_arguments: ClassVar[frozenset[str]] = _TEXT_GIVEN

    tokenizer: Tokenizer = Tokenizer()
    initialise: Initialise = Initialise()
    dropout: Probability = 0.1
    dropout_without_teacher: Probability | None = None
    """Of the same student trained without a teacher; None: `dropout`."""
    training: TextStudentTraining = TextStudentTraining()


class BertStudent(TextStudent):
    """A small BERT of any width, depth and heads (Jiao et al. 2020, "TinyBERT", and others)."""

    implementation: ClassVar[str] = "compress.students.bert:bert_student"

    kind: Literal["bert"]
    width: PositiveInt = 256
    layers: PositiveInt = 3
    heads: PositiveInt = 4
    intermediate: PositiveInt | None = None
    """Width inside a layer's feed-forward network; None: four times `width`."""

    _heads_divide_width = model_validator(mode="after")(check_heads)


class MobileBertStudent(TextStudent):
    """MobileBERT's thin layers with bottlenecks (Sun et al. 2020), of any size."""

    implementation: ClassVar[str] = "compress.students.mobilebert:mobilebert_student"

    kind: Literal["mobilebert"]
    width: PositiveInt = 512
    """Between the layers."""
    bottleneck: PositiveInt = 128
    """Inside the layers."""
    embedding_width: PositiveInt = 128
    layers: PositiveInt = 24
    heads: PositiveInt = 4
    intermediate: PositiveInt = 512
    feed_forwards: PositiveInt = 4
    """Feed-forward networks stacked in a layer."""

    @model_validator(mode="after")
    def _heads_divide_bottleneck(self) -> "MobileBertStudent":
        if self.bottleneck % self.heads:
            raise ValueError(
                f"bottleneck: {self.bottleneck} is not divisible by heads: {self.heads}"
            )
        return self


class TextCnnStudent(TextStudent):
    """Convolutions over piece embeddings, the largest answer of each (Kim 2014)."""

    implementation: ClassVar[str] = "compress.students.text_cnn:TextCnnStudent"

    kind: Literal["text-cnn"]
    width: PositiveInt = 128
    filters: PositiveInt = 128
    """Filters a kernel size."""
    kernels: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (2, 3, 4)
    """Pieces that a filter sees."""


class MeanPooledStudent(TextStudent):
    """The mean of the pieces' embeddings through a deep network (Iyyer et al. 2015)."""

    implementation: ClassVar[str] = "compress.students.mean_pooled:MeanPooledStudent"

    kind: Literal["mean-pooled"]
    width: PositiveInt = 128
    hidden: tuple[PositiveInt, ...] = (128, 128)
    """Width of each hidden layer; none: a linear model."""
    residual: bool = False
    """Add a hidden layer's input to its output, where the widths are equal."""


AnyTextStudent = Annotated[
    BertStudent | MobileBertStudent | TextCnnStudent | MeanPooledStudent,
    Field(discriminator="kind"),
]
