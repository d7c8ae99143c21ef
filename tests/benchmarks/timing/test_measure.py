"""One real file, measured for real, in every scenario."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from benchmarks.timing.job import MeasuringJob, Observed
from benchmarks.timing.loadgen_log import LoadGenLog
from benchmarks.timing.measure import SAMPLES_KEPT, evenly_spaced, measure
from benchmarks.timing.scenario import Scenario
from benchmarks.timing.timing import Timing
from compress.errors import UserError
from export.runner import RunnerSpec, open_runner
from export.samples import Samples

HISTORIES = np.random.default_rng(1).integers(2, 32, (40, 12)).astype(np.int32)
SAMPLES = Samples({"history": HISTORIES})
BRIEF = Scenario("single-stream", queries=64, seconds=0.3)


def ask(model: Path, folder: Path, scenario: Scenario = BRIEF, samples=SAMPLES, **options):
    spec = RunnerSpec("onnx", str(model), threads=7)
    return measure(spec, samples, scenario, threads=1, log_folder=folder, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("latency")


@pytest.fixture(scope="module")
def timing(tiny_model: Path, folder: Path) -> Timing:
    with open_runner(RunnerSpec("onnx", str(tiny_model))) as runner:
        right = runner(dict(SAMPLES.arrays))
    return ask(tiny_model, folder, reference=right)


def rules(timing: Timing) -> set[str]:
    return {one.rule for one in timing.broken}


def test_a_run_has_at_least_the_queries_and_the_seconds(timing, folder):
    raw_ns = np.load(folder / "latencies.npy")
    assert len(raw_ns) == timing.queries == timing.examples >= 64
    assert timing.throughput == pytest.approx(timing.examples / timing.seconds)
    summary = (folder / "mlperf_log_summary.txt").read_text()
    assert "Min duration satisfied : Yes" in summary
    assert "min_duration (ms): 300" in summary


def test_percentiles_rise_and_agree_with_our_own_clock(timing, folder):
    own_p50_ms = np.sort(np.load(folder / "latencies.npy"))[timing.queries // 2] / 1e6
    assert 0 < timing.p50_ms <= timing.p90_ms <= timing.p95_ms <= timing.p99_ms
    # LoadGen's clock runs around ours: a little more, never less.
    assert timing.p50_ms - own_p50_ms >= 0
    assert timing.overhead_us == pytest.approx((timing.p50_ms - own_p50_ms) * 1000, abs=0.1)


def test_an_honest_file_breaks_no_rule_of_conduct(timing):
    assert not rules(timing) - {"clocks"}  # On a machine that does other things as well.
    assert timing.conduct.active_threads == 1
    assert timing.conduct.answers_checked > 64
    assert timing.conduct.agreement == 1.0
    assert timing.conduct.growth_kb < 1000


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario("single-stream", 64, 0.4),
        Scenario("multi-stream", 64, 0.4, batch=4),
        Scenario("offline", 64, 0.4, batch=8),
        Scenario("server", 64, 1.0, rate=60.0, bound_ms=1000.0),
    ],
    ids=lambda scenario: scenario.name,
)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_noise_probe_is_read_before_between_and_after(scenario, threads, tiny_model, tmp_path):
    spec = RunnerSpec("onnx", str(tiny_model))
    timing = measure(spec, SAMPLES, scenario, threads=threads, log_folder=tmp_path)
    assert len(timing.noise.readings_us) > 2
    assert min(timing.noise.readings_us) > 1
    assert "threads" not in rules(timing)


def test_an_offline_systems_throughput_is_without_the_time_that_was_not_its_own(
    tiny_model, tmp_path
):
    timing = ask(tiny_model, tmp_path, Scenario("offline", 64, 0.2, batch=8))
    observed = Observed.from_json((tmp_path / "observed.json").read_text())
    assert observed.paused_seconds > 0
    assert timing.throughput == pytest.approx(timing.examples / observed.seconds)
    calls_s = np.load(tmp_path / "latencies.npy").sum() / 1e9
    assert calls_s <= observed.seconds


def test_the_process_is_kept_on_one_processor_where_that_is_allowed(timing):
    assert len(timing.pinned_to) == (1 if sys.platform == "linux" else 0)


def test_a_timing_survives_its_json(timing):
    assert Timing.from_json(timing.to_json()) == timing


def test_memory_and_load_time_are_of_the_fresh_process(timing):
    """The test process, which has imported ONNX and more, is far larger than the child."""
    assert 20 < timing.rss_before_load_mb < timing.peak_rss_mb < 150
    assert timing.load_ms > 0


def test_samples_are_asked_with_a_fixed_seed_and_threads_are_as_told(folder, timing):
    job = MeasuringJob.from_json((folder / "job.json").read_text())
    assert (job.spec.threads, job.scenario) == (1, BRIEF)
    assert timing.threads == 1
    detail = (folder / "mlperf_log_detail.txt").read_text()
    assert '"key": "requested_sample_index_rng_seed", "value": 1' in detail


def test_nothing_is_printed(tiny_model, tmp_path, capfd):
    ask(tiny_model, tmp_path)
    assert capfd.readouterr() == ("", "")


def test_unsupported_percentiles_are_left_out(timing):
    few = replace(timing, queries=100)
    assert [few.supports(at) for at in (50, 90, 95, 99)] == [True, True, False, False]


def test_min_duration_may_be_over_long_before_the_queries_are(tmp_path, tiny_model):
    timing = ask(tiny_model, tmp_path, Scenario("single-stream", 3000, 0.001))
    assert timing.queries >= 3000
    assert not {one for one in rules(timing) if one.startswith("loadgen")}


def test_too_few_queries_are_invalid_by_loadgens_early_stopping(tmp_path, tiny_model):
    timing = ask(tiny_model, tmp_path, Scenario("multi-stream", 16, 1e-4, batch=4))
    assert timing.queries < 662
    assert timing.p99_ms is None
    assert "loadgen-early-stopping" in rules(timing)
    assert not timing.valid


def test_multi_stream_asks_several_examples_a_query(tmp_path, tiny_model):
    timing = ask(tiny_model, tmp_path, Scenario("multi-stream", 700, 0.05, batch=4))
    assert (timing.batch, timing.examples) == (4, 4 * timing.queries)
    assert timing.p99_ms >= timing.p50_ms > 0


def test_offline_is_one_query_answered_in_batches(tmp_path, tiny_model):
    timing = ask(tiny_model, tmp_path, Scenario("offline", 64, 0.2, batch=8))
    assert timing.queries == 1
    assert timing.examples > 64
    assert timing.p50_ms is timing.p99_ms is timing.overhead_us is None
    calls = len(np.load(tmp_path / "latencies.npy"))
    assert calls == -(-timing.examples // 8)


def test_a_server_is_sent_queries_at_a_rate(tmp_path, tiny_model):
    scenario = Scenario("server", 100, 0.5, rate=300.0, bound_ms=1000.0)
    timing = ask(tiny_model, tmp_path, scenario)
    assert (timing.bound_ms, timing.overhead_us) == (1000.0, None)
    log = LoadGenLog.read(tmp_path / "mlperf_log_detail.txt")
    assert timing.rate == log.values["result_scheduled_samples_per_sec"]  # Not the 300 asked for.
    assert 200 < timing.rate < 400
    assert 100 <= timing.queries < 300
    assert "p99-bound" not in rules(timing)


def test_a_server_that_keeps_its_clients_waiting_is_invalid(tmp_path, tiny_model):
    scenario = Scenario("server", 100, 0.2, rate=300.0, bound_ms=1e-3)
    timing = ask(tiny_model, tmp_path, scenario)
    assert {"p99-bound", "loadgen-performance-constraints"} <= rules(timing)
    (late,) = [one for one in timing.broken if one.rule == "p99-bound"]
    assert "above the bound of 0.001 ms" in late.because


@pytest.mark.parametrize("content", [None, b"this is no model"])
def test_a_model_that_cannot_be_loaded_is_a_users_error(content, tmp_path):
    model = tmp_path / "broken.onnx"
    if content is not None:
        model.write_bytes(content)
    with pytest.raises(
        UserError, match=r"broken\.onnx: its latency could not be measured"
    ) as error:
        ask(model, tmp_path / "logs")
    assert "Traceback" not in str(error.value)
    assert ", line " not in str(error.value)


@pytest.mark.parametrize(
    "scenario", [Scenario("single-stream", 3000, 1e-4), Scenario("server", 3000, 1e-4, 1, 1e5, 9.0)]
)
def test_a_model_that_fails_while_measured_is_a_users_error_and_does_not_hang(
    scenario, tiny_model, tmp_path
):
    """A code outside the item table fails in the last history, which the warm-up does not reach."""
    histories = np.repeat(HISTORIES, 5, axis=0)
    histories[-50:] = 9999
    histories[-50:, 0] = np.arange(50)
    with pytest.raises(UserError, match="indices element out of data bounds"):
        ask(tiny_model, tmp_path, scenario, Samples({"history": histories}))
    assert "issue" in (tmp_path / "process.log").read_text()  # LoadGen was asking.


def test_no_samples_and_another_reference_are_refused(tiny_model, tmp_path):
    with pytest.raises(ValueError, match="no samples"):
        ask(tiny_model, tmp_path, samples=Samples({"history": HISTORIES[:0]}))
    with pytest.raises(ValueError, match="not of the 40 samples"):
        ask(tiny_model, tmp_path, reference={"item_ids": np.zeros((39, 20), np.int32)})


def test_of_many_samples_some_are_kept_from_first_to_last():
    many = Samples({"history": np.arange(5000, dtype=np.int32)[:, None]})
    kept = evenly_spaced(many).arrays["history"][:, 0]
    assert (len(kept), kept[0], kept[-1]) == (SAMPLES_KEPT, 0, 4999)
    assert set(np.diff(kept)) == {2, 3}
    assert evenly_spaced(SAMPLES) is SAMPLES


def test_rows_are_asked_without_their_padding(tmp_path):
    """The model fails on padding: that it is measured at all shows that none went in."""
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT32, ["B", "L"])
    score = helper.make_tensor_value_info("score", TensorProto.FLOAT, ["B", "L"])
    table = numpy_helper.from_array(np.zeros(3, np.float32), "table")
    gather = helper.make_node("Gather", ["table", "input_ids"], ["score"])
    graph = helper.make_graph([gather], "g", [ids], [score], [table])
    opset = helper.make_opsetid("", 17)
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    padded = np.array([[1, 2, 9, 9], [1, 9, 9, 9]], np.int32)

    def asked(lengths: list[int]) -> Timing:
        samples = Samples({"input_ids": padded}, np.array(lengths, np.int32))
        return ask(path, tmp_path / "logs", Scenario("single-stream", 64, 0.01), samples)

    assert asked([2, 1]).queries >= 64
    with pytest.raises(UserError, match="out of data bounds"):
        asked([2, 2])


def test_texts_are_measured_without_the_memory_of_the_operators_python_package(tmp_path):
    """StringUpper is of onnxruntime-extensions, whose package would import PyTorch."""
    values = [
        helper.make_tensor_value_info(name, TensorProto.STRING, ["B"]) for name in ("text", "upper")
    ]
    node = helper.make_node("StringUpper", ["text"], ["upper"], domain="ai.onnx.contrib")
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.contrib", 1)]
    graph = helper.make_graph([node], "g", values[:1], values[1:])
    path = tmp_path / "upper.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    texts = Samples({"text": np.array(["red dress", "", "红色"])})
    timing = ask(path, tmp_path, Scenario("single-stream", 64, 0.05), texts)
    assert timing.queries >= 64
    assert timing.peak_rss_mb < 150
    assert timing.conduct.repeat_ratio is None  # Three texts: none can be kept back.


@pytest.mark.parametrize("module", ["measured_process", "turns_process", "cold_start_process"])
def test_a_measured_process_imports_no_runtime_that_it_does_not_need(module):
    """Memory of a 400 KB file would otherwise be that of PyTorch."""
    heavy = {"torch", "onnx", "pydantic", "scipy", "plotly", "jinja2", "pyarrow", "onnxruntime"}
    code = f"import benchmarks.timing.{module}, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not heavy.intersection(loaded)


def test_more_server_queries_than_memory_is_set_aside_for_are_refused(tmp_path):
    scenario = Scenario("server", 64, 60.0, rate=1e6, bound_ms=3.0)
    with pytest.raises(UserError, match=r"would be sent 60,000,000; 50,000,000 are the most"):
        measure(RunnerSpec("onnx", "x"), SAMPLES, scenario, threads=1, log_folder=tmp_path)


def test_a_job_is_given_far_more_time_than_it_takes():
    spec = RunnerSpec("onnx", "x")
    brief = MeasuringJob(spec, Scenario("single-stream", 64, 1.0), "/logs", 1.0)
    assert brief.limit_seconds == 600 + 10 * 2 + 2 * (64 + 50)
    slow = MeasuringJob(spec, Scenario("server", 70, 1.0, rate=0.1, bound_ms=1.0), "/logs", 1.0)
    assert slow.limit_seconds > 600 + 10 * 700


def test_a_job_survives_its_json():
    scenario = Scenario("server", 64, 0.5, rate=10.0, bound_ms=3.0)
    job = MeasuringJob(RunnerSpec("onnx", "model é.onnx", 2), scenario, "/logs", 0.1)
    assert MeasuringJob.from_json(job.to_json()) == job
    assert json.loads(job.to_json())["scenario"]["rate"] == 10.0
