"""Measuring the quality of every row, the same for all tasks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from benchmarks.environment import current_environment
from benchmarks.stages.subjects import Subject, samples_of, subjects
from compress.recipe import content_hash
from compress.reuse import made_before, note_made
from compress.stage import StageContext
from export.runner import Runner, open_runner, runner_spec_of
from export.samples import Samples


class Saved(Protocol):
    """What a row answered."""

    def save(self, file: Path) -> None:
        """Write it as `.npz`."""
        ...


Ask = Callable[[Subject, Samples, Callable[[float], None]], Saved]
"""Asks a row about its samples, and tells its progress, 0...1, to the function that it is given."""


def measure_rows(context: StageContext[Any], cases: int, examples: str, ask: Ask) -> None:
    """Ask every row about the test split; what was measured of the same row before is kept.

    Args:
        context: Of the stage.
        cases: Examples of the test split.
        examples: What they are, in words.
        ask: How a row is asked.
    """
    export_folder = context.inputs["export"]
    rows = rows_to_ask(export_folder, cases, context.recipe.benchmark.evaluation_seconds)
    samples = samples_of(rows, export_folder)
    for order, row in enumerate(rows):
        target, given = f"{row.slug}.npz", samples[row.inputs]
        key = _key(row, context, given)
        if made_before(context, row.slug, key) is not None:
            continue

        def advance(done: float, row: Subject = row, order: int = order) -> None:
            context.progress.advance(
                f"{row.name}: {cases:,} {examples}", (order + done) / len(rows)
            )

        advance(0.0)
        ask(row, given, advance).save(context.folder / target)
        note_made(context, row.slug, key, (target,), row.name)


def runner_of(row: Subject, export_folder: Path, path: str | None = None) -> Runner:
    """Return a row's runner, or that of another path of it."""
    return open_runner(runner_spec_of(row.runtime, export_folder / (path or row.path)))


def rows_to_ask(export_folder: Path, cases: int, seconds: float) -> list[Subject]:
    """The rows whose quality is measured.

    Args:
        export_folder: Of the finished stage.
        cases: Examples of the test split.
        seconds: Longest that a reference evaluator may take over all of them.
    """

    def is_too_slow(row: Subject) -> bool:
        check = None if row.artifact is None else row.artifact.check
        if check is None or check.checked != "evaluated":
            return False
        return (check.seconds_per_example or 0.0) * cases > seconds

    return [row for row in subjects(export_folder) if row.can_answer and not is_too_slow(row)]


def _key(row: Subject, context: StageContext[Any], samples: Samples) -> str:
    """Hash what a row's answers to the test split depend on."""
    return content_hash(
        [
            row.sha256,
            row.unmasked_path,
            samples.sha256(),
            context.digests["dataset"],
            context.recipe.task.model_dump(mode="json"),
            current_environment().packages,
        ]
    )
