"""What the harness adds to a query: LoadGen and our loop against a bare `for` loop.

Run as `python -m benchmarks.harness_overhead [FILE.onnx] [--all-scenarios]`; writes
`benchmarks/results/harness-overhead.json`. Both ask the same loaded model the same examples, in one
process, in turn: A B A B, the order turned around every other round. Two figures: how much longer
LoadGen's median latency is than a call's own (an offline system has none), and how much more of the
processor a whole call costs than one of the bare loop: LoadGen's bookkeeping between two queries,
which no latency contains, is in it.

What is promised, at most `MOST_US` a query, is of single-stream. `--all-scenarios` measures the
others too, which takes several minutes: calls of `BATCH` examples in multi-stream and offline, and
for a server, whose queries come from another thread, the hand-over that its latency contains.
"""

import gc
import json
import shlex
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from time import thread_time_ns
from types import TracebackType
from typing import Any, Self, get_args

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
from compress.recipe import ScenarioName
from export.runner import Runner, RunnerSpec, open_runner
from export.samples import Inputs, Samples

RESULT = Path(__file__).parent / "results" / "harness-overhead.json"
MOST_US = 5.0
"""What a single-stream query may cost more than in a bare loop."""
BATCH = 8
ALL_SCENARIOS = "--all-scenarios"
ITEMS = 1000
"""Codes below this one are in the histories asked."""
MOST_TRIES = 5
"""So often single-stream, of which something is promised, is measured until the probe is quiet."""
_OTHER_TRIES = 2
_SERVER_RATE = 200.0
"""Queries a second: few enough that hardly one waits for another."""
ROUNDS, SECONDS = 16, 0.3
_OTHER_ROUNDS = 8
_OTHER_SECONDS: dict[ScenarioName, float] = {"multi-stream": 0.3, "offline": 0.1, "server": 0.5}
"""Of offline few: LoadGen prepares one query of very many examples before its clock starts."""
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


def overhead(
    runner: Runner,
    samples: Samples,
    rounds: int,
    seconds: float,
    *,
    name: ScenarioName = "single-stream",
    own_cpus: tuple[int, ...] = (),
) -> dict[str, Any]:
    """Return what LoadGen and our loop add to a call of a model, microseconds.

    Args:
        runner: Not loaded yet.
        samples: What it is asked with.
        rounds: How often each side has its turn; intervals are over them.
        seconds: Of LoadGen's turn; the bare loop asks as many queries.
        name: Of the scenario. A server's `per_query_us` is None: two threads share the work;
            `in_latency_us` is None for offline.
        own_cpus: Processors for LoadGen's own threads.
    """
    is_batched, is_server = name in ("multi-stream", "offline"), name == "server"
    rate, bound = (_SERVER_RATE, 1000.0) if is_server else (None, None)
    scenario = Scenario(name, 1, seconds, BATCH if is_batched else 1, rate, bound)
    rows = _calls(samples, scenario.batch)
    found = np.empty((rounds, 4))
    probe_us = []
    with runner, tempfile.TemporaryDirectory() as folder:
        took = warm_up(runner, rows, seconds)
        warmed = WarmedUp(int(took.min()), float(np.median(took)))
        pace_ns = 1e9 / _SERVER_RATE if is_server else warmed.usual_ns + 3000
        queries = max(64, int(seconds * 1e9 / pace_ns))
        order = np.random.default_rng(SEED).integers(0, len(rows), queries)
        asked = [rows[index] for index in order.tolist()]
        gc.collect()
        gc.disable()

        def by_loadgen() -> tuple[float, float]:
            record = run_load_generator(
                runner, samples, scenario, warmed, folder=folder, own_cpus=own_cpus
            )
            spent_ns = record.last_cpu_ns - record.first_cpu_ns - record.paused_cpu_ns
            log = LoadGenLog.read(Path(folder) / LOADGEN_DETAIL)
            median_us = np.nan if name == "offline" else log.percentile_ms(50) * 1e3
            return median_us, spent_ns / record.asked / 1e3

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
        "in_latency_us": None if name == "offline" else asdict(_median(found[:, 0] - found[:, 2])),
        "per_query_us": None if is_server else asdict(_median(found[:, 1] - found[:, 3])),
        "examples_a_call": scenario.batch,
        "rounds": rounds,
        "queries_a_round": queries,
        "noise_drift": noise.drift,
        "quiet": noise.is_quiet,
    }


