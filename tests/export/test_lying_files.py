"""Files that lie: real ones, corrupted on purpose. Each is refused, and the refusal says why."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from compress.files import tree_bytes, tree_files, tree_sha256
from compress.recipe import (
    CoreMl,
    CoreMlText,
    LiteRt,
    Onnx,
    OnnxText,
    Ort,
    OrtText,
    TensorRt,
    TensorRtRtx,
)
from export.rows import read_artifacts, write_artifacts
from export.verify_run import verify_file, verify_run

ONNX = Onnx(format="onnx", scheme="fp32")
ONNX_TEXT = OnnxText(format="onnx", scheme="fp32")
OTHERS = {
    "ort": (Ort(format="ort", scheme="fp32"), OrtText(format="ort", scheme="fp32"), "onnxruntime"),
    "litert": (*[LiteRt(format="litert", scheme="fp32")] * 2, "litert_torch"),
    "coreml": (
        CoreMl(format="coreml", scheme="fp32"),
        CoreMlText(format="coreml", scheme="fp32"),
        "coremltools",
    ),
}
DEVICE = TensorRt(format="tensorrt", scheme="fp16")
ENGINE = TensorRtRtx(format="tensorrt-rtx", scheme="fp16", target="sm86")
TOP_K = 25


def record_again(folder):
    """Pretend that the file was so when it was exported: what it answers is all that tells."""
    (artifact,) = read_artifacts(folder)
    path = folder / artifact.path
    again = replace(artifact, bytes=tree_bytes(path), sha256=tree_sha256(path))
    write_artifacts(folder, [again], [])


def why(folder):
    """The reasons for which the folder's only file is refused."""
    (verdict,) = verify_run(folder.parent)
    assert verdict.refused
    assert not verdict.passed
    assert not verify_file(folder / verdict.path).passed
    return " | ".join(verdict.faults)


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


def swap_name(graph, old, new):
    """Let every node that reads `old` read `new`."""
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name == old:
                node.input[place] = new


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


def behind(output, *nodes, weights=()):
    """Put nodes between what an output was and the output; `before` is its old name."""

    def change(graph):
        for node in graph.node:
            for place, name in enumerate(node.output):
                if name == output:
                    node.output[place] = f"{output}.before"
        swap_name(graph, output, f"{output}.before")
        graph.node.extend(nodes)
        known = {one.name for one in graph.initializer}
        graph.initializer.extend(one for one in weights if one.name not in known)

    return change


def constant(name, value):
    return numpy_helper.from_array(np.asarray(value), name)


shift_ids = behind(
    "item_ids",
    helper.make_node("Add", ["item_ids.before", "one"], ["shifted"]),
    helper.make_node("Min", ["shifted", "last"], ["item_ids"]),
    weights=(constant("one", np.int32(1)), constant("last", np.int32(301))),
)
reorder_classes = behind(
    "probabilities",
    helper.make_node("Gather", ["probabilities.before", "order"], ["probabilities"], axis=1),
    weights=(constant("order", np.array([1, 0, 2])),),
)


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


def change_json(path, change):
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


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


# -------------------------------------------------------------------------- the other formats


def flip_in_place(path, weights):
    """Flip the exponent of the largest number of a weight, wherever it is stored as it is."""
    wanted = [flat for one in weights if (flat := one.reshape(-1)).size >= 8]
    for file in tree_files(path):
        content = file.read_bytes()
        for flat in sorted(wanted, key=lambda one: -one.size):
            place = content.find(flat[:8].tobytes())
            if place >= 0:
                index = int(np.abs(flat[:8]).argmax())
                changed = bytearray(content)
                changed[place + 4 * index + 3] ^= 0x40
                file.write_bytes(changed)
                return
    raise AssertionError("no weight was found in the file")


FLIPPED = {
    ("ort", "next-item"): "a score is not a finite number",
    ("litert", "next-item"): "a score is not a finite number",
    ("coreml", "next-item"): "a score differs from the student's by",
    ("ort", "text"): "a probability differs from the student's by",
    ("litert", "text"): "a probability differs from the student's by",
    ("coreml", "text"): "a probability differs from the student's by",
}
"""What a flipped exponent does, which is not in the same weight in every format."""


@pytest.mark.parametrize("task", ["next-item", "text"])
@pytest.mark.parametrize("name", OTHERS)
def test_files_of_other_formats_are_told_by_answers_hash_and_length(
    export_of, next_item_source, text_source_of, name, task
):
    ranks, reads, package = OTHERS[name]
    pytest.importorskip(package)
    folder = export_of(task, ranks if task == "next-item" else reads)
    (verdict,) = verify_run(folder.parent)
    assert verdict.passed, (verdict.faults, verdict.note)
    source = next_item_source if task == "next-item" else text_source_of("bert")
    path = folder / verdict.path
    weights = source.module.state_dict().items()
    flip_in_place(path, [one.numpy() for name, one in weights if "embedding" not in name])
    assert "it is changed" in why(folder)
    record_again(folder)
    assert FLIPPED[name, task] in why(folder)
    largest = max(tree_files(path), key=lambda one: one.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-100])
    assert "cut off or changed" in why(folder)


