"""A job's ONNX files answer on arm64 as they do here: with an emulated processor."""

import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from compress.errors import DownloadError, MissingExtraError
from compress.files import file_sha256
from export.arm64.emulated import compare_on_arm64
from export.arm64.root import Arm64Root
from export.rows import read_artifacts, write_artifacts

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def arm64():
    try:
        return Arm64Root.open()
    except (MissingExtraError, DownloadError) as error:
        pytest.skip(f"arm64 cannot be emulated here: {error}")


def test_the_files_answer_on_arm64_as_they_do_here(job, arm64):
    found = {one.scheme: one for one in compare_on_arm64(job.folder / "export", arm64)}
    assert {"fp32", "int8-dynamic"} <= set(found)
    for one in found.values():
        assert one.faults == ()
        assert one.check.cases == 259
        assert "arm64" in one.check.checked_with
    assert found["fp32"].max_abs_difference < 1e-4
    assert found["fp32"].agreement > 0.999
    assert found["int8-dynamic"].max_abs_difference < 0.05


def test_the_command_prints_a_line_a_file(job, arm64):
    command = [sys.executable, "-m", "export.arm64", str(job.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "student.fp32.onnx: verified; arm64 and here differ by" in done.stdout


@pytest.fixture
def truncated(job, tmp_path):
    """A copy of the job's export folder in which the end of one file is missing."""
    folder = tmp_path / "export"
    shutil.copytree(job.folder / "export", folder)
    path = folder / "student.fp32.onnx"
    path.write_bytes(path.read_bytes()[:-1000])
    (artifact,) = (one for one in read_artifacts(folder) if one.path == path.name)
    return folder, artifact, path


def test_a_file_that_was_cut_off_is_not_loaded(truncated, arm64):
    folder, _, path = truncated
    found = {one.path: one for one in compare_on_arm64(folder, arm64)}
    (fault,) = found.pop(path.name).faults
    assert "it is cut off or changed" in fault
    assert all(one.faults == () for one in found.values())


def test_a_file_that_cannot_be_read_there_is_refused(truncated, arm64):
    """Recorded as it is, so that arm64's ONNX Runtime has to tell."""
    folder, artifact, path = truncated
    as_it_is = {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
    write_artifacts(folder, [replace(artifact, **as_it_is)], [])
    (found,) = compare_on_arm64(folder, arm64)
    (fault,) = found.faults
    assert fault.startswith("it cannot be run on arm64: ")
    assert "InvalidProtobuf" in fault
    assert found.max_abs_difference is None
