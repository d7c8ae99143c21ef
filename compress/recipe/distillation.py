"""What a student learns from, and how much each counts."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from compress.recipe.section import Kind, Section


class SoftTargets(Kind):
    """Match the teacher's probabilities, softened by a temperature."""

    implementation: ClassVar[str] = "compress.distill.losses:SoftTargetLoss"
    not_arguments: ClassVar[frozenset[str]] = frozenset({"kind", "weight"})

    kind: Literal["soft-targets"]
    weight: PositiveFloat = 0.7
    temperature: PositiveFloat = 1.0
    divergence: Literal["forward-kl", "reverse-kl", "jensen-shannon"] = "forward-kl"


class Label(Kind):
    """Cross-entropy (or squared error) with the true answer."""

    implementation: ClassVar[str] = "compress.distill.losses:LabelLoss"
    not_arguments: ClassVar[frozenset[str]] = frozenset({"kind", "weight"})

    kind: Literal["label"]
    weight: PositiveFloat = 0.3


Loss = Annotated[SoftTargets | Label, Field(discriminator="kind")]


class Distillation(Section):
    """What a next-item student learns from: L = sum of weight x loss."""

    losses: tuple[Loss, ...] = (SoftTargets(kind="soft-targets"), Label(kind="label"))
    top_k: PositiveInt | None = None
    """Soft labels keep this many classes and one exact bucket for the rest.

    None: all classes up to 10,000 of them, else 256.
    """

    @model_validator(mode="after")
    def _learns_from_the_teacher(self) -> "Distillation":
        temperatures = {loss.temperature for loss in self.losses if isinstance(loss, SoftTargets)}
        if not temperatures:
            raise ValueError("losses needs at least one of kind soft-targets")
        if self.top_k is not None and len(temperatures) > 1:
            raise ValueError("top_k stores the tail for one temperature; the losses name several")
        return self


# ------------------------------------------------------------------- what text students add to it

LayerMap = (
    Literal["uniform", "last"]
    | Annotated[tuple[tuple[NonNegativeInt, NonNegativeInt], ...], Field(min_length=1)]
)
"""Which student layer matches which teacher layer: by rule, or as pairs (student, teacher)."""


class HiddenStates(Kind):
    """Match the teacher's hidden states, through a learned projection (Jiao et al. 2020, eq. 8)."""

    implementation: ClassVar[str] = "compress.distill.feature_losses:HiddenStateLoss"
    not_arguments: ClassVar[frozenset[str]] = frozenset({"kind", "weight"})
    given_arguments: ClassVar[frozenset[str]] = frozenset({"student", "teacher"})

    kind: Literal["hidden-states"]
    weight: PositiveFloat = 1.0
    layers: LayerMap = "uniform"


class Attention(Kind):
    """Match the teacher's attention (Jiao et al. 2020, eq. 7)."""

    implementation: ClassVar[str] = "compress.distill.feature_losses:AttentionLoss"
    not_arguments: ClassVar[frozenset[str]] = frozenset({"kind", "weight"})
    given_arguments: ClassVar[frozenset[str]] = frozenset({"student", "teacher"})

    kind: Literal["attention"]
    weight: PositiveFloat = 1.0
    layers: LayerMap = "uniform"


class Embeddings(Kind):
    """Match the teacher's embeddings, through a learned projection (Jiao et al. 2020, eq. 9)."""

    implementation: ClassVar[str] = "compress.distill.feature_losses:EmbeddingLoss"
    not_arguments: ClassVar[frozenset[str]] = frozenset({"kind", "weight"})
    given_arguments: ClassVar[frozenset[str]] = frozenset({"student", "teacher"})

    kind: Literal["embeddings"]
    weight: PositiveFloat = 1.0


FEATURE_LOSSES = (HiddenStates, Attention, Embeddings)
"""Losses that run the teacher while the student trains."""

TextLoss = Annotated[
    SoftTargets | Label | HiddenStates | Attention | Embeddings, Field(discriminator="kind")
]


class MaskPieces(Section):
    """More texts for the student: copies with word pieces masked, labelled by the teacher alone.

    As in Tang et al. 2019 ("Distilling Task-Specific Knowledge from BERT"), section 3.2.
    """

    share: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.1
    """Of the pieces of a copy."""
    copies: PositiveInt = 1
    """Of each training text."""


class TextDistillation(Section):
    """What a text student learns from: L = sum of weight x loss."""

    losses: tuple[TextLoss, ...] = (SoftTargets(kind="soft-targets"), Label(kind="label"))
    augment: MaskPieces | None = None

    @model_validator(mode="after")
    def _learns_from_the_teacher(self) -> "TextDistillation":
        if not any(isinstance(loss, SoftTargets) for loss in self.losses):
            raise ValueError("losses needs at least one of kind soft-targets")
        return self

    @property
    def reads_features(self) -> bool:
        """Whether a loss needs the teacher's hidden states, and so runs it in training."""
        return any(isinstance(loss, FEATURE_LOSSES) for loss in self.losses)
