"""MLPerf LoadGen's four scenarios around a loaded model, inside the measured process.

Reddi et al. 2020, "MLPerf Inference Benchmark", section 4. LoadGen draws the examples, keeps the
time and judges the run; its logs are written beside the job. What we add to a query is one Python
call: `benchmarks.harness_overhead` measures it.
"""

import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from math import ceil
from queue import SimpleQueue
from threading import Thread
from time import perf_counter_ns
from typing import Any

from benchmarks.timing.asking import SEED
from benchmarks.timing.batches import Issue, PreparedCalls, issue_offline, issue_streams
from benchmarks.timing.gaps import GapProbe, scheduled_ns
from benchmarks.timing.isolation import pin
from benchmarks.timing.record import Record
from benchmarks.timing.scenario import Scenario
from export.runner import Runner
from export.samples import Samples

_HAND_OVER_SECONDS = 2e-5
_LAST = object()
"""Comes behind the last query."""
_PROBES = 8
"""Readings of the noise probe while queries are asked, about."""
_LEAST_QUERY_NS = 1500
"""No query costs less, whatever the model: LoadGen prepares no more of them than fit."""
_LEAST_EXAMPLE_NS = 150
"""No example of an offline call costs less."""
_FASTER = 1.25
"""How much faster than in the warm-up an offline run may be and still last long enough."""


@dataclass(frozen=True)
class WarmedUp:
    """What the warm-up told of the model's speed."""

    fastest_ns: int
    """Fastest call."""
    usual_ns: float
    """Mean of the calls of its second half."""


@dataclass(frozen=True)
class _Test:
    """What LoadGen is told of a run."""

    scenario: Scenario
    warmed: WarmedUp
    folder: str
    own_cpus: tuple[int, ...]
    cpus: tuple[int, ...]
    samples: int


def new_record(scenario: Scenario, warmed: WarmedUp, cpus: tuple[int, ...] = ()) -> Record:
    """Set aside the memory for a run of the scenario.

    Args:
        scenario: The load.
        warmed: Tells how many calls there will be.
        cpus: Where the noise probe is read.
    """
    wanted, between = scenario.seconds * 1e9, _between_probes(scenario)
    if scenario.name == "offline":
        samples = ceil(_offline_rate(scenario, warmed) * scenario.seconds * 1.1) + 1
        expected = ceil(max(samples, scenario.queries) / scenario.batch)
        return Record(expected + 1, expected, scenario.batch, between, cpus)
    if scenario.name == "server":
        expected = ceil((scenario.rate or 0.0) * scenario.seconds)
        expected = max(expected, scenario.queries)
        # `GapProbe` reads the probe.
        return Record(2 * expected + 1000, expected, 1, probe_seconds=0.0, cpus=cpus)
    # LoadGen prepares twice the queries that fit at the fastest pace, and asks no more than these.
    capacity = max(2 * ceil(wanted / _pace_ns(warmed)), scenario.queries) + 1000
    expected = max(ceil(wanted / warmed.usual_ns), scenario.queries)
    return Record(capacity, expected, scenario.batch, between, cpus)


def _between_probes(scenario: Scenario) -> float:
    return max(scenario.seconds / _PROBES, 0.02)


def run_load_generator(
    runner: Runner,
    samples: Samples,
    scenario: Scenario,
    warmed: WarmedUp,
    *,
    folder: str,
    own_cpus: tuple[int, ...] = (),
    cpus: tuple[int, ...] = (),
) -> Record:
    """Let LoadGen ask.

    Args:
        runner: Loaded and warm.
        samples: What it draws from.
        scenario: The load.
        warmed: LoadGen prepares its queries from it before the clock starts: too slow a guess and
            it runs out of them before `scenario.seconds`.
        folder: Gets LoadGen's logs.
        own_cpus: Processors for LoadGen's own threads.
        cpus: Those that the model is kept on, each of which the noise probe looks at.
    """
    record = new_record(scenario, warmed, cpus)
    test = _Test(scenario, warmed, folder, own_cpus, cpus, len(samples))
    if scenario.name == "server":
        _serve(runner, samples, test, record)
        return record
    if scenario.name == "single-stream":
        _start(test, _one_by_one(runner, samples, record), record.end, record)
    elif scenario.name == "offline":
        _start(test, issue_offline(runner, samples, record, scenario.batch), record.end, record)
    else:
        prepared = PreparedCalls(samples, scenario.batch)
        issue = issue_streams(runner, prepared, record, scenario.batch)
        _start(test, issue, record.end, record, prepared.load)
    return record


def _one_by_one(runner: Runner, samples: Samples, record: Record) -> Issue:
    """Answer a query of one sample: nothing but the call lies between the two clock readings."""
    loadgen = import_module("mlperf_loadgen")  # A binary without type stubs.
    rows = [samples.row(index) for index in range(len(samples))]
    response = loadgen.QuerySampleResponse(0, 0, 0)
    responses, complete = [response], loadgen.QuerySamplesComplete
    latencies, clock = record.latencies, perf_counter_ns

    def issue(queries: list[Any]) -> None:
        query = queries[0]
        inputs = rows[query.index]
        started = clock()
        answer = runner(inputs)
        ended = clock()
        response.id = query.id
        complete(responses)
        # From here on the query is over for LoadGen, and the next one waits for us to return.
        asked = record.asked
        latencies[asked] = ended - started
        record.asked = asked + 1
        if asked == record.next_kept:
            record.keep([query.index], answer)
        if ended >= record.next_probe:
            record.read_probe()

    return issue


