"""What is wrong with an engine is told without running it."""

import json

import onnx
import pytest

from export.tensorrt.check import network_faults, verify_engine_file
from export.tensorrt.library import RTX, parse
from export.tensorrt.typed_graph import typed_onnx


@pytest.fixture(scope="module")
def built():
    """What was built once: file contents by name."""
    return {}


@pytest.fixture
def engine(next_item_source, rtx, built, tmp_path):
    """An engine that a test may damage, and its description."""
    if not built:
        emitted = rtx(next_item_source)
        files = (emitted.path, *emitted.sidecars)
        built.update({one.name: one.read_bytes() for one in files})
    for name, content in built.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path / next(iter(built))


def _sidecar(engine, **changes):
    path = engine.with_name(f"{engine.name}.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_sound_engine_has_no_faults(engine):
    assert verify_engine_file(engine) == []


def test_a_truncated_engine_is_refused(engine):
    content = engine.read_bytes()
    engine.write_bytes(content[:-1000])
    faults = verify_engine_file(engine)
    assert f"it has {len(content) - 1000} bytes, and should have {len(content)}" in faults


def test_a_flipped_weight_is_refused(engine):
    content = bytearray(engine.read_bytes())
    content[-100] ^= 1
    engine.write_bytes(content)
    assert verify_engine_file(engine) == [
        "its sha256 is not the one in its description: it was changed or exchanged"
    ]


@pytest.mark.parametrize("content", [b"", b"vtrt", b"ftrt" + bytes(1000), bytes(1000)])
def test_a_foreign_file_is_refused(engine, content):
    engine.write_bytes(content)
    assert "it does not begin as a TensorRT-RTX engine does" in verify_engine_file(engine)


def test_another_target_is_refused(engine):
    _sidecar(engine, target="sm120")
    assert verify_engine_file(engine) == ["its header is for sm86, not sm120"]
    _sidecar(engine, target="sm90")
    assert verify_engine_file(engine) == ["its header is for sm86, not sm90"]
    _sidecar(engine, target="portable")
    assert verify_engine_file(engine) == ["its header is for sm86, not portable"]


def test_another_library_version_is_refused(engine):
    _sidecar(engine, library_version="1.0.0.1")
    (fault,) = verify_engine_file(engine)
    assert fault.startswith("its header is of TensorRT-RTX 1.")
    assert fault.endswith("its description of 1.0.0.1")


def test_an_engine_of_another_network_is_refused(engine):
    _sidecar(engine, outputs=[{"name": "probabilities", "dtype": "float32", "shape": ["B", 3]}])
    assert verify_engine_file(engine) == ["it has no input or output probabilities"]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"inputs": 3}', "null"])
def test_a_damaged_sidecar_is_refused(engine, text):
    engine.with_name(f"{engine.name}.json").write_text(text)
    (fault,) = verify_engine_file(engine)
    assert f"{engine.name}.json is damaged" in fault


def test_a_missing_sidecar_or_engine_is_refused(engine):
    engine.with_name(f"{engine.name}.json").unlink()
    assert verify_engine_file(engine) == [f"{engine.name}.json is missing beside it"]
    engine.unlink()
    assert verify_engine_file(engine) == ["it is not there"]


# ------------------------------------------------------------------------------- networks


@pytest.fixture
def parsed(next_item_source):
    """The small student's network and the ONNX that it was parsed from."""
    pytest.importorskip("tensorrt_rtx")
    pytest.importorskip("polygraphy")
    graph = typed_onnx(next_item_source, "fp16")
    return parse(RTX, str(graph)), onnx.load(graph)


def test_a_parsed_network_is_its_onnx(parsed):
    found, model = parsed
    assert network_faults(found.network, model) == []


def test_a_node_without_a_layer_is_a_fault(parsed):
    found, model = parsed
    extra = onnx.helper.make_node("Relu", ["scores"], ["more"], name="extra")
    model.graph.node.append(extra)
    assert network_faults(found.network, model) == [
        "1 nodes of the ONNX have no layer, the first is extra"
    ]


def test_a_layer_without_a_node_is_a_fault(parsed):
    found, model = parsed
    lost = next(node for node in model.graph.node if node.op_type == "TopK")
    model.graph.node.remove(lost)
    assert network_faults(found.network, model) == [
        f"1 layers are of nodes that the ONNX does not have: {lost.name}"
    ]


def test_another_shape_type_or_name_of_an_end_is_a_fault(parsed):
    found, model = parsed
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 26
    model.graph.output[1].type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    assert network_faults(found.network, model) == [
        "output item_ids has the shape (-1, 25), in the ONNX (-1, 26)",
        "output scores is FLOAT, in the ONNX HALF",
    ]
    model.graph.input[0].name = "other"
    assert "the inputs are history, and the ONNX's other" in network_faults(found.network, model)


def test_a_fixed_batch_where_a_free_one_is_wanted_is_a_fault(parsed):
    found, model = parsed
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    assert network_faults(found.network, model) == [
        "input history has the shape (-1, 12), in the ONNX (1, 12)"
    ]
