"""TensorRT-RTX engines: built without a GPU, for every kind of student."""

import json
import re
import sys

import pytest

from compress.files import file_sha256
from export.onnx.run import OnnxRunner
from export.ranking_verification import Tolerance, compare_answers
from export.source import Unsupported
from export.tensorrt import emit as emit_module
from export.tensorrt.engine_header import read_engine_header
from export.verification_set import VerificationSet

KINDS = ("bert", "mobilebert", "text-cnn", "mean-pooled")


@pytest.mark.parametrize("target", ["sm86", "sm120", "portable"])
def test_a_next_item_engine_is_for_its_target(next_item_source, rtx, target):
    emitted = rtx(next_item_source, target=target)
    assert emitted.faults == ()
    assert emitted.path.name == f"student.fp16.{target}.rtx.engine"
    capabilities = read_engine_header(emitted.path).capabilities
    newer = {"sm80", "sm86", "sm89", "sm120", "sm121"}
    assert capabilities == (newer if target == "portable" else {target})
    assert emitted.details["compute_capabilities"] == sorted(
        capabilities, key=lambda one: int(one[2:])
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_student_builds_for_two_capabilities(text_source_of, rtx, kind):
    source = text_source_of(kind)
    for target in ("sm89", "sm120"):
        assert rtx(source, target=target).faults == ()


@pytest.mark.parametrize("scheme", ["fp32", "int8-weight", "int4-weight"])
@pytest.mark.parametrize("kind", ["bert", "text-cnn"])
def test_the_other_schemes_build(text_source_of, rtx, kind, scheme):
    emitted = rtx(text_source_of(kind), scheme=scheme)
    assert emitted.faults == ()
    assert emitted.details["tf32"] == (scheme != "fp32")
    if scheme != "fp32":
        assert emitted.details[f"{scheme.partition('-')[0]}_weights"] > 0


def test_weights_of_fewer_bits_are_a_smaller_part_of_the_engine(text_source_of, rtx):
    source = text_source_of("bert")
    schemes = ("fp32", "fp16", "int8-weight", "int4-weight")
    found = [rtx(source, scheme=scheme).details["weight_bytes"] for scheme in schemes]
    assert found == sorted(found, reverse=True)
    assert found[1] < 0.6 * found[0]


@pytest.mark.parametrize(
    "wanted", [{"target": "score"}, {"target": "any-of"}, {"is_pair": True, "gains": (0, 0.5, 1)}]
)
def test_every_target_and_pairs_build(text_source_of, rtx, wanted):
    source = text_source_of("bert", **wanted)
    emitted = rtx(source)
    assert emitted.faults == ()
    said = json.loads(emitted.sidecars[0].read_text())
    for what in ("inputs", "outputs"):
        names = [one.name for one in getattr(source.signature, what)]
        assert [one["name"] for one in said[what]] == names


def test_its_onnx_answers_as_the_student_does(next_item_source, reference, rtx):
    graph = rtx(next_item_source).graph
    with OnnxRunner(graph) as runner:
        asked = VerificationSet(reference, {}).ask(runner)
    check = compare_answers(asked.answers, reference, Tolerance(0.95, 0.05, 0.05))
    assert check.faults == ()


def test_the_sidecar_says_all_that_an_app_must_know(text_source_of, rtx):
    source = text_source_of("bert")
    emitted = rtx(source, batch={"least": 1, "best": 2, "most": 4})
    (sidecar,) = emitted.sidecars
    said = json.loads(sidecar.read_text())
    assert sidecar.name == f"{emitted.path.name}.json"
    assert said["metadata"] == source.signature.metadata()
    assert said["inputs"][0] == {
        "name": "input_ids",
        "dtype": "int32",
        "shape": ["B", "L"],
        "least": [1, 1],
        "best": [2, 24],
        "most": [4, 24],
    }
    assert said["outputs"] == [{"name": "probabilities", "dtype": "float32", "shape": ["B", 3]}]
    assert said["target"] == "sm86"
    assert re.fullmatch(r"\d+(\.\d+){3}", said["library_version"])
    assert said["engine_sha256"] == file_sha256(emitted.path)
    assert said["engine_bytes"] == emitted.path.stat().st_size
    assert said["onnx_sha256"] == file_sha256(emitted.graph)


def test_details_say_how_long_it_took_and_what_could_not_be_had(next_item_source, rtx):
    details = rtx(next_item_source).details
    assert details["build_seconds"] > 0
    assert details["layers"] > details["onnx_nodes"] > 0
    assert details["batch"] == "least 1, best 1, most 8"
    assert "length" not in details
    assert details["inspector"]
    json.dumps(details)


def test_two_builds_are_of_the_same_graph_and_size(next_item_source, rtx):
    """The library numbers what is inside an engine by chance: the bytes themselves may differ."""
    first = rtx(next_item_source)
    graph, size = first.graph.read_bytes(), first.path.stat().st_size
    first.graph.unlink()
    again = rtx(next_item_source)
    assert again.graph.read_bytes() == graph
    assert again.path.stat().st_size == size


def test_what_is_refused_leaves_no_trace_in_the_next_engine(next_item_source, rtx):
    size = rtx(next_item_source, scheme="fp32").path.stat().st_size
    with pytest.raises(Unsupported):
        rtx(next_item_source, scheme="fp32", target="sm75")
    assert rtx(next_item_source, scheme="fp32").path.stat().st_size == size


def test_nothing_of_this_machine_is_in_the_engine(next_item_source, rtx):
    emitted = rtx(next_item_source)
    content = emitted.path.read_bytes() + emitted.sidecars[0].read_bytes()
    assert str(next_item_source.scratch).encode() not in content


def test_an_unknown_capability_is_refused_with_those_that_are_known(next_item_source, rtx):
    with pytest.raises(Unsupported, match=r"sm99 is no compute capability .* sm86, .*portable"):
        rtx(next_item_source, target="sm99")


@pytest.mark.parametrize(
    ("scheme", "line"),
    [
        ("fp32", "no kernels for fp32 matrix products on sm75; fp16 can be had instead"),
        ("int4-weight", "no kernels for int4 weights on sm75; int8-weight or fp16 can be had"),
    ],
)
def test_what_has_no_kernels_is_refused(next_item_source, rtx, scheme, line):
    with pytest.raises(Unsupported, match=line):
        rtx(next_item_source, scheme=scheme, target="sm75")


def test_what_the_builder_says_is_kept_in_one_line(next_item_source, rtx, monkeypatch):
    monkeypatch.setattr(emit_module, "_NO_KERNELS", {})
    with pytest.raises(Unsupported) as caught:
        rtx(next_item_source, scheme="int4-weight", target="sm75")
    line = str(caught.value)
    assert "\n" not in line
    assert "cannot build int4-weight for sm75: Cannot compile for target(s) sm75" in line
    assert line.endswith("int8-weight or fp16 can be had instead")


def test_a_capability_that_headers_are_not_known_to_name_is_refused(
    next_item_source, rtx, monkeypatch
):
    """A later library builds for more GPUs than limbeck can tell from an engine."""
    bits = {name: bit for name, bit in emit_module.CAPABILITY_BITS.items() if name != "sm89"}
    monkeypatch.setattr(emit_module, "CAPABILITY_BITS", bits)
    with pytest.raises(Unsupported, match="sm89 is no compute capability .* sm86, sm120"):
        rtx(next_item_source, target="sm89")


def test_what_the_inspector_says_is_kept_beside(next_item_source, rtx, monkeypatch):
    """It takes a GPU of the target; its answer stands in here."""
    monkeypatch.setattr(emit_module, "gpu_is_present", lambda: True)
    monkeypatch.setattr(emit_module, "inspect", lambda library, engine: '{"Layers": []}')
    emitted = rtx(next_item_source)
    assert emitted.details["inspector"] == f"{emitted.path.name}.inspector.json"
    beside = next(one for one in emitted.sidecars if one.name == emitted.details["inspector"])
    assert json.loads(beside.read_text()) == {"Layers": []}


def test_a_package_that_cannot_be_loaded_is_named(next_item_source, rtx, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", None)
    with pytest.raises(Unsupported, match="TensorRT-RTX is installed and cannot be loaded"):
        rtx(next_item_source)
