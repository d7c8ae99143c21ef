"""The noise probe of a server: read in gaps that the schedule leaves, so that no query waits.

The scenario draws its queries' times beforehand: exponential gaps from a generator with a fixed
seed (LoadGen's `ScheduleDistribution`, `std::mt19937`). They can be drawn again here. Another
standard library may draw differently, so the schedule is believed only while the last query came
when it says; where it never does, the probe is read before and after only.
"""

from collections.abc import Callable, Sequence
from time import perf_counter_ns, thread_time_ns

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing.isolation import allowed_cpus, pin
from benchmarks.timing.probe import REPEATS, time_loops
from benchmarks.timing.record import Record
from benchmarks.timing.threads import queued_ns

_FIRST_BELIEVED = 16
"""Queries that must have come: a wrong schedule is off by more than `_LATE_NS` after these."""
_LATE_NS = 500_000
_SPARE_NS = 200_000
"""Stays free before the next query, and half as long again as a part of a reading takes."""


def scheduled_ns(rate: float, queries: int, seed: int) -> NDArray[np.float64]:
    """Return when LoadGen sends a server's queries, nanoseconds after the first.

    As libstdc++ draws: `std::generate_canonical` takes two words of the generator, the low one
    first, and `std::exponential_distribution` is -ln(1 - u) / rate.

    Args:
        rate: Queries a second.
        queries: How many.
        seed: LoadGen's `schedule_rng_seed`.
    """
    words = np.random.RandomState(seed).randint(0, 2**32, 2 * queries, dtype=np.uint64)
    drawn = (words[0::2] + words[1::2] * 2.0**32) / 2.0**64
    ends = np.cumsum(-np.log1p(-drawn) / rate * 1e9)
    return np.concatenate([[0.0], ends[:-1]])


class GapProbe:
    """Reads the probe in parts, a loop each, as many as fit into a gap."""

    def __init__(
        self, record: Record, due: NDArray[np.float64], seconds: float, cpus: Sequence[int]
    ) -> None:
        """Find out how long a part takes.

        Args:
            record: Gets the readings.
            due: As `scheduled_ns` says.
            seconds: Between two readings.
            cpus: As `read_probe` takes them.
        """
        self._record, self._due = record, due
        self._between_ns = int(seconds * 1e9)
        self._cpus = tuple(cpus) if len(cpus) > 1 else ()
        self._home = allowed_cpus()
        self._parts: list[int] = []
        self._next_ns = 0
        self._came, self._came_ns = 0, 0
        started = perf_counter_ns()
        self._part()
        self._needed_ns = 1.5 * (perf_counter_ns() - started) + _SPARE_NS
        self._parts.clear()

    def note(self) -> None:
        """Note that a query came."""
        self._came_ns = perf_counter_ns()
        self._came += 1

    def use(self, is_idle: Callable[[], bool]) -> None:
        """Read parts of the probe, if one is due, until the next query is near.

        Args:
            is_idle: Whether no query waits.
        """
        now, came = perf_counter_ns(), self._came
        if now < self._next_ns or not _FIRST_BELIEVED <= came < len(self._due):
            return
        first = self._record.first_ns
        if not self._next_ns:
            self._next_ns = first + self._between_ns
            return
        if abs(self._came_ns - first - self._due[came - 1]) > _LATE_NS:
            return
        next_query = first + self._due[came]
        queued, started = queued_ns(), thread_time_ns()
        while perf_counter_ns() + self._needed_ns < next_query and is_idle():
            self._part()
            if len(self._parts) == REPEATS * max(1, len(self._cpus)):
                self._record.probe_us.append(self._reading())
                self._next_ns = perf_counter_ns() + self._between_ns
                break
        self._record.paused_cpu_ns += thread_time_ns() - started
        self._record.paused_queued_ns += queued_ns() - queued

    def _part(self) -> None:
        if not self._cpus:
            self._parts.append(time_loops(1))
            return
        pin((self._cpus[len(self._parts) // REPEATS],))
        self._parts.append(time_loops(1))
        pin(self._home)

    def _reading(self) -> float:
        """The mean of a processor's parts in microseconds; of the slowest processor."""
        means = np.reshape(self._parts, (-1, REPEATS)).mean(axis=1) / 1e3
        self._parts.clear()
        return float(means.max())
