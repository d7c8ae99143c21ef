"""The stages that measure a next-item job: quality of every row, and the report."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measurement import Fidelity, Row
from benchmarks.quality import Evaluation
from benchmarks.stages.subjects import Subject, emitted_file, read_json, samples_of, subjects
from compress.files import write_atomically
from compress.recipe import NextItemRecipe
from compress.run import Stage, StageContext
from export.runner import RunnerSpec

if TYPE_CHECKING:
    from compress.data.dataset import Dataset


def measure_quality(context: StageContext[NextItemRecipe]) -> None:
    """Rank the test split with every row, through its own runtime."""
    from benchmarks.quality import DEFAULT_BATCH, evaluate
    from compress.data.dataset import Dataset
    from export.runner import open_runner

    dataset = Dataset.open(context.inputs["dataset"])
    cases = dataset.cases("test")
    export_folder = context.inputs["export"]
    rows = [row for row in subjects(export_folder) if row.can_run]
    samples, seen = samples_of(rows, export_folder), dataset.seen(cases)
    for order, row in enumerate(rows):
        target = context.folder / f"{row.slug}.npz"
        if target.is_file():
            continue
        context.progress.advance(f"{row.name}: {len(cases):,} test cases", order / len(rows))
        evaluation = evaluate(
            open_runner(RunnerSpec(row.runtime, str(export_folder / row.path))),
            None
            if row.unmasked_path is None
            else open_runner(RunnerSpec(row.runtime, str(export_folder / row.unmasked_path))),
            samples=samples[row.inputs],
            targets=cases.targets,
            seen=seen,
            items=dataset.items,
            batch_size=DEFAULT_BATCH if row.artifact is None else 1,
        )
        temporary = target.with_name(f".{target.name}.tmp")
        evaluation.save(temporary)
        temporary.replace(target)


def write_report(context: StageContext[NextItemRecipe]) -> None:
    """Put everything together into report.json and report.html."""
    from benchmarks.report import ReportInputs, build_report
    from benchmarks.report_page import render_page

    report = build_report(ReportInputs(**_report_inputs(context)))
    write_atomically(context.folder / "report.json", report.to_json())
    write_atomically(context.folder / "report.html", render_page(report))


def _report_inputs(context: StageContext[NextItemRecipe]) -> dict[str, Any]:
    from benchmarks.environment import Environment
    from benchmarks.protocol import protocol_lines
    from benchmarks.report import Measured
    from compress.data.dataset import Dataset

    recipe, inputs = context.recipe, context.inputs
    dataset = Dataset.open(inputs["dataset"])
    conditions = read_json(inputs["latency"] / "conditions.json")
    environment = conditions["environment"]
    environment["cpu_flags"] = tuple(environment["cpu_flags"])
    rows = subjects(inputs["export"])
    evaluations = {
        row.slug: Evaluation.load(inputs["quality"] / f"{row.slug}.npz")
        for row in rows
        if row.can_run
    }
    verdict = read_json(inputs["teacher-check"] / "verdict.json")
    return {
        "recipe": recipe,
        "quick": conditions["quick"],
        "protocol": _gate_lines(verdict)
        + protocol_lines(
            recipe,
            cases=len(dataset.cases("test")),
            items=dataset.items,
            queries=conditions["queries"],
            seconds=conditions["seconds"],
        ),
        "counts": {**dataset.counts, "test_targets_seen_before": _seen_before(dataset)},
        "measured": [
            Measured(
                _row(row, evaluations, context),
                evaluations[row.slug].statistics() if row.can_run else None,
            )
            for row in rows
        ],
        "curves": dict(_curves(context)),
        "environment": Environment(**environment),
        "timings_s": context.timings,
    }


def _gate_lines(verdict: dict[str, Any]) -> tuple[str, ...]:
    """A teacher that should not have taught is the first thing to know."""
    if not verdict["weak"]:
        return ()
    return (
        "The teacher does not beat counting on validation NDCG@10 "
        f"({verdict['teacher']:.4f}; co-occurrence {verdict['co-occurrence']:.4f}, popularity "
        f"{verdict['popularity']:.4f}); the recipe went on (allow_weak_teacher).",
    )


def _seen_before(dataset: "Dataset") -> int:
    """Test targets that the user had met already: with seen items masked they cannot be hit."""
    cases = dataset.cases("test")
    offsets, codes = dataset.seen(cases)
    owner = np.repeat(np.arange(len(cases)), np.diff(offsets))
    return len(np.unique(owner[codes == cases.targets[owner]]))


def _row(
    row: Subject, evaluations: dict[str, Evaluation], context: StageContext[NextItemRecipe]
) -> Row:
    artifact = row.artifact
    file = None if artifact is None else emitted_file(artifact)
    if not row.can_run:
        return Row(row.name, row.role, row.bytes, latency=None, quality=None, file=file)
    from benchmarks.latency import Latency

    own = evaluations[row.slug]
    benchmark = context.recipe.benchmark
    return Row(
        name=row.name,
        role=row.role,
        bytes=row.bytes,
        latency=Latency(**read_json(context.inputs["latency"] / f"{row.slug}.json")),
        quality=own.quality(benchmark.bootstrap, context.recipe.seed),
        fidelity=Fidelity(
            teacher=None if row.role == "teacher" else own.overlap(evaluations["teacher"]),
            student=None if row.role == "student" else own.overlap(evaluations["student"]),
            max_abs_difference=None if artifact is None else artifact.check.max_abs_difference,
        ),
        file=file,
    )


def _curves(context: StageContext[NextItemRecipe]) -> Iterator[tuple[str, list[dict[str, float]]]]:
    from compress.distill.training import HISTORY
    from compress.stages.next_item.teacher import member_folders

    members = member_folders(context.recipe, context.inputs["teacher"])
    for number, folder in enumerate(members, start=1):
        yield f"teacher {number}", read_json(folder / HISTORY)
    yield "student", read_json(context.inputs["student"] / HISTORY)
    yield "student without teacher", read_json(context.inputs["student-without-teacher"] / HISTORY)


QUALITY = Stage(
    name="quality",
    title="Measure the quality of every row",
    needs=("dataset", "export"),
    version=2,
    settings=lambda recipe: None,
    work=measure_quality,
)

REPORT = Stage(
    name="report",
    title="Write the report",
    needs=(
        "dataset",
        "teacher",
        "teacher-check",
        "student",
        "student-without-teacher",
        "export",
        "quality",
        "latency",
    ),
    version=1,
    settings=lambda recipe: recipe.model_dump(mode="json"),
    work=write_report,
    keep_partial=False,
)
