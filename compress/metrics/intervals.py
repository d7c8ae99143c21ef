"""How sure we are of a metric: bootstrap intervals.

A metric is a `Statistic`: a function of sums over independent *units* (users, products, queries).
A resample draws as many units as there are, with replacement, so its sums are one row of counts
times the table of the units; a metric like macro-F1, which is no mean over examples, is resampled
as cheaply as a mean (Efron and Tibshirani 1993, chapters 6 and 13).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no type information

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
_CHUNK = 4_000_000  # Numbers held at once: 32 MB of counts.


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Statistic:
    """A metric as a function of sums over units, so that it can be resampled.

    Raises:
        ValueError: The table is not `[units, M]`, has no units, or holds NaN or infinity.
    """

    table: Any
    """`[units, M]` float64: what each unit adds to the sums; an array, or a scipy sparse array
    where most of it is 0 (many classes)."""
    measure: Callable[[Floats], Floats]
    """Sums `[..., M]` to the metric `[...]`; NaN where the sums do not define it."""

    def __post_init__(self) -> None:
        if self.table.ndim != 2:
            raise ValueError(f"a table is [units, M], got {self.table.shape}")
        if not self.units:
            raise ValueError("no cases: an interval needs at least one value")
        if not np.isfinite(self.table.data if sparse.issparse(self.table) else self.table).all():
            raise ValueError("a value is NaN or infinite")

    @property
    def units(self) -> int:
        """How many units there are."""
        return int(self.table.shape[0])

    @property
    def value(self) -> float:
        """The metric of all units; NaN where they do not define it."""
        if sparse.issparse(self.table):
            sums = np.asarray(self.table.sum(axis=0), dtype=np.float64)
        else:  # Contiguous columns are summed in pairs, which keeps more digits.
            sums = np.ascontiguousarray(self.table.T).sum(axis=1)
        return float(self.measure(sums))


def mean_statistic(values: Floats) -> Statistic:
    """Return the mean over units.

    Args:
        values: `[N]`, one a unit.

    Raises:
        ValueError: There are no values, one is not finite, or they are not `[N]`.
    """
    if np.ndim(values) != 1:
        raise ValueError(f"values must be [N], got {np.shape(values)}")
    column = np.asarray(values, dtype=np.float64)[:, None]
    units = len(column)

    def measure(sums: Floats) -> Floats:
        return np.asarray(sums[..., 0] / units)

    return Statistic(column, measure)


def bootstrap(
    statistics: Mapping[str, Statistic], resamples: int, seed: int
) -> dict[str, Interval]:
    """Return each metric with its 95% percentile-bootstrap interval.

    Units are drawn once for all metrics, and the same number of units, resamples and seed always
    draw the same ones, so figures of two models are paired. Resamples that do not define a metric
    are left out of its interval.

    Args:
        statistics: Metrics over the same units.
        resamples: How often to resample.
        seed: Of the resampling.

    Raises:
        ValueError: The metrics differ in their number of units, one is undefined, or `resamples`
            is below 1.
    """
    resampled = _resampled(list(statistics.values()), resamples, seed)
    return {
        name: _interval(statistic.value, values)
        for (name, statistic), values in zip(statistics.items(), resampled, strict=True)
    }


def paired_difference(a: Statistic, b: Statistic, resamples: int, seed: int) -> Interval:
    """Return a - b over the same units, with its 95% paired-bootstrap interval.

    Both are resampled with the same draws, which keeps what both models find easy or hard from
    hiding how they differ (Sakai 2006, "Evaluating evaluation metrics based on the bootstrap").

    Args:
        a: A metric.
        b: The same metric of another model, the same units in the same order.
        resamples: How often to resample.
        seed: Of the resampling.

    Raises:
        ValueError: As `bootstrap`.
    """
    of_a, of_b = _resampled([a, b], resamples, seed)
    return _interval(a.value - b.value, of_a - of_b)


def ratio_interval(a: Statistic, b: Statistic, resamples: int, seed: int) -> Interval:
    """Return a / b over the same units, with its 95% paired-bootstrap interval.

    Resamples in which b is 0 say nothing about the ratio and are left out; that happens only where
    a handful of units has a value at all.

    Args:
        a: A metric.
        b: The same metric of another model, above 0; the same units in the same order.
        resamples: How often to resample.
        seed: Of the resampling.

    Raises:
        ValueError: As `bootstrap`; b is 0, or negative in a resample.
    """
    of_a, of_b = _resampled([a, b], resamples, seed)
    return _interval(*_ratios(a, b, of_a, of_b))


def unpaired_ratio_interval(a: Statistic, b: Statistic, resamples: int, seed: int) -> Interval:
    """Return a / b over different units, with its 95% bootstrap interval.

    The units of each are drawn on their own (Efron and Tibshirani 1993, chapter 8: the two-sample
    problem). Resamples in which b is 0 are left out, as in `ratio_interval`.

    Args:
        a: A metric.
        b: The same metric, above 0, over other units.
        resamples: How often to resample.
        seed: Of the resampling.

    Raises:
        ValueError: As `bootstrap`; b is 0, or negative in a resample.
    """
    random_a, random_b = np.random.default_rng(seed).spawn(2)
    (of_a,) = _resampled([a], resamples, random_a)
    (of_b,) = _resampled([b], resamples, random_b)
    return _interval(*_ratios(a, b, of_a, of_b))


def ratio_difference(
    first: tuple[Statistic, Statistic],
    second: tuple[Statistic, Statistic],
    resamples: int,
    seed: int,
) -> Interval:
    """Return a / b - c / d over the same units, with its 95% paired-bootstrap interval.

    All four are resampled with the same draws: what makes a unit hard for all of them does not
    widen the interval. Resamples in which b or d is 0 are left out, as in `ratio_interval`.

    Args:
        first: a and b: a metric of a model, and the one above 0 that it is a share of.
        second: c and d: the same of another model, the same units in the same order.
        resamples: How often to resample.
        seed: Of the resampling.

    Raises:
        ValueError: As `bootstrap`; b or d is 0, or negative in a resample.
    """
    (a, b), (c, d) = first, second
    of_a, of_b, of_c, of_d = _resampled([a, b, c, d], resamples, seed)
    one, resampled_one = _ratios(a, b, of_a, of_b)
    other, resampled_other = _ratios(c, d, of_c, of_d)
    return _interval(one - other, resampled_one - resampled_other)


def _ratios(a: Statistic, b: Statistic, of_a: Floats, of_b: Floats) -> tuple[float, Floats]:
    """Return a / b, and that of each resample: NaN where b is 0."""
    if not b.value > 0 or (of_b < 0).any():
        raise ValueError("the ratio's denominator must be above 0, and never below it")
    ratios = np.full(len(of_a), np.nan)
    np.divide(of_a, of_b, out=ratios, where=of_b > 0)
    return a.value / b.value, ratios


def _resampled(
    statistics: Sequence[Statistic], resamples: int, seed: int | np.random.Generator
) -> list[Floats]:
    """Return each statistic of each resample, `[resamples]` each."""
    units = {statistic.units for statistic in statistics}
    if len(units) != 1:
        raise ValueError(f"metrics must be of the same cases, got {sorted(units)} of them")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")
    widest = max(statistic.table.shape[1] for statistic in statistics)
    tables = {id(statistic.table): statistic.table for statistic in statistics}
    values: list[list[Floats]] = [[] for _ in statistics]
    for counts in _resample_counts(units.pop(), widest, resamples, np.random.default_rng(seed)):
        sums = {key: np.asarray(counts @ table) for key, table in tables.items()}
        for statistic, chunks in zip(statistics, values, strict=True):
            chunks.append(statistic.measure(sums[id(statistic.table)]))
    return [np.concatenate(chunks) for chunks in values]


def _resample_counts(
    units: int, widest: int, resamples: int, random: np.random.Generator
) -> Iterator[Floats]:
    """Yield how often each resample drew each unit, [chunk, units]; rows sum to `units`."""
    chunk = max(1, _CHUNK // max(units, widest))
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        drawn = random.integers(0, units, size=(rows, units))
        drawn += np.arange(rows)[:, None] * units
        counts = np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units)
        yield counts.astype(np.float64)


def _interval(value: float, resampled: Floats) -> Interval:
    defined = resampled[~np.isnan(resampled)]
    if np.isnan(value) or not len(defined):
        raise ValueError("too few cases have a value: the metric is undefined")
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(defined, [tail, 1.0 - tail])
    return Interval(value, float(low), float(high))
