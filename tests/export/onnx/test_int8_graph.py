"""Changes before and after quantization: tables by half a step, all else changes no answer."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.onnx.int8_graph import declare_floats, drop_zero_points, quantize_tables


def weights(**arrays):
    return [numpy_helper.from_array(np.asarray(one), name) for name, one in arrays.items()]


def test_tables_are_int8_with_a_scale_a_row(model, ask_model):
    table = numpy_helper.to_array(model.graph.initializer[0]).copy()
    table[3] = 0
    model.graph.initializer[0].CopyFrom(weights(words=table)[0])
    before = ask_model(model)
    assert quantize_tables(model) == 2
    stored = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    assert "words" not in stored
    assert stored["words.int8"].dtype == np.int8
    restored = stored["words.int8"] * stored["words.scale"]
    half_steps = np.abs(table).max(axis=1, keepdims=True) / 254
    assert (np.abs(restored - table) <= half_steps + 1e-7).all()
    assert not restored[3].any()
    assert np.abs(ask_model(model) - before).max() < 0.1
    assert "DequantizeLinear" not in {
        node.op_type for node in model.graph.node
    }  # only rows that are read become floats


def test_types_that_onnx_cannot_infer_are_declared(model, ask_model):
    node = next(node for node in model.graph.node if node.op_type == "Relu")
    node.op_type, node.domain = "Gelu", "com.microsoft"
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    declare_floats(model)
    declared = {one.name: one.type.tensor_type.elem_type for one in model.graph.value_info}
    assert declared["r"] == TensorProto.FLOAT
    assert "word" not in declared


@pytest.mark.parametrize(("zero_point", "dropped"), [(0, 1), (3, 0)])
def test_zero_points_go_where_they_are_zero(zero_point, dropped):
    rng = np.random.default_rng(2)
    x = rng.integers(0, 255, (2, 4), np.uint8)
    w = rng.integers(-128, 127, (4, 3), np.int8)
    node = helper.make_node("MatMulInteger", ["x", "w", "xz", "wz"], ["y"])
    ends = [
        helper.make_tensor_value_info("x", TensorProto.UINT8, ["B", 4]),
        helper.make_tensor_value_info("y", TensorProto.INT32, ["B", 3]),
    ]
    arrays = weights(w=w, xz=np.uint8(9), wz=np.full(3, zero_point, np.int8))
    graph = helper.make_graph([node], "test", ends[:1], ends[1:], arrays)
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    assert drop_zero_points(model) == dropped
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    expected = (x.astype(int) - 9) @ (w.astype(int) - zero_point)
    assert np.array_equal(session.run(None, {"x": x})[0], expected)