def measure_quietly(
    measure: Callable[[], dict[str, Any]], most_tries: int = MOST_TRIES
) -> dict[str, Any]:
    """Measure until the noise probe is quiet, `most_tries` times at most.

    Args:
        measure: As `overhead` returns it.
        most_tries: At least 1.

    Returns:
        The quiet result, or of all tries the one with the least drift; `tries` is in it.
    """
    found: list[dict[str, Any]] = []
    while len(found) < most_tries and not (found and found[-1]["quiet"]):
        found.append(measure())
    best: dict[str, Any] = min(found, key=lambda one: one["noise_drift"])
    return best | {"tries": len(found)}


def keeps(models: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether every model's single-stream figure is quiet and at most `MOST_US`.

    Args:
        models: By name: by scenario, what `overhead` returns.
    """
    return all(
        one["single-stream"]["quiet"] and one["single-stream"]["per_query_us"]["high"] <= MOST_US
        for one in models.values()
    )


def _calls(samples: Samples, batch: int) -> list[Inputs]:
    if batch == 1:
        return [samples.row(index) for index in range(len(samples))]
    random = np.random.default_rng(SEED)
    return [samples.batch(random.integers(0, len(samples), batch)) for _ in range(len(samples))]


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
    """Measure, write the result, print it; 1 if it is not quiet or above `MOST_US`."""
    wanted: tuple[ScenarioName, ...] = ("single-stream",)
    files = [one for one in arguments if one != ALL_SCENARIOS]
    if len(files) < len(arguments):
        wanted = get_args(ScenarioName)
    environment = asdict(current_environment())  # Of the whole machine: before it is pinned.
    allowed = allowed_cpus()
    pinned = choose_cpus(1, allowed)
    pin(pinned)
    others = tuple(cpu for cpu in allowed if cpu not in pinned) or allowed
    histories = np.random.default_rng(SEED).integers(2, ITEMS, (512, 50)).astype(np.int32)
    samples = Samples({"history": histories})
    models: dict[str, Callable[[], Runner]] = {"a runner that does nothing": Trivial}
    for path in files:
        models[Path(path).name] = partial(open_runner, RunnerSpec("onnx", path))

    def quietly(opened: Callable[[], Runner], name: ScenarioName) -> dict[str, Any]:
        is_promised = name == "single-stream"
        rounds, seconds = (
            (ROUNDS, SECONDS) if is_promised else (_OTHER_ROUNDS, _OTHER_SECONDS[name])
        )
        print(f"{name} ...", file=sys.stderr, flush=True)
        return measure_quietly(
            lambda: overhead(opened(), samples, rounds, seconds, name=name, own_cpus=others),
            MOST_TRIES if is_promised else _OTHER_TRIES,
        )

    found: dict[str, dict[str, dict[str, Any]]] = {
        model: {name: quietly(opened, name) for name in wanted} for model, opened in models.items()
    }
    kept = keeps(found)
    result = {
        "command": shlex.join(["python", "-m", "benchmarks.harness_overhead", *arguments]),
        "promise": f"single-stream: at most {MOST_US:g} us a query, on a quiet machine",
        "most_us": MOST_US,
        "kept": kept,
        "models": found,
        "pinned_to": pinned,
        "environment": environment,
    }
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=1) + "\n")
    for model, scenarios in found.items():
        for name, one in scenarios.items():
            print(
                f"{model}, {name}: {one['bare_us']:.2f} us bare; in a reported latency "
                f"{_text(one['in_latency_us'])}, a whole call {_text(one['per_query_us'])}"
                f"{'' if one['quiet'] else '; NOISY'}"
            )
    return 0 if kept else 1


def _text(interval: dict[str, float] | None) -> str:
    if interval is None:
        return "nothing to compare"
    return f"+{interval['value']:.2f} us [{interval['low']:.2f}, {interval['high']:.2f}]"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
