"""Files that lie: real ones, corrupted on purpose. Each is refused, and the refusal says why."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from compress.recipe import Onnx, OnnxText
from export.rows import read_artifacts, write_artifacts
from export.verify_run import verify_run

from .lies import (
    behind,
    change_json,
    constant,
    record_again,
    reorder_classes,
    shift_ids,
    swap_name,
    why,
)

ONNX = Onnx(format="onnx", scheme="fp32")
ONNX_TEXT = OnnxText(format="onnx", scheme="fp32")
TOP_K = 25


def lie(folder, change):
    """Change the graph of the folder's only file, and what is recorded of its bytes."""
    (artifact,) = read_artifacts(folder)
    path = folder / artifact.path
    model = onnx.load(path)
    change(model.graph)
    path.write_bytes(model.SerializeToString())
    record_again(folder)


# --------------------------------------------------------------------------- what is changed


def flip(array, bit):
    """Flip a bit of the largest weight: 31 is the sign, 30 the highest of the exponent."""
    flat = array.copy().reshape(-1)
    raw = flat.view(np.uint32)
    raw[np.abs(flat).argmax()] ^= np.uint32(1 << bit)
    return flat.reshape(array.shape)


def flip_weight(bit):
    """Of the widest matrix that is multiplied with: a head, or a layer of the encoder."""

    def change(graph):
        multiplied = {
            name for node in graph.node if node.op_type == "MatMul" for name in node.input
        }
        weights = [one for one in graph.initializer if one.name in multiplied]
        widest = max(weights, key=lambda one: max(one.dims))
        widest.CopyFrom(
            numpy_helper.from_array(flip(numpy_helper.to_array(widest), bit), widest.name)
        )

    return change


def drop_mask(graph):
    """Leave out the scatter that hides items of the history."""
    (scatter,) = [one for one in graph.node if one.op_type == "ScatterElements"]
    swap_name(graph, scatter.output[0], scatter.input[0])
    graph.node.remove(scatter)


def ignore_attention_mask(graph):
    """Take every piece for a real one."""
    swap_name(graph, "attention_mask", "all.ones")
    one = numpy_helper.from_array(np.ones(1, np.int32))
    graph.node.insert(
        0, helper.make_node("ConstantOfShape", ["all.shape"], ["all.ones"], value=one)
    )
    graph.node.insert(0, helper.make_node("Shape", ["attention_mask"], ["all.shape"]))


def slice_items(start, end):
    """Return fewer items: `start` of the best are left out."""
    bounds = (
        constant("start", np.array([start])),
        constant("end", np.array([end])),
        constant("axis", np.array([1])),
    )

    def change(graph):
        for name in ("item_ids", "scores"):
            inputs = [f"{name}.before", "start", "end", "axis"]
            behind(name, helper.make_node("Slice", inputs, [name]), weights=bounds)(graph)
        for one in graph.output:
            one.type.tensor_type.shape.ClearField("dim")
            one.type.tensor_type.shape.dim.add()
            one.type.tensor_type.shape.dim.add()

    return change


def one_item_fewer(graph):
    slice_items(0, TOP_K - 1)(graph)


def without_the_best(graph):
    """One more is asked for, and the list begins one place too late."""
    (node,) = [one for one in graph.node if one.op_type == "TopK"]
    place = list(graph.node).index(node)
    graph.node.insert(place, helper.make_node("Add", [node.input[1], "more"], ["more.items"]))
    node.input[1] = "more.items"
    graph.initializer.append(constant("more", np.array([1])))
    slice_items(1, TOP_K + 1)(graph)


def worse_behind_the_top(graph):
    """From place 11 on, items that rank 200 places lower, with their own scores."""
    (node,) = [one for one in graph.node if one.op_type == "TopK"]
    place = list(graph.node).index(node)
    graph.node.insert(place, helper.make_node("Add", [node.input[1], "more"], ["more.items"]))
    node.input[1] = "more.items"
    graph.initializer.append(constant("more", np.array([200])))
    places = constant("places", np.array([*range(10), *range(210, 200 + TOP_K)]))
    for name in ("item_ids", "scores"):
        picked = helper.make_node("Gather", [f"{name}.before", "places"], [name], axis=1)
        behind(name, picked, weights=(places,))(graph)


def swap_outputs(graph):
    swapped = {"item_ids": "scores", "scores": "item_ids"}
    for one in graph.output:
        one.name = swapped[one.name]
    for node in graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                names[place] = swapped.get(name, name)


def rename_output(graph):
    for one in graph.output:
        if one.name == "probabilities":
            one.name = "answers"
    graph.node.append(helper.make_node("Identity", ["probabilities"], ["answers"]))


def uncertain(graph):
    """Every answer is not a number."""
    behind(
        "probabilities",
        helper.make_node("Mul", ["probabilities.before", "nan"], ["probabilities"]),
        weights=(constant("nan", np.float32(np.nan)),),
    )(graph)


