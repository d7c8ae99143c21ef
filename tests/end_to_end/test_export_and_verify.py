"""Files are added to a finished run, and a run's files are checked again somewhere else."""

import json
import shutil

import pytest

from .conftest import call


@pytest.fixture(scope="module")
def run(job, tmp_path_factory):
    """A finished run to add to."""
    folder = tmp_path_factory.mktemp("added") / "run"
    shutil.copytree(job.folder, folder)
    return folder


def report_of(run):
    return json.loads((run / "report" / "report.json").read_text())


def times_written(run):
    """When each file of the export and each row's latency was made."""
    found = {}
    for one in report_of(run)["artifacts"]:
        found[one["name"]] = (one["sha256"], one["latency"] and one["latency"]["p90_ms"])
    return found


def test_files_are_added_and_the_others_stay_as_they_are(run):
    before = times_written(run)
    done = call(
        "export", run, "--format", "coreml", "--scheme", "palettized-4", "--scheme", "int4-weight",
        "--target", "iOS18",
    )  # fmt: skip
    assert done.code == 0, done.err
    after = times_written(run)
    assert set(after) - set(before) == {"coreml palettized-4 iOS18", "coreml int4-weight iOS18"}
    assert {name: after[name] for name in before} == before
    assert "teacher: Train" not in done.err


def test_added_files_stay_when_the_recipe_is_run_again(job, run):
    again = call("run", job.recipe, "--out", run)
    assert again.code == 0, again.err
    assert "to do" not in again.err
    assert "coreml int4-weight iOS18" in times_written(run)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "tensorrt-rtx", "--target", "sm99"], ["sm99", "sm86"]),
        (["--format", "coreml", "--scheme", "int4-weight"], ["iOS18"]),
        (["--format", "onnx", "--scheme", "int8-static", "--set", "opset=11"], ["opset", "11"]),
        (["--format", "tensorrt", "--target", "this-gpu"], ["GPU", "build-on-device"]),
        (["--format", "tensorrt-rtx", "--scheme", "int4-weight", "--target", "sm75"], ["int4"]),
    ],
)
def test_what_cannot_be_had_is_told_in_one_line_and_costs_nothing(run, arguments, words):
    before = times_written(run)
    done = call("export", run, *arguments)
    assert done.code == 1, done.err
    (line, *_) = [one for one in done.err.splitlines() if "is not written: " in one]
    assert all(word in line for word in words), line
    assert times_written(run) == before
    assert not any(word in (run / "added-files.json").read_text() for word in ("sm99", "this-gpu"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "coreml", "--scheme", "int3"], ["int3", "int8-weight"]),
        (["--format", "pt"], ["pt", "known: onnx"]),
        (["--format", "onnx", "--set", "opsett=17"], ["did you mean 'opset'"]),
        (["--format", "onnx", "--set", "opset"], ["key=value"]),
        (["--format", "onnx", "--set", "opset=20"], ["onnx fp32", "already", "opset"]),
    ],
)
def test_a_wrong_request_is_told_before_anything_is_done(run, arguments, words):
    done = call("export", run, *arguments)
    assert done.code == 2
    assert all(word in done.err for word in words), done.err
    assert "Traceback" not in done.err


def test_a_folder_that_is_no_run_is_said_to_be_none(tmp_path):
    done = call("export", tmp_path, "--format", "onnx")
    assert done.code == 2
    assert "is not the folder of a run" in done.err


def test_the_export_folder_alone_is_enough_to_check_the_files_again(run, tmp_path):
    elsewhere = tmp_path / "phone"
    shutil.copytree(run / "export", elsewhere)
    done = call("verify", elsewhere, "--json")
    assert done.code == 0, done.err
    verdicts = {one["name"]: one for one in json.loads(done.out)}
    assert verdicts["onnx int8-dynamic"]["passed"]
    assert verdicts["coreml palettized-4 iOS18"]["checked"] == "evaluated"
    assert verdicts["tensorrt-rtx fp16 sm86"]["checked"] == "parsed"
    assert not any(one["refused"] for one in verdicts.values())


def test_a_file_that_was_changed_since_is_refused(run, tmp_path):
    elsewhere = tmp_path / "phone"
    shutil.copytree(run / "export", elsewhere)
    file = elsewhere / "student.int8-dynamic.onnx"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0x40
    file.write_bytes(bytes(data))
    done = call("verify", elsewhere)
    assert done.code == 1
    assert "student.int8-dynamic.onnx" in done.err
    alone = call("verify", run / "export" / "student.fp32.onnx")
    assert alone.code == 0, alone.err
