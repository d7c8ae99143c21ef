"""How long one query takes: MLPerf LoadGen, single stream, one fresh process a model.

The scenario is the one of a phone: one query at a time, the next one asked when the last one is
answered, batch 1. Reddi et al. 2020, "MLPerf Inference Benchmark".
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from math import ceil, log
from pathlib import Path

import numpy as np

from benchmarks.timing.latency_process import (
    LATENCIES,
    LOADGEN_DETAIL,
    OUTCOME,
    SAMPLES,
    LatencyJob,
    Outcome,
)
from compress.errors import UserError
from export.runner import RunnerSpec
from export.samples import Samples

SAMPLES_KEPT = 2048
"""More real inputs than this tell nothing new about latency; evenly spaced ones are taken."""
_WARM_UP_SECONDS = 1.0
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(frozen=True)
class Latency:
    """How one model answered, one query at a time.

    Percentiles are LoadGen's. p50, p90 and p95 are always given; p99 and p99.9 only if
    `queries_needed` allows (else None), and `supports` says it of any of them.
    """

    threads: int
    queries: int
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float | None
    p99_9_ms: float | None
    load_ms: float
    """Loading the file into a runtime that is already imported; the file was just written, so it
    comes from the page cache."""
    peak_rss_mb: float
    """Highest resident memory of the whole process up to the end of the warm-up, 10^6 bytes:
    interpreter and runtime included, LoadGen's prepared queries not."""
    rss_before_load_mb: float
    """What interpreter and runtime alone took."""
    overhead_us: float
    """LoadGen's median minus our own clock's: what the harness adds to a query."""
    valid: bool
    """LoadGen calls the run valid, and the two clocks agree."""
    scenario: str = "single-stream"

    def supports(self, percentile: float) -> bool:
        """Return whether enough queries were asked for `percentile` (0...100)."""
        return self.queries >= queries_needed(percentile)


def queries_needed(percentile: float, confidence: float = 0.99) -> int:
    """Return how many queries a latency percentile needs.

    MLPerf Inference's early-stopping rule (inference policies, "Early Stopping"): with this many
    queries, and `confidence`, at least two of them lie above the true percentile, so that
    discarding the slowest leaves an upper bound. 64 queries for p90 and 662 for p99, the figures
    LoadGen prints.

    Args:
        percentile: Above 0 and below 100.
        confidence: Of the statement, above 0 and below 1.
    """
    below = percentile / 100.0
    queries = max(2, ceil(log(1.0 - confidence) / log(below)))
    while below ** (queries - 1) * (below + queries * (1.0 - below)) > 1.0 - confidence:
        queries += 1
    return queries


def measure_latency(
    spec: RunnerSpec,
    samples: Samples,
    *,
    queries: int,
    seconds: float,
    threads: int,
    log_folder: Path,
) -> Latency:
    """Measure one model in a fresh process.

    The process imports the runtime, loads the model, warms up, and answers LoadGen's
    single-stream queries, which draw from `samples` with a fixed seed, each without padding. An
    answer counts when its arrays are in our hands.

    Args:
        spec: The model; its thread count is replaced by `threads`.
        samples: Real inputs: histories, word pieces or texts.
        queries: Ask at least this many...
        seconds: ...and for at least this long, after the warm-up.
        threads: Threads that the runtime may use.
        log_folder: Gets LoadGen's logs, the raw latencies (`latencies.npy`, ns) and the job.

    Raises:
        UserError: The model could not be loaded or run; the message ends with what it said.
        ValueError: There are no samples.
    """
    if not len(samples):
        raise ValueError("no samples to ask with")
    log_folder.mkdir(parents=True, exist_ok=True)
    for stale in (OUTCOME, LATENCIES, LOADGEN_DETAIL):
        (log_folder / stale).unlink(missing_ok=True)
    evenly_spaced(samples).save(log_folder / SAMPLES)
    job = LatencyJob(
        replace(spec, threads=threads),
        str(log_folder.resolve()),
        queries,
        seconds,
        warm_up_seconds=min(_WARM_UP_SECONDS, seconds / 4),
    )
    job_file = log_folder / "job.json"
    job_file.write_text(job.to_json(), encoding="utf-8")
    run_measured(
        "benchmarks.timing.latency_process", job_file, threads, f"{spec.path}: its latency"
    )
    return _read(log_folder, threads)


