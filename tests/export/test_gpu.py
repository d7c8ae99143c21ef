"""The driver is asked, not a framework."""

import shutil
import subprocess

from export.gpu import gpu_is_present


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
