"""What differs between tasks when a peer is made and asked: the student, and the test split."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from benchmarks.measurement import Role
from benchmarks.stages.quality import Saved
from benchmarks.stages.subjects import Subject, read_json, subjects
from compress.files import file_sha256
from compress.recipe import AnyTextRecipe, NextItemRecipe, OnnxText, Recipe
from compress.stage import StageContext
from export.peers.peer import PeerStudent, Preset, default_preset, native_samples
from export.rows import SAMPLES
from export.runner import Runner
from export.samples import Samples

if TYPE_CHECKING:
    from export.blocked_items import BlockedItems

Advance = Callable[[float], None]
Takes = Literal["int32", "int64"]


class Asking(Protocol):
    """Makes the student that peers are made of, and asks a peer about the test split."""

    @property
    def samples(self) -> Samples:
        """The test split as the student reads it, int32."""
        ...

    @property
    def differs_from(self) -> str | None:
        """Hash of what `difference` compares with; None where it does not ask."""
        ...

    @property
    def blocked(self) -> tuple[int, ...]:
        """Codes of the items that no file of the run may return; empty for texts."""
        ...

    def student(self, scratch: Path) -> PeerStudent:
        """Load the student.

        Args:
            scratch: An existing folder for what peers share.
        """
        ...

    def evaluate(self, runner: Runner, samples: Samples, advance: Advance) -> Saved:
        """Ask about the whole test split, one example at a time, as an app does."""
        ...

    def difference(self, runner: Runner, takes: Takes) -> float | None:
        """Return the largest difference from the student's scores; None: read it off the test."""
        ...


def asking_of(context: StageContext[Any]) -> Asking:
    """Return how the recipe's task asks."""
    student = row_of(context.inputs["export"], "student")
    samples = Samples.load(context.inputs["export"] / SAMPLES / student.inputs)
    if isinstance(context.recipe, NextItemRecipe):
        return NextItemAsking(context, samples, student.bytes)
    return TextAsking(context, samples, student.bytes)


def row_of(export_folder: Path, role: Role) -> Subject:
    """The one row of a role, such as the student's own: PyTorch, eagerly."""
    return next(row for row in subjects(export_folder) if row.role == role)


def preset_of(recipe: Recipe) -> Preset:
    """The preset of our int8 ONNX file, so that the peer's is made for the same processor."""
    for one in recipe.export.artifacts:
        if isinstance(one, OnnxText) and one.scheme == "int8-dynamic":
            return one.preset
    return default_preset()


@dataclass(frozen=True)
class NextItemAsking:
    """See `Asking`."""

    context: StageContext[NextItemRecipe]
    samples: Samples
    student_bytes: int

    @property
    def differs_from(self) -> str | None:
        """See `Asking`."""
        return file_sha256(self._verification)

    @property
    def blocked(self) -> tuple[int, ...]:
        """See `Asking`."""
        return self._blocked.codes

    def student(self, scratch: Path) -> PeerStudent:
        """See `Asking`."""
        from export.next_item_source import next_item_source

        source = next_item_source(
            self.context.recipe,
            self._dataset,
            self.context.inputs["student"],
            scratch,
            blocked=self._blocked,
        )
        return PeerStudent(source, None, self.student_bytes, preset_of(self.context.recipe))

    def evaluate(self, runner: Runner, samples: Samples, advance: Advance) -> Saved:
        """See `Asking`."""
        from benchmarks.quality import evaluate
        from export.blocked_items import exported_blocked_items

        dataset = self._dataset
        cases = dataset.cases("test")
        return evaluate(
            runner,
            None,
            samples=samples,
            targets=cases.targets,
            seen=dataset.seen(cases),
            items=dataset.items,
            batch_size=1,
            blocked=exported_blocked_items(self.context.inputs["export"]),
            name="The peer",
        )

    def difference(self, runner: Runner, takes: Takes) -> float | None:
        """Hold it against what the student answered when our files were verified."""
        from export.verification import ask
        from export.verification_set import VerificationSet

        known = VerificationSet.load(self._verification)
        with runner:
            asked = ask(runner, native_samples(known.samples, takes))
        return known.compare(asked, "fp32").max_abs_difference

    @property
    def _blocked(self) -> "BlockedItems":
        from export.blocked_items import exported_blocked_items

        return exported_blocked_items(self.context.inputs["export"])

    @property
    def _verification(self) -> Path:
        from export.verification_set import VERIFICATION

        return self.context.inputs["export"] / VERIFICATION

    @property
    def _dataset(self) -> Any:
        from compress.data.dataset import Dataset

        return Dataset.open(self.context.inputs["dataset"])


@dataclass(frozen=True)
class TextAsking:
    """See `Asking`."""

    context: StageContext[AnyTextRecipe]
    samples: Samples
    student_bytes: int

    @property
    def differs_from(self) -> str | None:
        """See `Asking`."""
        return None

    @property
    def blocked(self) -> tuple[int, ...]:
        """See `Asking`."""
        return ()

    def student(self, scratch: Path) -> PeerStudent:
        """See `Asking`."""
        from compress.stages.text.dataset import TOKENIZER
        from export.signature import text_signature
        from export.stages.text import CLASSES
        from export.text_source import text_source

        recipe, dataset = self.context.recipe, self._dataset
        folder = self.context.inputs["export"]
        signature = text_signature(
            task=recipe.task.kind,
            target=dataset.target,
            classes=len(dataset.classes),
            max_length=recipe.task.max_length,
            is_pair=dataset.is_pair,
            has_gains=dataset.gains is not None,
            recipe_sha256=recipe.hash,
            tokenizer_sha256=file_sha256(folder / TOKENIZER / "tokenizer.json"),
            classes_sha256=read_json(folder / CLASSES)["classes_sha256"],
        )
        source = text_source(recipe, dataset, self.context.inputs["student"], scratch, signature)
        return PeerStudent(source, dataset.target, self.student_bytes, preset_of(recipe))

    def evaluate(self, runner: Runner, samples: Samples, advance: Advance) -> Saved:
        """See `Asking`."""
        from benchmarks.text_quality import evaluate_texts
        from compress.tasks.text_task import Truth

        dataset = self._dataset
        return evaluate_texts(
            runner,
            samples=samples,
            truth=Truth.of(dataset, self.context.recipe.task, "test"),
            classes=dataset.classes,
            batch_size=1,
            progress=advance,
        )

    def difference(self, runner: Runner, takes: Takes) -> float | None:
        """Nothing to ask: `TextEvaluation` keeps every number."""
        return None

    @property
    def _dataset(self) -> Any:
        from compress.data.text_dataset import TextDataset

        return TextDataset.open(self.context.inputs["dataset"])
