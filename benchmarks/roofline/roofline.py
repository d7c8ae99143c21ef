"""How much of what the machine can do a file reaches.

Williams, Waterman, Patterson 2009: an answer takes no less than its multiply-adds at the peak rate
of their type, and no less than its bytes at the rate of the memory that they come from; the larger
of the two is the time that can be attained. The share reached is that time over the measured
median.
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
    """The two least times of a file on a machine, and which is the larger."""

    compute_ms: float | None
    """Multiply-adds of each type at the peak of that type, one after the other; None where a type
    occurs that no peak was measured of."""
    memory_ms: float
    """Bytes at the rate of the memory that holds the working set."""
    transfer: TransferReading
    """The reading that is this rate."""
    level: str
    """The cache that holds the working set."""

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
    """Return the least times of what a graph costs.

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
