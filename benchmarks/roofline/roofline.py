"""How much of what the machine can do a file reaches.

After Williams, Waterman, Patterson 2009: the multiply-adds of an answer at the peak rate of their
type, and its bytes at the rate of the memory that they come from; the larger of the two times is
the attainable one. The share reached is that time over the measured median.

It is an estimate, no least time: all bytes are held to the memory of the working set, while
activations may stay in a nearer cache, and a runtime may fuse what the graph has apart.
"""

from dataclasses import dataclass
from typing import Literal

from benchmarks.roofline.cost import GraphCost
from benchmarks.roofline.peaks import Peaks, TransferReading

Bound = Literal["compute", "memory", "neither"]
NEITHER_BELOW = 0.25
"""Share reached under which neither roof explains the time: it goes to something else, such as the
cost of starting each operator."""


@dataclass(frozen=True)
class Roof:
    """The two times that a file's cost takes on a machine, and which is the larger."""

    compute_ms: float | None
    """Multiply-adds of each type at the peak of that type, one after the other; None where a type
    occurs that no peak was measured of."""
    memory_ms: float
    """Bytes at the rate of the memory that holds the working set."""
    transfer: TransferReading
    """The reading that is this rate."""
    level: str
    """The cache that holds the working set: see `Peaks.level`."""

    @property
    def attainable_ms(self) -> float | None:
        """The larger of the two: the calculation can hide the loading, or the other way round."""
        return None if self.compute_ms is None else max(self.compute_ms, self.memory_ms)


@dataclass(frozen=True)
class Reached:
    """A measured median, held against the roof."""

    share: float
    """Attainable over measured time. Above 1 the roof is wrong, not the file fast."""
    bound: Bound
    """Which roof the file is under; `neither` below `NEITHER_BELOW`."""
    unexplained_us_per_operator: float
    """Measured less attainable time, by the number of operators."""


def roof_of(cost: GraphCost, peaks: Peaks) -> Roof:
    """Return the times that a graph's cost takes.

    Args:
        cost: Of one query.
        peaks: Of the machine, at the same number of threads.
    """
    seconds: float | None = 0.0
    for number, count in cost.multiply_adds.items():
        peak = peaks.multiply_adds_per_second(number)
        seconds = None if seconds is None or peak is None else seconds + count / peak
    transfer = peaks.transfer(cost.working_set_bytes)
    return Roof(
        compute_ms=None if seconds is None else seconds * 1e3,
        memory_ms=cost.bytes / transfer.bytes_per_second * 1e3,
        transfer=transfer,
        level=peaks.level(cost.working_set_bytes),
    )


def reached(cost: GraphCost, roof: Roof, measured_ms: float) -> Reached | None:
    """Hold a measured time against the roof; None where there is no roof.

    Args:
        cost: Of one query.
        roof: Of it.
        measured_ms: Median of one query at a time, above 0.
    """
    attainable = roof.attainable_ms
    if attainable is None or roof.compute_ms is None:
        return None
    share = attainable / measured_ms
    larger: Bound = "compute" if roof.compute_ms >= roof.memory_ms else "memory"
    return Reached(
        share=share,
        bound=larger if share >= NEITHER_BELOW else "neither",
        unexplained_us_per_operator=max(0.0, measured_ms - attainable)
        * 1e3
        / max(1, cost.operators),
    )
