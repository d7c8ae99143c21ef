"""Running ONNX files."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from compress.errors import UserError
from export.onnx.run import OnnxRunner


def test_one_at_a_time_and_together_agree(onnx_files, histories):
    with OnnxRunner(onnx_files["fp32"]) as runner:
        together = runner({"history": histories[:20]})
        alone = [runner({"history": history[None]}) for history in histories[:20]]
    assert list(together) == ["item_ids", "scores"]
    for name, answer in together.items():
        assert np.allclose(answer, np.concatenate([one[name] for one in alone]), atol=1e-5)


def test_what_the_file_does_not_take_is_not_looked_at(onnx_files, histories):
    with OnnxRunner(onnx_files["fp32"]) as runner:
        assert runner.inputs == ("history",)
        more = runner({"history": histories[:2], "token_type_ids": np.zeros((2, 1))})
        assert np.array_equal(more["item_ids"], runner({"history": histories[:2]})["item_ids"])


def test_a_missing_input_is_named(onnx_files):
    with (
        OnnxRunner(onnx_files["fp32"]) as runner,
        pytest.raises(UserError, match=r"fp32\.onnx takes history, and was given text, more"),
    ):
        runner({"text": np.zeros(1), "more": np.zeros(1)})


@pytest.mark.parametrize("kind", [object, str])
def test_texts_go_in_whole_whatever_array_they_came_in(tmp_path, kind):
    """Chinese, emoji, nothing, and a NUL inside of a text."""
    text = helper.make_tensor_value_info("text", TensorProto.STRING, ["B"])
    same = helper.make_tensor_value_info("same", TensorProto.STRING, ["B"])
    graph = helper.make_graph(
        [helper.make_node("Identity", ["text"], ["same"])], "g", [text], [same]
    )
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), tmp_path / "m.onnx")
    given = ["\u88d9\u5b50", "\U0001f457 \u00e9", "", "a\0b"]
    with OnnxRunner(tmp_path / "m.onnx") as runner:
        assert runner({"text": np.array(given, dtype=kind)})["same"].tolist() == given


def test_it_says_what_answers(onnx_files):
    with OnnxRunner(onnx_files["fp32"]) as runner:
        assert runner.checked_with == f"ONNX Runtime {onnxruntime.__version__} on the CPU"


def test_broken_or_missing_files_are_clear_errors(tmp_path, onnx_files):
    data = onnx_files["fp32"].read_bytes()
    (tmp_path / "cut.onnx").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.onnx").write_text("hello")
    for name in ("cut.onnx", "text.onnx", "nothing.onnx"):
        with pytest.raises(UserError, match=name), OnnxRunner(tmp_path / name):
            pass
