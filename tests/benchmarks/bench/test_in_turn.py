"""Comparisons: who is asked what in turn, what is said of it, and what is refused."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from benchmarks.bench.bench import Bench
from benchmarks.bench.entrant import entrants
from benchmarks.bench.in_turn import are_same_examples
from benchmarks.bench.terminal import bench_sentences
from compress.errors import UserError
from export.samples import Samples

from .sessions import BRIEF, bench, faulty


def test_two_files_are_asked_in_turn(bench_run, tiny_model, tmp_path):
    file = bench_run / "export" / "student.fp32.onnx"
    found = bench(tmp_path, file, against=tiny_model)
    (ratio,) = found.comparisons
    assert (ratio.name, ratio.against) == ("onnx fp32", "tiny.onnx")
    assert ratio.p90_ratio.low <= ratio.p90_ratio.value <= ratio.p90_ratio.high
    assert (ratio.rounds, ratio.restarts, ratio.same_examples) == (24, 6, True)
    assert ratio.agreement == 1.0  # It is a copy.


def test_how_far_two_models_answer_alike_is_said(tiny_model, tmp_path):
    graph = onnx.load(tiny_model)
    (head,) = (one for one in graph.graph.initializer if one.name == "head")
    head.CopyFrom(onnx.numpy_helper.from_array(-onnx.numpy_helper.to_array(head), "head"))
    onnx.save(graph, tmp_path / "other.onnx")
    found = bench(tmp_path / "out", tiny_model, against=tmp_path / "other.onnx")
    (ratio,) = found.comparisons
    assert ratio.same_examples
    assert ratio.agreement < 0.8
    assert any("these are different models" in one for one in bench_sentences(found))


@pytest.mark.parametrize("name", ["Malformed", "Sleeping"])
def test_nothing_is_held_against_a_model_that_does_not_do_what_is_timed(name, tmp_path):
    session = Bench(BRIEF, tmp_path, cold_starts=0)
    with pytest.raises(UserError, match=rf"--against {name}: it is not valid"):
        session.measure([faulty("Honest")], faulty(name))
    assert not session.rows
    assert not list(tmp_path.iterdir())


def test_a_model_that_does_not_do_what_is_timed_is_held_against_nothing(tmp_path):
    session = Bench(BRIEF, tmp_path, cold_starts=0)
    found = session.measure([faulty("Malformed")], faulty("Honest"))
    assert not found.rows[0].valid
    assert not found.comparisons
    (missing,) = found.not_measured
    assert missing.because == "in turn with Honest: its own result is not valid (answers)"


def test_a_file_is_compared_with_one_that_is_named(tiny_model, tmp_path):
    shutil.copy(tiny_model, tmp_path / "copy.onnx")
    found = bench(tmp_path / "out", tiny_model, tmp_path / "copy.onnx", against="copy.onnx")
    assert found.comparisons[0].same_examples
    assert [(one.name, one.against) for one in found.comparisons] == [("tiny.onnx", "copy.onnx")]


def test_a_file_that_is_there_comes_before_a_name(tiny_model, tmp_path, monkeypatch):
    (tmp_path / "new").mkdir()
    shutil.copy(tiny_model, tmp_path / "new" / "m.onnx")
    shutil.copy(tiny_model, tmp_path / "m.onnx")
    monkeypatch.chdir(tmp_path)
    found = bench(tmp_path / "out", Path("new/m.onnx"), against="m.onnx")
    (one,) = found.comparisons
    assert (one.name, one.against) == ("m.onnx", "m.onnx (--against)")


def test_files_that_take_other_inputs_are_compared_with_inputs_of_their_own(tiny_model, tmp_path):
    (own,) = entrants(tiny_model)
    for name in ("items", "history"):
        given = Samples({name: np.ones((8, 6), np.int32)})
        other = replace(own, name="other", samples=given)
        assert not are_same_examples(own, other, given)
    assert are_same_examples(own, own, own.samples)
