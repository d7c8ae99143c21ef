"""Static int8: which products, which ranges, which types."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from export.onnx.run import OnnxRunner
from export.onnx.static_int8 import quantize_static_onnx
from export.samples import Samples
from export.verification_set import VerificationSet


@pytest.fixture(scope="module")
def calibration(histories):
    return Samples({"history": histories[:64]})


@pytest.fixture(scope="module", params=[False, True], ids=["unsigned", "symmetric"])
def quantized(request, tmp_path_factory, onnx_files, calibration, signature):
    """Whether activations are symmetric, and the file."""
    path = tmp_path_factory.mktemp("static") / "static.onnx"
    quantize_static_onnx(onnx_files["fp32"], path, calibration, signature, symmetric=request.param)
    return request.param, path


def nodes_of(model, op):
    return [node for node in model.graph.node if node.op_type == op]


def test_it_ranks_as_the_student(quantized, reference):
    with OnnxRunner(quantized[1]) as runner:
        assert VerificationSet(reference, {}).check(runner, "int8-static").faults == ()


def test_every_matrix_is_int8_with_a_scale_a_column_and_zero_at_zero(quantized):
    model = onnx.load(quantized[1])
    weights = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    assert not nodes_of(model, "Gemm")
    made = {node.output[0]: node for node in nodes_of(model, "DequantizeLinear")}
    layers = [node for node in nodes_of(model, "MatMul") if node.input[1] in made]
    assert len(layers) == 6, "query, key and value, output, two of feed-forward, items"
    for layer in layers:
        matrix, scale, zero = (weights[name] for name in made[layer.input[1]].input)
        assert matrix.dtype == np.int8
        assert scale.shape == (matrix.shape[1],)
        assert not zero.any()


def test_only_what_goes_into_a_matrix_is_quantized(quantized):
    """Attention's own products, norms and the top-K stay floats."""
    is_symmetric, path = quantized
    model = onnx.load(path)
    readers = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node.op_type)
    weights = {one.name: one for one in model.graph.initializer}
    for node in nodes_of(model, "DequantizeLinear"):
        assert set(readers[node.output[0]]) == {"MatMul"}
    wanted = TensorProto.INT8 if is_symmetric else TensorProto.UINT8
    for node in nodes_of(model, "QuantizeLinear"):
        zero = weights[node.input[2]]
        assert zero.data_type == wanted
        assert not is_symmetric or not numpy_helper.to_array(zero).any()
    assert len(nodes_of(model, "MatMul")) == 8


def test_the_range_is_what_calibration_saw(tmp_path, onnx_files, signature, histories):
    """Asked about by hand: the input of the first matrix, over the examples."""
    few = Samples({"history": histories[3:5]})
    quantize_static_onnx(onnx_files["fp32"], tmp_path / "few.onnx", few, signature)
    model = onnx.load(tmp_path / "few.onnx")
    weights = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    first = nodes_of(model, "QuantizeLinear")[0]
    plain = onnx.load(onnx_files["fp32"])
    assert first.input[0] in {name for node in plain.graph.node for name in node.output}
    plain.graph.output.append(
        onnx.helper.make_tensor_value_info(first.input[0], TensorProto.FLOAT, None)
    )
    onnx.save(plain, tmp_path / "more.onnx")
    with OnnxRunner(tmp_path / "more.onnx") as runner:
        seen = runner({"history": histories[3:5]})[first.input[0]]
    span = max(seen.max(), 0) - min(seen.min(), 0)
    assert np.isclose(weights[first.input[1]].item(), span / 255, rtol=1e-3)


def test_nothing_says_where_it_was_made(quantized):
    model = onnx.load(quantized[1])
    assert {one.key.split(".")[0] for one in model.metadata_props} == {"limbeck"}
    assert model.producer_name == "limbeck"
