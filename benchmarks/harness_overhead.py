"""What the harness adds to a query: LoadGen and our loop against a bare `for` loop.

Run as `python -m benchmarks.harness_overhead [FILE.onnx]`; writes
`benchmarks/results/harness-overhead.json`. Both ask the same loaded model the same examples, in one
process, in turn: A B A B, the order turned around every other round. Two figures: how much longer
LoadGen's median latency is than a call's own, and how much more of the processor a whole query
costs than a call of the bare loop: LoadGen's bookkeeping between two queries, which no latency
contains, is in it.
"""

import gc
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from time import thread_time_ns
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.environment import current_environment
from benchmarks.timing.asking import SEED, ask, warm_up
from benchmarks.timing.isolation import allowed_cpus, choose_cpus, pin
from benchmarks.timing.job import LOADGEN_DETAIL
from benchmarks.timing.load_generator import WarmedUp, run_load_generator
from benchmarks.timing.loadgen_log import LoadGenLog
from benchmarks.timing.probe import read_probe
from benchmarks.timing.scenario import Scenario
from benchmarks.timing.timing import Noise
from compress.files import write_atomically
from compress.metrics import Interval
from export.runner import Runner, RunnerSpec, open_runner
from export.samples import Inputs, Samples

RESULT = Path(__file__).parent / "results" / "harness-overhead.json"
MOST_US = 5.0
"""What a query may cost more than in a bare loop."""
ROUNDS, SECONDS = 16, 0.3
_RESAMPLES = 2000


class Trivial:
    """A runner that does nothing, so that nothing hides what is around it."""

    def __init__(self) -> None:
        """Make the answer that it always gives."""
        self._answer = {"score": np.zeros(1, np.float32)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def __call__(self, inputs: Inputs) -> Inputs:
        """Answer at once."""
        return self._answer


def overhead(runner: Runner, samples: Samples, rounds: int, seconds: float) -> dict[str, Any]:
    """Return what LoadGen and our loop add to a query of a model, microseconds.

    Args:
        runner: Not loaded yet.
        samples: What it is asked with.
        rounds: How often each side has its turn; intervals are over them.
        seconds: Of LoadGen's turn; the bare loop asks as many queries.
    """
    rows = [samples.row(index) for index in range(len(samples))]
    scenario = Scenario("single-stream", 1, seconds)
    found = np.empty((rounds, 4))
    probe_us = []
    with runner, tempfile.TemporaryDirectory() as folder:
        took = warm_up(runner, rows, seconds)
        warmed = WarmedUp(int(took.min()), float(np.median(took)))
        queries = max(64, int(seconds * 1e9 / (warmed.usual_ns + 3000)))
        order = np.random.default_rng(SEED).integers(0, len(rows), queries)
        asked = [rows[index] for index in order.tolist()]
        gc.collect()
        gc.disable()

        def by_loadgen() -> tuple[float, float]:
            record = run_load_generator(runner, samples, scenario, warmed, folder=folder)
            spent_ns = record.last_cpu_ns - record.first_cpu_ns - record.paused_cpu_ns
            log = LoadGenLog.read(Path(folder) / LOADGEN_DETAIL)
            return log.percentile_ms(50) * 1e3, spent_ns / record.asked / 1e3

        def bare() -> tuple[float, float]:
            return _bare_loop(runner, asked)

        sides: list[tuple[slice, Callable[[], tuple[float, float]]]] = [
            (slice(0, 2), by_loadgen),
            (slice(2, 4), bare),
        ]
        for number in range(rounds):
            probe_us.append(read_probe())
            for columns, side in sides if number % 2 == 0 else reversed(sides):
                found[number, columns] = side()
        gc.enable()
    noise = Noise(tuple(probe_us))
    return {
        "bare_us": float(np.median(found[:, 3])),
        "in_latency_us": asdict(_median(found[:, 0] - found[:, 2])),
        "per_query_us": asdict(_median(found[:, 1] - found[:, 3])),
        "rounds": rounds,
        "queries_a_round": queries,
        "noise_drift": noise.drift,
        "quiet": noise.is_quiet,
    }


def _bare_loop(runner: Runner, asked: list[Inputs]) -> tuple[float, float]:
    """Return the microseconds of a call: by the clock, the median; and of the processor, the mean.

    The processor's time leaves out what other programs took meanwhile. The bare loop is the second
    one: nothing but the call is in it.
    """
    clocked = [ask(runner, inputs) for inputs in asked]
    started = thread_time_ns()
    for inputs in asked:
        runner(inputs)
    spent_ns = thread_time_ns() - started
    return float(np.median(clocked)) / 1e3, spent_ns / len(asked) / 1e3


def _median(differences: NDArray[np.float64]) -> Interval:
    """Return the median of the rounds with its 95% interval."""
    random = np.random.default_rng(SEED)
    drawn = random.choice(differences, (_RESAMPLES, len(differences)))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return Interval(float(np.median(differences)), float(low), float(high))


def main(arguments: list[str]) -> int:
    """Measure, write the result, print it; 1 if it is above `MOST_US`."""
    pinned = choose_cpus(1, allowed_cpus())
    pin(pinned)
    histories = np.random.default_rng(SEED).integers(2, 1000, (512, 50)).astype(np.int32)
    samples = Samples({"history": histories})
    models: dict[str, Runner] = {"a runner that does nothing": Trivial()}
    for path in arguments:
        models[Path(path).name] = open_runner(RunnerSpec("onnx", path))
    found = {name: overhead(model, samples, ROUNDS, SECONDS) for name, model in models.items()}
    kept = all(one["per_query_us"]["high"] <= MOST_US for one in found.values())
    result = {
        "command": " ".join(
            ["python -m benchmarks.harness_overhead", *(Path(path).name for path in arguments)]
        ),
        "most_us": MOST_US,
        "kept": kept,
        "models": found,
        "pinned_to": pinned,
        "environment": asdict(current_environment()),
    }
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=1) + "\n")
    for name, one in found.items():
        print(
            f"{name}: {one['bare_us']:.2f} us bare; in a reported latency "
            f"{_text(one['in_latency_us'])}, a whole query {_text(one['per_query_us'])}"
        )
    return 0 if kept else 1


def _text(interval: dict[str, float]) -> str:
    return f"+{interval['value']:.2f} us [{interval['low']:.2f}, {interval['high']:.2f}]"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
