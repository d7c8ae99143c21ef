"""How one model does in one scenario: MLPerf LoadGen asks it in a fresh process.

Reddi et al. 2020, "MLPerf Inference Benchmark"; `benchmarks.timing.rules` has the rules that are
not LoadGen's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing.answers import agreement
from benchmarks.timing.early_stopping import queries_needed
from benchmarks.timing.isolation import run_apart
from benchmarks.timing.job import (
    ANSWERS,
    LATENCIES,
    LOADGEN_DETAIL,
    OBSERVED,
    SAMPLES,
    MeasuringJob,
    Observed,
)
from benchmarks.timing.loadgen_log import LoadGenLog
from benchmarks.timing.rules import broken_rules, clocks_disagree, conduct_of, looks_up
from benchmarks.timing.scenario import MOST_SERVER_QUERIES, Scenario
from benchmarks.timing.timing import BrokenRule, Noise, Timing
from compress.errors import UserError
from export.runner import RunnerSpec
from export.samples import Samples

SAMPLES_KEPT = 2048
"""More real inputs than this tell nothing new about latency; evenly spaced ones are taken."""
_WARM_UP_SECONDS = 1.0


def measure(
    spec: RunnerSpec,
    samples: Samples,
    scenario: Scenario,
    *,
    threads: int,
    log_folder: Path,
    reference: Mapping[str, NDArray[Any]] | None = None,
    is_own: bool = False,
) -> Timing:
    """Measure one model in a fresh process.

    The process keeps to as many processors as threads where that is allowed, imports the runtime,
    loads the model, warms up, and answers LoadGen's queries, which draw from `samples` with a fixed
    seed, each without padding. An answer counts when its arrays are in our hands. After that,
    outside of any time that is reported, it is asked examples kept back until then, each twice, and
    its memory is watched.

    Args:
        spec: The model; its thread count is replaced by `threads`.
        samples: N real inputs: histories, word pieces or texts. 32 and more let caches be found.
        scenario: The load.
        threads: Threads that the runtime may use.
        log_folder: Gets LoadGen's logs, the job, the raw latencies (`latencies.npy`, ns) and the
            answers that were looked at.
        reference: What is right for the same examples, `[N, ...]` by the name of the answer: of the
            student, or of the same file asked before. None: answers are only looked at in
            themselves.
        is_own: Whether the reference is what the same file answered: it must answer so again.

    Raises:
        UserError: The model could not be loaded or run; the message ends with what it said. Or it
            took far longer than it can, or a server is to be sent too many queries.
        ValueError: There are no samples, or the reference is not of the same ones.
    """
    if not len(samples):
        raise ValueError("no samples to ask with")
    sent = (scenario.rate or 0.0) * scenario.seconds
    if sent > MOST_SERVER_QUERIES:
        raise UserError(
            f"a server that is sent {scenario.rate:,.0f} queries a second for "
            f"{scenario.seconds:g} seconds would be sent {sent:,.0f}; {MOST_SERVER_QUERIES:,} are "
            "the most that are prepared: lower the rate, or ask for fewer seconds."
        )
    rows = evenly_spaced_rows(len(samples))
    right = None
    if reference is not None:
        if any(len(array) != len(samples) for array in reference.values()):
            raise ValueError(f"the reference is not of the {len(samples)} samples")
        right = {name: array[rows] for name, array in reference.items()}
    log_folder.mkdir(parents=True, exist_ok=True)
    for stale in (OBSERVED, LATENCIES, ANSWERS, LOADGEN_DETAIL):
        (log_folder / stale).unlink(missing_ok=True)
    samples.take(rows).save(log_folder / SAMPLES)
    asked = replace(spec, threads=threads)
    warm_up_seconds = min(_WARM_UP_SECONDS, scenario.seconds / 4)
    job = MeasuringJob(asked, scenario, str(log_folder.resolve()), warm_up_seconds)
    job_file = log_folder / "job.json"
    job_file.write_text(job.to_json(), encoding="utf-8")
    run_apart(
        "benchmarks.timing.measured_process",
        job_file,
        threads,
        f"{spec.path}: its latency",
        limit_seconds=job.limit_seconds,
    )
    (log_folder / SAMPLES).unlink()
    return read_timing(log_folder, job, right, is_own)


def evenly_spaced_rows(count: int) -> NDArray[np.int64]:
    """Return the numbers of `SAMPLES_KEPT` examples from first to last, or of all."""
    if count <= SAMPLES_KEPT:
        return np.arange(count)
    return np.linspace(0, count - 1, SAMPLES_KEPT).astype(np.int64)


def evenly_spaced(samples: Samples) -> Samples:
    """Return the samples, or `SAMPLES_KEPT` of them from first to last."""
    rows = evenly_spaced_rows(len(samples))
    return samples if len(rows) == len(samples) else samples.take(rows)


def read_timing(
    folder: Path,
    job: MeasuringJob,
    right: Mapping[str, NDArray[Any]] | None,
    is_own: bool = False,
) -> Timing:
    """Put what the process saw, its clock and LoadGen's log together.

    Args:
        folder: Of a finished measurement.
        job: What was measured.
        right: The right answers to the samples that it was given.
        is_own: Whether they are its own of before.
    """
    observed = Observed.from_json((folder / OBSERVED).read_text(encoding="utf-8"))
    log = LoadGenLog.read(folder / LOADGEN_DETAIL)
    own_ms = np.load(folder / LATENCIES, allow_pickle=False) / 1e6
    scenario = job.scenario
    checked, agreed = _held_against(folder / ANSWERS, right)
    conduct = conduct_of(observed, checked, agreed)
    queries = int(log.values["result_query_count"])
    is_offline = scenario.name == "offline"
    asks_one_by_one = scenario.name in ("single-stream", "multi-stream")

    def percentile(at: float, least: int = 0) -> float | None:
        return None if is_offline or queries < least else log.percentile_ms(at)

    overhead_us = None
    if asks_one_by_one:
        overhead_us = (log.percentile_ms(50) - _median(own_ms)) * 1000
    broken = (
        *log.broken(),
        *_late(scenario, log),
        *_clocks(scenario, log, own_ms, observed),
        *_once_a_rule(
            *broken_rules(job, observed, conduct, is_own),
            *looks_up(observed, _median(own_ms) * 1000),
        ),
    )
    return Timing(
        scenario=scenario.name,
        threads=job.spec.threads,
        batch=scenario.batch,
        queries=queries,
        examples=observed.examples,
        seconds=observed.seconds,
        throughput=_throughput(scenario, log, observed),
        p50_ms=percentile(50),
        p90_ms=percentile(90),
        p95_ms=percentile(95),
        p99_ms=percentile(99, queries_needed(99)),
        p99_9_ms=percentile(99.9, queries_needed(99.9)),
        load_ms=observed.load_ms,
        peak_rss_mb=observed.peak_rss_mb,
        rss_before_load_mb=observed.rss_before_load_mb,
        overhead_us=overhead_us,
        noise=Noise(observed.probe_us),
        conduct=conduct,
        broken=broken,
        pinned_to=observed.pinned_to,
        rate=_arrived(scenario, log),
        bound_ms=scenario.bound_ms,
        stolen_share=observed.stolen_share,
    )


def _once_a_rule(*broken: BrokenRule) -> tuple[BrokenRule, ...]:
    """A rule that is broken in two ways is told by the first."""
    return tuple({one.rule: one for one in reversed(broken)}.values())[::-1]


def _median(latencies: NDArray[np.float64]) -> float:
    """As LoadGen takes it: a value that was measured, never the mean of two."""
    return float(np.sort(latencies)[len(latencies) // 2])


def _held_against(file: Path, right: Mapping[str, NDArray[Any]] | None) -> tuple[int, float | None]:
    """Return how many timed answers were compared with the right ones, and their mean agreement."""
    if right is None or not file.is_file():
        return 0, None
    with np.load(file, allow_pickle=False) as stored:
        given = dict(stored)
    rows = given.pop("rows")
    found = agreement(given, {name: array[rows] for name, array in right.items()})
    return (0, None) if found is None else (len(found), float(found.mean()))


def _throughput(scenario: Scenario, log: LoadGenLog, observed: Observed) -> float:
    """Examples a second: LoadGen's figure of a server, ours where the clock was stopped."""
    if scenario.name == "server":
        return float(log.values["result_completed_samples_per_sec"])
    return observed.examples / max(observed.seconds, 1e-9)


