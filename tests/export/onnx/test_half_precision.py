"""Graphs in float16."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.onnx.half_precision import LARGEST, half, halve, nodes_behind_last_product
from export.onnx.text_graph import inline_constants


def test_small_weights_stay_apart_from_zero_and_large_ones_are_cut():
    given = np.array([0, 1e-12, -1e-12, 1, -3.4e38, 3.4e38, 1e5], np.float32)
    found = half(given).astype(np.float32)
    smallest = np.float32(2.0**-24)
    assert found.tolist() == [0, smallest, -smallest, 1, -LARGEST, LARGEST, LARGEST]


def test_two_masks_add_up_to_a_finite_number():
    mask = half(np.array([np.finfo(np.float32).min], np.float32))
    assert np.isfinite(mask + mask).all()


def test_answers_stay_and_ends_keep_their_types(model, ask_model):
    inline_constants(model)
    before = ask_model(model)
    assert halve(model) == len(model.graph.node) - 1, "all but the cast at the end"
    assert model.graph.output[0].type.tensor_type.elem_type == TensorProto.FLOAT
    floats = [one for one in model.graph.initializer if one.data_type == TensorProto.FLOAT]
    assert floats == []
    after = ask_model(model)
    assert after.dtype == np.float32
    assert np.allclose(after, before, atol=0.02)
    assert not np.array_equal(after, before)


def test_single_nodes_stay_exact(model, ask_model):
    """Everything single: not a bit changes."""
    inline_constants(model)
    before = ask_model(model)
    assert halve(model, [node.output[0] for node in model.graph.node]) == 0
    assert np.array_equal(ask_model(model), before)


def test_a_weight_that_both_read_is_there_in_both_types(model, ask_model):
    """The norms share their gain; one of them stays float32."""
    inline_constants(model)
    before = ask_model(model)
    halve(model, ["last"])
    kinds = {one.name: one.data_type for one in model.graph.initializer}
    assert kinds["gain"] == TensorProto.FLOAT
    assert kinds["gain.half"] == TensorProto.FLOAT16
    assert np.allclose(ask_model(model), before, atol=0.02)


def test_what_makes_floats_by_attribute_makes_halves():
    shape = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", 2])
    end = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["B", 2])
    one = numpy_helper.from_array(np.array([1.5], np.float32))
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("ConstantOfShape", ["shape"], ["ones"], value=one),
        helper.make_node("Cast", ["shape"], ["size"], to=TensorProto.FLOAT),
        helper.make_node("Sum", ["zeros", "ones", "size", "x"], ["y"]),
    ]
    graph = helper.make_graph(nodes, "g", [shape], [end])
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    halve(model)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    given = np.array([[0.25, 1], [2, 3]], np.float32)
    assert session.run(None, {"x": given})[0].tolist() == (given + 1.5 + 2).tolist()


def test_the_last_product_is_where_scores_begin(model):
    assert nodes_behind_last_product(model) == []
    graph = model.graph
    graph.node.append(helper.make_node("Add", ["logits", "bias"], ["scores"]))
    graph.node.append(helper.make_node("TopK", ["scores", "k"], ["best", "places"]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("best", TensorProto.FLOAT, None))
    assert sorted(nodes_behind_last_product(model)) == ["best", "scores"]


def test_file_of_next_item_scores_are_compared_in_float32(tmp_path, deploy, signature, onnx_files):
    from export.onnx.emit_next_item import halve_onnx

    halve_onnx(onnx_files["fp32"], signature, tmp_path / "half.onnx")
    model = onnx.load(tmp_path / "half.onnx")
    inferred = onnx.shape_inference.infer_shapes(model).graph
    kinds = {one.name: one.type.tensor_type.elem_type for one in inferred.value_info}
    top = next(node for node in model.graph.node if node.op_type == "TopK")
    assert kinds[top.input[0]] == TensorProto.FLOAT
    bias = [one for one in model.graph.initializer if list(one.dims) == [302]]
    assert [one.data_type for one in bias] == [TensorProto.FLOAT]
    product = next(node for node in model.graph.node[::-1] if node.op_type == "MatMul")
    assert kinds[product.output[0]] == TensorProto.FLOAT16


@pytest.mark.parametrize("opset", [13, 20])
def test_older_and_newer_operators(tmp_path, deploy, signature, histories, opset):
    from export.onnx.emit_next_item import emit_onnx, halve_onnx
    from export.onnx.routes import GraphRoute
    from export.onnx.run import OnnxRunner

    path = tmp_path / "x.onnx"
    emit_onnx(deploy(), signature, path, GraphRoute("torchscript", opset))
    with OnnxRunner(path) as runner:
        exact = runner({"history": histories[:9]})
    halve_onnx(path, signature, path)
    with OnnxRunner(path) as runner:
        assert np.allclose(runner({"history": histories[:9]})["scores"], exact["scores"], atol=0.05)
