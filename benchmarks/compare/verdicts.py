"""What an interval allows to be said, and what fails a comparison."""

from benchmarks.compare.data import QualityVerdict, SpeedVerdict
from compress.metrics import Interval


def quality_verdict(change: Interval, max_drop: float) -> QualityVerdict:
    """Say what became of a metric.

    Args:
        change: Relative, other / base - 1.
        max_drop: Largest drop that is allowed, from 0.

    Returns:
        `worse` where the drop is larger than what is allowed and the interval excludes 0.
    """
    if change.low > 0:
        return "better"
    if change.high >= 0:
        return "not shown to be worse"
    return "worse" if change.value < -max_drop else "worse within the limit"


def speed_verdict(ratio: Interval, max_slowdown: float) -> SpeedVerdict:
    """Say what became of a latency.

    Args:
        ratio: Other / base.
        max_slowdown: Largest slowdown that is allowed, from 0.

    Returns:
        `slower` where the slowdown is larger than what is allowed and the interval excludes 1.
    """
    if ratio.high < 1:
        return "faster"
    if ratio.low <= 1:
        return "not shown to be slower"
    return "slower" if ratio.value > 1 + max_slowdown else "slower within the limit"


def quality_fails(change: Interval, max_drop: float, strict: bool) -> bool:
    """Return whether a metric's change fails a comparison.

    Strictly, it has to be shown that the drop is not larger than what is allowed: non-inferiority
    with that margin (ICH E9, section 3.3.2).
    """
    if strict:
        return change.low < -max_drop
    return quality_verdict(change, max_drop) == "worse"


def speed_fails(ratio: Interval, max_slowdown: float, strict: bool) -> bool:
    """Return whether a latency's ratio fails a comparison; strictly as in `quality_fails`."""
    if strict:
        return ratio.high > 1 + max_slowdown
    return speed_verdict(ratio, max_slowdown) == "slower"