def evenly_spaced(samples: Samples) -> Samples:
    """Return the samples, or `SAMPLES_KEPT` of them from first to last."""
    if len(samples) <= SAMPLES_KEPT:
        return samples
    return samples.take(np.linspace(0, len(samples) - 1, SAMPLES_KEPT).astype(np.int64))


def run_measured(module: str, job_file: Path, threads: int, what: str) -> None:
    """Run a job in a fresh interpreter that finds the same packages as this one.

    Args:
        module: Run as `python -m MODULE JOB.json`.
        job_file: The job; what the process says is written beside it.
        threads: For every library that asks the environment.
        what: Is measured, for the error message.

    Raises:
        UserError: The process failed; the message ends with what it said.
    """
    packages = str(Path(__file__).resolve().parents[2])
    search_path = os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")]))
    environment = os.environ | {name: str(threads) for name in _THREAD_VARIABLES}
    environment["PYTHONPATH"] = search_path
    done = subprocess.run(
        [sys.executable, "-P", "-m", module, str(job_file.resolve())],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    log_file = job_file.parent / "process.log"
    log_file.write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        raise UserError(
            f"{what} could not be measured, the process ended with "
            f"{done.returncode}: {_last_words(done.stderr)}\n(all it said: {log_file})"
        )


def _last_words(stderr: str) -> str:
    """Return the error itself, without the traceback's indented frames above it."""
    said: list[str] = []
    for line in reversed(stderr.strip().splitlines()):
        if line.startswith((" ", "Traceback")) or len(said) == 8:
            break
        said.insert(0, line)
    return "\n".join(said) or "it said nothing"


def _read(folder: Path, threads: int) -> Latency:
    """Put the process's outcome, its clock and LoadGen's log together."""
    outcome = Outcome(**json.loads((folder / OUTCOME).read_text(encoding="utf-8")))
    own_ms = np.load(folder / LATENCIES, allow_pickle=False) / 1e6
    loadgen = _loadgen_log(folder / LOADGEN_DETAIL)
    queries = len(own_ms)

    def percentile(name: str) -> float:
        return float(str(loadgen[f"result_{name}_percentile_latency_ns"])) / 1e6

    own_p50 = float(np.percentile(own_ms, 50))
    overhead_ms = percentile("50.00") - own_p50
    clocks_agree = loadgen["result_query_count"] == queries and abs(overhead_ms) <= max(
        0.05, 0.05 * own_p50
    )
    return Latency(
        threads=threads,
        queries=queries,
        p50_ms=percentile("50.00"),
        p90_ms=percentile("90.00"),
        p95_ms=percentile("95.00"),
        p99_ms=percentile("99.00") if queries >= queries_needed(99) else None,
        p99_9_ms=percentile("99.90") if queries >= queries_needed(99.9) else None,
        load_ms=outcome.load_ms,
        peak_rss_mb=outcome.peak_rss_mb,
        rss_before_load_mb=outcome.rss_before_load_mb,
        overhead_us=overhead_ms * 1000,
        valid=loadgen["result_validity"] == "VALID" and clocks_agree,
    )


def _loadgen_log(file: Path) -> dict[str, object]:
    """Return the results in LoadGen's detail log, whose lines are `:::MLLOG {json}`."""
    results: dict[str, object] = {}
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        if '"key": "result_' in line:
            entry = json.loads(line.removeprefix(":::MLLOG "))
            results[entry["key"]] = entry["value"]
    return results
