"""Nodes that read nothing but weights."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export.onnx.constant_folding import fold_weights


def test_a_large_table_made_of_parts_becomes_one_weight():
    parts = [np.zeros((2, 64), np.float32), np.ones((3000, 64), np.float32)]
    weights = [numpy_helper.from_array(one, f"part{place}") for place, one in enumerate(parts)]
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["B"])
    rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["B", 64])
    nodes = [
        helper.make_node("Concat", ["part0", "part1"], ["table"], axis=0),
        helper.make_node("Gather", ["table", "ids"], ["rows"]),
    ]
    graph = helper.make_graph(nodes, "g", [ids], [rows], weights)
    opset = [helper.make_opsetid("", 18)]
    folded = fold_weights(helper.make_model(graph, opset_imports=opset, ir_version=9))
    onnx.checker.check_model(folded, full_check=True)
    assert [node.op_type for node in folded.graph.node] == ["Gather"]
    table = numpy_helper.to_array(folded.graph.initializer[0])
    assert np.array_equal(table, np.concatenate(parts))
