"""Asking every row under every damage: the same for histories and texts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.environment import current_environment
from benchmarks.robustness.damage import Damage
from benchmarks.stages.subjects import Subject, subjects
from compress.recipe import content_hash
from compress.reuse import made_before, note_made
from compress.stage import StageContext
from export.samples import Samples


class Answers(Protocol):
    """What a row answered: `benchmarks.quality.Evaluation`, `text_quality.TextEvaluation`."""

    def save(self, file: Path) -> None:
        """Write it as `.npz`."""
        ...


AnswersT = TypeVar("AnswersT", bound=Answers)


@dataclass(frozen=True)
class DamagedInputs:
    """The inputs of the cases under one damage."""

    damage: Damage
    samples: Mapping[str, Samples]
    """What rows are asked with, by `Subject.inputs`."""
    changed: int
    """Inputs that the damage made any different."""
    targets_in_input: int | None = None
    """Next-item: cases in which the damage put the very target into the input."""


@dataclass(frozen=True)
class RobustnessTask(Generic[AnswersT]):
    """What asking needs to know of a task."""

    cases: int
    damages: tuple[Damage, ...]
    inputs: Callable[[Damage], DamagedInputs]
    ask: Callable[[Subject, Samples, Callable[[float], None]], AnswersT]
    """Asks a row, and tells its progress, 0...1."""
    load: Callable[[Path], AnswersT]
    examples: str
    """What cases are, in words."""


@dataclass(frozen=True)
class UnderDamage(Generic[AnswersT]):
    """What every row answered under one damage."""

    inputs: DamagedInputs
    answers: Mapping[str, AnswersT]
    """By the row's name."""


def rows_to_damage(export_folder: Path) -> list[Subject]:
    """The teacher, the student, and the file to ship: the smallest usable one that was run here."""
    rows = subjects(export_folder)
    by_role = {row.role: row for row in rows if row.role in ("teacher", "student")}
    files = [
        row
        for row in rows
        if row.artifact is not None and row.artifact.usable and row.artifact.was_run
    ]
    smallest = [min(files, key=lambda row: row.bytes)] if files else []
    return [by_role["teacher"], by_role["student"], *smallest]


def ask_all(
    context: StageContext[Any], rows: Sequence[Subject], task: RobustnessTask[AnswersT]
) -> list[UnderDamage[AnswersT]]:
    """Ask every row under every damage; what was asked of the same row before is kept.

    Args:
        context: Of the stage.
        rows: From `rows_to_damage`.
        task: What is asked, and how.

    Returns:
        One a damage, in the order of the task's.
    """
    found = []
    steps = len(task.damages) * len(rows)
    for order, damage in enumerate(task.damages):
        inputs = task.inputs(damage)
        for place, row in enumerate(rows):
            record, given = f"{row.slug}.{damage.slug}", inputs.samples[row.inputs]
            file = context.folder / f"{record}.npz"
            key = _key(context, row, given)
            if made_before(context, record, key) is not None:
                continue

            def advance(
                done: float,
                note: str = f"{row.name}, {damage.name}: {task.cases:,} {task.examples}",
                before: int = order * len(rows) + place,
            ) -> None:
                context.progress.advance(note, (before + done) / steps)

            advance(0.0)
            task.ask(row, given, advance).save(file)
            note_made(context, record, key, (file.name,), record)
        answers = {
            row.name: task.load(context.folder / f"{row.slug}.{damage.slug}.npz") for row in rows
        }
        found.append(UnderDamage(inputs, answers))
    return found


def sampled(cases: int, most: int, seed: int) -> NDArray[np.int64]:
    """Return the rows of at most so many cases, in order; all of them where they are not more."""
    if cases <= most:
        return np.arange(cases)
    return np.sort(np.random.default_rng(seed).choice(cases, most, replace=False)).astype(np.int64)


def sampled_queries(queries: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    """Return the rows of whole queries, drawn until one more would pass `most` rows; one at least.

    A ranking is of all products of its query.

    Args:
        queries: `[N]`, number of each pair's query.
        most: Rows.
        seed: Of the draw.
    """
    if len(queries) <= most:
        return np.arange(len(queries))
    numbers, sizes = np.unique(queries, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(numbers))
    fits = max(1, int(np.searchsorted(np.cumsum(sizes[order]), most, side="right")))
    return np.flatnonzero(np.isin(queries, numbers[order[:fits]])).astype(np.int64)


def _key(context: StageContext[Any], row: Subject, samples: Samples) -> str:
    """Hash what a row's answers, and what is true of them, depend on."""
    return content_hash(
        [
            row.sha256,
            samples.sha256(),
            context.digests["dataset"],
            context.recipe.task.model_dump(mode="json"),
            context.recipe.seed,
            current_environment().packages,
        ]
    )
