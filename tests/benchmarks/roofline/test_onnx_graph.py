"""Known answers: multiply-adds and bytes of small graphs, computed by hand."""

import numpy as np
import pytest
from onnx import helper

from benchmarks.roofline.onnx_graph import count_onnx
from compress.errors import UserError

from .graphs import floats, write_graph

node = helper.make_node


@pytest.fixture
def counted(tmp_path):
    """Count a graph: nodes, inputs, types of the outputs, weights."""

    def counted(nodes, inputs, outputs, weights, **how):
        path = write_graph(tmp_path / "graph.onnx", nodes, inputs, outputs, weights)
        return count_onnx(path, inputs, **how)

    return counted


def test_matmul_reads_its_weights_and_writes_its_result(counted):
    found = counted(
        [node("MatMul", ["x", "w"], ["y"])],
        {"x": floats(5, 3)},
        {"y": "float32"},
        {"w": floats(3, 7)},
    )
    assert found.multiply_adds == {"fp32": 5 * 3 * 7}
    assert found.weight_bytes == 3 * 7 * 4
    assert found.activation_bytes == (5 * 3 + 5 * 7) * 4
    assert found.working_set_bytes == found.bytes == (21 + 15 + 35) * 4
    assert found.operators == 1
    assert found.intensity == 105 / 284


@pytest.mark.parametrize(("turned", "shape"), [(0, (5, 3)), (1, (3, 5))])
def test_gemm_counts_its_inner_size_whichever_side_is_turned(counted, turned, shape):
    found = counted(
        [node("Gemm", ["x", "w", "b"], ["y"], transA=turned, transB=1)],
        {"x": floats(*shape)},
        {"y": "float32"},
        {"w": floats(7, 3), "b": floats(7)},
    )
    assert found.multiply_adds == {"fp32": 5 * 3 * 7}
    assert found.weight_bytes == (21 + 7) * 4


def test_batched_matmul_of_two_activations_has_no_weights(counted):
    given = {"x": floats(2, 4, 5, 3), "y": floats(2, 4, 3, 6)}
    found = counted([node("MatMul", ["x", "y"], ["z"])], given, {"z": "float32"}, {})
    assert found.multiply_adds == {"fp32": 8 * 5 * 3 * 6}
    assert found.weight_bytes == 0
    assert found.activation_bytes == 8 * (5 * 3 + 3 * 6 + 5 * 6) * 4


def test_convolution_with_groups_meets_only_the_channels_of_its_group(counted):
    found = counted(
        [node("Conv", ["x", "w"], ["y"], group=2, pads=[1, 1, 1, 1])],
        {"x": floats(1, 4, 8, 8)},
        {"y": "float32"},
        {"w": floats(6, 2, 3, 3)},
    )
    assert found.multiply_adds == {"fp32": 6 * 8 * 8 * 2 * 3 * 3}


def test_matmul_integer_multiplies_in_int8_and_reads_a_byte_a_weight(counted):
    found = counted(
        [node("MatMulInteger", ["x", "w"], ["y"])],
        {"x": np.ones((5, 3), np.uint8)},
        {"y": "int32"},
        {"w": np.ones((3, 7), np.int8)},
    )
    assert found.multiply_adds == {"int8": 105}
    assert (found.weight_bytes, found.activation_bytes) == (21, 5 * 3 + 5 * 7 * 4)


def test_gather_reads_the_rows_that_are_asked_for_and_not_the_table(counted):
    found = counted(
        [node("Gather", ["table", "rows"], ["y"])],
        {"rows": np.array([[7, 7, 3]], np.int64)},
        {"y": "float32"},
        {"table": floats(1000, 16)},
    )
    assert found.multiply_adds == {}
    assert found.weight_bytes == 3 * 16 * 4
    assert found.activation_bytes == 3 * 8 + 3 * 16 * 4


def test_fused_attention_projects_and_compares_every_pair(counted):
    """B 2, S 5, D 8: 2·5·8·24 for the projection, 2·2·5·5·8 for the pairs."""
    found = counted(
        [node("Attention", ["x", "w", "b"], ["y"], domain="com.microsoft", num_heads=2)],
        {"x": floats(2, 5, 8)},
        {"y": "float32"},
        {"w": floats(8, 24), "b": floats(24)},
    )
    assert found.multiply_adds == {"fp32": 2 * 5 * 8 * 24 + 2 * 2 * 5 * 5 * 8}
    assert found.weight_bytes == (8 * 24 + 24) * 4
    assert not found.not_understood


def test_lstm_meets_its_weights_at_every_step(counted):
    steps, batch, width, hidden = 6, 1, 3, 4
    found = counted(
        [node("LSTM", ["x", "w", "r"], ["", "y"], hidden_size=hidden)],
        {"x": floats(steps, batch, width)},
        {"y": "float32"},
        {"w": floats(1, 4 * hidden, width), "r": floats(1, 4 * hidden, hidden)},
    )
    assert found.multiply_adds == {"fp32": steps * 4 * hidden * (width + hidden)}


def test_a_view_moves_nothing(counted):
    found = counted(
        [node("Reshape", ["x", "shape"], ["y"])],
        {"x": floats(4, 6)},
        {"y": "float32"},
        {"shape": np.array([24], np.int64)},
    )
    assert (found.bytes, found.operators) == (0, 1)


def test_what_is_folded_when_loading_is_not_counted(counted):
    found = counted(
        [node("MatMul", ["a", "b"], ["ab"]), node("MatMul", ["x", "ab"], ["y"])],
        {"x": floats(1, 4)},
        {"y": "float32"},
        {"a": floats(4, 50), "b": floats(50, 3)},
    )
    assert found.multiply_adds == {"fp32": 4 * 3}
    assert found.weight_bytes == 4 * 3 * 4


def test_fp16_runs_as_fp32_on_this_cpu_and_as_fp16_where_the_file_is_taken_as_it_is(counted):
    given = (
        [node("MatMul", ["x", "w"], ["y"])],
        {"x": floats(5, 3).astype(np.float16)},
        {"y": "float16"},
        {"w": floats(3, 7).astype(np.float16)},
    )
    assert counted(*given).multiply_adds == {"fp32": 105}
    assert counted(*given).weight_bytes == 21 * 4
    assert counted(*given, optimized=False).multiply_adds == {"fp16": 105}
    assert counted(*given, optimized=False).weight_bytes == 21 * 2


def test_an_operator_that_is_not_known_is_named_and_not_taken_for_0(counted):
    found = counted(
        [node("Det", ["x"], ["d"]), node("MatMul", ["x", "w"], ["y"])],
        {"x": floats(3, 3)},
        {"d": "float32", "y": "float32"},
        {"w": floats(3, 7)},
    )
    assert found.not_understood == {"Det": 1}
    assert found.multiply_adds == {"fp32": 63}
    assert found.activation_bytes == (9 + 1) * 4 + (9 + 21) * 4


def test_inputs_that_the_file_does_not_take_are_not_looked_at(tmp_path):
    inputs = {"x": floats(1, 3)}
    nodes, weights = [node("MatMul", ["x", "w"], ["y"])], {"w": floats(3, 2)}
    path = write_graph(tmp_path / "a.onnx", nodes, inputs, {"y": "float32"}, weights)
    assert count_onnx(path, {**inputs, "other": floats(9)}).all_multiply_adds == 6


def test_a_file_that_is_none_is_an_error_of_one_line(tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(UserError, match=r"broken\.onnx: its graph cannot be counted"):
        count_onnx(path, {})