@pytest.mark.parametrize("task", ["next-item", "text"])
def test_an_engine_is_told_by_hash_length_and_header(export_of, task):
    pytest.importorskip("tensorrt_rtx")
    folder = export_of(task, ENGINE)
    (verdict,) = verify_run(folder.parent)
    assert verdict.faults == ()
    path = folder / verdict.path
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    assert "cut off or changed" in why(folder)
    record_again(folder)
    assert f"it has {len(content) - 100} bytes, and should have {len(content)}" in why(folder)
    changed = bytearray(content)
    changed[len(content) // 2] ^= 1
    path.write_bytes(changed)
    record_again(folder)
    assert why(folder) == (
        "its sha256 is not the one in its description: it was changed or exchanged"
    )


def describe(folder, change):
    """Change the description of the folder's only engine."""
    (artifact,) = read_artifacts(folder)
    change_json(folder / f"{artifact.path}.json", change)


ENGINE_LIES = {
    "another item map": (
        lambda found: found["metadata"].update({"limbeck.item_map_sha256": "another"}),
        "its metadata says another of limbeck.item_map_sha256, and artifacts.json says ",
    ),
    "fewer items": (
        lambda found: found["metadata"].update({"limbeck.top_k": "3"}),
        "its metadata says 3 of limbeck.top_k, and artifacts.json says 25",
    ),
    "other inputs": (
        lambda found: found["inputs"][0].update(dtype="int64"),
        "its description says inputs history:int64[B,12], and its metadata history:int32[B,12]",
    ),
    "other outputs": (
        lambda found: found["outputs"][0].update(shape=["B", 3]),
        "its description says outputs item_ids:int32[B,3] scores:float32[B,25], and its metadata ",
    ),
    "another target": (
        lambda found: found.update(target="sm120"),
        "its description says target sm120, and artifacts.json sm86",
    ),
    "another scheme": (
        lambda found: found.update(scheme="fp32"),
        "its description says scheme fp32, and artifacts.json fp16",
    ),
    "another format": (
        lambda found: found.update(format="tensorrt"),
        "its description says format tensorrt, and artifacts.json tensorrt-rtx",
    ),
    "more at once": (
        lambda found: found["inputs"][0].update(most=[4096, 12]),
        "its description says batch least 1, best 1, most 4096, and artifacts.json least 1, ",
    ),
    "a profile that cannot be": (
        lambda found: found["inputs"][0].update(best=[100, 12]),
        "its description gives history a profile that is none: [1, 12], [100, 12], [8, 12]",
    ),
    "a profile of another shape": (
        lambda found: found["inputs"][0].update(least=[1], best=[1], most=[8]),
        "its description gives history a profile that is none: [1], [1], [8]",
    ),
    "no profile": (
        lambda found: found["inputs"][0].pop("best"),
        "its description is damaged: KeyError 'best'",
    ),
}


@pytest.mark.parametrize("what", ENGINE_LIES)
def test_an_engines_description_must_be_that_of_its_record(export_of, what):
    pytest.importorskip("tensorrt_rtx")
    change, message = ENGINE_LIES[what]
    folder = export_of("next-item", ENGINE)
    describe(folder, change)
    assert message in why(folder)


def test_an_engine_beside_another_item_map_is_refused(export_of):
    pytest.importorskip("tensorrt_rtx")
    folder = export_of("next-item", ENGINE)
    change_json(
        folder / "item-map.json",
        lambda found: found.update(items=found["items"][1:] + found["items"][:1]),
    )
    assert "item-map.json is not the item map that the file was made with" in why(folder)


def test_an_engine_without_a_record_is_held_against_its_description(export_of):
    pytest.importorskip("tensorrt_rtx")
    folder = export_of("next-item", ENGINE)
    (artifact,) = read_artifacts(folder)
    (folder / "artifacts.json").unlink()
    assert verify_file(folder / artifact.path).faults == ()
    change_json(
        folder / f"{artifact.path}.json",
        lambda found: found["metadata"].update({"limbeck.recipe_sha256": "another"}),
    )
    (fault,) = verify_file(folder / artifact.path).faults
    assert fault.startswith("its metadata says another of limbeck.recipe_sha256, and verification")


@pytest.mark.parametrize("task", ["next-item", "text"])
def test_a_folder_that_builds_on_the_device_is_told_by_its_graph(export_of, task):
    folder = export_of(task, DEVICE)
    (verdict,) = verify_run(folder.parent)
    assert verdict.faults == ()
    assert verdict.checked == "parsed"
    assert not verdict.passed
    path = folder / verdict.path
    (graph,) = path.glob("*.onnx")
    model = onnx.load(graph)
    (shift_ids if task == "next-item" else reorder_classes)(model.graph)
    graph.write_bytes(model.SerializeToString())
    assert "cut off or changed" in why(folder)
    record_again(folder)
    assert "with the student is" in why(folder)
    graph.unlink()
    record_again(folder)
    assert "it holds 0 ONNX files to build from, not one" in why(folder)
