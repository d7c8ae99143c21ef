"""Scales and shifts that become part of a matrix, with the same answers."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.onnx.scale_folding import fold_scales

X = np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)


def build(*nodes, **shapes):
    rng = np.random.default_rng(1)
    arrays = [
        numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", "L", 4]) for name in ("x", "y")
    ]
    made = [helper.make_node(op, inputs.split(), [output]) for op, inputs, output in nodes]
    graph = helper.make_graph(made, "test", ends[:1], ends[1:], arrays)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def ask(model):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": X})[0]


def kinds(model):
    return [node.op_type for node in model.graph.node]


WEIGHTS = {"w": (4, 4), "b": (4,), "g": (4,), "s": (4,)}
NORMED = [("MatMul", "x w", "p"), ("Add", "b p", "a")]


def test_a_scale_and_a_shift_behind_a_product_cost_nothing():
    model = build(*NORMED, ("Mul", "a g", "m"), ("Add", "m s", "y"), **WEIGHTS)
    before = ask(model)
    assert fold_scales(model) == 1
    assert kinds(model) == ["MatMul", "Add"]
    assert np.allclose(ask(model), before, atol=1e-6)


def test_a_residual_is_scaled_by_itself():
    model = build(*NORMED, ("Add", "a x", "r"), ("Mul", "g r", "m"), ("Add", "m s", "y"), **WEIGHTS)
    before = ask(model)
    assert fold_scales(model) == 1
    assert kinds(model) == ["MatMul", "Add", "Mul", "Add"]
    assert np.allclose(ask(model), before, atol=1e-6)


def test_norms_behind_each_other_are_folded_each():
    model = build(
        *NORMED,
        ("Mul", "a g", "m"),
        ("Add", "m s", "n"),
        ("MatMul", "n w", "p2"),
        ("Add", "p2 n", "r2"),
        ("Mul", "r2 g", "m2"),
        ("Add", "m2 s", "y"),
        **WEIGHTS,
    )
    before = ask(model)
    assert fold_scales(model) == 2
    assert np.allclose(ask(model), before, atol=1e-5)


@pytest.mark.parametrize(
    "nodes",
    [
        [("Mul", "x g", "m"), ("Add", "m s", "y")],
        [*NORMED, ("Mul", "a g", "m"), ("Add", "m p", "y")],
        [*NORMED, ("MatMul", "x w2", "q"), ("Add", "a q", "r"), ("Mul", "r g", "y")],
    ],
    ids=["no product", "the product is read twice", "two products"],
)
def test_what_is_no_norm_stays_as_it_is(nodes):
    model = build(*nodes, **WEIGHTS, w2=(4, 4))
    before = ask(model)
    assert fold_scales(model) == 0
    assert np.array_equal(ask(model), before)
