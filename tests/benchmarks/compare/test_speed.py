"""Files of runs asked in turn, for real: who is asked what, not how long it took."""

import shutil

import numpy as np
import pytest

from benchmarks.compare.comparison import Limits, compare_runs
from benchmarks.compare.runs import open_run
from benchmarks.compare.view import compare_view
from compress.errors import UserError
from compress.files import file_sha256
from export.artifact import Artifact
from export.rows import ROWS, SAMPLES, write_artifacts
from export.samples import Samples
from export.verification import Check

from .fabricated import FILE, write_run


@pytest.fixture
def write(inputs, tmp_path, tiny_model):
    """Write a run whose shipped file is a real ONNX file."""

    def run(name, *, examples=30, checked="run"):
        folder = write_run(tmp_path / name, inputs, range(50))
        path = folder / "report" / "report.json"
        path.write_text(
            path.read_text().replace('"student-int8-dynamic.onnx"', '"export/student.onnx"')
        )
        export = folder / "export"
        (export / SAMPLES).mkdir(parents=True)
        shutil.copy(tiny_model, export / "student.onnx")
        history = np.random.default_rng(1).integers(2, 32, (examples, 10)).astype(np.int32)
        Samples({"history": history}).save(export / SAMPLES / "student.npz")
        (export / ROWS).write_text("[]")
        artifact = Artifact(
            name=FILE,
            path="student.onnx",
            inputs="student.npz",
            format="onnx",
            scheme="int8-dynamic",
            target="cpu",
            runtime="onnx",
            bytes=tiny_model.stat().st_size,
            sha256=file_sha256(tiny_model),
            check=Check(30, 1.0, 0.0, 0.0, (), checked),
            signature={},
        )
        write_artifacts(export, [artifact], [])
        return open_run(name, folder)

    return run


def test_files_asked_in_turn_get_a_ratio_and_a_verdict(write):
    found = compare_runs(write("base"), [write("other", examples=20)], Limits(max_slowdown=1000.0))
    (one,) = found.comparisons
    assert (one.speed.rounds, one.speed.restarts) == (24, 6)
    assert one.speed.threads == 1
    ratio = one.speed.p90_ratio
    assert 0 < ratio.low <= ratio.value <= ratio.high
    assert one.speed.verdict != "slower"
    assert found.max_slowdown == 1000.0
    assert found.passed
    view = compare_view(found)
    assert (
        "times the p90, asked in turn over 24 rounds by 6 processes of each." in view.sentences[0]
    )
    assert view.files.headings[-2:] == (("p90, in turn", "times base"), ("Speed", ""))
    assert all(len(cells) == len(view.files.headings) for _, cells in view.files.rows)


def test_a_file_that_does_not_run_here_is_refused(write):
    with pytest.raises(UserError, match="of base does not run on this machine"):
        compare_runs(write("base", checked="evaluated"), [write("other")], Limits(max_slowdown=0.1))


@pytest.mark.parametrize("longer", [False, True])
def test_a_file_other_than_the_one_whose_quality_was_measured_is_refused(write, longer):
    base, other = write("base"), write("other")
    file = other.folder / "export" / "student.onnx"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content) + b"x" * longer)
    with pytest.raises(UserError, match="of other is not the file whose quality was measured: it"):
        compare_runs(base, [other], Limits(max_slowdown=0.1))


def test_missing_samples_are_refused(write):
    base, other = write("base"), write("other")
    (other.folder / "export" / SAMPLES / "student.npz").unlink()
    with pytest.raises(UserError, match="what other is asked with cannot be read"):
        compare_runs(base, [other], Limits(max_slowdown=0.1))


def test_an_export_folder_of_another_report_is_refused(write):
    base, other = write("base"), write("other")
    write_artifacts(other.folder / "export", [], [])
    with pytest.raises(UserError, match="names export/student.onnx, its export folder does not"):
        compare_runs(base, [other], Limits(max_slowdown=0.1))
