"""How well products are ranked for a query, when each has a gain.

Products of equal score are taken in the worst order, so that a model that cannot tell them apart
gains nothing from the order of the file.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compress.errors import DataError
from compress.metrics.intervals import Floats, Statistic

CUTOFF = 10


def relevance_statistics(
    scores: NDArray[np.floating[Any]],
    gains: Floats,
    queries: NDArray[np.int64],
    relevant_from: float | None = None,
) -> dict[str, Statistic]:
    """Return the metrics of a model that scores products, over the queries.

    `ndcg@10` is the mean over queries of DCG / ideal DCG, with DCG the sum over the first 10 of
    gain / log2(place + 1) (Järvelin and Kekäläinen 2002, with gains as they are given).
    `mrr@10` is the mean of 1 / place of the first relevant product, 0 where the first 10 lack it.
    A query with nothing to find (no gain above 0; no relevant product) says nothing about a model
    and is left out of that mean.

    `spearman` is the correlation of score and gain in ranks over all pairs, ties at their mean
    rank; 0 where either is constant. Resamples keep the ranks of the whole split.

    Args:
        scores: `[N]`, higher is better.
        gains: `[N]` true gains. Gains below 0 have no place in DCG: where there are any, `ndcg@10`
            counts all from the lowest one.
        queries: `[N]`; products of equal number are ranked together.
        relevant_from: Gain from which a product is relevant; None: the highest one.

    Returns:
        `ndcg@10`, `mrr@10` and `spearman`, over the queries in order of their number.

    Raises:
        ValueError: There are no pairs, the shapes disagree, or a number is not finite.
        DataError: All gains are 0, or no product is relevant.
    """
    if scores.ndim != 1 or not scores.shape == gains.shape == queries.shape:
        raise ValueError(
            f"scores {scores.shape}, gains {gains.shape} and queries {queries.shape} do not "
            "belong together"
        )
    if not len(scores):
        raise ValueError("no cases: a metric needs at least one pair")
    if not (np.isfinite(scores).all() and np.isfinite(gains).all()):
        raise ValueError("a score or a gain is NaN or infinite")
    worth = np.asarray(gains, dtype=np.float64)
    relevant = worth >= (worth.max() if relevant_from is None else relevant_from)
    worth = worth - min(0.0, float(worth.min()))
    if not worth.any():
        raise DataError(
            "no product of the split has a gain above 0, so no order is better than another; "
            "give more pairs, or other task.gains"
        )
    if not relevant.any():
        raise DataError(
            f"no product of the split has a gain of {relevant_from} or more, so none is relevant; "
            "give more pairs, or a lower task.relevant_from"
        )
    units = np.unique(queries, return_inverse=True)[1].astype(np.int64, copy=False)
    order = np.lexsort((worth, -scores, units))
    places = _places(units)
    dcg = _dcg(worth[order], units[order], places)
    ideal = _dcg(worth[np.lexsort((-worth, units))], units[order], places)
    found = relevant[order] & (places < CUTOFF)
    reciprocal = np.zeros(len(dcg))
    np.maximum.at(reciprocal, units[order][found], 1.0 / (places[found] + 1.0))
    has_relevant = np.bincount(units, relevant) > 0
    return {
        "ndcg@10": _mean_where(np.divide(dcg, ideal, out=dcg, where=ideal > 0), ideal > 0),
        "mrr@10": _mean_where(reciprocal, has_relevant),
        "spearman": _spearman(scores, worth, units),
    }


def _places(units: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the 0-based places inside each unit, `[N]`, when sorted by unit."""
    sizes = np.bincount(units)
    return np.arange(len(units)) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _dcg(gains: Floats, units: NDArray[np.int64], places: NDArray[np.int64]) -> Floats:
    """Return the discounted gain of the first 10 of each unit; all sorted by unit, best first."""
    discounted = np.where(places < CUTOFF, gains / np.log2(places + 2.0), 0.0)
    return np.bincount(units, discounted).astype(np.float64, copy=False)


def _mean_where(values: Floats, counted: NDArray[np.bool_]) -> Statistic:
    """Return the mean of the values that count, undefined where none does."""

    def measure(sums: Floats) -> Floats:
        total, number = sums[..., 0], sums[..., 1]
        return np.where(number > 0, total / np.where(number > 0, number, 1.0), np.nan)

    table = np.column_stack([np.where(counted, values, 0.0), counted])
    return Statistic(table.astype(np.float64), measure)


def _spearman(scores: NDArray[np.float32], gains: Floats, units: NDArray[np.int64]) -> Statistic:
    """Return Pearson's correlation of the ranks, from their sums over units."""
    # Scaled and centred ranks keep the differences of large sums exact enough.
    x, y = ((_mean_ranks(one) - (len(one) + 1) / 2) / len(one) for one in (scores, gains))
    columns = (np.ones(len(x)), x, y, x * x, y * y, x * y)
    table = np.column_stack([np.bincount(units, column) for column in columns])

    def measure(sums: Floats) -> Floats:
        number, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
        spread = np.sqrt(
            np.maximum(xx / number - (x / number) ** 2, 0.0)
            * np.maximum(yy / number - (y / number) ** 2, 0.0)
        )
        constant = spread < 1e-12
        together = xy / number - x * y / number**2
        return np.where(constant, 0.0, np.clip(together / np.where(constant, 1.0, spread), -1, 1))

    return Statistic(table, measure)


def _mean_ranks(values: NDArray[Any]) -> Floats:
    """Return 1-based ranks, smallest first; equal values share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places])
