"""The stages that measure a next-item job: quality of every row, and the report."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.peers.results import (
    peer_comparisons,
    peer_routes,
    peer_rows,
    peers_not_measured,
)
from benchmarks.quality import Evaluation
from benchmarks.stages.quality import measure_rows, runner_of
from benchmarks.stages.report import (
    Curves,
    conditions_of,
    further_figures,
    gate_lines,
    measured_row,
    student_curves,
    write_files,
)
from benchmarks.stages.subjects import Subject, read_json, subjects
from compress.recipe import NextItemRecipe
from compress.stage import Stage, StageContext
from export.blocked_items import NOTHING_BLOCKED, exported_blocked_items
from export.rows import read_not_written
from export.samples import Samples

if TYPE_CHECKING:
    from compress.data.dataset import Dataset


def measure_quality(context: StageContext[NextItemRecipe]) -> None:
    """Rank the test split with every row, through its own runtime."""
    from benchmarks.quality import DEFAULT_BATCH, evaluate
    from compress.data.dataset import Dataset

    dataset = Dataset.open(context.inputs["dataset"])
    cases = dataset.cases("test")
    seen, export_folder = dataset.seen(cases), context.inputs["export"]
    blocked = exported_blocked_items(export_folder)

    def ask(row: Subject, samples: Samples, advance: object) -> Evaluation:
        unmasked = row.unmasked_path
        # A refused file is measured too; its row says that it returns them, if that is why.
        is_refused = row.artifact is not None and row.artifact.refused_because is not None
        return evaluate(
            runner_of(row, export_folder),
            None if unmasked is None else runner_of(row, export_folder, unmasked),
            samples=samples,
            targets=cases.targets,
            seen=seen,
            items=dataset.items,
            batch_size=DEFAULT_BATCH if row.artifact is None else 1,
            blocked=NOTHING_BLOCKED if is_refused else blocked,
            name=row.name,
        )

    measure_rows(context, len(cases), "test cases", ask)


def write_report(context: StageContext[NextItemRecipe]) -> None:
    """Put everything together into report.json and report.html."""
    write_files(context.folder, _report_inputs(context))


def _report_inputs(context: StageContext[NextItemRecipe]) -> dict[str, Any]:
    from benchmarks.report.build import Measured
    from benchmarks.report.protocol import protocol_lines
    from compress.data.dataset import Dataset
    from compress.stages.next_item.user_groups import read_user_groups

    recipe, inputs = context.recipe, context.inputs
    dataset = Dataset.open(inputs["dataset"])
    conditions = conditions_of(context)
    rows = subjects(inputs["export"])
    evaluations = {
        row.slug: Evaluation.load(file)
        for row in rows
        if (file := inputs["quality"] / f"{row.slug}.npz").is_file()
    }
    compared = peer_comparisons(context, evaluations)
    return {
        "recipe": recipe,
        "quick": conditions["quick"],
        "protocol": gate_lines(context)
        + protocol_lines(
            recipe,
            cases=len(dataset.cases("test")),
            items=dataset.items,
            queries=conditions["queries"],
            seconds=conditions["seconds"],
            rounds=compared[0].rounds if compared else None,
        ),
        "counts": {
            **dataset.counts,
            "test_targets_seen_before": _seen_before(dataset),
            **_blocked(dataset, inputs["export"]),
        },
        "measured": [
            Measured(
                measured_row(row, evaluations, context, _difference(row)),
                evaluations[row.slug].statistics() if row.slug in evaluations else None,
            )
            for row in rows
        ]
        + peer_rows(context, evaluations),
        "warnings": read_user_groups(inputs["user-groups"]).warnings,
        "peer_comparisons": peer_comparisons(context, evaluations),
        "peer_routes": peer_routes(context),
        "peers_not_measured": peers_not_measured(context),
        "curves": dict(_curves(context)),
        "environment": conditions["environment"],
        "timings_s": context.timings,
        "not_written": read_not_written(inputs["export"]),
        **further_figures(inputs),
    }


def _difference(row: Subject) -> float | None:
    """Of the scores of the histories that the file was verified on."""
    return None if row.artifact is None else row.artifact.check.max_abs_difference


def _seen_before(dataset: "Dataset") -> int:
    """Test targets that the user had met already: with seen items masked they cannot be hit."""
    cases = dataset.cases("test")
    offsets, codes = dataset.seen(cases)
    owner = np.repeat(np.arange(len(cases)), np.diff(offsets))
    return len(np.unique(owner[codes == cases.targets[owner]]))


def _blocked(dataset: "Dataset", export_folder: Path) -> dict[str, int]:
    """Count blocked items, and test targets among them, which no row can hit; empty: none are."""
    blocked = exported_blocked_items(export_folder)
    if not blocked:
        return {}
    targets = dataset.cases("test").targets
    return {
        "blocked_items": len(blocked),
        "test_targets_blocked": int(np.isin(targets, blocked.array).sum()),
    }


def _curves(context: StageContext[NextItemRecipe]) -> Curves:
    from compress.distill.training import HISTORY
    from compress.stages.next_item.teacher import member_folders

    members = member_folders(context.recipe, context.inputs["teacher"])
    for number, folder in enumerate(members, start=1):
        yield f"teacher {number}", read_json(folder / HISTORY)
    yield from student_curves(context)


QUALITY = Stage(
    name="quality",
    title="Measure the quality of every row",
    needs=("dataset", "export"),
    version=3,
    settings=lambda recipe: recipe.benchmark.evaluation_seconds,
    work=measure_quality,
)


def report_stage(measured: Iterable[str]) -> Stage[NextItemRecipe]:
    """The stage that writes the report.

    Args:
        measured: Stages of the job that measured something.
    """
    return Stage(
        name="report",
        title="Write the report",
        needs=(
            "dataset",
            "user-groups",
            "teacher",
            "teacher-check",
            "student",
            "student-without-teacher",
            "export",
            *measured,
        ),
        version=5,
        settings=lambda recipe: recipe.model_dump(mode="json"),
        work=write_report,
        keep_partial=False,
    )
