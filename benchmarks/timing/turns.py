"""Which of two models is faster: both asked in turn in one process, so that nothing else differs.

Rows of a report are measured one after the other, minutes apart, and a busy machine changes
meanwhile. A claim that one file is as fast as another needs both under the same conditions.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing.latency import evenly_spaced, run_measured
from benchmarks.timing.latency_process import LATENCIES
from benchmarks.timing.turns_process import TurnsJob, samples_file
from compress.metrics import Interval
from export.runner import RunnerSpec
from export.samples import Samples

_WARM_UP_SECONDS = 0.5


def measure_in_turns(
    specs: Sequence[RunnerSpec],
    samples: Sequence[Samples],
    *,
    rounds: int,
    queries: int,
    threads: int,
    log_folder: Path,
) -> NDArray[np.int64]:
    """Ask models in turn in one fresh process, batch 1, on real inputs without padding.

    In each round every model is asked the same `queries` examples, drawn with a fixed seed, one
    model after the other; every other round the order is turned around.

    Args:
        specs: M models; their thread counts are replaced by `threads`.
        samples: M times the same N examples, as each model takes them.
        rounds: How often each model has its turn.
        queries: Of one turn.
        threads: Threads that the runtimes may use.
        log_folder: Gets the job and the raw latencies.

    Returns:
        `[M, rounds, queries]` nanoseconds.

    Raises:
        UserError: A model could not be loaded or run; the message ends with what was said.
        ValueError: There are no examples, or the models do not have equally many.
    """
    counts = {len(one) for one in samples}
    if len(specs) != len(samples) or len(counts) != 1 or 0 in counts:
        raise ValueError(f"{len(specs)} models need the same examples, got {sorted(counts)}")
    log_folder.mkdir(parents=True, exist_ok=True)
    (log_folder / LATENCIES).unlink(missing_ok=True)
    for number, one in enumerate(samples):
        evenly_spaced(one).save(log_folder / samples_file(number))
    job = TurnsJob(
        tuple(replace(spec, threads=threads) for spec in specs),
        str(log_folder.resolve()),
        rounds,
        queries,
        _WARM_UP_SECONDS,
    )
    job_file = log_folder / "job.json"
    job_file.write_text(job.to_json(), encoding="utf-8")
    what = " and ".join(spec.path for spec in specs) + ": their latency"
    run_measured("benchmarks.timing.turns_process", job_file, threads, what)
    found: NDArray[np.int64] = np.load(log_folder / LATENCIES, allow_pickle=False)
    return found


def percentile_ratio(
    own: NDArray[np.int64],
    other: NDArray[np.int64],
    *,
    percentile: float = 90.0,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return a latency percentile divided by another model's, with its 95% interval over rounds.

    Rounds are resampled with replacement, the same for both models, so that what slowed the
    machine down in one round weighs on both.

    Args:
        own: `[rounds, queries]` of `measure_in_turns`.
        other: The other model's, of the same rounds.
        percentile: Of all queries together, 0...100.
        resamples: How often to resample.
        seed: Of the draws.

    Raises:
        ValueError: The rounds are not the same ones, or there are none.
    """
    if own.shape != other.shape or own.ndim != 2 or not own.size:
        raise ValueError(f"latencies {own.shape} and {other.shape} are not of the same rounds")

    def ratio(rounds: NDArray[np.int64]) -> float:
        return float(
            np.percentile(own[rounds], percentile) / np.percentile(other[rounds], percentile)
        )

    random = np.random.default_rng(seed)
    rounds = len(own)
    drawn = [ratio(random.integers(0, rounds, rounds)) for _ in range(resamples)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(ratio(np.arange(rounds)), float(low), float(high))
