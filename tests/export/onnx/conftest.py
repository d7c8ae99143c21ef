"""A small graph to change, and how to ask it."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper


def _weights(**arrays):
    return [numpy_helper.from_array(np.asarray(one), name) for name, one in arrays.items()]


@pytest.fixture
def model():
    """Embeddings, a mean over positions that stands for attention, one layer, a head."""
    rng = np.random.default_rng(0)

    def matrix(*shape):
        return rng.normal(size=shape).astype(np.float32)

    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["word"]),
        helper.make_node("Gather", ["kinds", "token_type_ids"], ["kind"]),
        helper.make_node("Add", ["word", "kind"], ["x"]),
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["x", "mean"], ["attended"]),
        helper.make_node("Add", ["attended", "x"], ["s"]),
        helper.make_node("LayerNormalization", ["s", "gain", "shift"], ["n"], axis=-1),
        helper.make_node("MatMul", ["n", "up"], ["u"]),
        helper.make_node("Relu", ["u"], ["r"]),
        helper.make_node("MatMul", ["r", "down"], ["d"]),
        helper.make_node("Add", ["d", "n"], ["t"]),
        helper.make_node("LayerNormalization", ["t", "gain", "shift"], ["last"], axis=-1),
        helper.make_node("Constant", [], ["zero"], value=_weights(v=np.int64(0))[0]),
        helper.make_node("Gather", ["last", "zero"], ["first"], axis=1),
        helper.make_node("MatMul", ["first", "head"], ["logits"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["B", "L"])
        for name in ("input_ids", "token_type_ids")
    ]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", 3])
    arrays = _weights(
        words=matrix(20, 4),
        kinds=matrix(2, 4),
        gain=matrix(4),
        shift=matrix(4),
        up=matrix(4, 8),
        down=matrix(8, 4),
        head=matrix(4, 3),
    )
    graph = helper.make_graph(nodes, "test", ends, [logits], arrays)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8)


@pytest.fixture
def ask_model():
    """Ask `model`, or what became of it, about texts; types are 0 unless said otherwise."""
    ids = np.random.default_rng(1).integers(0, 20, (3, 6))

    def ask(model, kind=0):
        onnx.checker.check_model(model, full_check=True)
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        given = {"input_ids": ids, "token_type_ids": np.full_like(ids, kind)}
        return session.run(None, {one.name: given[one.name] for one in session.get_inputs()})[0]

    return ask
