"""Text that the parts of the page about groups have in common."""

from collections.abc import Sequence

from benchmarks.report.shape import IntervalData
from benchmarks.report.tables import Cell
from benchmarks.report.wording import NOT_MEASURED, percent, signed
from compress.metrics import metric_name

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


def among(judged: int, not_judged: Sequence[str]) -> str:
    """Say between how many of the groups a gap is: among 9 of 21 groups."""
    total = judged + len(not_judged)
    if not_judged:
        return f"among {judged} of {total} groups"
    return "among both groups" if total == 2 else f"among all {total} groups"


def protected_metric(of: str, metric: str) -> str:
    """Say what of must not differ between groups.

    Args:
        of: `kept_quality` or `quality`, as in the recipe.
        metric: The report's.
    """
    name = metric_name(metric)
    return f"the kept share of {name}" if of == "kept_quality" else name


def gap_text(value: float, of: str) -> str:
    """Return a gap as it is read: points of a kept share, the metric as it is."""
    return f"{value * POINTS:.1f} points" if of == "kept_quality" else f"{value:.{DIGITS}f}"
