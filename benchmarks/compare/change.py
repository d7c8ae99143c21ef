"""How much a metric changed from one run to another, and how sure that is.

Relative change: other / base - 1. Arrays and intervals in, intervals out.
"""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from compress.metrics import CONFIDENCE, Interval, Statistic, ratio_interval

_CHUNK = 4_000_000  # Numbers held at once, as in `compress.metrics.intervals`.


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
    of_other, of_base = np.random.default_rng(seed).spawn(2)
    above = _resampled(other, resamples, of_other)
    below = _resampled(base, resamples, of_base)
    if not base.value > 0 or (below < 0).any():
        raise ValueError("the base's metric must be above 0, and never below it")
    ratios = np.full(resamples, np.nan)
    np.divide(above, below, out=ratios, where=below > 0)
    ratios = ratios[~np.isnan(ratios)]
    if np.isnan(other.value) or not len(ratios):
        raise ValueError("too few cases have a value: the metric is undefined")
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(ratios, [tail, 1.0 - tail])
    return _minus_one(Interval(other.value / base.value, float(low), float(high)))


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


def _resampled(
    statistic: Statistic, resamples: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return the statistic of each resample, `[resamples]`."""
    units, width = statistic.table.shape
    chunk = max(1, _CHUNK // max(units, width))
    values = []
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        drawn = random.integers(0, units, size=(rows, units)) + units * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units)
        values.append(statistic.measure(np.asarray(counts.astype(np.float64) @ statistic.table)))
    return np.concatenate(values)
