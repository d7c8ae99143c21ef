"""Files of the other formats that lie; see `test_lying_files`."""

import numpy as np
import onnx
import pytest

from compress.files import tree_files
from compress.recipe import CoreMl, CoreMlText, LiteRt, Ort, OrtText, TensorRt, TensorRtRtx
from export.rows import read_artifacts
from export.verify_run import verify_file, verify_run

from .lies import change_json, record_again, reorder_classes, shift_ids, why

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
