"""Converting in a process of its own."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from export.onnx.run import OnnxRunner
from export.ort.conversion import convert
from export.source import Unsupported


@pytest.fixture
def upper(tmp_path):
    """A file with an operator of onnxruntime-extensions."""
    values = [
        helper.make_tensor_value_info(name, TensorProto.STRING, ["B"]) for name in ("text", "upper")
    ]
    node = helper.make_node("StringUpper", ["text"], ["upper"], domain="ai.onnx.contrib")
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.contrib", 1)]
    graph = helper.make_graph([node], "g", values[:1], values[1:])
    path = tmp_path / "upper.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def test_bytes_do_not_depend_on_what_was_loaded_before(tmp_path, onnx_files, upper):
    """Operators that a process once registered would be named in every file that it writes."""
    paths = [tmp_path / f"{number}.ort" for number in range(2)]
    convert(onnx_files["int8-dynamic"], paths[0], "int8-dynamic")
    with OnnxRunner(upper) as runner:
        assert runner({"text": np.array(["a"], dtype=object)})["upper"].tolist() == ["A"]
    convert(onnx_files["int8-dynamic"], paths[1], "int8-dynamic")
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_what_cannot_be_converted_is_one_line(tmp_path, upper):
    with pytest.raises(Unsupported, match="cannot convert upper.onnx .*StringUpper") as caught:
        convert(upper, tmp_path / "upper.ort", "fp32")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "upper.ort").exists()
