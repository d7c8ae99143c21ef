"""The noise probe: a fixed piece of work that takes the same time on a machine left alone."""

from collections.abc import Sequence
from time import perf_counter_ns

from benchmarks.timing.isolation import allowed_cpus, pin

STEPS = 2000
REPEATS = 32
"""Loops of one reading, which takes 3 to 5 milliseconds: as long as a scheduler's time slice, so
that a neighbour who takes turns with us shows, and not only one who slows the processor down."""


def read_probe(cpus: Sequence[int] = ()) -> float:
    """Return the microseconds that the loop takes now, the mean of `REPEATS`.

    On each processor in turn, and of the slowest: a neighbour on one of them is enough.

    Integer arithmetic in the interpreter: no memory beyond the first cache level, no other thread,
    nothing that a runtime could have set up otherwise. What changes it is the processor's clock, a
    neighbour on the same core, or being taken off the processor.

    Args:
        cpus: Those that the calling thread is kept on; it may use the same ones afterwards. Where
            they are not two and more, it is read where the thread is.
    """
    if len(cpus) < 2:
        return time_loops(REPEATS) / REPEATS / 1e3
    before = allowed_cpus()
    try:
        readings = []
        for cpu in cpus:
            pin((cpu,))
            readings.append(time_loops(REPEATS) / REPEATS / 1e3)
        return max(readings)
    finally:
        pin(before)


def time_loops(repeats: int) -> int:
    """Return the nanoseconds that `repeats` loops take now."""
    _loop()  # The code comes back into the caches.
    started = perf_counter_ns()
    for _ in range(repeats):
        _loop()
    return perf_counter_ns() - started


def _loop() -> int:
    value = 1
    for _ in range(STEPS):
        value = (value * 1103515245 + 12345) & 0x7FFFFFFF
    return value
