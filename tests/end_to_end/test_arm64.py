"""A job's ONNX files answer on arm64 as they do here: with an emulated processor."""

import subprocess
import sys

import pytest

from compress.errors import DownloadError, MissingExtraError
from export.arm64.emulated import compare_on_arm64
from export.arm64.root import Arm64Root

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
    assert "student.fp32.onnx: good; arm64 and here differ by" in done.stdout


def test_a_file_that_cannot_be_read_there_is_refused(job, arm64, tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as error:
        arm64.run_python(tmp_path / "none.py")
    assert "none.py" in error.value.stderr
