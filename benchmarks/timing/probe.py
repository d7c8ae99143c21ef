"""The noise probe: a fixed piece of work that takes the same time on a machine left alone."""

from time import perf_counter_ns

STEPS = 2000
REPEATS = 32
"""Loops of one reading, which takes 3 to 5 milliseconds: as long as a scheduler's time slice, so
that a neighbour who takes turns with us shows, and not only one who slows the processor down."""


def read_probe() -> float:
    """Return the microseconds that the loop takes now, the mean of `REPEATS`.

    Integer arithmetic in the interpreter: no memory beyond the first cache level, no other thread,
    nothing that a runtime could have set up otherwise. What changes it is the processor's clock, a
    neighbour on the same core, or being taken off the processor.
    """
    _loop()  # The code comes back into the caches.
    started = perf_counter_ns()
    for _ in range(REPEATS):
        _loop()
    return (perf_counter_ns() - started) / REPEATS / 1e3


def _loop() -> int:
    value = 1
    for _ in range(STEPS):
        value = (value * 1103515245 + 12345) & 0x7FFFFFFF
    return value
