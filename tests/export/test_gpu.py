"""The driver is asked, not a framework."""

import shutil
import subprocess

import pytest

from export.gpu import compute_capability, gpu_is_present


def test_it_agrees_with_the_drivers_own_tool():
    tool = shutil.which("nvidia-smi")
    listed = (
        ""
        if tool is None
        else subprocess.run(
            [tool, "--list-gpus"], capture_output=True, text=True, check=False
        ).stdout
    )
    assert gpu_is_present() == ("GPU " in listed)


def test_without_a_gpu_there_is_no_compute_capability():
    assert (compute_capability() is None) == (not gpu_is_present())


@pytest.mark.skipif(not gpu_is_present(), reason="there is no NVIDIA GPU")
def test_the_compute_capability_is_the_first_gpus():
    command = ["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert compute_capability() == f"sm{listed.splitlines()[0].strip().replace('.', '')}"
