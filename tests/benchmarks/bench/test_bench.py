"""Whole benches of small files, as `limbeck bench` does them."""

import shutil
from dataclasses import replace

import numpy as np
import onnx
import pytest

from benchmarks.bench import known_answers as known_answers_module
from benchmarks.bench.bench import Bench
from benchmarks.bench.command import RESULT, run_bench, told_apart
from benchmarks.bench.data import BenchData, NotMeasuredData
from benchmarks.bench.entrant import entrants, slug_of
from benchmarks.bench.known_answers import Answers, known_answers
from benchmarks.bench.merging import merged
from benchmarks.bench.plan import Load
from compress.errors import UserError
from compress.files import file_sha256
from compress.progress import Display

from .rows import data, row
from .sessions import BRIEF, bench, faulty


@pytest.fixture(scope="module")
def of_run(bench_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("bench")
    everything = Load(
        scenarios=("single-stream", "offline"), batches=(1, 4), seconds=0.2, queries=64
    )
    return bench(out, bench_run, load=everything), out


def test_every_file_that_runs_here_is_measured_and_the_others_say_why_not(of_run):
    found, _ = of_run
    assert [(one.name, one.scenario, one.batch) for one in found.rows] == [
        ("onnx fp32", "single-stream", 1),
        ("onnx fp32", "offline", 1),
        ("onnx fp32", "offline", 4),
    ]
    (missing,) = found.not_measured
    assert missing.name == "tensorrt-rtx fp16"
    assert "GPU" in missing.because


def test_a_row_has_what_it_takes_to_be_believed(of_run):
    single = of_run[0].rows[0]
    assert single.valid, single.broken
    assert single.p50_ms <= single.p90_ms <= single.p95_ms
    assert single.cold_start_ms > single.load_ms
    assert single.answers_checked > 0
    assert single.agreement == 1.0
    assert single.asked_with == "the run's verification set"


def test_logs_and_result_are_kept(of_run):
    found, out = of_run
    assert BenchData.model_validate_json((out / RESULT).read_text()) == found
    assert len(list(out.rglob("mlperf_log_detail.txt"))) == len(found.rows)


def test_a_file_that_no_longer_answers_as_verified_is_invalid(bench_run, tmp_path):
    folder = tmp_path / "shop" / "export"
    shutil.copytree(bench_run / "export", folder)
    (honest, _) = entrants(folder)
    model = onnx.load(honest.spec.path)
    head = next(one for one in model.graph.initializer if one.name == "head")
    head.CopyFrom(onnx.numpy_helper.from_array(-onnx.numpy_helper.to_array(head), "head"))
    onnx.save(model, honest.spec.path)
    assert "sha256" in entrants(folder)[0].cannot_run  # not loaded at all
    assert not known_answers(entrants(bench_run)[0]).faults
    assert "does not answer as its student does" in known_answers(honest).faults[0]


def test_what_was_measured_can_be_told_from_what_lies_there_now(of_run, bench_run, tmp_path):
    (row, *_), file = of_run[0].rows, bench_run / "export" / "student.fp32.onnx"
    assert row.sha256 == file_sha256(file)
    assert (row.least_seconds, row.least_queries) == (0.2, 64)
    assert row.measured_at.endswith(" UTC")
    (alone,) = entrants(shutil.copy(file, tmp_path / "alone.onnx"))
    assert alone.sha256 == row.sha256


def test_weights_in_a_file_beside_the_graph_count(tiny_model, tmp_path):
    model = onnx.load(tiny_model)
    outside = {"save_as_external_data": True, "location": "m.data", "size_threshold": 200}
    onnx.save(model, tmp_path / "m.onnx", **outside)
    (before,) = entrants(tmp_path / "m.onnx")
    assert before.bytes == sum(one.stat().st_size for one in tmp_path.iterdir())
    data = bytearray((tmp_path / "m.data").read_bytes())
    data[0] ^= 1
    (tmp_path / "m.data").write_bytes(data)
    assert entrants(tmp_path / "m.onnx")[0].sha256 != before.sha256


def test_a_file_that_is_gone_bad_takes_its_old_figures_along():
    before = data(row("a", sha256="old"))
    missing = NotMeasuredData(name="a", target="cpu", because="it crashes")
    after = merged(before, data(not_measured=(missing,)), {"a": "new"})
    assert (after.rows, after.not_measured) == ((), (missing,))


def test_servers_of_another_load_stay_beside_new_ones():
    def server(name, rate):
        return row(name, scenario="server", asked_rate=rate, bound_ms=10.0)

    before = data(server("a", 100.0), server("b", 100.0), row("b"))
    after = merged(before, data(server("a", 400.0)))
    kept = [("a", 100.0), ("b", 100.0), ("b", None)]
    assert [(one.name, one.asked_rate) for one in after.rows] == [*kept, ("a", 400.0)]
    again = merged(after, data(server("a", 100.0)))
    assert [one.asked_rate for one in again.rows if one.name == "a"] == [400.0, 100.0]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Crashing", "the process ended with -6"),
        ("Hanging", "Does the runtime hang?"),
        ("Malformed", None),
    ],
)
def test_a_model_that_crashes_or_hangs_takes_no_other_along(name, says, tmp_path, monkeypatch):
    monkeypatch.setattr(known_answers_module, "LEAST_LIMIT_SECONDS", 4.0)
    monkeypatch.setattr(known_answers_module, "SLOWEST_SECONDS", 0.0)
    found = Bench(BRIEF, tmp_path, cold_starts=0).measure([faulty(name, examples=8)])
    if says is None:
        assert [one.name for one in found.rows] == [name]
        return
    (missing,) = found.not_measured
    assert missing.because.startswith(f"{name}: what it answers could not be measured")
    assert says in missing.because


