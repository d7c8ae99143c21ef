"""Changes to a graph that change no answer (but for int8 tables, by half a step)."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.onnx.text_graph import (
    declare_floats,
    drop_unused_weights,
    inline_constants,
    keep_first_position,
    quantize_tables,
    take_one_text,
    unfuse_residual_norms,
)

WIDTH, CLASSES = 4, 3


def weights(**arrays):
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
        helper.make_node("Constant", [], ["zero"], value=weights(v=np.int64(0))[0]),
        helper.make_node("Gather", ["last", "zero"], ["first"], axis=1),
        helper.make_node("MatMul", ["first", "head"], ["logits"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["B", "L"])
        for name in ("input_ids", "token_type_ids")
    ]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", CLASSES])
    arrays = weights(
        words=matrix(20, WIDTH),
        kinds=matrix(2, WIDTH),
        gain=matrix(WIDTH),
        shift=matrix(WIDTH),
        up=matrix(WIDTH, 8),
        down=matrix(8, WIDTH),
        head=matrix(WIDTH, CLASSES),
    )
    graph = helper.make_graph(nodes, "test", ends, [logits], arrays)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8)


IDS = np.random.default_rng(1).integers(0, 20, (3, 6))
TYPES = np.zeros_like(IDS)


def ask(model, types=TYPES):
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    given = {"input_ids": IDS, "token_type_ids": types}
    return session.run(None, {one.name: given[one.name] for one in session.get_inputs()})[0]


def kinds(model):
    return [node.op_type for node in model.graph.node]


def test_sums_before_norms_are_sums(model):
    before = ask(model)
    assert unfuse_residual_norms(model) == 2
    assert kinds(model).count("Sum") == 2
    assert np.array_equal(ask(model), before)


def test_what_is_behind_attention_works_on_the_first_position(model):
    before = ask(model)
    inline_constants(model)
    assert keep_first_position(model) == 8  # both sides of the residual, and all behind
    assert np.allclose(ask(model), before, atol=1e-6)
    shapes = onnx.shape_inference.infer_shapes(model).graph.value_info
    sizes = {one.name: one.type.tensor_type.shape.dim for one in shapes}
    assert sizes["u"][1].dim_value == 1
    assert sizes["x"][1].dim_param == "L"


def test_a_model_that_reads_all_positions_stays_as_it_is(model):
    inline_constants(model)
    reading = next(node for node in model.graph.node if node.output[0] == "first")
    del reading.attribute[:]
    reading.attribute.append(helper.make_attribute("axis", 0))  # the first text, whole
    before = model.SerializeToString()
    assert keep_first_position(model) == 0
    assert model.SerializeToString() == before


def test_what_is_read_elsewhere_too_stays_whole(model):
    before = ask(model)
    inline_constants(model)
    model.graph.output.append(helper.make_tensor_value_info("r", TensorProto.FLOAT, ["B", "L", 8]))
    keep_first_position(model)
    whole = next(node for node in model.graph.node if node.output[0] == "r")
    assert list(whole.input) == ["u"]
    assert np.allclose(ask(model), before, atol=1e-6)


def test_tables_are_int8_with_a_scale_a_row(model):
    table = numpy_helper.to_array(model.graph.initializer[0]).copy()
    table[3] = 0
    model.graph.initializer[0].CopyFrom(weights(words=table)[0])
    before = ask(model)
    assert quantize_tables(model) == 2
    stored = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    assert "words" not in stored
    assert stored["words.int8"].dtype == np.int8
    restored = stored["words.int8"] * stored["words.scale"]
    half_steps = np.abs(table).max(axis=1, keepdims=True) / 254
    assert (np.abs(restored - table) <= half_steps + 1e-7).all()
    assert not restored[3].any()
    assert np.abs(ask(model) - before).max() < 0.1
    assert "DequantizeLinear" not in kinds(model)  # only rows that are read become floats


def test_one_text_takes_no_types(model):
    expected = ask(model)
    assert not np.allclose(ask(model, types=TYPES + 1), expected)
    take_one_text(model)
    assert [one.name for one in model.graph.input] == ["input_ids"]
    assert np.array_equal(ask(model), expected)
    assert "kinds" not in {one.name for one in model.graph.initializer}


def test_types_that_are_read_otherwise_are_zeros(model):
    model.graph.node[1].CopyFrom(
        helper.make_node("Cast", ["token_type_ids"], ["c"], to=TensorProto.FLOAT)
    )
    model.graph.node.insert(2, helper.make_node("Unsqueeze", ["c", "two"], ["kind"]))
    model.graph.initializer.extend(weights(two=np.array([2])))
    expected = ask(model)
    take_one_text(model)
    assert np.array_equal(ask(model), expected)


def test_copies_of_weights_are_the_weights(model):
    before = ask(model)
    model.graph.node.insert(0, helper.make_node("Identity", ["shift"], ["copy"]))
    for node in model.graph.node:
        if node.op_type == "LayerNormalization":
            node.input[2] = "copy"
    inline_constants(model)
    assert "Identity" not in kinds(model)
    assert "Constant" not in kinds(model)
    assert np.array_equal(ask(model), before)


def test_unused_weights_go(model):
    model.graph.initializer.extend(weights(unused=np.zeros(9)))
    drop_unused_weights(model)
    assert "unused" not in {one.name for one in model.graph.initializer}
    ask(model)


def test_types_that_onnx_cannot_infer_are_declared(model):
    node = next(node for node in model.graph.node if node.op_type == "Relu")
    node.op_type, node.domain = "Gelu", "com.microsoft"
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    declare_floats(model)
    declared = {one.name: one.type.tensor_type.elem_type for one in model.graph.value_info}
    assert declared["r"] == TensorProto.FLOAT
    assert "word" not in declared
