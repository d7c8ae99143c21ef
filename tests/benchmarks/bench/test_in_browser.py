"""Files and peers in a real browser, as `limbeck bench --target browser` asks them."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from benchmarks.bench.bench import Bench
from benchmarks.bench.entrant import Entrant
from benchmarks.bench.in_browser import browser_row, obstacle
from benchmarks.bench.plan import Load
from compress.errors import UserError
from export.peers.description import PeerModel
from export.runner import RunnerSpec
from export.samples import Samples

from ..browser import needs_chromium, web_runtime

(CASE,) = Load(targets=("browser",), queries=64, seconds=0.2).cases()
PIECES = np.array([[1, 7], [0, 5], [3, 2]] * 4)


@pytest.fixture(scope="session")
def browser():
    return web_runtime()


@pytest.fixture
def peer(tmp_path):
    """A tool's file in a folder of its own: logits are the first piece and 0."""
    nodes = [
        onnx.helper.make_node("Cast", ["input_ids"], ["floats"], to=TensorProto.FLOAT),
        onnx.helper.make_node("MatMul", ["floats", "w"], ["logits"]),
    ]
    constants = [onnx.numpy_helper.from_array(np.array([[1, 0], [0, 0]], np.float32), "w")]
    taken = onnx.helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["B", 2])
    given = onnx.helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", 2])
    graph = onnx.helper.make_graph(nodes, "test", [taken], [given], constants)
    opset = [onnx.helper.make_opsetid("", 17)]
    (tmp_path / "int8").mkdir()
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.save(model, tmp_path / "int8" / "model.onnx")
    return PeerModel("int8/model.onnx", "one-of").write(tmp_path / "peer.json")


def entrant(peer, expected):
    return Entrant(
        name="Optimum int8 (plain)",
        spec=RunnerSpec("onnx-peer", str(peer)),
        samples=Samples({"input_ids": PIECES}),
        asked_with="pieces",
        bytes=1,
        sha256="a" * 64,
        expected=expected,
    )


@needs_chromium
def test_the_onnx_file_of_a_peer_is_asked_in_the_browser_as_ours_are(browser, peer, tmp_path):
    first = 1 / (1 + np.exp(-PIECES[:, 0].astype(np.float32)))
    right = {"probabilities": np.stack([first, 1 - first], axis=1)}
    model = entrant(peer, right)
    assert obstacle(model) == ""
    found = browser_row(model, CASE, tmp_path / "log")
    assert (found.name, found.runtime) == ("Optimum int8 (plain)", "wasm")
    assert found.valid
    assert (found.answers_checked, found.agreement) == (12, 1.0)

    wrong = browser_row(
        entrant(peer, {"probabilities": right["probabilities"][:, ::-1]}), CASE, tmp_path / "wrong"
    )
    assert not wrong.valid
    assert [one.rule for one in wrong.broken] == ["answers"]


def test_a_peer_whose_description_is_broken_is_refused(peer, tmp_path):
    model = entrant(peer, None)
    peer.write_text("{")
    with pytest.raises(UserError, match=r"does not describe a file of a peer"):
        browser_row(model, CASE, tmp_path / "log")


def test_weights_beside_the_graph_are_not_sent_to_a_page(peer):
    file = peer.parent / "int8" / "model.onnx"
    onnx.save(
        onnx.load(file), file, save_as_external_data=True, location="w.data", size_threshold=0
    )
    assert obstacle(entrant(peer, None)) == (
        "its weights lie in files of their own (w.data), and a page is given one file"
    )


def test_what_no_browser_runs_is_said(peer):
    model = entrant(peer, None)
    compiled = Entrant(
        name="torch.compile",
        spec=RunnerSpec("pytorch-compiled", str(peer)),
        samples=model.samples,
        asked_with="pieces",
        bytes=1,
        sha256="a" * 64,
    )
    assert obstacle(compiled) == "onnxruntime-web runs ONNX and ORT files, not pytorch-compiled"


def test_a_description_that_is_broken_is_an_obstacle_and_ends_no_session(peer, tmp_path):
    model = entrant(peer, None)
    peer.write_text("{")
    load = Load(targets=("browser",), queries=64, seconds=0.2)
    found = Bench(load, tmp_path / "log", cold_starts=0).measure([model])
    (missing,) = found.not_measured
    assert "does not describe a file of a peer" in missing.because
    assert str(tmp_path) not in missing.because
