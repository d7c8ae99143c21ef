"""Changes to a graph that change no answer."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export.onnx.text_graph import (
    drop_unused_weights,
    inline_constants,
    keep_first_position,
    take_one_text,
    unfuse_residual_norms,
)


def weights(**arrays):
    return [numpy_helper.from_array(np.asarray(one), name) for name, one in arrays.items()]


def kinds(model):
    return [node.op_type for node in model.graph.node]


def test_sums_before_norms_are_sums(model, ask_model):
    before = ask_model(model)
    assert unfuse_residual_norms(model) == 2
    assert kinds(model).count("Sum") == 2
    assert np.array_equal(ask_model(model), before)


def test_what_is_behind_attention_works_on_the_first_position(model, ask_model):
    before = ask_model(model)
    inline_constants(model)
    assert keep_first_position(model) == 8  # both sides of the residual, and all behind
    assert np.allclose(ask_model(model), before, atol=1e-6)
    shapes = onnx.shape_inference.infer_shapes(model).graph.value_info
    sizes = {one.name: one.type.tensor_type.shape.dim for one in shapes}
    assert sizes["u"][1].dim_value == 1
    assert sizes["x"][1].dim_param == "L"


def test_a_model_that_reads_all_positions_stays_as_it_is(model, ask_model):
    inline_constants(model)
    reading = next(node for node in model.graph.node if node.output[0] == "first")
    del reading.attribute[:]
    reading.attribute.append(helper.make_attribute("axis", 0))  # the first text, whole
    before = model.SerializeToString()
    assert keep_first_position(model) == 0
    assert model.SerializeToString() == before


def test_what_is_read_elsewhere_too_stays_whole(model, ask_model):
    before = ask_model(model)
    inline_constants(model)
    model.graph.output.append(helper.make_tensor_value_info("r", TensorProto.FLOAT, ["B", "L", 8]))
    keep_first_position(model)
    whole = next(node for node in model.graph.node if node.output[0] == "r")
    assert list(whole.input) == ["u"]
    assert np.allclose(ask_model(model), before, atol=1e-6)


def test_one_text_takes_no_types(model, ask_model):
    expected = ask_model(model)
    assert not np.allclose(ask_model(model, kind=1), expected)
    take_one_text(model)
    assert [one.name for one in model.graph.input] == ["input_ids"]
    assert np.array_equal(ask_model(model), expected)
    assert "kinds" not in {one.name for one in model.graph.initializer}


def test_types_that_are_read_otherwise_are_zeros(model, ask_model):
    model.graph.node[1].CopyFrom(
        helper.make_node("Cast", ["token_type_ids"], ["c"], to=TensorProto.FLOAT)
    )
    model.graph.node.insert(2, helper.make_node("Unsqueeze", ["c", "two"], ["kind"]))
    model.graph.initializer.extend(weights(two=np.array([2])))
    expected = ask_model(model)
    take_one_text(model)
    assert np.array_equal(ask_model(model), expected)


def test_copies_of_weights_are_the_weights(model, ask_model):
    before = ask_model(model)
    model.graph.node.insert(0, helper.make_node("Identity", ["shift"], ["copy"]))
    for node in model.graph.node:
        if node.op_type == "LayerNormalization":
            node.input[2] = "copy"
    inline_constants(model)
    assert "Identity" not in kinds(model)
    assert "Constant" not in kinds(model)
    assert np.array_equal(ask_model(model), before)


def test_unused_weights_go(model, ask_model):
    model.graph.initializer.extend(weights(unused=np.zeros(9)))
    drop_unused_weights(model)
    assert "unused" not in {one.name for one in model.graph.initializer}
    ask_model(model)
