"""Files in every scenario: what was measured is kept, and what cannot be measured is said."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.bench import bench as bench_module
from benchmarks.bench.data import BenchData
from benchmarks.bench.known_answers import Answers
from benchmarks.stages import scenarios as stage_module
from benchmarks.stages.scenarios import RESULT, is_wanted, scenarios_stage
from compress.errors import UserError
from compress.progress import Progress
from compress.recipe_file import parse_recipe
from compress.stage import StageContext
from export.rows import read_artifacts, write_artifacts

from ..bench.conftest import bench_run  # noqa: F401
from ..bench.rows import row

RECIPE = """
name: tiny
task: {kind: next-item}
data: {source: {kind: movielens-100k}}
teacher: {kind: text-sequence}
student: {kind: transformer}
benchmark: {scenarios: [single-stream, offline], batches: [1, 4], scenario_seconds: 0.1}
"""


@pytest.fixture
def measure(request, tmp_path, monkeypatch):
    """Carry the stage out on a copy of a run, and tell what was measured."""
    shutil.copytree(request.getfixturevalue("bench_run"), tmp_path / "shop")
    export, measured = tmp_path / "shop" / "export", []

    def quick_row(model, case, log_folder, cold_starts=0, known=None):
        if model.name == "broken fp32":
            raise UserError("it is broken\nfor a reason")
        measured.append(f"{model.name} {case.scenario.batch}")
        folder = log_folder / model.name.replace(" ", "-") / case.slug
        folder.mkdir(parents=True)
        (folder / "mlperf_log_detail.txt").write_text(case.slug)
        return row(model.name, scenario=case.scenario.name, batch=case.scenario.batch)

    monkeypatch.setattr(bench_module, "measure_row", quick_row)
    monkeypatch.setattr("benchmarks.bench.known_answers.known_answers", lambda model: Answers(None))

    def carry_out(previous=None):
        measured.clear()
        folder = tmp_path / f"scenarios {len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        context = StageContext(
            recipe=parse_recipe(RECIPE),
            recipe_folder=Path(),
            folder=folder,
            inputs={"export": export},
            progress=Progress(),
            logs=tmp_path,
            previous=previous,
        )
        scenarios_stage(quick=True).work(context)
        data = BenchData.model_validate_json((folder / RESULT).read_text())
        return folder, data, tuple(measured)

    carry_out.export = export
    return carry_out


def copied(export, name, path):
    """Add a file to an export that is another one's copy."""
    known = read_artifacts(export)
    shutil.copy(export / known[0].path, export / path)
    write_artifacts(export, [*known, replace(known[0], name=name, path=path)], [])


def test_a_file_that_joins_is_measured_alone(measure):
    folder, data, measured = measure()
    assert measured == ("onnx fp32 1", "onnx fp32 4")
    assert [(one.scenario, one.batch) for one in data.rows] == [("offline", 1), ("offline", 4)]
    copied(measure.export, "another fp32", "another.onnx")
    second, data, measured = measure(previous=folder)
    assert measured == ("another fp32 1", "another fp32 4")
    assert [one.name for one in data.rows] == ["onnx fp32"] * 2 + ["another fp32"] * 2
    log = Path("loadgen", "onnx-fp32", "cpu-offline-1t", "mlperf_log_detail.txt")
    assert (second / log).read_bytes() == (folder / log).read_bytes()


def test_figures_of_another_machine_are_not_taken(measure, monkeypatch):
    folder, _, _ = measure()
    _, _, measured = measure(previous=folder)
    assert measured == ()
    machine = replace(stage_module.current_environment(), cpu="another")
    monkeypatch.setattr(stage_module, "current_environment", lambda: machine)
    _, data, measured = measure(previous=folder)
    assert measured == ("onnx fp32 1", "onnx fp32 4")
    assert data.environment.cpu == "another"


def test_what_cannot_be_measured_says_why_case_by_case(measure):
    copied(measure.export, "broken fp32", "broken.onnx")
    _, data, measured = measure()
    assert len(measured) == len(data.rows) == 2
    engine, *broken = sorted(data.not_measured, key=lambda one: one.name == "broken fp32")
    assert engine.name == "tensorrt-rtx fp16"
    assert "GPU" in engine.because
    assert [(one.name, one.batch, one.because) for one in broken] == [
        ("broken fp32", 1, "it is broken for a reason"),
        ("broken fp32", 4, "it is broken for a reason"),
    ]


def test_a_recipe_with_single_stream_alone_has_no_such_stage():
    assert is_wanted(parse_recipe(RECIPE))
    assert not is_wanted(parse_recipe(RECIPE.replace(", offline", "")))


@pytest.mark.slow
def test_a_real_file_is_measured_for_real(measure, monkeypatch):
    monkeypatch.undo()
    folder, data, _ = measure()
    assert [one.queries for one in data.rows] == [1, 1]
    assert (folder / "loadgen/onnx-fp32/cpu-offline-1t/mlperf_log_detail.txt").is_file()
