"""What a file takes is read from the file, whoever wrote it."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from compress.errors import UserError
from export.file_inputs import FileInput, file_inputs


def write(path, nodes, inputs, constants=()):
    graph = helper.make_graph(
        nodes,
        "anyone's",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )
    return path


@pytest.fixture
def bert_like(tmp_path):
    """Pieces in int64, cast before they are looked up, and a mask that no table knows."""
    table = np.ones((73, 4), np.float32)
    node = helper.make_node
    return write(
        tmp_path / "bert.onnx",
        [
            node("Cast", ["input_ids"], ["ids"], to=TensorProto.INT32),
            node("Gather", ["words", "ids"], ["found"]),
            node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            node("Unsqueeze", ["mask", "last"], ["column"]),
            node("Mul", ["found", "column"], ["y"]),
        ],
        [
            ("input_ids", TensorProto.INT64, ["B", 16]),
            ("attention_mask", TensorProto.INT64, ["B", 16]),
        ],
        [("words", table), ("last", np.array([-1]))],
    )


def test_an_onnx_file_says_names_types_shapes_and_what_ids_it_looks_up(bert_like):
    assert file_inputs(bert_like) == (
        FileInput("input_ids", "int64", (None, 16), rows=73),
        FileInput("attention_mask", "int64", (None, 16), rows=None),
    )


def test_of_two_tables_the_smaller_one_counts(tmp_path):
    node = helper.make_node
    file = write(
        tmp_path / "two.onnx",
        [
            node("Gather", ["large", "input_ids"], ["a"]),
            node("Gather", ["small", "input_ids"], ["b"]),
            node("Add", ["a", "b"], ["y"]),
        ],
        [("input_ids", TensorProto.INT32, [1, 4])],
        [("large", np.ones((90, 2), np.float32)), ("small", np.ones((40, 2), np.float32))],
    )
    (found,) = file_inputs(file)
    assert found.rows == 40


def test_a_file_of_limbecks_says_how_many_items_it_knows(tmp_path):
    file = write(
        tmp_path / "ours.onnx",
        [helper.make_node("Cast", ["history"], ["y"], to=TensorProto.FLOAT)],
        [("history", TensorProto.INT32, ["B", 5])],
    )
    model = onnx.load(file)
    helper.set_model_props(model, {"limbeck.items": "300"})
    onnx.save(model, file)
    assert file_inputs(file) == (FileInput("history", "int32", (None, 5), rows=302),)


def test_what_is_no_model_is_told_apart(tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"0")
    with pytest.raises(UserError, match=r"known format.*\.onnx"):
        file_inputs(tmp_path / "weights.bin")
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(UserError, match=r"broken\.onnx"):
        file_inputs(tmp_path / "broken.onnx")
    with pytest.raises(UserError, match="--inputs"):
        file_inputs(tmp_path / "anyones.engine")
