"""Which of several models is faster: asked in turn, A B A B, each in a process of its own.

Rows of a report are measured one after the other, minutes apart, and a busy machine changes
meanwhile. A claim that one file is as fast as another needs both under the same conditions. And two
processes of one file differ, by where their memory lies: the turns are repeated in new ones, and
what is claimed is over these.

No model follows itself: one that does finds its caches as it left them, and a file would be a
percent faster than its own copy.
"""

import subprocess
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from math import ceil, exp, sqrt
from pathlib import Path
from threading import Event, Timer
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing.asking import WARM_UP_QUERIES
from benchmarks.timing.isolation import (
    LEAST_LIMIT_SECONDS,
    allowed_cpus,
    choose_cpus,
    command,
    environment,
    failure,
    hangs,
)
from benchmarks.timing.job import LATENCIES, SAMPLES, SLOWEST_SECONDS
from benchmarks.timing.measure import evenly_spaced
from benchmarks.timing.turn_count import Turns
from benchmarks.timing.turns_process import TurnsJob
from compress.metrics import Interval
from export.runner import RunnerSpec
from export.samples import Samples

TURN_SECONDS = 0.1
"""Length of a turn where it may differ between models: short beside what a machine's pace changes
over, long beside the first queries after another model had the processor."""
FEWEST_QUERIES, MOST_QUERIES = 4, 256
_WARM_UP_SECONDS = 0.5


def measure_in_turns(
    specs: Sequence[RunnerSpec],
    samples: Sequence[Samples],
    *,
    turns: Turns,
    queries: int,
    threads: int,
    log_folder: Path,
) -> NDArray[np.int64]:
    """Ask models in turn, batch 1, on real inputs without padding.

    Each is loaded in a fresh process of its own, kept to the same processors where that is allowed,
    and waits while another one answers. In each round every model is asked the same `queries`
    examples, drawn with a fixed seed, after a few that do not count. After `turns.rounds` all end,
    and are loaded anew, `turns.restarts` times; every other time in the opposite order.

    Args:
        specs: M models; their thread counts are replaced by `threads`.
        samples: M times the same N examples, as each model takes them.
        turns: How often each model has its turn.
        queries: Of one turn.
        threads: Threads that the runtimes may use.
        log_folder: Gets a folder a start and model, with the job, the raw latencies and what it
            said.

    Returns:
        `[M, restarts, rounds, queries]` nanoseconds.

    Raises:
        UserError: A model could not be loaded or run; the message ends with what was said.
        ValueError: There are no examples, or the models do not have equally many.
    """
    given = [queries] * len(specs)
    return np.stack(
        _in_turns(specs, samples, turns, queries=given, threads=threads, log_folder=log_folder)
    )


def measure_in_short_turns(
    specs: Sequence[RunnerSpec],
    samples: Sequence[Samples],
    *,
    turns: Turns,
    threads: int,
    log_folder: Path,
) -> tuple[NDArray[np.int64], ...]:
    """Ask models of very different speed in turn: a turn takes about `TURN_SECONDS`.

    Else as `measure_in_turns`, but each model has as many queries a turn as fit, from
    `FEWEST_QUERIES` to `MOST_QUERIES`.

    Returns:
        `[restarts, rounds, queries]` nanoseconds of each model.
    """
    return tuple(
        _in_turns(specs, samples, turns, queries=None, threads=threads, log_folder=log_folder)
    )


def _in_turns(
    specs: Sequence[RunnerSpec],
    samples: Sequence[Samples],
    turns: Turns,
    *,
    queries: Sequence[int] | None,
    threads: int,
    log_folder: Path,
) -> list[NDArray[np.int64]]:
    counts = {len(one) for one in samples}
    if len(specs) != len(samples) or len(counts) != 1 or 0 in counts:
        raise ValueError(f"{len(specs)} models need the same examples, got {sorted(counts)}")
    models = [
        (number, replace(spec, threads=threads), evenly_spaced(own))
        for number, (spec, own) in enumerate(zip(specs, samples, strict=True))
    ]
    found: list[list[NDArray[np.int64]]] = []
    for start in range(turns.restarts):
        rounds = range(start * turns.rounds, (start + 1) * turns.rounds)
        step = 1 if start % 2 == 0 else -1
        given = None if queries is None else queries[::step]
        folder = log_folder / f"start-{start}"
        found.append(_from_one_start(models[::step], rounds, given, folder)[::step])
        queries = [own.shape[1] for own in found[0]]  # As many in every process.
    return [np.stack(own) for own in zip(*found, strict=True)]


