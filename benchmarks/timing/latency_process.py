"""The process that is measured: load one model, warm it up, let LoadGen ask it.

Run as `python -m benchmarks.timing.latency_process JOB.json` by `benchmarks.timing.latency`, which
also sets the thread counts in its environment, before any library can read them. Little is imported
here, so that the peak memory is the model's and its runtime's.
"""

import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from compress.imports import leave_out_torchao
from export.runner import Runner, RunnerSpec, import_runtime, open_runner
from export.samples import Inputs, Samples

SAMPLES = "samples.npz"
LATENCIES = "latencies.npy"
"""int64 `[queries]`: nanoseconds a query, in the order asked, by this process's own clock."""
OUTCOME = "outcome.json"
LOADGEN_DETAIL = "mlperf_log_detail.txt"
WARM_UP_QUERIES = 50
SEED = 1


@dataclass(frozen=True)
class LatencyJob:
    """What to measure; results are written into `folder`."""

    spec: RunnerSpec
    folder: str
    queries: int
    seconds: float
    warm_up_seconds: float

    def to_json(self) -> str:
        """Return the job as JSON text."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> "LatencyJob":
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        return cls(**fields | {"spec": RunnerSpec(**fields["spec"])})


@dataclass(frozen=True)
class Outcome:
    """What the measured process saw of itself."""

    load_ms: float
    rss_before_load_mb: float
    peak_rss_mb: float


def main(job_file: str) -> None:
    """Carry out the job in `job_file` and write its outcome beside the LoadGen logs."""
    job = LatencyJob.from_json(Path(job_file).read_text(encoding="utf-8"))
    folder = Path(job.folder)
    samples = Samples.load(folder / SAMPLES)
    rows = [samples.row(index) for index in range(len(samples))]

    import_runtime(job.spec)
    import_module("mlperf_loadgen")
    runner = open_runner(job.spec)
    rss_before_load_mb = _memory_mb("VmRSS")
    started = time.perf_counter_ns()
    with runner:
        load_ms = (time.perf_counter_ns() - started) / 1e6
        fastest_ns = warm_up(runner, rows, job.warm_up_seconds)
        # Taken before LoadGen prepares its queries, some KB each: they are not the model's.
        outcome = Outcome(load_ms, rss_before_load_mb, _memory_mb("VmHWM"))
        # A phone has no Python garbage collector that could strike in the middle of a query.
        gc.collect()
        gc.disable()
        latencies = _load_generator(runner, rows, job, fastest_ns)
    np.save(folder / LATENCIES, np.array(latencies, dtype=np.int64))
    (folder / OUTCOME).write_text(json.dumps(asdict(outcome)), encoding="utf-8")


def ask(runner: Runner, inputs: Inputs) -> int:
    """Return the nanoseconds from handing over one example to holding its answer as arrays."""
    started = time.perf_counter_ns()
    runner(inputs)
    return time.perf_counter_ns() - started


def warm_up(runner: Runner, rows: list[Inputs], seconds: float) -> int:
    """Ask for `seconds` and `WARM_UP_QUERIES` at least; return the fastest answer, in ns."""
    ends = time.perf_counter() + seconds
    fastest = ask(runner, rows[0])
    for asked in count(1):
        if asked >= WARM_UP_QUERIES and time.perf_counter() >= ends:
            break
        fastest = min(fastest, ask(runner, rows[asked % len(rows)]))
    return fastest


def _load_generator(
    runner: Runner, rows: list[Inputs], job: LatencyJob, fastest_ns: int
) -> list[int]:
    """Run LoadGen's single-stream scenario and return our own clock's latencies, in ns."""
    loadgen = import_module("mlperf_loadgen")  # A binary without type stubs.
    latencies: list[int] = []

    def issue(queries: list[Any]) -> None:
        try:
            for query in queries:
                latencies.append(ask(runner, rows[query.index]))
                loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(query.id, 0, 0)])
        except BaseException:
            # LoadGen calls from a thread of its own, where an exception would abort the process
            # without a word.
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)

    settings = loadgen.TestSettings()
    settings.scenario = loadgen.TestScenario.SingleStream
    settings.mode = loadgen.TestMode.PerformanceOnly
    settings.min_query_count = job.queries
    settings.min_duration_ms = int(job.seconds * 1000)
    # LoadGen prepares its queries from this guess before the clock starts: too slow a one and it
    # runs out of them before `min_duration`.
    settings.single_stream_expected_latency_ns = fastest_ns
    settings.qsl_rng_seed = SEED
    settings.sample_index_rng_seed = SEED
    settings.schedule_rng_seed = SEED

    output = loadgen.LogOutputSettings()
    output.outdir = job.folder
    output.copy_summary_to_stdout = False
    log = loadgen.LogSettings()
    log.log_output = output
    log.enable_trace = False

    system = loadgen.ConstructSUT(issue, lambda: None)
    samples = loadgen.ConstructQSL(len(rows), len(rows), lambda _: None, lambda _: None)
    try:
        loadgen.StartTestWithLogSettings(system, samples, settings, log)
    finally:
        loadgen.DestroyQSL(samples)
        loadgen.DestroySUT(system)
    return latencies


def _memory_mb(field: str) -> float:
    """Return a field of this process's memory, in 10^6 bytes.

    `VmHWM`, the kernel's high-water mark, is this program's own; getrusage's figure starts at that
    of the parent it was forked from, and serves only where there is no /proc.
    """
    for name, value in _status():
        if name == field:
            return int(value.split()[0]) * 1024 / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _status() -> Iterator[tuple[str, str]]:
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            yield name, value


if __name__ == "__main__":
    leave_out_torchao()
    main(sys.argv[1])
