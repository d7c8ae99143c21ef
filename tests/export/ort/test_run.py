"""Running files of ONNX Runtime Mobile."""

import subprocess
import sys

import numpy as np
import onnxruntime
import pytest

from compress.errors import UserError
from export.ort.run import OrtRunner
from export.runner import RunnerSpec, open_runner


def test_one_at_a_time_and_together_agree(next_item_ort, histories):
    path = next_item_ort[2]["fp32"].path
    with open_runner(RunnerSpec("ort", str(path))) as runner:
        together = runner({"history": histories[:9]})
        alone = [runner({"history": one[None]}) for one in histories[:9]]
        assert runner.checked_with == f"ONNX Runtime {onnxruntime.__version__} on the CPU"
    assert together["item_ids"].dtype == np.int32
    for name, answer in together.items():
        assert np.allclose(answer, np.concatenate([one[name] for one in alone]), atol=1e-5)


def test_it_is_known_by_content_and_not_by_its_name(next_item_ort, tmp_path, histories):
    path = tmp_path / "model.bin"
    path.write_bytes(next_item_ort[2]["int8-dynamic"].path.read_bytes())
    with OrtRunner(path) as runner:
        assert runner({"history": histories[:1]})["scores"].shape == (1, 25)


@pytest.mark.parametrize("name", ["cut", "text", "empty", "onnx", "nothing"])
def test_broken_files_are_one_clear_line(next_item_ort, onnx_files, tmp_path, name):
    whole = next_item_ort[2]["fp32"].path.read_bytes()
    content = {
        "cut": whole[: len(whole) // 2],
        "text": b"hello",
        "empty": b"",
        "onnx": onnx_files["fp32"].read_bytes(),
    }
    path = tmp_path / f"{name}.ort"
    if name in content:
        path.write_bytes(content[name])
    with pytest.raises(UserError, match=f"{name}.ort is not an ORT file") as caught:
        OrtRunner(path).__enter__()
    assert "\n" not in str(caught.value)


def test_no_cut_ends_the_process(next_item_ort, tmp_path):
    """Wherever the file ends, it is an error to catch; padding at the end may be missing."""
    code = (
        "import sys; from pathlib import Path; from compress.errors import UserError\n"
        "from export.ort.run import OrtRunner\n"
        "whole = Path(sys.argv[1]).read_bytes(); cut = Path(sys.argv[2])\n"
        "for end in [*range(0, 200, 7), *range(200, len(whole) - 8, len(whole) // 60)]:\n"
        "    cut.write_bytes(whole[:end])\n"
        "    try: OrtRunner(cut).__enter__()\n"
        "    except UserError: continue\n"
        "    raise SystemExit(f'{end} bytes of {len(whole)} are loaded')\n"
    )
    path = next_item_ort[2]["int8-dynamic"].path
    command = [sys.executable, "-c", code, str(path), str(tmp_path / "cut.ort")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