NEXT_ITEM_LIES = {
    "the sign of a weight": (flip_weight(31), "differs from the student's"),
    "the exponent of a weight": (flip_weight(30), "is one that the student scores"),
    "no mask": (drop_mask, "an item of the history is returned although seen items are masked"),
    "one item fewer": (one_item_fewer, "(260, 24) and scores (260, 24) instead of (260, 25)"),
    "without the best": (without_the_best, "overlap with the student is"),
    "worse items behind the top 10": (worse_behind_the_top, f"an item of the top {TOP_K} is one"),
    "ids + 1": (shift_ids, "overlap with the student is"),
    "swapped outputs": (swap_outputs, "item_ids are float32 and scores int32"),
}
TEXT_LIES = {
    "the sign of a weight": (flip_weight(31), "differs from the student's"),
    "the exponent of a weight": (flip_weight(30), "a number in probabilities is not finite"),
    "no mask": (ignore_attention_mask, "the attention mask does not keep padding out"),
    "classes reordered": (reorder_classes, "agreement with the student is"),
    "another output": (rename_output, "it does not return probabilities"),
    "not numbers": (uncertain, "a number in probabilities is not finite"),
}


# ---------------------------------------------------------------------------- honest, then not


@pytest.mark.parametrize(("task", "wanted"), [("next-item", ONNX), ("text", ONNX_TEXT)])
def test_an_honest_file_passes(export_of, task, wanted):
    folder = export_of(task, wanted)
    (verdict,) = verify_run(folder.parent)
    assert verdict.passed
    assert verdict.faults == ()
    assert verdict.check.agreement == 1.0


@pytest.mark.parametrize("what", NEXT_ITEM_LIES)
def test_a_next_item_file_that_answers_otherwise_is_refused(export_of, what):
    change, message = NEXT_ITEM_LIES[what]
    folder = export_of("next-item", ONNX)
    lie(folder, change)
    assert message in why(folder)


@pytest.mark.parametrize("what", TEXT_LIES)
def test_a_text_file_that_answers_otherwise_is_refused(export_of, what):
    change, message = TEXT_LIES[what]
    folder = export_of("text", ONNX_TEXT)
    lie(folder, change)
    assert message in why(folder)


@pytest.mark.parametrize(("task", "wanted"), [("next-item", ONNX), ("text", ONNX_TEXT)])
def test_one_bit_anywhere_is_told_by_the_hash(export_of, task, wanted):
    """Also where no answer changes by it."""
    folder = export_of(task, wanted)
    (path,) = folder.glob("*.onnx")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "its sha256 is" in why(folder)
    assert "it is changed" in why(folder)


@pytest.mark.parametrize(("task", "wanted"), [("next-item", ONNX), ("text", ONNX_TEXT)])
def test_a_truncated_file_is_refused(export_of, task, wanted):
    folder = export_of(task, wanted)
    (path,) = folder.glob("*.onnx")
    path.write_bytes(path.read_bytes()[:-100])
    assert "cut off or changed" in why(folder)
    record_again(folder)
    assert "it cannot be run" in why(folder)


def test_a_missing_file_is_refused(export_of):
    folder = export_of("next-item", ONNX)
    (path,) = folder.glob("*.onnx")
    path.unlink()
    (verdict,) = verify_run(folder.parent)
    assert verdict.faults == ("it is not there",)


@pytest.mark.parametrize(
    ("name", "value"), [("limbeck.top_k", "24"), ("limbeck.recipe_sha256", "another")]
)
def test_metadata_that_says_something_else_is_refused(export_of, name, value):
    folder = export_of("next-item", ONNX)
    (path,) = folder.glob("*.onnx")
    model = onnx.load(path)
    for one in model.metadata_props:
        if one.key == name:
            one.value = value
    onnx.save(model, path)
    record_again(folder)
    assert f"its metadata says {value} of {name}" in why(folder)


def test_a_file_of_another_run_is_refused_whatever_is_recorded(export_of):
    folder = export_of("next-item", ONNX)
    (path,) = folder.glob("*.onnx")
    model = onnx.load(path)
    for one in model.metadata_props:
        if one.key == "limbeck.recipe_sha256":
            one.value = "another"
    onnx.save(model, path)
    (artifact,) = read_artifacts(folder)
    signature = {**artifact.signature, "limbeck.recipe_sha256": "another"}
    write_artifacts(folder, [replace(artifact, signature=signature)], [])
    record_again(folder)
    assert "verification.safetensors is of another export" in why(folder)


# -------------------------------------------------------------- what its answers are read with


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda found: found.update(items=found["items"][1:] + found["items"][:1]),
            "item-map.json is not the item map that the file was made with",
        ),
        (lambda found: found.update(first_item=1), "and first_item 1, not with 0, 1 and 2"),
        (lambda found: found.pop("items"), "item-map.json cannot be read"),
    ],
)
def test_an_item_map_that_is_shifted_is_refused(export_of, change, message):
    folder = export_of("next-item", ONNX)
    change_json(folder / "item-map.json", change)
    assert message in why(folder)


def test_classes_in_another_order_are_refused(export_of):
    folder = export_of("text", ONNX_TEXT)
    change_json(folder / "classes.json", lambda found: found["classes"].reverse())
    assert "classes.json is not the list of classes that the file was made with" in why(folder)


def test_another_tokenizer_is_refused(export_of):
    folder = export_of("text", ONNX_TEXT)
    path = folder / "tokenizer" / "tokenizer.json"
    path.write_text(path.read_text().replace('"dress"', '"dresz"'))
    assert "tokenizer/tokenizer.json is not the tokenizer" in why(folder)


@pytest.mark.parametrize(
    ("task", "wanted", "name"),
    [("next-item", ONNX, "item-map.json"), ("text", ONNX_TEXT, "classes.json")],
)
def test_a_missing_sidecar_is_refused(export_of, task, wanted, name):
    folder = export_of(task, wanted)
    (folder / name).unlink()
    assert f"{name}, which its answers are read with, is not there" in why(folder)