def _arrived(scenario: Scenario, log: LoadGenLog) -> float | None:
    """Queries a second that a server was sent, not those that were asked for."""
    if scenario.name != "server":
        return None
    return float(log.values["result_scheduled_samples_per_sec"])


def _late(scenario: Scenario, log: LoadGenLog) -> Iterator[BrokenRule]:
    """The bound of a server's p99."""
    if scenario.bound_ms is None:
        return
    p99 = log.percentile_ms(99)
    if p99 > scenario.bound_ms:
        yield BrokenRule(
            "p99-bound", f"p99 is {p99:.3g} ms, above the bound of {scenario.bound_ms:g} ms."
        )


def _clocks(
    scenario: Scenario, log: LoadGenLog, own_ms: NDArray[np.float64], observed: Observed
) -> Iterator[BrokenRule]:
    """LoadGen's clock against ours, and its count against ours."""
    if scenario.name == "offline":
        theirs, ours = (
            float(log.values["result_samples_per_second"]),
            # Its clock goes on while ours is stopped.
            (observed.examples / max(observed.seconds + observed.paused_seconds, 1e-9)),
        )
        if abs(theirs / ours - 1.0) > 0.05:
            yield BrokenRule(
                "clocks",
                f"LoadGen counted {theirs:,.0f} examples a second, our own clock {ours:,.0f}.",
            )
        return
    queries = int(log.values["result_query_count"])
    if queries != len(own_ms):
        yield BrokenRule(
            "clocks", f"LoadGen counted {queries:,} queries, we answered {len(own_ms):,}."
        )
    if scenario.name == "server":
        return
    theirs, ours = log.percentile_ms(50), _median(own_ms)
    if clocks_disagree(ours, theirs):
        yield BrokenRule(
            "clocks",
            f"LoadGen's median is {theirs:.3g} ms, our own clock's {ours:.3g} ms.",
        )
