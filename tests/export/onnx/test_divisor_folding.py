"""Divisions that become part of a weight, with the same answers."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from export.onnx.divisor_folding import fold_divisors

X = np.random.default_rng(0).normal(size=(2, 5, 8)).astype(np.float32)


def build(*nodes, divisor=2.0):
    rng = np.random.default_rng(1)
    shapes = {"wq": (8, 8), "wk": (8, 8), "b": (8,)}
    arrays = [
        numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    arrays.append(numpy_helper.from_array(np.array(divisor, np.float32), "d"))
    arrays.append(numpy_helper.from_array(np.array([0, 0, 2, 4]), "heads"))
    made = [
        helper.make_node(op, inputs.split(), [output], **attributes)
        for op, inputs, output, attributes in nodes
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", "L", 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(made, "test", [x], [y], arrays)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def ask(model):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": X})[0]


QUERY = [
    ("MatMul", "x wq", "p", {}),
    ("Add", "b p", "q", {}),
    ("Reshape", "q heads", "qr", {}),
    ("Transpose", "qr", "qt", {"perm": [0, 2, 1, 3]}),
    ("MatMul", "x wk", "k", {}),
    ("Reshape", "k heads", "kr", {}),
    ("Transpose", "kr", "kt", {"perm": [0, 2, 3, 1]}),
]


def test_attention_divides_its_query_beforehand():
    model = build(
        *QUERY, ("MatMul", "qt kt", "s", {}), ("Div", "s d", "r", {}), ("Softmax", "r", "y", {})
    )
    before = ask(model)
    assert fold_divisors(model) == 1
    assert "Div" not in {node.op_type for node in model.graph.node}
    assert np.allclose(ask(model), before, atol=1e-6)


def test_what_gives_the_output_may_be_folded_too():
    model = build(*QUERY, ("MatMul", "qt kt", "s", {}), ("Div", "s d", "y", {}))
    before = ask(model)
    assert fold_divisors(model) == 1
    assert np.allclose(ask(model), before, atol=1e-5)


def test_a_query_that_is_read_elsewhere_stays_as_it_is():
    model = build(
        *QUERY,
        ("MatMul", "qt kt", "s", {}),
        ("Div", "s d", "r", {}),
        ("MatMul", "r qt", "y", {}),
    )
    before = ask(model)
    assert fold_divisors(model) == 0
    assert np.array_equal(ask(model), before)


def test_a_division_of_something_else_stays_as_it_is():
    model = build(("Relu", "x", "s", {}), ("Div", "s d", "y", {}))
    before = ask(model)
    assert fold_divisors(model) == 0
    assert np.array_equal(ask(model), before)
