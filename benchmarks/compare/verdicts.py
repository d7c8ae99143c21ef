"""What an interval allows to be said, and what fails a comparison."""

from benchmarks.compare.data import QualityVerdict, SpeedVerdict
from compress.metrics import Interval


def quality_verdict(change: Interval, max_drop: float) -> QualityVerdict:
    """Say what became of a metric.

    Args:
        change: Relative, other / base - 1.
        max_drop: Largest drop that is allowed, from 0.

    Returns:
        Of a drop that is larger than what is allowed, `worse` where the interval excludes 0, and
        `not decided` where it holds 0.
    """
    if change.low > 0:
        return "better"
    is_too_much = change.value < -max_drop
    if change.high >= 0:
        return "not decided" if is_too_much else "not shown to be worse"
    return "worse" if is_too_much else "worse within the limit"


def speed_verdict(ratio: Interval, max_slowdown: float) -> SpeedVerdict:
    """Say what became of a latency.

    Args:
        ratio: Other / base.
        max_slowdown: Largest slowdown that is allowed, from 0.

    Returns:
        Of a slowdown that is larger than what is allowed, `slower` where the interval excludes 1,
        and `not decided` where it holds 1.
    """
    if ratio.high < 1:
        return "faster"
    is_too_much = ratio.value > 1 + max_slowdown
    if ratio.low <= 1:
        return "not decided" if is_too_much else "not shown to be slower"
    return "slower" if is_too_much else "slower within the limit"


def quality_fails(change: Interval, max_drop: float, strict: bool) -> bool:
    """Return whether a metric's change fails a comparison.

    Strictly, it has to be shown that the drop is not larger than what is allowed: non-inferiority
    with that margin (ICH E9, section 3.3.2). A percentile interval of a skewed metric may leave its
    own value out; then the value has to keep to the margin too.
    """
    verdict = quality_verdict(change, max_drop)
    if strict:
        return change.low < -max_drop or verdict in ("worse", "not decided")
    return verdict == "worse"


def speed_fails(ratio: Interval, max_slowdown: float, strict: bool) -> bool:
    """Return whether a latency's ratio fails a comparison; strictly as in `quality_fails`."""
    verdict = speed_verdict(ratio, max_slowdown)
    if strict:
        return ratio.high > 1 + max_slowdown or verdict in ("slower", "not decided")
    return verdict == "slower"
