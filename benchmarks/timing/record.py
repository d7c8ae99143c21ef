"""What is written down while LoadGen asks, into memory that is there before it begins."""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter_ns, process_time_ns, thread_time_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing.answers import faults_of
from benchmarks.timing.asking import SEED
from benchmarks.timing.probe import read_probe
from benchmarks.timing.threads import ThreadTimes, queued_ns, thread_numbers, thread_times

ANSWERS_KEPT = 256
"""Examples, about, whose timed answers are looked at."""
_NEVER = 2**63 - 1


class Record:
    """One run of LoadGen as the measured process saw it."""

    def __init__(
        self,
        capacity: int,
        expected: int,
        batch: int,
        probe_seconds: float,
        cpus: Sequence[int] = (),
    ) -> None:
        """Set the memory aside.

        Args:
            capacity: Most calls that there can be.
            expected: Calls that there will be about; which answers are kept is drawn from these.
            batch: Examples of a call.
            probe_seconds: Between two readings of the noise probe; 0: nobody reads it between two
                calls.
            cpus: Where it is read.
        """
        self.latencies = array("q", bytes(8 * capacity))
        """Nanoseconds a call."""
        self.asked = 0
        """Calls up to now."""
        self.examples = 0
        self.probe_us: list[float] = []
        self.next_kept = 0
        self.next_probe = _NEVER
        self.first_ns = 0
        """When the first query came."""
        self.last_ns = 0
        """When the last answer was had."""
        self.first_cpu_ns = self.last_cpu_ns = 0
        """Processor time of the asking thread then."""
        self.before = self.after = ThreadTimes({}, {}, 0)
        self.not_ours: frozenset[int] = frozenset()
        """LoadGen's own threads."""
        self.paused_ns = self.paused_cpu_ns = self.paused_queued_ns = 0
        """Wall and processor time, and time waiting for a processor, between the first
        query and the last, that was not the model's: the probe's readings, and what was
        prepared."""
        self.paused_process_ns = 0
        """Processor time of all threads meanwhile: a runtime's own go on spinning for a while."""
        self._cpus = tuple(cpus)
        self._ours = thread_numbers()
        self._kept: list[tuple[NDArray[np.int64], object]] = []
        self._probe_ns = int(probe_seconds * 1e9)
        random = np.random.default_rng(SEED)
        share = min(1.0, ANSWERS_KEPT / (batch * max(expected, 1)))
        most = max(1, ANSWERS_KEPT // batch)
        self._places = iter((np.cumsum(random.geometric(share, 2 * most)) - 1).tolist())
        self.next_kept = next(self._places)

    def prepare(self) -> None:
        """Note which threads are LoadGen's: those that came since this was made."""
        self.not_ours = thread_numbers() - self._ours

    def begin(self) -> None:
        """Note that the first query is here."""
        self.before = thread_times(self._cpus)
        self.first_ns, self.first_cpu_ns = perf_counter_ns(), thread_time_ns()
        if self._probe_ns:
            self.next_probe = self.first_ns + self._probe_ns

    def end(self) -> None:
        """Note that the last answer was given."""
        self.last_ns, self.last_cpu_ns = perf_counter_ns(), thread_time_ns()
        self.after = thread_times(self._cpus)

    def read_probe(self) -> None:
        """Read the probe between two queries; the time is taken out of everything."""
        with self.pause():
            self.probe_us.append(read_probe(self._cpus))
        self.next_probe = perf_counter_ns() + self._probe_ns

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Take what is done meanwhile, by the asking thread, out of the time."""
        queued, started, cpu = queued_ns(), perf_counter_ns(), thread_time_ns()
        process = process_time_ns()
        yield
        self.paused_process_ns += process_time_ns() - process
        self.paused_ns += perf_counter_ns() - started
        self.paused_cpu_ns += thread_time_ns() - cpu
        self.paused_queued_ns += queued_ns() - queued

    def keep(self, rows: Sequence[int], answer: object) -> None:
        """Copy the answers of one call, which the runner may overwrite in the next."""
        self.next_kept = next(self._places, _NEVER)
        if isinstance(answer, dict):
            answer = {name: np.array(value) for name, value in answer.items()}
        self._kept.append((np.array(rows, dtype=np.int64), answer))

    def judged(self) -> tuple[int, int, tuple[str, ...], dict[str, NDArray[Any]]]:
        """Look at the answers that were kept.

        Returns:
            How many examples they are of; how many of these have a fault; the kinds of faults; and
            those without, by name, with `rows`, the examples' numbers. Answers that are not numbers
            are left out.
        """
        faulty, seen = 0, 0
        kinds: dict[str, None] = {}
        sound: list[dict[str, NDArray[Any]]] = []
        for rows, answer in self._kept:
            seen += len(rows)
            found = list(faults_of(answer, len(rows)))
            kinds.update(dict.fromkeys(found))
            if found or not isinstance(answer, dict):
                faulty += len(rows)
                continue
            numbers = {name: one for name, one in answer.items() if one.dtype.kind in "fiub"}
            sound.append({"rows": rows} | numbers)
        return seen, faulty, tuple(kinds), _stacked(sound)


def _stacked(calls: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Put calls together; what has no one shape (lengths that differ) is left out."""
    if not calls:
        return {}
    stacked = {}
    for name in calls[0]:
        if len({one[name].shape[1:] if name in one else None for one in calls}) == 1:
            stacked[name] = np.concatenate([one[name] for one in calls])
    return stacked
