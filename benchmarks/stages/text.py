"""The stages that measure a job on texts: quality of every row, and the report."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from benchmarks.peers.results import (
    peer_comparisons,
    peer_routes,
    peer_rows,
    peers_not_measured,
)
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
from benchmarks.text_quality import TextEvaluation
from compress.recipe import AnyTextRecipe
from compress.stage import Stage, StageContext
from export.rows import read_not_written
from export.samples import Samples

MANY_CUT = 0.1
"""Share of the test texts from which on a reader is told that they were cut."""


def measure_quality(context: StageContext[AnyTextRecipe]) -> None:
    """Ask every row about every text of the test split, through its own runtime."""
    from benchmarks.text_quality import DEFAULT_BATCH, evaluate_texts
    from compress.data.text_dataset import TextDataset
    from compress.tasks.text_task import Truth

    dataset = TextDataset.open(context.inputs["dataset"])
    truth = Truth.of(dataset, context.recipe.task, "test")

    def ask(row: Subject, samples: Samples, advance: Callable[[float], None]) -> TextEvaluation:
        return evaluate_texts(
            runner_of(row, context.inputs["export"]),
            samples=samples,
            truth=truth,
            classes=dataset.classes,
            batch_size=DEFAULT_BATCH if row.artifact is None else 1,
            progress=advance,
        )

    measure_rows(context, len(truth.targets), "test texts", ask)


def write_report(context: StageContext[AnyTextRecipe]) -> None:
    """Put everything together into report.json and report.html."""
    write_files(context.folder, _report_inputs(context))


def _report_inputs(context: StageContext[AnyTextRecipe]) -> dict[str, Any]:
    from benchmarks.report.build import Measured
    from benchmarks.report.text_protocol import text_protocol_lines
    from compress.data.text_dataset import TextDataset

    recipe, inputs = context.recipe, context.inputs
    dataset = TextDataset.open(inputs["dataset"])
    test = dataset.split("test")
    conditions = conditions_of(context)
    rows = subjects(inputs["export"])
    evaluations = {
        row.slug: TextEvaluation.load(file)
        for row in rows
        if (file := inputs["quality"] / f"{row.slug}.npz").is_file()
    }
    measured = [
        Measured(
            measured_row(row, evaluations, context, _difference(row, evaluations)),
            evaluations[row.slug].statistics() if row.slug in evaluations else None,
        )
        for row in rows
    ]
    measured += peer_rows(context, evaluations)
    comparisons = peer_comparisons(context, evaluations)
    groups = len(np.unique(test.groups))
    return {
        "recipe": recipe,
        "quick": conditions["quick"],
        "protocol": text_protocol_lines(
            recipe,
            examples=len(test),
            groups=None if groups == len(test) else groups,
            split_rule=dataset.split_rule,
            outputs=dataset.outputs,
            queries=conditions["queries"],
            seconds=conditions["seconds"],
            rounds=comparisons[0].rounds if comparisons else None,
        ),
        "counts": {**dataset.counts, **_piece_counts(context)},
        "warnings": (
            *gate_lines(context),
            *_one_answer_warnings(rows, evaluations),
            *dataset.warnings,
            *_cut_warnings(context),
        ),
        "measured": measured,
        "peer_comparisons": comparisons,
        "peer_routes": peer_routes(context),
        "peers_not_measured": peers_not_measured(context),
        "curves": dict(_curves(context)),
        "environment": conditions["environment"],
        "timings_s": context.timings,
        "not_written": read_not_written(inputs["export"]),
        **further_figures(inputs),
    }


def _piece_counts(context: StageContext[AnyTextRecipe]) -> dict[str, int]:
    """How many texts were cut, and how much of them the student cannot read."""
    found = {}
    for whose in ("teacher", "student"):
        counts = read_json(context.inputs[f"{whose}-pieces"] / "counts.json")
        for split in ("train", "test"):
            of = "training" if split == "train" else "test"
            found[f"{of}_texts_cut_for_the_{whose}"] = counts[split]["truncated"]
        found[f"unknown_test_pieces_of_the_{whose}"] = counts["test"]["unknown"]
    return found


def _one_answer_warnings(
    rows: Iterable[Subject], evaluations: Mapping[str, TextEvaluation]
) -> Iterator[str]:
    """Say it of a trained model that gives every text the same answer: it learned nothing."""
    for row in rows:
        if row.role not in ("teacher", "student", "student_without_teacher"):
            continue
        own = evaluations[row.slug]
        answers = own.answers
        if own.truth.task.target == "one-of" and len(np.unique(answers.argmax(axis=1))) == 1:
            yield (
                f"The {row.name} answers {own.classes[int(answers[0].argmax())]!r} to every test "
                "text: it has learned nothing. Train it longer, with a higher learning rate, or "
                "on more texts."
            )


def _cut_warnings(context: StageContext[AnyTextRecipe]) -> Iterator[str]:
    """Say it where many texts lose their end."""
    for whose in ("teacher", "student"):
        counts = read_json(context.inputs[f"{whose}-pieces"] / "counts.json")["test"]
        share = counts["truncated"] / counts["texts"]
        if share >= MANY_CUT:
            yield (
                f"{share:.0%} of the test texts are longer than {context.recipe.task.max_length} "
                f"of the {whose}’s word pieces and were cut there (task.max_length)."
            )


def _difference(row: Subject, evaluations: Mapping[str, TextEvaluation]) -> float | None:
    """Of the answers to the test texts."""
    if row.artifact is None or row.slug not in evaluations:
        return None
    return evaluations[row.slug].max_abs_difference(evaluations["student"])


def _curves(context: StageContext[AnyTextRecipe]) -> Curves:
    from compress.distill.training import HISTORY

    if context.recipe.teacher.train:
        yield "teacher", read_json(context.inputs["teacher"] / HISTORY)
    yield from student_curves(context)


QUALITY: Stage[AnyTextRecipe] = Stage(
    name="quality",
    title="Measure the quality of every row",
    needs=("dataset", "export"),
    version=2,
    settings=lambda recipe: recipe.benchmark.evaluation_seconds,
    work=measure_quality,
)


def report_stage(measured: Iterable[str]) -> Stage[AnyTextRecipe]:
    """The stage that writes the report.

    Args:
        measured: Stages of the job that measured something.
    """
    return Stage(
        name="report",
        title="Write the report",
        needs=(
            "dataset",
            "teacher-pieces",
            "student-pieces",
            "teacher",
            "teacher-check",
            "student",
            "student-without-teacher",
            "export",
            *measured,
        ),
        version=3,
        settings=lambda recipe: recipe.model_dump(mode="json"),
        work=write_report,
        keep_partial=False,
    )
