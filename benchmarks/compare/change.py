"""How much a metric changed from one run to another, and how sure that is.

Relative change: other / base - 1. Arrays and intervals in, intervals out.
"""

from math import sqrt

from compress.metrics import Interval, Statistic, ratio_interval
from compress.metrics.intervals import unpaired_ratio_interval


def paired_change(other: Statistic, base: Statistic, resamples: int, seed: int) -> Interval:
    """Return the change over the same cases, with its 95% paired-bootstrap interval.

    Args:
        other: The metric of the other run.
        base: The same metric of the base, above 0; the same units in the same order.
        resamples: How often to resample.
        seed: Of the resampling.

    Raises:
        ValueError: The units differ in number, or the base leaves no ratio.
    """
    return _minus_one(ratio_interval(other, base, resamples, seed))


def unpaired_change(other: Statistic, base: Statistic, resamples: int, seed: int) -> Interval:
    """Return the change between different cases, with its 95% bootstrap interval.

    The units of each run are drawn on their own (Efron and Tibshirani 1993, chapter 8: the
    two-sample problem).

    Args:
        other: The metric of the other run.
        base: The same metric of the base, above 0.
        resamples: How often to resample.
        seed: Of the resampling.

    Raises:
        ValueError: The base leaves no ratio, or too few cases define a metric.
    """
    return _minus_one(unpaired_ratio_interval(other, base, resamples, seed))


def published_change(other: Interval, base: Interval) -> Interval:
    """Return the change between two published estimates, as if they were independent.

    MOVER-R, the interval of a ratio from the intervals of its parts (Donner and Zou 2012, "Closed-
    form confidence intervals for functions of the normal mean and standard deviation").
    Estimates over the same cases rise and fall together: for them it is too wide, not too narrow.

    Args:
        other: A metric of the other run, from 0.
        base: The same metric of the base, its interval above 0.

    Raises:
        ValueError: The base's interval reaches 0, or is too wide for a ratio.
    """
    if base.low <= 0:
        raise ValueError("the base's interval must be above 0")
    base, other = _around_value(base), _around_value(other)
    product = other.value * base.value

    def end(of_other: float, of_base: float, sign: int) -> float:
        spread = of_other * of_base * (2 * other.value - of_other) * (2 * base.value - of_base)
        under = of_base * (2 * base.value - of_base)
        if under <= 0:
            raise ValueError("the base's interval is too wide for a ratio")
        return (product + sign * sqrt(max(0.0, product * product - spread))) / under

    return _minus_one(
        Interval(
            other.value / base.value,
            end(other.low, base.high, -1),
            end(other.high, base.low, +1),
        )
    )


def _around_value(given: Interval) -> Interval:
    """Widen an interval that its own value is outside of, as percentiles of a biased metric are."""
    return Interval(given.value, min(given.low, given.value), max(given.high, given.value))


def _minus_one(ratio: Interval) -> Interval:
    return Interval(ratio.value - 1.0, ratio.low - 1.0, ratio.high - 1.0)
