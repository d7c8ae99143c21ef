"""The peers' runners beside their tools: descriptions, types, and what goes wrong."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from compress.errors import UserError
from export.peers.description import PeerModel, given_to
from export.peers.run_compiled import CompiledRunner
from export.peers.run_onnx import OnnxPeerRunner
from export.peers.run_openvino import OpenVinoRunner


@pytest.fixture
def logits_file(tmp_path):
    """Logits are 2 x the first piece and -1."""
    nodes = [
        onnx.helper.make_node("Cast", ["input_ids"], ["floats"], to=TensorProto.FLOAT),
        onnx.helper.make_node("MatMul", ["floats", "w"], ["m"]),
        onnx.helper.make_node("Add", ["m", "b"], ["logits"]),
    ]
    constants = [
        onnx.numpy_helper.from_array(np.array([[2, 0], [0, 0]], np.float32), "w"),
        onnx.numpy_helper.from_array(np.array([0, -1], np.float32), "b"),
    ]
    taken = onnx.helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["B", 2])
    given = onnx.helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", 2])
    graph = onnx.helper.make_graph(nodes, "test", [taken], [given], constants)
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(
        onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "model.onnx"
    )
    return tmp_path / "peer.json"


@pytest.mark.parametrize("runner", [OnnxPeerRunner, OpenVinoRunner])
def test_logits_become_what_an_app_reads(runner, logits_file):
    if runner is OpenVinoRunner:
        pytest.importorskip("openvino")
    answers = {}
    for target in ("one-of", "any-of", "score"):
        gains = (0.0, 3.0) if target == "one-of" else None
        PeerModel("model.onnx", target, gains).write(logits_file)
        with runner(logits_file) as opened:
            answers[target] = opened({"input_ids": np.array([[1, 7]], np.int32)})
    # softmax of 2 and -1 is 1 / (1 + e^-3) and 1 / (1 + e^3)
    assert np.allclose(answers["one-of"]["probabilities"], [[0.95257, 0.04743]], atol=1e-5)
    assert np.allclose(answers["one-of"]["score"], [3 * 0.04743], atol=1e-4)
    assert np.allclose(answers["any-of"]["probabilities"], [[0.88080, 0.26894]], atol=1e-5)
    assert answers["score"]["score"].tolist() == [2.0]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"model": 1}',
        '{"model": "a", "target": "x"}',
        '{"other": 1}',
        '{"model": "../a.onnx"}',
        '{"model": "/a.onnx"}',
    ],
)
@pytest.mark.parametrize("runner", [OnnxPeerRunner, OpenVinoRunner])
def test_a_damaged_description_is_a_clear_error(tmp_path, content, runner):
    if runner is OpenVinoRunner:
        pytest.importorskip("openvino")
    (tmp_path / "peer.json").write_text(content)
    opened = runner(tmp_path / "peer.json")
    with pytest.raises(UserError, match=r"peer\.json does not describe"), opened:
        pass


@pytest.mark.parametrize("runner", [OnnxPeerRunner, OpenVinoRunner])
def test_a_file_that_is_no_model_is_a_clear_error(tmp_path, runner):
    if runner is OpenVinoRunner:
        pytest.importorskip("openvino")
    (tmp_path / "model.onnx").write_bytes(b"nothing of the kind")
    PeerModel("model.onnx").write(tmp_path / "peer.json")
    with pytest.raises(UserError, match=r"model\.onnx cannot be"), runner(tmp_path / "peer.json"):
        pass


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"members": 3}'])
def test_a_student_that_is_not_there_is_a_clear_error(tmp_path, content):
    (tmp_path / "peer.json").write_text(content)
    opened = CompiledRunner(tmp_path / "peer.json")
    with pytest.raises(UserError, match=r"peer\.json does not describe"), opened:
        pass


def test_openvino_computes_in_fp32_on_as_many_threads_as_it_says(logits_file, monkeypatch):
    openvino = pytest.importorskip("openvino")
    PeerModel("model.onnx", "score").write(logits_file)
    with OpenVinoRunner(logits_file, threads=1) as runner:
        model = runner._compile(1)
        assert model.get_property("INFERENCE_NUM_THREADS") == 1
        assert model.get_property("INFERENCE_PRECISION_HINT") == openvino.Type.f32


def test_pieces_in_the_type_of_the_file_are_handed_over_without_a_copy():
    pieces = np.array([[1, 7]], np.int64)
    assert given_to({"input_ids": pieces}, ["input_ids"])["input_ids"] is pieces
    found = given_to({"input_ids": pieces.astype(np.int32)}, ["input_ids", "token_type_ids"])
    assert {array.dtype.name for array in found.values()} == {"int64"}
    assert found["token_type_ids"].tolist() == [[0, 0]]
    with pytest.raises(UserError, match="takes history, and was given input_ids"):
        given_to({"input_ids": pieces}, ["history"])


def test_a_description_is_read_as_it_was_written(tmp_path):
    model = PeerModel("int8/model.onnx", "one-of", (0.0, 1.0))
    assert PeerModel.read(model.write(tmp_path / "peer.json")) == model
    assert json.loads((tmp_path / "peer.json").read_text())["gains"] == [0.0, 1.0]
