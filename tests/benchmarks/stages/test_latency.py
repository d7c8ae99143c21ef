"""The stage that measures latency: its key, and two rows measured for real."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.stages.latency import (
    QUICK_QUERIES,
    QUICK_SECONDS,
    answers_of,
    latency_stage,
    read_row_latency,
)
from benchmarks.stages.subjects import subjects
from compress.progress import Progress
from compress.recipe import NextItemRecipe
from compress.stage import StageContext
from export.rows import SAMPLES, RowFiles, read_rows, write_artifacts, write_rows
from export.runner import RunnerSpec, open_runner
from export.samples import Samples

RECIPE = NextItemRecipe.model_validate(
    {
        "name": "r",
        "data": {"source": {"kind": "movielens-100k"}},
        "teacher": {"kind": "text-sequence"},
        "student": {"kind": "transformer"},
        "benchmark": {"queries": 2000, "seconds": 20},
    }
)
BRIEF = RECIPE.model_copy(
    update={"benchmark": RECIPE.benchmark.model_copy(update={"seconds": 0.1, "bootstrap": 100})}
)
HISTORIES = np.random.default_rng(0).integers(2, 32, (64, 12)).astype(np.int32)


def test_a_quick_measurement_is_never_taken_for_a_full_one():
    full, brief = {"restarts": 6, "rounds": 4}, {"restarts": 4, "rounds": 1}
    assert latency_stage(quick=False).settings(RECIPE) == [2000, 20.0, 1, full]
    assert latency_stage(quick=True).settings(RECIPE) == [QUICK_QUERIES, QUICK_SECONDS, 1, brief]
    assert (QUICK_QUERIES, QUICK_SECONDS) == (64, 2.0)


@pytest.fixture
def context(tmp_path: Path, tiny_model: Path) -> StageContext[NextItemRecipe]:
    """A teacher and a student that are the same file; the student's quality was measured."""
    export, quality, folder = (tmp_path / name for name in ("export", "quality", "latency"))
    for one in (export / SAMPLES, quality, folder):
        one.mkdir(parents=True)
    Samples({"history": HISTORIES}).save(export / SAMPLES / "histories.npz")
    write_rows(
        export,
        [
            RowFiles(name, name, "onnx", str(tiny_model), 100, "histories.npz", name)
            for name in ("teacher", "student")
        ],
    )
    write_artifacts(export, [], [])
    with open_runner(RunnerSpec("onnx", str(tiny_model))) as runner:
        top = runner({"history": HISTORIES})["item_ids"]
    np.savez(quality / "student.npz", top=top)
    return StageContext(
        recipe=BRIEF,
        recipe_folder=tmp_path,
        folder=folder,
        inputs={"export": export, "quality": quality},
        progress=Progress(),
        logs=tmp_path / "logs",
        version=5,
    )


def test_rows_are_measured_alone_from_a_cold_start_and_in_turn_with_the_teacher(context):
    latency_stage(quick=True).work(context)
    teacher, student = (
        read_row_latency(context.folder, row) for row in subjects(context.inputs["export"])
    )
    assert student.timing.queries >= QUICK_QUERIES
    assert student.timing.conduct.agreement == 1.0
    assert teacher.timing.conduct.agreement is None  # Its quality was not measured.
    assert student.cold_start_ms > student.timing.load_ms
    assert teacher.p90_ratio_to_teacher is None
    ratio = student.p90_ratio_to_teacher
    assert 0 < ratio.low <= ratio.value <= ratio.high
    assert (context.folder / "loadgen" / "student" / "mlperf_log_detail.txt").is_file()


def test_what_was_measured_before_is_not_measured_again(context):
    latency_stage(quick=True).work(context)
    files = [context.folder / name for name in ("student.json", "ratios.json")]
    first = [one.stat().st_mtime_ns for one in files]
    latency_stage(quick=True).work(context)
    assert [one.stat().st_mtime_ns for one in files] == first


def test_a_row_that_joins_leaves_the_others_their_figures_and_their_logs(context, tmp_path):
    stage = latency_stage(quick=True)
    stage.work(context)
    export = context.inputs["export"]
    rows = read_rows(export)
    write_rows(export, [*rows, replace(rows[1], name="other", sha256="other")])
    (tmp_path / "again").mkdir()
    again = replace(context, folder=tmp_path / "again", previous=context.folder)
    stage.work(again)
    logs = "loadgen/student"
    for name in ("student.json", f"{logs}/mlperf_log_detail.txt", f"{logs}/cold-start/job.json"):
        assert (again.folder / name).read_bytes() == (context.folder / name).read_bytes()
    assert (again.folder / "loadgen" / "other" / "mlperf_log_detail.txt").is_file()
    assert len(list((again.folder / "turns").glob("start-0/model-*"))) == 3


def test_answers_are_those_whose_quality_was_measured(tmp_path):
    values = np.array([[0.2], [0.7]], np.float32)
    for name, task in {"labels": {"kind": "text-label"}, "score": {"relevance": "score"}}.items():
        np.savez(
            tmp_path / f"{name}.npz", answers=values, about=np.array(json.dumps({"task": task}))
        )
    assert list(answers_of(tmp_path, "labels")) == ["probabilities"]
    assert answers_of(tmp_path, "score")["score"].tolist() == values.tolist()
    assert answers_of(tmp_path, "never-asked") is None
