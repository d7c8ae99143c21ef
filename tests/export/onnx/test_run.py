"""Running ONNX files."""

import numpy as np
import pytest

from compress.errors import UserError
from export.onnx.run import OnnxRunner


def test_one_at_a_time_and_together_agree(onnx_files, histories):
    with OnnxRunner(onnx_files["fp32"]) as runner:
        together = runner(histories[:20])
        alone = [runner(history[None]) for history in histories[:20]]
    assert np.array_equal(together[0], np.concatenate([ids for ids, _ in alone]))


def test_broken_or_missing_files_are_clear_errors(tmp_path, onnx_files):
    data = onnx_files["fp32"].read_bytes()
    (tmp_path / "cut.onnx").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.onnx").write_text("hello")
    for name in ("cut.onnx", "text.onnx", "nothing.onnx"):
        with pytest.raises(UserError, match=name), OnnxRunner(tmp_path / name):
            pass