def test_a_file_that_cannot_be_asked_here_is_asked_once(tmp_path, tiny_model, monkeypatch):
    asked = []

    def refuse(model):
        asked.append(model.name)
        if model.name == "copy.onnx":
            return Answers(None)
        raise UserError("it crashed")

    def in_browser(model, case, log_folder, known):
        assert known is None
        return row(model.name, target="browser", runtime="wasm")

    monkeypatch.setattr("benchmarks.bench.bench.known_answers", refuse)
    monkeypatch.setattr("benchmarks.bench.in_browser.browser_row", in_browser)
    monkeypatch.setattr("benchmarks.bench.in_browser.obstacle", lambda model: "")
    load = replace(BRIEF, targets=("cpu", "browser"))
    shutil.copy(tiny_model, tmp_path / "copy.onnx")
    found = bench(tmp_path / "out", tiny_model, load=load, against=tmp_path / "copy.onnx")
    assert asked == ["copy.onnx", "tiny.onnx"]
    assert not found.comparisons  # It is not asked in turn, either.
    assert [(one.target, one.because) for one in found.not_measured] == [("cpu", "it crashed")]
    assert [one.target for one in found.rows] == ["browser"]


def test_one_case_that_fails_takes_nothing_from_the_others(tiny_model, tmp_path):
    model = onnx.load(tiny_model)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 6
    onnx.save(model, tmp_path / "one-by-one.onnx")
    load = Load(scenarios=("multi-stream", "offline"), batches=(1, 4), streams=4, seconds=0.2)
    found = bench(tmp_path / "out", tmp_path / "one-by-one.onnx", load=load)
    assert [(one.scenario, one.batch) for one in found.rows] == [("offline", 1)]
    assert {(one.scenario, one.batch) for one in found.not_measured} == {
        ("multi-stream", 4),
        ("offline", 4),
    }
    because = found.not_measured[0].because
    assert because.startswith("one-by-one.onnx: its latency could not be measured")
    assert "it said nothing" not in because
    assert str(tmp_path) not in because  # bench.json goes to others


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"z": np.ones((8, 6), np.int32)}, "Required inputs (['history']) are missing"),
        ({"history": np.ones((8, 6), np.float32)}, "expected: (tensor(int32))"),
        ({"history": np.ones((8, 6, 2), np.int32)}, "Invalid rank for input: history"),
    ],
)
def test_a_file_that_cannot_be_asked_keeps_no_other_from_being_measured(
    inputs, words, tiny_model, tmp_path
):
    np.savez(tmp_path / "given.npz", **inputs)
    shutil.copy(tiny_model, tmp_path / "other.onnx")
    asked = {"inputs": tmp_path / "given.npz", "against": None, "peers": False}
    paths = [tiny_model, tmp_path / "other.onnx"]
    found, _ = run_bench(paths, BRIEF, **asked, out=tmp_path / "out", display=Display())
    assert [one.name for one in found.not_measured] == ["tiny.onnx", "other.onnx"]
    because = found.not_measured[0].because
    assert because.startswith("tiny.onnx: it cannot be asked with given.npz: ")
    assert words in because


@pytest.mark.parametrize(
    ("drifts", "kept", "tries"),
    [([0.02], 0.02, 1), ([0.5, 0.04, 0.01], 0.04, 2), ([0.3, 0.2, 0.4], 0.2, 3)],
)
def test_what_was_noisy_is_measured_again_and_the_quietest_try_is_kept_with_its_logs(
    drifts, kept, tries, tiny_model, tmp_path, monkeypatch
):
    given = iter(drifts)

    def measured(model, case, log_folder, cold_starts, known):
        drift = next(given)
        folder = log_folder / slug_of(model.name) / case.slug
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "log").write_text(str(drift))
        return row(model.name, noise_drift=drift, quiet=drift <= 0.1)

    monkeypatch.setattr("benchmarks.bench.bench.measure_row", measured)
    found = bench(tmp_path / "out", tiny_model, load=replace(BRIEF, tries=3))
    assert [(one.noise_drift, one.tries) for one in found.rows] == [(kept, tries)]
    (log,) = (tmp_path / "out").rglob("log")
    assert log.read_text() == str(kept)


