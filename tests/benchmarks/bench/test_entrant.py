from dataclasses import replace

import numpy as np
import pytest

from benchmarks.bench.entrant import entrants
from benchmarks.bench.in_turn import samples_for
from benchmarks.bench.peers import run_folder
from compress.errors import UserError
from export.samples import Samples

from ..conftest import write_tiny_model


def test_a_runs_files_are_asked_what_they_were_verified_with(bench_run):
    onnx, engine = entrants(bench_run)
    assert onnx.name == "onnx fp32"
    assert len(onnx.samples) == 32
    assert onnx.expected["item_ids"].shape == (32, 20)
    assert onnx.cannot_run == ""
    assert "GPU" in engine.cannot_run


def test_a_file_of_a_run_is_the_same_alone(bench_run):
    (alone,) = entrants(bench_run / "export" / "student.fp32.onnx")
    (first, _) = entrants(bench_run)
    assert alone.name == first.name
    assert alone.samples.sha256() == first.samples.sha256()
    assert alone.expected is not None


def test_anybodys_file_is_asked_inputs_of_its_signature(tiny_model):
    (found,) = entrants(tiny_model)
    assert found.name == "tiny.onnx"
    assert found.expected is None
    assert found.asked_with == "made up: history with ids below 32"
    assert found.samples.arrays["history"].max() < 32


def test_own_inputs_go_first(tiny_model, tmp_path):
    histories = np.arange(2, 14, dtype=np.int32).reshape(2, 6)
    np.savez(tmp_path / "mine.npz", history=histories)
    (found,) = entrants(tiny_model, tmp_path / "mine.npz")
    assert found.asked_with == "mine.npz"
    np.testing.assert_array_equal(found.samples.arrays["history"], histories)


def test_inputs_that_are_none_are_told(tiny_model, tmp_path, bench_run):
    (tmp_path / "text.npz").write_text("history")
    with pytest.raises(UserError, match=r"text\.npz holds no inputs"):
        entrants(tiny_model, tmp_path / "text.npz")
    with pytest.raises(UserError, match="--inputs is for single files"):
        entrants(bench_run, tmp_path / "text.npz")


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(UserError, match="is not there"):
        entrants(tmp_path / "nothing")
    with pytest.raises(UserError, match="no run and no export folder"):
        entrants(tmp_path)


def test_only_a_run_keeps_what_is_measured_of_it(bench_run, tiny_model):
    assert run_folder(bench_run) == bench_run
    assert run_folder(bench_run / "export") is None
    assert run_folder(tiny_model) is None


def test_the_same_examples_for_another_file_in_its_own_types(tmp_path, bench_run):
    (first, _) = entrants(bench_run)
    (other,) = entrants(write_tiny_model(tmp_path / "other.onnx"))
    given = samples_for(other, first)
    np.testing.assert_array_equal(given.arrays["history"], first.samples.arrays["history"])


def test_a_file_of_other_inputs_gets_as_many_of_its_own(tiny_model):
    (other,) = entrants(tiny_model)
    texts = Samples({"text": np.array(["red dress"] * 5, dtype=object)})
    given = samples_for(other, replace(other, samples=texts))
    assert list(given.arrays) == ["history"]
    assert len(given) == 5
