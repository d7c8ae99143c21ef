"""What the reports of all tasks are put together from."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from benchmarks.measurement import Fidelity, Quality, Row
from benchmarks.stages.subjects import Subject, emitted_file, read_json
from compress.files import write_atomically
from compress.metrics import metric_name
from compress.stage import StageContext

Curves = Iterator[tuple[str, list[dict[str, float]]]]
"""Name of a training, and one entry an epoch."""


class AnyEvaluation(Protocol):
    """What a model answered, whatever the task."""

    def quality(self, resamples: int, seed: int) -> Quality:
        """Return the metrics with their intervals."""
        ...

    def agreement(self, other: Any) -> float:
        """Return how much of its answers it has in common with another model."""
        ...


def write_files(folder: Path, inputs: Mapping[str, Any]) -> None:
    """Write report.json and report.html.

    Args:
        folder: Of the stage.
        inputs: The fields of `benchmarks.report.build.ReportInputs`.
    """
    from benchmarks.report.build import ReportInputs, build_report
    from benchmarks.report.page import render_page

    report = build_report(ReportInputs(**inputs))
    write_atomically(folder / "report.json", report.to_json())
    write_atomically(folder / "report.html", render_page(report))


def conditions_of(context: StageContext[Any]) -> dict[str, Any]:
    """How latency was measured: `quick`, `queries`, `seconds`, and the `environment`."""
    from benchmarks.environment import Environment

    found: dict[str, Any] = read_json(context.inputs["latency"] / "conditions.json")
    environment = found["environment"]
    flags = tuple(environment["cpu_flags"])
    return {**found, "environment": Environment(**environment | {"cpu_flags": flags})}


def gate_lines(context: StageContext[Any]) -> tuple[str, ...]:
    """A teacher that should not have taught is the first thing to know."""
    verdict = read_json(context.inputs["teacher-check"] / "verdict.json")
    if not verdict["weak"]:
        return ()
    others = ", ".join(
        f"{name} {value:.4f}" for name, value in verdict.items() if name not in ("teacher", "weak")
    )
    metric = metric_name(context.recipe.task.metric)
    return (
        f"The teacher does not beat counting on validation {metric} "
        f"({verdict['teacher']:.4f}; {others}); the recipe went on (allow_weak_teacher).",
    )


def measured_row(
    row: Subject,
    evaluations: Mapping[str, AnyEvaluation],
    context: StageContext[Any],
    difference: float | None,
) -> Row:
    """Return the report's row, with the figures that there are.

    Args:
        row: Which one.
        evaluations: Of all rows that were asked about the test split, by their slug; teacher and
            student among them.
        context: Of the report's stage.
        difference: Largest difference of a file's answer from the PyTorch student's.
    """
    from benchmarks.timing.latency import Latency

    latency, quality, fidelity = None, None, None
    if row.can_be_timed:
        latency = Latency(**read_json(context.inputs["latency"] / f"{row.slug}.json"))
    if row.slug in evaluations:
        own = evaluations[row.slug]
        quality = own.quality(context.recipe.benchmark.bootstrap, context.recipe.seed)
        fidelity = fidelity_of(row.role, own, evaluations, difference)
    return Row(
        name=row.name,
        role=row.role,
        bytes=row.bytes,
        latency=latency,
        quality=quality,
        fidelity=fidelity,
        file=None if row.artifact is None else emitted_file(row.artifact),
    )


def fidelity_of(
    role: str,
    own: AnyEvaluation,
    evaluations: Mapping[str, AnyEvaluation],
    difference: float | None,
) -> Fidelity:
    """Hold a row against teacher and student."""
    return Fidelity(
        teacher=None if role == "teacher" else own.agreement(evaluations["teacher"]),
        student=None if role == "student" else own.agreement(evaluations["student"]),
        max_abs_difference=difference,
    )


def student_curves(context: StageContext[Any]) -> Curves:
    """How the student learned, with its teacher and without."""
    from compress.distill.training import HISTORY

    yield "student", read_json(context.inputs["student"] / HISTORY)
    yield "student without teacher", read_json(context.inputs["student-without-teacher"] / HISTORY)