def _from_one_start(
    models: Sequence[tuple[int, RunnerSpec, Samples]],
    rounds: range,
    queries: Sequence[int] | None,
    log_folder: Path,
) -> list[NDArray[np.int64]]:
    """Return `[rounds, queries]` of a process of each model."""
    cpus = choose_cpus(models[0][1].threads, allowed_cpus())
    with ExitStack() as stack:
        players = []
        for number, spec, own in models:
            folder = log_folder / f"model-{number}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / LATENCIES).unlink(missing_ok=True)
            own.save(folder / SAMPLES)
            job = TurnsJob(
                spec,
                str(folder.resolve()),
                _WARM_UP_SECONDS,
                cpus,
                rounds.start,
            )
            players.append(stack.enter_context(_Player(job)))
        for player in players:  # They load side by side: that is not measured.
            player.wait_until_loaded()
        usual_ns = [int(player.told("warm up")) for player in players]
        given = queries or [
            min(max(ceil(TURN_SECONDS * 1e9 / usual), FEWEST_QUERIES), MOST_QUERIES)
            for usual in usual_ns
        ]
        turn = list(zip(players, given, strict=True))
        for _ in rounds:
            for player, asked in turn:
                player.told(str(asked), 2 * asked)
        return [player.finish() for player in players]


class _Player:
    """One model's process, from its start to its end."""

    def __init__(self, job: TurnsJob) -> None:
        self.job = job
        self.folder = Path(job.folder)
        self.log_file = self.folder / "process.log"
        job_file = self.folder / "job.json"
        job_file.write_text(job.to_json(), encoding="utf-8")
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                command("benchmarks.timing.turns_process", job_file),
                env=environment(job.spec.threads),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def wait_until_loaded(self) -> None:
        """Wait until the model is loaded."""
        self._reply()

    def told(self, line: str, queries: int = WARM_UP_QUERIES) -> str:
        """Say something and return the reply; until then the model works.

        Args:
            line: What is said.
            queries: About as many are asked until the reply.
        """
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # It ended: the reply that is missing tells.
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        return self._reply(queries)

    def finish(self) -> NDArray[np.int64]:
        """Say that there are no more turns and return the nanoseconds of every query."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            code = self.process.wait(LEAST_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            raise hangs(self._what, LEAST_LIMIT_SECONDS, self.log_file) from None
        if code:
            raise self._failure()
        (self.folder / SAMPLES).unlink()
        found: NDArray[np.int64] = np.load(self.folder / LATENCIES, allow_pickle=False)
        return found

    def _reply(self, queries: int = 0) -> str:
        """Wait for a line; a process that hangs is killed, and then there is none."""
        assert self.process.stdout is not None
        limit = LEAST_LIMIT_SECONDS + SLOWEST_SECONDS * queries
        hung = Event()

        def end() -> None:
            hung.set()
            self.process.kill()

        watch = Timer(limit, end)
        watch.daemon = True
        watch.start()
        try:
            reply = self.process.stdout.readline()
        finally:
            watch.cancel()
        if not reply:
            self.process.wait()
            raise hangs(self._what, limit, self.log_file) if hung.is_set() else self._failure()
        return reply.strip()

    @property
    def _what(self) -> str:
        return f"{self.job.spec.path}: its latency"

    def _failure(self) -> Exception:
        said = self.log_file.read_text(encoding="utf-8", errors="replace")
        return failure(self._what, self.process.returncode, said, self.log_file)

    def _end(self) -> None:
        """End the process if it is still there; it may be waiting for its turn."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def percentile_ratio(
    own: NDArray[np.int64], other: NDArray[np.int64], *, percentile: float = 90.0
) -> Interval:
    """Return a latency percentile divided by another model's, with its 95% interval over restarts.

    What slowed the machine down in one turn weighs on both. The ratio of each pair of processes is
    one measurement of it: their geometric mean, with Student's interval of the mean logarithm.

    Args:
        own: `[restarts, rounds, queries]` of `measure_in_turns` or `measure_in_short_turns`.
        other: The other model's, of the same rounds; it may have had more or fewer queries.
        percentile: Of all queries of a process together, 0...100.

    Raises:
        ValueError: The rounds are not the same ones, there are none, or they are of one start.
    """
    same = own.ndim == other.ndim == 3 and own.shape[:2] == other.shape[:2]
    if not same or not own.size * other.size or len(own) < 2:
        raise ValueError(
            f"latencies {own.shape} and {other.shape} are not of the same rounds of two starts "
            "and more"
        )
    from scipy.special import stdtrit  # type: ignore[import-untyped]  # no type information

    taken = [np.percentile(one.reshape(len(one), -1), percentile, axis=1) for one in (own, other)]
    logs = np.log(taken[0] / taken[1])
    mean, error = float(logs.mean()), float(logs.std(ddof=1)) / sqrt(len(logs))
    reach = float(stdtrit(len(logs) - 1, 0.975)) * error
    return Interval(exp(mean), exp(mean - reach), exp(mean + reach))
