"""Weights of 8 and 4 bits, computed by hand."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.source import Unsupported
from export.tensorrt.weight_quantization import OPSET, quantize_weights


def _model(weight, op="MatMul", **attributes):
    kind = TensorProto.INT64 if op == "Gather" else TensorProto.FLOAT16
    inputs = ["w", "x"] if op == "Gather" else ["x", "w"]
    node = helper.make_node(op, inputs, ["y"], "product", **attributes)
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", kind, ["B"] if op == "Gather" else ["B", "W"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT16, ["B", "O"])],
        [numpy_helper.from_array(np.asarray(weight, np.float16), "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)


def _parts(model):
    onnx.checker.check_model(model)
    reading, product = model.graph.node
    arrays = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    options = {one.name: one.i for one in reading.attribute}
    assert reading.output[0] in product.input
    numbers, scales = (arrays[name] for name in reading.input)
    return numbers.astype(np.int8), scales, options


def test_a_matrix_has_a_scale_for_each_column():
    model = _model([[127, 1], [-64, 0.5], [0, -0.25]])
    assert quantize_weights(model, bits=8) == 1
    numbers, scales, options = _parts(model)
    assert options == {"axis": 1}
    np.testing.assert_array_equal(scales, np.array([1, 1 / 127], np.float16))
    # 0.5 / float16(1 / 127) = 63.5, rounded to even
    assert numbers.tolist() == [[127, 127], [-64, 64], [0, -32]]


def test_a_table_has_a_scale_for_each_row():
    model = _model([[127, -127], [0, 0]], "Gather")
    assert quantize_weights(model, bits=8) == 1
    numbers, scales, options = _parts(model)
    assert options == {"axis": 0}
    assert scales.tolist() == [1, 1]
    assert numbers.tolist() == [[127, -127], [0, 0]]


def test_a_transposed_matrix_has_its_columns_in_rows():
    model = _model([[127, 64], [254, 2]], "Gemm", transB=1)
    quantize_weights(model, bits=8)
    numbers, scales, options = _parts(model)
    assert options == {"axis": 0}
    assert scales.tolist() == [1, 2]
    assert numbers.tolist() == [[127, 64], [127, 1]]


def test_in_int4_every_block_of_a_column_has_a_scale():
    column = np.concatenate([np.full(16, 7), np.full(16, -14), np.full(16, 3.5)])
    model = _model(np.stack([column, -column], axis=1))
    assert quantize_weights(model, bits=4) == 1
    numbers, scales, options = _parts(model)
    assert options == {"axis": 0, "block_size": 16}
    assert scales.tolist() == [[1, 1], [2, 2], [0.5, 0.5]]
    assert numbers[::16].tolist() == [[7, -7], [-7, 7], [7, -7]]
    assert model.graph.initializer[0].data_type == TensorProto.INT4
    assert len(model.graph.initializer[0].raw_data) == 48  # 96 numbers, two a byte


def test_blocks_are_of_32_where_they_fit():
    model = _model(np.ones((64, 2)))
    quantize_weights(model, bits=4)
    assert _parts(model)[2]["block_size"] == 32


def test_tables_have_8_bits_in_int4_and_do_not_count():
    with pytest.raises(Unsupported, match="int4-weight: no weight.*int8-weight or fp16 can be had"):
        quantize_weights(_model(np.ones((32, 32)), "Gather"), bits=4)


def test_columns_that_no_block_divides_are_refused_where_there_are_no_others():
    with pytest.raises(Unsupported, match="multiple of 16"):
        quantize_weights(_model(np.ones((24, 8))), bits=4)


def test_a_weight_that_two_nodes_read_is_stored_once():
    model = _model(np.ones((32, 4)))
    model.graph.node.append(helper.make_node("MatMul", ["x", "w"], ["z"], "again"))
    model.graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT16, ["B", "O"]))
    assert quantize_weights(model, bits=8) == 1
    assert len(model.graph.initializer) == 2
