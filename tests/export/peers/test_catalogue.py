"""Every peer answers as the student does, out of what its tool wrote."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch

from compress.errors import UserError
from export.peers import catalogue
from export.peers.catalogue import PEERS
from export.peers.peer import PeerStudent, native_samples
from export.runner import RunnerSpec, import_runtime, open_runner

BY_NAME = {peer.name: peer for peer in PEERS}
COMPILED, ONNX, OPTIMUM, OPENVINO, LITERT = BY_NAME
GAINS = (0.0, 1.0, 3.0)


@pytest.fixture
def student_of(tmp_path, next_item_source, text_source_of, saved_student):
    """A small student of a kind, with a folder of its own that peers share."""

    def student(kind, target=None, **more):
        shared = tmp_path / "shared"
        shared.mkdir()
        if kind == "next-item":
            source = replace(next_item_source, student=saved_student)
        else:
            source = text_source_of(kind, target, **more)
        return PeerStudent(replace(source, scratch=shared), target, 1234, "arm64")

    return student


def emitted(name, student, folder):
    peer = BY_NAME[name]
    if peer.obstacle() is not None:
        pytest.skip(peer.obstacle())
    folder.mkdir()
    return peer, peer.emit(student, folder)


def answers(peer, files, samples):
    spec = RunnerSpec(peer.runtime, str(files.description))
    import_runtime(spec)
    with open_runner(spec) as runner:
        rows = [runner(samples.row(number)) for number in range(len(samples))]
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def expected(student, samples):
    """What the student's own module answers, text by text."""
    names = [one.name for one in student.source.signature.inputs]
    outputs = [one.name for one in student.source.signature.outputs]
    rows = []
    with torch.inference_mode():
        for number in range(len(samples)):
            given = samples.row(number)
            rows.append(student.source.module(*(torch.from_numpy(given[one]) for one in names)))
    return {
        name: torch.cat([row[place] for row in rows]).numpy() for place, name in enumerate(outputs)
    }


def assert_it_answers_as_the_student(name, student, folder, tolerance=2e-5):
    samples = student.source.calibration
    if samples.lengths is not None:
        samples = samples.take(np.flatnonzero(samples.lengths > 1))
    peer, files = emitted(name, student, folder)
    found = answers(peer, files, native_samples(samples, peer.takes))
    wanted = expected(student, samples)
    assert set(found) == set(wanted)
    for output, values in wanted.items():
        if values.dtype.kind == "f":
            assert np.abs(found[output] - values).max() < tolerance, output
        elif tolerance < 1e-3:
            assert (found[output][:, :5] == values[:, :5]).mean() > 0.99, output
    return files


@pytest.mark.parametrize("name", [ONNX, OPENVINO])
def test_a_next_item_student_in_fp32(name, student_of, tmp_path):
    files = assert_it_answers_as_the_student(name, student_of("next-item"), tmp_path / "peer")
    assert "torch.onnx.export" in files.typed
    assert str(tmp_path) not in files.typed
    beside = [one for one in (tmp_path / "peer").glob("model.onnx*")]
    assert files.bytes == sum(one.stat().st_size for one in beside) > 4 * 300 * 16


@pytest.mark.parametrize("name", [ONNX, OPENVINO])
@pytest.mark.parametrize(
    ("kind", "target", "more"),
    [
        ("text-cnn", "one-of", {"is_pair": True, "gains": GAINS}),
        ("mean-pooled", "any-of", {}),
        ("text-cnn", "score", {}),
    ],
)
def test_students_that_optimum_does_not_know_in_fp32(
    name, kind, target, more, student_of, tmp_path
):
    student = student_of(kind, target, **more)
    assert not student.is_hugging_face
    assert_it_answers_as_the_student(name, student, tmp_path / "peer")


@pytest.mark.parametrize("name", [ONNX, OPENVINO, LITERT])
@pytest.mark.parametrize("kind", ["next-item", "mean-pooled"])
def test_a_batch_is_answered_as_its_rows_are(name, kind, student_of, tmp_path):
    """`limbeck bench --peers` asks them in calls of many examples, too."""
    student = student_of(kind, None if kind == "next-item" else "one-of")
    peer, files = emitted(name, student, tmp_path / "peer")
    samples = native_samples(student.source.calibration, peer.takes)
    samples = samples.take(np.arange(4))
    spec = RunnerSpec(peer.runtime, str(files.description))
    with open_runner(spec) as runner:
        together = runner(samples.batch(np.arange(4)))
    alone = answers(peer, files, samples)
    for output, values in alone.items():
        assert together[output].shape == values.shape
        if values.dtype.kind == "f":
            assert np.abs(together[output] - values).max() < 2e-5, output


