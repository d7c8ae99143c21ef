"""The stage that holds files against the machine: real counts, real peaks, measured times."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.roofline.data import RooflineData
from benchmarks.stages.roofline import ROOFLINE, roofline_stage, single_stream_p50_ms
from compress.files import file_sha256
from compress.progress import Progress
from compress.recipe import NextItemRecipe
from compress.stage import StageContext
from export.artifact import Artifact
from export.rows import SAMPLES, write_artifacts, write_rows
from export.samples import Samples
from export.verification import Check

RECIPE = NextItemRecipe.model_validate(
    {
        "name": "r",
        "data": {"source": {"kind": "movielens-100k"}},
        "teacher": {"kind": "text-sequence"},
        "student": {"kind": "transformer"},
    }
)


def artifact(name, path, runtime, file, check):
    return Artifact(
        name=name,
        path=path,
        inputs="histories.npz",
        format=runtime,
        scheme="fp32",
        target="cpu",
        runtime=runtime,
        bytes=file.stat().st_size,
        sha256=file_sha256(file),
        check=check,
        signature={},
    )


@pytest.fixture
def context(tmp_path, tiny_model):
    """A run that exported an ONNX file and an engine, and timed the ONNX file."""
    export, latency, folder = (tmp_path / one for one in ("export", "latency", "roofline"))
    for one in (export / SAMPLES, latency, folder):
        one.mkdir(parents=True)
    (export / "tiny.onnx").write_bytes(tiny_model.read_bytes())
    (export / "tiny.engine").write_bytes(b"engine")
    histories = Samples({"history": np.full((5, 6), 3, np.int32)})
    histories.save(export / SAMPLES / "histories.npz")
    ran = Check(5, 1.0, 0.0, 0.0, ())
    parsed = Check(0, None, None, None, (), checked="parsed")
    write_rows(export, [])
    write_artifacts(
        export,
        [
            artifact("onnx fp32", "tiny.onnx", "onnx", export / "tiny.onnx", ran),
            artifact("engine", "tiny.engine", "tensorrt", export / "tiny.engine", parsed),
        ],
        [],
    )
    timing = {"scenario": "single-stream", "threads": 1, "p50_ms": 0.02}
    (latency / "onnx-fp32.json").write_text(json.dumps(timing))
    return StageContext(
        RECIPE, Path(), folder, {"export": export, "latency": latency}, Progress(), tmp_path
    )


def test_every_file_is_counted_or_says_why_not(context):
    roofline_stage(quick=True).work(context)
    written = (context.folder / ROOFLINE).read_text(encoding="utf-8")
    found = RooflineData.model_validate_json(written)
    onnx, engine = found.rows
    # The tiny model scores the mean of 6 rows of 8 numbers against 30 items.
    assert onnx.cost.multiply_adds == {"fp32": 8 * 30}
    assert onnx.cost.counted_with == "history [1, 6]"
    assert onnx.measured_ms == 0.02
    assert onnx.share == pytest.approx(onnx.roof.attainable_ms / 0.02)
    assert onnx.bound == "neither"
    assert (engine.cost, engine.roof, engine.measured_ms) == (None, None, None)
    assert engine.not_counted_because.startswith("an engine does not tell its operators")
    assert found.peaks.threads == 1


def test_the_machine_is_not_measured_twice_when_the_stage_goes_on(context):
    roofline_stage(quick=True).work(context)
    before = (context.folder / ROOFLINE).read_bytes()
    (context.folder / ROOFLINE).unlink()
    roofline_stage(quick=True).work(context)
    assert (context.folder / ROOFLINE).read_bytes() == before


def test_a_quick_measurement_is_never_taken_for_a_full_one():
    assert roofline_stage(quick=True).settings(RECIPE) != roofline_stage().settings(RECIPE)


@pytest.mark.parametrize(
    ("said", "median"),
    [
        ({"scenario": "single-stream", "threads": 1, "p50_ms": 2.5}, 2.5),
        ({"threads": 1, "p50_ms": 2.5}, 2.5),
        ({"scenario": "single-stream", "threads": 2, "p50_ms": 2.5}, None),
        ({"scenario": "offline", "threads": 1, "p50_ms": 2.5}, None),
        ({"scenario": "single-stream", "threads": 1, "p50_ms": None}, None),
    ],
)
def test_only_one_query_at_a_time_on_as_many_threads_counts(tmp_path, said, median):
    file = tmp_path / "row.json"
    file.write_text(json.dumps(said))
    assert single_stream_p50_ms(file, 1) == median


def test_a_row_that_was_not_timed_has_no_median(tmp_path):
    assert single_stream_p50_ms(tmp_path / "row.json", 1) is None
