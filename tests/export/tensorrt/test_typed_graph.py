"""The graph of each scheme: its types, and what it answers in ONNX Runtime."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto

from export.onnx.run import OnnxRunner
from export.tensorrt.typed_graph import SINGLES, typed_onnx

KINDS = ("bert", "mobilebert", "text-cnn", "mean-pooled")
DIFFERENCE = {
    "fp32": 1e-5,
    "fp16": 0.01,
    "int8-weight": 0.05,
    "int4-weight": 0.5,
    "int8-static": 0.25,
}


@pytest.mark.parametrize("scheme", DIFFERENCE)
@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_nearly_as_the_student_does(text_source_of, pieces, kind, scheme):
    source = text_source_of(kind)
    given = {one.name: pieces[one.name] for one in source.signature.inputs}
    with torch.inference_mode():
        (expected,) = source.module(*(torch.from_numpy(array) for array in given.values()))
    with OnnxRunner(typed_onnx(source, scheme)) as runner:
        found = runner(given)["probabilities"]
        assert runner.metadata == source.signature.metadata()
    assert found.dtype == np.float32
    assert np.abs(found - expected.numpy()).max() < DIFFERENCE[scheme]


def _types(path):
    model = onnx.shape_inference.infer_shapes(onnx.load(path), strict_mode=True)
    values = (*model.graph.value_info, *model.graph.input, *model.graph.output)
    found = {one.name: one.type.tensor_type.elem_type for one in values}
    found |= {one.name: one.data_type for one in model.graph.initializer}
    return model, found


@pytest.mark.parametrize("kind", KINDS)
def test_products_are_fp16_and_sums_over_many_numbers_fp32(text_source_of, kind):
    model, types = _types(typed_onnx(text_source_of(kind), "fp16"))
    products = [node for node in model.graph.node if node.op_type in {"MatMul", "Gemm", "Conv"}]
    assert products
    assert {types[node.output[0]] for node in products} == {TensorProto.FLOAT16}
    sums = [node for node in model.graph.node if node.op_type in SINGLES]
    assert sums
    assert {types[node.output[0]] for node in sums} == {TensorProto.FLOAT}


def test_scores_and_gains_are_compared_in_fp32(next_item_source, text_source_of):
    model, types = _types(typed_onnx(next_item_source, "fp16"))
    (top,) = [node for node in model.graph.node if node.op_type == "TopK"]
    assert types[top.input[0]] == TensorProto.FLOAT
    gains = text_source_of("bert", is_pair=True, gains=(0.0, 0.5, 1.0))
    model, types = _types(typed_onnx(gains, "fp16"))
    maker = {name: node for node in model.graph.node for name in node.output}
    summed = maker[maker["score"].input[0]]
    assert summed.op_type == "MatMul"
    assert types[summed.output[0]] == TensorProto.FLOAT


@pytest.mark.parametrize("kind", KINDS)
def test_static_int8_is_symmetric_and_dequantizes_int8_alone(text_source_of, kind):
    model = onnx.load(typed_onnx(text_source_of(kind), "int8-static"))
    weights = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    read = [node for node in model.graph.node if node.op_type == "DequantizeLinear"]
    assert read
    for node in read:
        assert weights[node.input[2]].dtype == np.int8
        assert not weights[node.input[2]].any()