def test_openvino_is_given_the_shapes_that_it_is_asked(student_of, tmp_path):
    """Free axes would cost it half of its speed, and its users are told to fix them."""
    peer, files = emitted(OPENVINO, student_of("next-item"), tmp_path / "peer")
    with open_runner(RunnerSpec(peer.runtime, str(files.description))) as runner:
        (history,) = runner._models[1].inputs
        assert history.partial_shape.is_static
    assert "model.reshape([1, L])" in files.typed


def test_optimum_quantizes_what_pytorch_exported(student_of, tmp_path):
    student = student_of("next-item")
    files = assert_it_answers_as_the_student(OPTIMUM, student, tmp_path / "peer", tolerance=2.0)
    types = {
        one.data_type
        for one in onnx.load(tmp_path / "peer/int8/model_quantized.onnx").graph.initializer
    }
    assert types & {onnx.TensorProto.INT8, onnx.TensorProto.UINT8}
    assert "AutoQuantizationConfig.arm64(is_static=False)" in files.typed


def test_the_plain_graph_is_exported_once_for_all_peers(student_of, tmp_path, monkeypatch):
    student = student_of("next-item")
    emitted(ONNX, student, tmp_path / "one")
    monkeypatch.setattr("export.peers.plain_onnx.export_with_pytorch", None)
    emitted(OPTIMUM, student, tmp_path / "two")
    assert (tmp_path / "one/model.onnx").read_bytes() == (
        tmp_path / "two/fp32/model.onnx"
    ).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("name", [ONNX, OPENVINO, OPTIMUM])
def test_a_hugging_face_student_goes_by_optimums_command_line(name, student_of, tmp_path):
    tolerance = 0.1 if name == OPTIMUM else 2e-5
    student = student_of("bert", "one-of", is_pair=True, gains=GAINS)
    files = assert_it_answers_as_the_student(name, student, tmp_path / "peer", tolerance)
    assert files.typed.startswith("optimum-cli export onnx --task text-classification")
    assert str(student.source.student) not in files.typed
    if name == OPTIMUM:
        assert "quantize --arm64" in files.typed


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "target"), [("next-item", None), ("bert", "one-of")])
def test_torch_compile_answers_as_the_student(kind, target, student_of, tmp_path):
    files = assert_it_answers_as_the_student(COMPILED, student_of(kind, target), tmp_path / "peer")
    assert files.bytes == 1234


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "target"), [("next-item", None), ("bert", "one-of")])
def test_litert_answers_as_the_student(kind, target, student_of, tmp_path):
    assert_it_answers_as_the_student(LITERT, student_of(kind, target), tmp_path / "peer")


def test_litert_is_given_no_shortcut_of_ours(student_of, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "export.litert.conversion.convert",
        lambda source, path: (seen.append(source), path.write_bytes(b"file")),
    )
    student = student_of("bert", "one-of")
    files = catalogue.emit_litert(student, tmp_path)
    from export.bert_shortcuts import with_shortcuts

    assert with_shortcuts(seen[0].module, is_pair=False) is seen[0].module
    assert files.bytes == 4


def test_a_tool_that_is_not_installed_is_said_in_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setattr(catalogue, "find_spec", lambda name: None)
    monkeypatch.setattr(catalogue, "which", lambda name: None)
    monkeypatch.delenv("CXX", raising=False)
    said = {name: BY_NAME[name].obstacle() for name in BY_NAME}
    assert said[ONNX] is None
    assert "pip install optimum-onnx" in said[OPTIMUM]
    assert "pip install 'limbeck[openvino]'" in said[OPENVINO]
    assert "pip install 'limbeck[litert]'" in said[LITERT]
    if sys.platform != "win32":
        assert "needs a C++ compiler" in said[COMPILED]
    assert not any("\n" in one for one in said.values() if one)


def test_any_compiler_will_do(monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(catalogue, "which", lambda name: name if name == "clang++" else None)
    assert BY_NAME[COMPILED].obstacle() is None


def test_what_optimums_command_line_says_last_is_in_the_message(student_of, tmp_path, monkeypatch):
    if BY_NAME[OPTIMUM].obstacle() is not None:
        pytest.skip(BY_NAME[OPTIMUM].obstacle())
    student = student_of("bert", "one-of")
    said = subprocess.CompletedProcess([], 1, "", "a traceback\nOSError: no config.json")
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: said)
    with pytest.raises(UserError, match=r"exit code 1:\n(.*\n)*OSError: no config.json"):
        catalogue.emit_optimum(student, tmp_path)


def test_names_and_files_are_told_apart():
    assert len({peer.slug for peer in PEERS}) == len(PEERS)
    assert OPTIMUM == "Optimum int8 (plain)"
    assert BY_NAME[OPTIMUM].slug == "Optimum-int8-plain"
    assert BY_NAME[COMPILED].versions["torch"].startswith("2.")
