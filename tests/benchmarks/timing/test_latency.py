import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from benchmarks.timing.latency import (
    SAMPLES_KEPT,
    Latency,
    evenly_spaced,
    measure_latency,
    queries_needed,
)
from compress.errors import UserError
from export.runner import RunnerSpec
from export.samples import Samples

HISTORIES = np.random.default_rng(1).integers(2, 32, (40, 12)).astype(np.int32)
SAMPLES = Samples({"history": HISTORIES})


def measure(model: Path, folder: Path, threads: int = 1) -> Latency:
    return measure_latency(
        RunnerSpec("onnx", str(model), threads=7),
        SAMPLES,
        queries=64,
        seconds=0.3,
        threads=threads,
        log_folder=folder,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("latency")


@pytest.fixture(scope="module")
def latency(tiny_model: Path, folder: Path) -> Latency:
    return measure(tiny_model, folder)


@pytest.mark.parametrize(
    ("percentile", "queries"), [(50, 11), (90, 64), (95, 130), (99, 662), (99.9, 6636)]
)
def test_percentiles_need_the_queries_that_mlperf_asks_for(percentile, queries):
    """LoadGen itself prints 64 for p90 and 662 for p99."""
    assert queries_needed(percentile) == queries


@pytest.mark.parametrize("percentile", [50, 90, 95, 99])
def test_the_number_of_queries_is_the_least_that_satisfies_the_rule(percentile):
    def chance_of_at_most_one_above(queries: int) -> float:
        below = percentile / 100
        return below**queries + queries * (1 - below) * below ** (queries - 1)

    needed = queries_needed(percentile)
    assert chance_of_at_most_one_above(needed) <= 0.01 < chance_of_at_most_one_above(needed - 1)


def test_a_run_has_at_least_the_queries_and_the_seconds(latency, folder):
    raw_ns = np.load(folder / "latencies.npy")
    assert len(raw_ns) == latency.queries >= 64
    summary = (folder / "mlperf_log_summary.txt").read_text()
    assert "Min duration satisfied : Yes" in summary
    assert "min_duration (ms): 300" in summary


def test_percentiles_rise_and_agree_with_our_own_clock(latency, folder):
    raw_ms = np.load(folder / "latencies.npy") / 1e6
    assert latency.valid
    assert 0 < latency.p50_ms <= latency.p90_ms <= latency.p95_ms <= latency.p99_ms
    # LoadGen's clock runs around ours: a little more, never less.
    assert 0 <= latency.p50_ms - np.percentile(raw_ms, 50) < 0.05
    assert latency.overhead_us == pytest.approx(
        (latency.p50_ms - np.percentile(raw_ms, 50)) * 1000, abs=0.1
    )


def test_memory_and_load_time_are_of_the_fresh_process(latency):
    """The test process, which has imported ONNX and more, is far larger than the child."""
    assert 20 < latency.rss_before_load_mb < latency.peak_rss_mb < 150
    assert 0 < latency.load_ms < 1000


def test_samples_are_asked_with_a_fixed_seed_and_threads_are_as_told(tiny_model, folder, latency):
    job = json.loads((folder / "job.json").read_text())
    assert job["spec"]["threads"] == latency.threads == 1
    detail = (folder / "mlperf_log_detail.txt").read_text()
    assert '"key": "requested_sample_index_rng_seed", "value": 1' in detail


def test_nothing_is_printed(tiny_model, tmp_path, capfd):
    measure(tiny_model, tmp_path)
    assert capfd.readouterr() == ("", "")


def test_unsupported_percentiles_are_left_out(latency):
    few = replace(latency, queries=100)
    assert [few.supports(at) for at in (50, 90, 95, 99)] == [True, True, False, False]


def test_a_slow_model_still_gets_all_its_queries(tmp_path, tiny_model):
    """min_duration is over long before the queries are: both must be met."""
    latency = measure_latency(
        RunnerSpec("onnx", str(tiny_model)),
        SAMPLES,
        queries=3000,
        seconds=0.001,
        threads=1,
        log_folder=tmp_path,
    )
    assert latency.queries >= 3000
    assert latency.valid


@pytest.mark.parametrize("content", [None, b"this is no model"])
def test_a_model_that_cannot_be_loaded_is_a_users_error(content, tmp_path):
    model = tmp_path / "broken.onnx"
    if content is not None:
        model.write_bytes(content)
    with pytest.raises(
        UserError, match=r"broken\.onnx: its latency could not be measured"
    ) as error:
        measure(model, tmp_path / "logs")
    assert "Traceback" not in str(error.value)
    assert ", line " not in str(error.value)


def test_a_model_that_fails_while_measured_is_a_users_error_and_does_not_hang(tiny_model, tmp_path):
    """A code outside the item table fails in the last history, which the warm-up does not reach."""
    histories = np.repeat(HISTORIES, 5, axis=0)
    histories[-1] = 9999
    with pytest.raises(UserError, match="indices element out of data bounds"):
        measure_latency(
            RunnerSpec("onnx", str(tiny_model)),
            Samples({"history": histories}),
            queries=3000,
            seconds=1e-4,
            threads=1,
            log_folder=tmp_path,
        )
    assert "issue" in (tmp_path / "process.log").read_text()  # LoadGen was asking.


def test_no_samples_are_refused(tiny_model, tmp_path):
    with pytest.raises(ValueError, match="no samples"):
        measure_latency(
            RunnerSpec("onnx", str(tiny_model)),
            Samples({"history": HISTORIES[:0]}),
            queries=64,
            seconds=0.1,
            threads=1,
            log_folder=tmp_path,
        )


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
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["score"])],
        "g",
        [ids],
        [score],
        [table],
    )
    opset = helper.make_opsetid("", 17)
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    padded = np.array([[1, 2, 9, 9], [1, 9, 9, 9]], np.int32)

    def ask(lengths: list[int]) -> Latency:
        return measure_latency(
            RunnerSpec("onnx", str(path)),
            Samples({"input_ids": padded}, np.array(lengths, np.int32)),
            queries=64,
            seconds=0.01,
            threads=1,
            log_folder=tmp_path / "logs",
        )

    assert ask([2, 1]).queries >= 64
    with pytest.raises(UserError, match="out of data bounds"):
        ask([2, 2])


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
    latency = measure_latency(
        RunnerSpec("onnx", str(path)),
        Samples({"text": np.array(["red dress", "", "红色"])}),
        queries=64,
        seconds=0.05,
        threads=1,
        log_folder=tmp_path,
    )
    assert latency.queries >= 64
    assert latency.peak_rss_mb < 150
