"""The recipe: one class a task, because a task decides which data and models fit it."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, PositiveInt, ValidationInfo, field_validator, model_validator

from compress.recipe.deployment import (
    Benchmark,
    Budget,
    Export,
    NextItemExport,
    TextExport,
)
from compress.recipe.distillation import (
    Attention,
    Distillation,
    HiddenStates,
    SoftTargets,
    TextDistillation,
)
from compress.recipe.groups import Groups, Protected, check_protected
from compress.recipe.interactions import Data
from compress.recipe.section import Section, content_hash
from compress.recipe.student import AnyTextStudent, TransformerStudent
from compress.recipe.task import NextItem, TextLabel, TextPair
from compress.recipe.teacher import HuggingFaceTeacher, TextSequence
from compress.recipe.texts import PairData, TextData
from compress.recipe.training import Logging


class Recipe(Section):
    """What the recipes of all tasks have in common."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=80)]
    """Names the run's folder: small letters, digits, `.`, `_`, `-`."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    threads: PositiveInt | None = None
    """CPU threads for training; None: all cores."""
    export: Export = Export()
    benchmark: Benchmark = Benchmark()
    budget: Budget = Budget()
    logging: Logging = Logging()

    @property
    def hash(self) -> str:
        """sha256 of what makes the model, defaults included: it is in every file's metadata.

        Which files are written, how they are measured and judged, and logging make no difference to
        the model and are left out; so are threads, which change the last bits of sums and are a
        matter of the machine.
        """
        left_out = {"threads", "export", "benchmark", "budget", "groups", "protect", "logging"}
        return content_hash(self.model_dump(mode="json", exclude=left_out))


class NextItemRecipe(Recipe):
    """A job whose model predicts the next item."""

    data: Data
    task: NextItem = NextItem(kind="next-item")
    teacher: TextSequence
    student: TransformerStudent
    distillation: Distillation = Distillation()
    export: NextItemExport = NextItemExport()
    groups: Groups = Groups()
    protect: Protected = ()

    @field_validator("groups")
    @classmethod
    def _groups_are_of_what_is_known(cls, groups: Groups, info: ValidationInfo) -> Groups:
        if "data" in info.data:
            groups.check_source(info.data["data"].source.kind)
        return groups

    @field_validator("protect")
    @classmethod
    def _what_is_protected_is_known(cls, protect: Protected, info: ValidationInfo) -> Protected:
        if "data" in info.data and "groups" in info.data:
            check_protected(protect, info.data["groups"], info.data["data"].source.kind)
        return protect


class TextRecipe(Recipe):
    """What jobs whose model reads text have in common."""

    teacher: HuggingFaceTeacher = HuggingFaceTeacher(kind="huggingface")
    student: AnyTextStudent
    distillation: TextDistillation = TextDistillation()
    export: TextExport = TextExport()

    @model_validator(mode="after")
    def _features_are_of_the_same_pieces(self) -> "TextRecipe":
        own = self.student.tokenizer
        same = own.source == "teacher" and own.minimum_count in (None, 1)
        if self.distillation.reads_features and not same:
            raise ValueError(
                "distillation.losses: hidden-states, attention and embeddings compare a student "
                "and a teacher piece by piece, so both must cut texts alike: set "
                "student.tokenizer: {source: teacher, minimum_count: 1}, or leave them out"
            )
        if self.distillation.reads_features and self.student.kind in ("text-cnn", "mean-pooled"):
            raise ValueError(
                "distillation.losses: hidden-states, attention and embeddings need layers, and a "
                f"{self.student.kind} student has none; leave them out, or choose student.kind: "
                "bert or mobilebert"
            )
        if self.distillation.reads_features and self.distillation.augment is not None:
            raise ValueError(
                "distillation.augment: hidden-states, attention and embeddings are not matched on "
                "masked copies; leave out one or the other"
            )
        return self

    @model_validator(mode="after")
    def _layers_are_the_students(self) -> "TextRecipe":
        layers = getattr(self.student, "layers", 0)
        own = self.student.initialise.layers
        if layers and not isinstance(own, str) and len(own) != layers:
            raise ValueError(
                f"student.initialise.layers: names {len(own)} teacher layers for the student's "
                f"{layers}; name one for each, or choose a rule (uniform, first, last, none)"
            )
        for loss in self.distillation.losses:
            pairs = loss.layers if isinstance(loss, HiddenStates | Attention) else ()
            wrong = [] if isinstance(pairs, str) else [one for one, _ in pairs if one >= layers]
            if wrong:
                raise ValueError(
                    f"distillation.losses: {loss.kind} names the student's layer {wrong[0]}, and "
                    f"its {layers} layers are 0 to {layers - 1}"
                )
        return self


class TextLabelRecipe(TextRecipe):
    """A job whose model puts texts into classes."""

    data: TextData
    task: TextLabel


class TextPairRecipe(TextRecipe):
    """A job whose model says how relevant a product is to a query."""

    data: PairData
    task: TextPair

    @model_validator(mode="after")
    def _scores_have_no_temperature(self) -> "TextPairRecipe":
        softened = [
            loss
            for loss in self.distillation.losses
            if isinstance(loss, SoftTargets)
            and (loss.temperature != 1.0 or loss.divergence != "forward-kl")
        ]
        if self.task.relevance == "score" and softened:
            raise ValueError(
                "distillation.losses: soft-targets of a score are numbers, matched by their "
                "squared difference; leave out temperature and divergence"
            )
        return self


AnyTextRecipe = TextLabelRecipe | TextPairRecipe
AnyRecipe = NextItemRecipe | TextLabelRecipe | TextPairRecipe

RECIPES: dict[str, type[Recipe]] = {
    "next-item": NextItemRecipe,
    "text-label": TextLabelRecipe,
    "text-pair": TextPairRecipe,
}
"""By the kind of their task."""


def recipe_type(data: Mapping[str, Any]) -> type[Recipe] | None:
    """Return the class for a recipe's plain data; None where its task does not exist.

    A recipe without a task is a next-item recipe, unless its data are texts.
    """
    if "task" not in data:
        return None if _has_texts(data) else NextItemRecipe
    task = data["task"]
    kind = task.get("kind") if isinstance(task, Mapping) else None
    return RECIPES.get(kind) if isinstance(kind, str) else None


def _has_texts(data: Mapping[str, Any]) -> bool:
    """Whether the data can only be of a task that reads text."""
    section = data.get("data")
    source = section.get("source") if isinstance(section, Mapping) else None
    if not isinstance(source, Mapping):
        return False
    return source.get("kind") == "womens-clothing" or "train" in source
