"""Intervals of figures that a bootstrap cannot give: what share of the catalogue is ever shown.

A bootstrap resample draws some cases twice and leaves a third out, so it shows fewer items than the
cases themselves do: its coverage lies below the estimate, and its Gini coefficient above it, in
practically every resample. Leaving out a few cases at a time changes both by hardly anything, and
what it changes says how sure they are. The jackknife's variance is, in expectation, never too small
(Efron and Stein 1981, "The jackknife estimate of variance").
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no type information

from compress.metrics.intervals import CONFIDENCE, Interval, Statistic

BLOCKS = 1000
"""Most parts that are left out in turn; with fewer units each is a part of its own."""
_CHUNK = 4_000_000  # Numbers held at once: 32 MB.


def jackknife(statistic: Statistic, seed: int, minus: Statistic | None = None) -> Interval:
    """Return a metric with its 95% interval, the estimate ± 1.96 standard errors of the jackknife.

    Where there are more than 1,000 units they are put into 1,000 parts at random, and a part is
    left out at a time (Shao and Wu 1989, "A general theory for jackknife variance estimation").

    Args:
        statistic: The metric.
        seed: Of putting units together.
        minus: Subtract this one: the same metric of another model over the same units, which are
            left out of both at once.

    Raises:
        ValueError: The two differ in their number of units, there is only one unit, or a metric is
            undefined once a part is left out.
    """
    values = statistic.value - (minus.value if minus is not None else 0.0)
    parts = _parts(statistic.units, seed)
    without = _without_each(statistic, parts)
    if minus is not None:
        if minus.units != statistic.units:
            raise ValueError(
                f"metrics must be of the same cases, got {statistic.units} and {minus.units}"
            )
        without = without - _without_each(minus, parts)
    number = len(without)
    if number < 2 or np.isnan(without).any() or np.isnan(values):
        raise ValueError("too few cases have a value: the metric is undefined")
    variance = (number - 1) / number * float(((without - without.mean()) ** 2).sum())
    reach = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2) * variance**0.5
    return Interval(values, values - reach, values + reach)


def _parts(units: int, seed: int) -> NDArray[np.int64]:
    """Return which part each unit is left out with, `[units]`."""
    if units <= BLOCKS:
        return np.arange(units)
    places: NDArray[np.int64] = np.random.default_rng(seed).permutation(units) % BLOCKS
    return places


def _without_each(statistic: Statistic, parts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the metric without each part, `[parts]`."""
    table = statistic.table
    units, columns = table.shape
    total = np.asarray(table.sum(axis=0), dtype=np.float64)
    number = int(parts.max()) + 1
    members = sparse.csr_array((np.ones(units), (parts, np.arange(units))), shape=(number, units))
    values = []
    step = max(1, _CHUNK // columns)
    for start in range(0, number, step):
        own = members[start : start + step] @ table
        values.append(
            statistic.measure(total - (own.toarray() if sparse.issparse(own) else np.asarray(own)))
        )
    return np.concatenate(values)