def test_a_second_try_that_fails_leaves_the_first(tiny_model, tmp_path, monkeypatch):
    found = iter([row("tiny.onnx", noise_drift=0.5, quiet=False), UserError("out of memory")])

    def measured(model, case, log_folder, cold_starts, known):
        one = next(found)
        if isinstance(one, UserError):
            raise one
        return one

    monkeypatch.setattr("benchmarks.bench.bench.measure_row", measured)
    kept = bench(tmp_path / "out", tiny_model, load=replace(BRIEF, tries=2))
    assert [(one.noise_drift, one.tries) for one in kept.rows] == [(0.5, 2)]
    assert kept.not_measured == ()


def test_files_are_chosen_by_name(bench_run, tmp_path):
    found = bench(tmp_path, bench_run, files=["onnx fp32"])
    assert {one.name for one in (*found.rows, *found.not_measured)} == {"onnx fp32"}
    with pytest.raises(UserError, match=r"--file onnx fp8: it is one of onnx fp32"):
        bench(tmp_path, bench_run, files=["onnx fp8"])


def test_what_was_measured_before_stays_unless_it_is_measured_again():
    before = data(row("a"), row("a", scenario="offline", batch=8), row("b"))
    after = merged(before, data(row("a", p90_ms=0.5)))
    assert [(one.name, one.scenario, one.p90_ms) for one in after.rows] == [
        ("a", "offline", 0.06),
        ("b", "single-stream", 0.06),
        ("a", "single-stream", 0.5),
    ]
    elsewhere = data(row("c")).model_copy(
        update={"environment": before.environment.model_copy(update={"cpu": "another"})}
    )
    assert merged(before, elsewhere) == elsewhere


def test_what_was_measured_of_another_file_of_the_name_goes():
    compared = {"threads": 1, "p90_ratio": {"value": 1, "low": 1, "high": 1}, "rounds": 20}
    hashes = {"sha256": "same", "against_sha256": "old"}
    before = data(
        row("a", sha256="old"),
        row("a", scenario="offline", sha256="old"),
        row("b", sha256="same"),
        comparisons=({"name": "b", "against": "a", **compared, **hashes},),
    )
    after = merged(before, data(row("a", sha256="new")))
    assert [(one.name, one.sha256) for one in after.rows] == [("b", "same"), ("a", "new")]
    assert after.comparisons == ()


def test_models_of_one_name_are_told_apart(tiny_model, tmp_path):
    for folder in ("a/x", "b/x", "a/y"):
        (tmp_path / folder).mkdir(parents=True)
        shutil.copy(tiny_model, tmp_path / folder / "m.onnx")
    models = [entrants(tmp_path / one / "m.onnx")[0] for one in ("a/x", "b/x", "a/y")]
    assert [one.name for one in told_apart(models)] == [
        "m.onnx (x) 1",
        "m.onnx (x) 2",
        "m.onnx (y)",
    ]


def test_what_cannot_be_done_is_said_before_anything_is(bench_run, tiny_model, tmp_path):
    with pytest.raises(UserError, match="add --target cpu"):
        bench(tmp_path, tiny_model, load=Load(targets=("browser",)), against=tiny_model)
    with pytest.raises(UserError, match="single-stream alone"):
        bench(tmp_path, tiny_model, load=Load(targets=("browser",), scenarios=("server",)))
    with pytest.raises(UserError, match="is no run that has measured peers"):
        bench(tmp_path, bench_run, peers=True)
    with pytest.raises(UserError, match="names 2 files"):
        bench(tmp_path, tiny_model, against=bench_run)
    with pytest.raises(UserError, match=r"it is the only one that is measured"):
        bench(tmp_path, tiny_model, against=tiny_model)
    with pytest.raises(UserError, match=r"--against tini: .* none of tiny\.onnx"):
        bench(tmp_path, tiny_model, against="tini")
    assert not list(tmp_path.iterdir())


def test_inputs_with_no_examples_are_refused(tiny_model, tmp_path):
    np.savez(tmp_path / "none.npz", history=np.zeros((0, 6), np.int32))
    np.save(tmp_path / "one.npy", np.zeros((4, 6), np.int32))
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "words.npz").write_text("no arrays at all")
    for name, says in (
        ("none.npz", "no examples"),
        ("one.npy", "one array without a name"),
        ("broken.npz", "holds no inputs"),
        ("words.npz", "NumPy cannot read arrays of numbers or texts from it"),
        ("absent.npz", "--inputs .*absent.npz is not there"),
    ):
        with pytest.raises(UserError, match=says):
            entrants(tiny_model, tmp_path / name)
