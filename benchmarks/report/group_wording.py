"""Text that the parts of the page about groups have in common."""

from benchmarks.report.shape import IntervalData
from benchmarks.report.tables import Cell
from benchmarks.report.wording import NOT_MEASURED, percent, signed

POINTS = 100.0
"""Points of a percentage in a share."""
DIGITS = 3
"""Of a difference of a metric in a sentence."""


def ends(interval: IntervalData) -> tuple[float, float, float]:
    """Return an interval's value, low and high."""
    return interval.value, interval.low, interval.high


def apart(interval: IntervalData, scale: float = 1.0, digits: int = DIGITS) -> str:
    """Return a difference with its interval: +0.019 [−0.017, +0.055]."""
    value, low, high = (signed(one * scale, digits) for one in ends(interval))
    return f"{value} [{low}, {high}]"


def share_cell(interval: IntervalData | None) -> Cell:
    """Return a share in percent, its interval under it."""
    if interval is None:
        return Cell(NOT_MEASURED)
    return Cell(percent(interval.value), f"{percent(interval.low)}–{percent(interval.high)}")