def _serve(runner: Runner, samples: Samples, test: _Test, record: Record) -> None:
    """Answer queries as they arrive, in the order of their arrival, one at a time.

    The model stays in this thread; LoadGen sends from another one, on other processors if there
    are any, so that the two do not wait for each other. The noise probe is read where the schedule
    leaves room for it.
    """
    # Python hands its lock over every 5 ms: a query could not arrive in between.
    sys.setswitchinterval(_HAND_OVER_SECONDS)
    waiting: SimpleQueue[Any] = SimpleQueue()
    due = scheduled_ns(test.scenario.rate or 0.0, len(record.latencies), SEED)
    gaps = GapProbe(record, due, _between_probes(test.scenario), test.cpus)

    def issue(queries: list[Any]) -> None:
        for query in queries:
            gaps.note()
            waiting.put(query)

    def send() -> None:
        try:
            pin(test.own_cpus)
            _start(test, issue, lambda: waiting.put(_LAST), record)
        except BaseException:
            _end_at_once()

    sender = Thread(target=send)
    sender.start()
    try:
        answer_one = _one_by_one(runner, samples, record)
        while (query := waiting.get()) is not _LAST:
            answer_one([query])
            gaps.use(waiting.empty)
        record.end()  # LoadGen's threads are still there.
    except BaseException:
        _end_at_once()
    sender.join()


def _start(
    test: _Test,
    answer: Issue,
    flush: Callable[[], None],
    record: Record,
    prepare: Callable[[list[int]], None] = lambda rows: None,
) -> None:
    """Run LoadGen's test until the last answer; `prepare` is given the examples beforehand."""
    loadgen = import_module("mlperf_loadgen")

    def issue(queries: list[Any]) -> None:
        try:
            if not record.first_ns:
                record.begin()
            answer(queries)
        except BaseException:
            _end_at_once()

    def load(rows: list[int]) -> None:
        record.prepare()
        for thread in record.not_ours:
            pin(test.own_cpus, thread)
        prepare(rows)

    system = loadgen.ConstructSUT(issue, flush)
    library = loadgen.ConstructQSL(test.samples, test.samples, load, lambda rows: None)
    settings = _settings(loadgen, test.scenario, test.warmed)
    try:
        loadgen.StartTestWithLogSettings(system, library, settings, _log(loadgen, test.folder))
    finally:
        loadgen.DestroyQSL(library)
        loadgen.DestroySUT(system)


def _end_at_once() -> None:
    """Say what went wrong and end: LoadGen would wait for an answer, or abort without a word."""
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)


def _settings(loadgen: Any, scenario: Scenario, warmed: WarmedUp) -> Any:
    kinds = {
        "single-stream": loadgen.TestScenario.SingleStream,
        "multi-stream": loadgen.TestScenario.MultiStream,
        "offline": loadgen.TestScenario.Offline,
        "server": loadgen.TestScenario.Server,
    }
    settings = loadgen.TestSettings()
    settings.scenario = kinds[scenario.name]
    settings.mode = loadgen.TestMode.PerformanceOnly
    settings.min_query_count = scenario.queries
    settings.min_duration_ms = ceil(scenario.seconds * 1000)
    settings.qsl_rng_seed = SEED
    settings.sample_index_rng_seed = SEED
    settings.schedule_rng_seed = SEED
    if scenario.name == "single-stream":
        settings.single_stream_expected_latency_ns = _pace_ns(warmed)
        settings.single_stream_target_latency_percentile = 0.9
    elif scenario.name == "multi-stream":
        settings.multi_stream_expected_latency_ns = _pace_ns(warmed)
        settings.multi_stream_samples_per_query = scenario.batch
        settings.multi_stream_target_latency_percentile = 0.99
    elif scenario.name == "offline":
        settings.offline_expected_qps = _offline_rate(scenario, warmed)
    else:
        settings.server_target_qps = scenario.rate
        settings.server_target_latency_ns = int((scenario.bound_ms or 0.0) * 1e6)
        settings.server_target_latency_percentile = 0.99
    return settings


def _pace_ns(warmed: WarmedUp) -> int:
    """Nanoseconds from one query to the next at the fastest."""
    return max(warmed.fastest_ns, _LEAST_QUERY_NS)


def _offline_rate(scenario: Scenario, warmed: WarmedUp) -> float:
    """Examples a second that LoadGen prepares its one query for."""
    call_ns = max(warmed.usual_ns, _LEAST_QUERY_NS, scenario.batch * _LEAST_EXAMPLE_NS)
    return _FASTER * scenario.batch * 1e9 / call_ns


def _log(loadgen: Any, folder: str) -> Any:
    output = loadgen.LogOutputSettings()
    output.outdir = folder
    output.copy_summary_to_stdout = False
    log = loadgen.LogSettings()
    log.log_output = output
    log.enable_trace = False
    return log
