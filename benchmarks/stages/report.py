"""What the reports of all tasks are put together from."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from benchmarks.measurement import Fidelity, Quality, Row
from benchmarks.stages.latency import read_row_latency
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
    """Write report.json, report.html and the pictures as files.

    Args:
        folder: Of the stage.
        inputs: The fields of `benchmarks.report.build.ReportInputs`.
    """
    from benchmarks.report.build import ReportInputs, build_report
    from benchmarks.report.every_figure import every_figure
    from benchmarks.report.page import render_page
    from benchmarks.report.pictures import write_pictures

    report = build_report(ReportInputs(**inputs))
    write_atomically(folder / "report.json", report.to_json())
    write_atomically(folder / "report.html", render_page(report))
    write_pictures(every_figure(report), folder / "pictures")


def further_figures(inputs: Mapping[str, Path]) -> dict[str, Any]:
    """What the stages beside quality and latency found, by the report's name of it.

    Args:
        inputs: Folders of the finished stages; those that a job leaves out are missing.
    """
    from benchmarks.bench.data import BenchData
    from benchmarks.browser.data import BrowserData
    from benchmarks.groups.data import GroupsData
    from benchmarks.robustness.data import RobustnessData
    from benchmarks.roofline.data import RooflineData

    shapes: Mapping[str, type[BaseModel]] = {
        "scenarios": BenchData,
        "browser": BrowserData,
        "roofline": RooflineData,
        "robustness": RobustnessData,
        "groups": GroupsData,
    }
    return {
        name: shape.model_validate_json((inputs[name] / f"{name}.json").read_text(encoding="utf-8"))
        for name, shape in shapes.items()
        if name in inputs
    }


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
    measured = read_row_latency(context.inputs["latency"], row) if row.can_be_timed else None
    quality, fidelity = None, None
    if row.slug in evaluations:
        own = evaluations[row.slug]
        quality = own.quality(context.recipe.benchmark.bootstrap, context.recipe.seed)
        fidelity = fidelity_of(row.role, own, evaluations, difference)
    return Row(
        name=row.name,
        role=row.role,
        bytes=row.bytes,
        latency=None if measured is None else measured.timing,
        cold_start_ms=None if measured is None else measured.cold_start_ms,
        p90_ratio_to_teacher=None if measured is None else measured.p90_ratio_to_teacher,
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
