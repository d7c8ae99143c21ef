"""The plain Optimum route, by its own command line."""

import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from compress.errors import UserError
from export.onnx.peer import PeerRunner, emit_peer
from export.runner import RunnerSpec, open_runner


@pytest.fixture(scope="module")
def peer(tmp_path_factory, save_student):
    student = save_student("bert")
    into = tmp_path_factory.mktemp("peer")
    return student, emit_peer(student, into, preset="arm64", target="one-of", gains=(0.0, 1.0, 3.0))


def softmax(logits):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.slow
def test_its_files_answer_as_the_student_does(peer, pieces, student_logits):
    student, files = peer
    expected = softmax(student_logits(student, pieces))
    for path, tolerance in ((files.fp32, 1e-5), (files.int8, 0.1)):
        with open_runner(RunnerSpec("onnx-peer", str(path))) as runner:
            answers = runner({name: pieces[name] for name in ("input_ids", "attention_mask")})
        assert np.abs(answers["probabilities"] - expected).max() < tolerance
        assert np.allclose(answers["score"], answers["probabilities"] @ [0, 1, 3], atol=1e-6)
    matrices = onnx.load(files.int8_model).graph.initializer
    assert any(one.data_type == TensorProto.INT8 and len(one.dims) == 2 for one in matrices)
    assert files.int8_model.stat().st_size < files.fp32_model.stat().st_size
    assert str(files.int8.parent) not in " ".join(files.commands)


def test_a_folder_that_is_no_model_is_a_clear_error(tmp_path, monkeypatch):
    """What the program says last is in the message."""
    said = subprocess.CompletedProcess([], 1, "", "a traceback\nOSError: no config.json")
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: said)
    with pytest.raises(UserError, match=r"exit code 1:\n(.*\n)*OSError: no config.json"):
        emit_peer(tmp_path, tmp_path / "peer", preset="arm64", target="one-of")


def test_without_the_command_line_it_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(UserError, match="pip install optimum-onnx"):
        emit_peer(tmp_path, tmp_path / "peer", preset="arm64", target="one-of")


def test_other_targets_are_answered_too(tmp_path):
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
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.save(model, tmp_path / "model.onnx")
    answers = {}
    for target in ("any-of", "score"):
        about = {"model": "model.onnx", "target": target, "gains": None}
        (tmp_path / "peer.json").write_text(json.dumps(about))
        with PeerRunner(tmp_path / "peer.json") as runner:
            answers[target] = runner({"input_ids": np.array([[1, 7]], np.int32)})
    assert np.allclose(answers["any-of"]["probabilities"], 1 / (1 + np.exp([[-2.0, 1.0]])))
    assert answers["score"]["score"].tolist() == [2.0]


@pytest.mark.parametrize("content", ["", "[]", '{"model": "a"}', '{"model": 1, "target": "x"}'])
def test_a_damaged_description_is_a_clear_error(tmp_path, content):
    (tmp_path / "peer.json").write_text(content)
    with pytest.raises(UserError, match=r"peer\.json"), PeerRunner(tmp_path / "peer.json"):
        pass


def test_pieces_in_the_type_of_the_file_are_handed_over_without_a_copy(tmp_path):
    class Session:
        def run(self, outputs, given):
            self.given = given
            return [np.zeros((1, 2), np.float32)]

    runner = PeerRunner(tmp_path / "peer.json")
    runner._session, runner._inputs, runner._target = Session(), ("input_ids",), "any-of"
    pieces = np.array([[1, 7]], np.int64)
    runner({"input_ids": pieces})
    assert runner._session.given["input_ids"] is pieces
    runner({"input_ids": pieces.astype(np.int32)})
    assert runner._session.given["input_ids"].dtype == np.int64
