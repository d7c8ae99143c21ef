"""How good a ranking is, and how sure we are of it.

Arrays in, arrays out; no files, clocks or models. A *ranking* is int32 `[N, K]`: the item codes
that each of N cases was shown, best first, padded on the right with 0. Every case has exactly one
target, the item that the user really chose next.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NOT_FOUND = int(np.iinfo(np.int64).max)
"""The rank of a target that its ranking lacks: beyond every k, however short the ranking is."""

CUTOFFS = (10, 20)
CONFIDENCE = 0.95
_CHUNK = 4_000_000  # Draws held at once: 32 MB of counts.


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95% interval."""

    value: float
    low: float
    high: float


def target_ranks(ranking: NDArray[np.int32], targets: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the 0-based place of each case's target in its ranking.

    Args:
        ranking: `[N, K]` item codes, best first, 0 where there is nothing.
        targets: `[N]` item codes.

    Returns:
        `[N]` places from 0 to K - 1, or `NOT_FOUND`.

    Raises:
        ValueError: There are no cases, the shapes disagree, or a target is padding.
    """
    if ranking.ndim != 2 or targets.shape != ranking.shape[:1]:
        raise ValueError(
            f"ranking {ranking.shape} and targets {targets.shape} do not belong together"
        )
    if not targets.size:
        raise ValueError("no cases: there is nothing to rank")
    if targets.min() <= 0:
        raise ValueError("a target is 0 (padding) or below; targets are item codes")
    if not ranking.shape[1]:
        return np.full(len(targets), NOT_FOUND, dtype=np.int64)
    matches = ranking == targets[:, None]
    return np.where(matches.any(axis=1), matches.argmax(axis=1), NOT_FOUND).astype(np.int64)


def ranking_metrics(
    ranks: NDArray[np.int64], ks: Sequence[int] = CUTOFFS
) -> dict[str, NDArray[np.float64]]:
    """Return Hit, Recall, NDCG and MRR at each cutoff, for each case.

    With r the 0-based rank and one target a case, inside the cutoff (r < k):
    `hit = recall = 1`, `ndcg = 1 / log2(r + 2)` (Järvelin and Kekäläinen 2002, ideal gain 1) and
    `mrr = 1 / (r + 1)`; outside of it all are 0.

    Args:
        ranks: `[N]` from `target_ranks`.
        ks: Cutoffs, each at least 1.

    Returns:
        `hit@k`, `recall@k`, `ndcg@k` and `mrr@k`, each `[N]` in 0...1.

    Raises:
        ValueError: There are no cases, a rank is negative, or a cutoff is below 1.
    """
    if not ranks.size:
        raise ValueError("no cases: a metric needs at least one rank")
    if ranks.min() < 0:
        raise ValueError("a rank is negative; ranks count from 0")
    if any(k < 1 for k in ks):
        raise ValueError(f"cutoffs must be at least 1, got {tuple(ks)}")
    place = ranks.astype(np.float64)  # NOT_FOUND + 1 would overflow an int64.
    metrics: dict[str, NDArray[np.float64]] = {}
    for k in ks:
        inside = ranks < k
        metrics[f"hit@{k}"] = inside.astype(np.float64)
        metrics[f"recall@{k}"] = inside.astype(np.float64)
        metrics[f"ndcg@{k}"] = np.where(inside, 1.0 / np.log2(place + 2.0), 0.0)
        metrics[f"mrr@{k}"] = np.where(inside, 1.0 / (place + 1.0), 0.0)
    return metrics


def coverage(ranking: NDArray[np.int32], items: int, k: int) -> float:
    """Return the share of the catalogue that appears in at least one case's top k, 0...1.

    Args:
        ranking: `[N, K]` item codes, 0 where there is nothing.
        items: Size of the catalogue.
        k: Cutoff; a ranking shorter than k counts with what it has.

    Raises:
        ValueError: There are no cases, or `items` or `k` is below 1.
    """
    if not len(ranking):
        raise ValueError("no cases: coverage needs at least one ranking")
    if items < 1 or k < 1:
        raise ValueError(f"items and k must be at least 1, got {items} and {k}")
    shown = np.unique(ranking[:, :k])
    return int((shown > 0).sum()) / items


def top_k_overlap(
    first: NDArray[np.int32], second: NDArray[np.int32], k: int
) -> NDArray[np.float64]:
    """Return, for each case, the share of the two top k that they have in common, 0...1.

    Order inside the top k does not matter. Where both hold fewer than k items (a small catalogue),
    the longer of the two is the whole; two empty ones agree.

    Args:
        first: `[N, K]` item codes, no item twice in a row, 0 where there is nothing.
        second: `[N, K']`, the same cases.
        k: Cutoff.

    Raises:
        ValueError: There are no cases, they differ in number, or k is below 1.
    """
    if len(first) != len(second):
        raise ValueError(f"the rankings are of {len(first)} and of {len(second)} cases")
    if not len(first) or k < 1:
        raise ValueError("overlap needs at least one case and a k of at least 1")
    one, other = first[:, :k], second[:, :k]
    common = ((one[:, :, None] == other[:, None, :]) & (one[:, :, None] != 0)).sum(axis=(1, 2))
    whole = np.maximum((one != 0).sum(axis=1), (other != 0).sum(axis=1))
    return np.where(whole > 0, common / np.maximum(whole, 1), 1.0)


def drop_seen(
    ranking: NDArray[np.int32], offsets: NDArray[np.int64], codes: NDArray[np.int32], k: int
) -> NDArray[np.int32]:
    """Remove what each case has seen from its ranking, keep the order, and cut to k.

    Args:
        ranking: `[N, K]` item codes, best first, 0 where there is nothing.
        offsets: `[N + 1]`; case n has seen `codes[offsets[n]:offsets[n + 1]]`.
        codes: The seen items of all cases, end to end.
        k: How many to keep.

    Returns:
        `[N, k]`, padded on the right with 0 where fewer than k are left.

    Raises:
        ValueError: `offsets` does not fit `ranking` and `codes`, or k is below 1.
    """
    cases = len(ranking)
    if len(offsets) != cases + 1 or offsets[0] != 0 or offsets[-1] != len(codes):
        raise ValueError(f"offsets do not cut {len(codes)} seen items into {cases} cases")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    # A case and an item become one number, so that one set operation serves all cases.
    stride = np.int64(max(int(ranking.max(initial=0)), int(codes.max(initial=0))) + 1)
    rows = np.arange(cases, dtype=np.int64)
    seen = np.repeat(rows, np.diff(offsets)) * stride + codes
    keep = ~np.isin(rows[:, None] * stride + ranking, seen) & (ranking != 0)
    places = np.cumsum(keep, axis=1) - 1
    row, column = np.nonzero(keep & (places < k))
    kept = np.zeros((cases, k), dtype=np.int32)
    kept[row, places[row, column]] = ranking[row, column]
    return kept


def bootstrap_interval(values: NDArray[np.float64], resamples: int, seed: int) -> Interval:
    """Return the mean of `values` and its 95% percentile-bootstrap interval.

    Cases are resampled with replacement (Efron and Tibshirani 1993, chapter 13). The same number
    of cases, resamples and seed always draw the same cases, so figures of two models are paired.

    Args:
        values: `[N]`, one a case.
        resamples: How often to resample.
        seed: Of the resampling.

    Raises:
        ValueError: There are no cases, a value is not finite, or `resamples` is below 1.
    """
    return bootstrap_intervals({"value": values}, resamples, seed)["value"]


def bootstrap_intervals(
    metrics: Mapping[str, NDArray[np.float64]], resamples: int, seed: int
) -> dict[str, Interval]:
    """Return `bootstrap_interval` of every metric, at the price of one resampling.

    Raises:
        ValueError: As `bootstrap_interval`, or the metrics differ in their number of cases.
    """
    table = _table(list(metrics.values()))
    means = _resampled_means(table, resamples, seed)
    return {
        name: _interval(float(table[:, column].mean()), means[:, column])
        for column, name in enumerate(metrics)
    }


def paired_difference(
    a: NDArray[np.float64], b: NDArray[np.float64], resamples: int, seed: int
) -> Interval:
    """Return mean(a) - mean(b) over the same cases, with its 95% paired-bootstrap interval.

    Resampling the cases' differences keeps what both models find easy or hard from hiding how
    they differ (Sakai 2006, "Evaluating evaluation metrics based on the bootstrap").

    Args:
        a: `[N]`, one a case.
        b: `[N]`, the same cases in the same order.
        resamples: How often to resample.
        seed: Of the resampling.

    Raises:
        ValueError: As `bootstrap_interval`, or a and b differ in length.
    """
    table = _table([a, b])
    return bootstrap_interval(table[:, 0] - table[:, 1], resamples, seed)


def ratio_interval(
    a: NDArray[np.float64], b: NDArray[np.float64], resamples: int, seed: int
) -> Interval:
    """Return mean(a) / mean(b) over the same cases, with its 95% paired-bootstrap interval.

    Resamples in which b's mean is 0 say nothing about the ratio and are left out; that happens
    only where a handful of cases has a value at all.

    Args:
        a: `[N]`, one a case.
        b: `[N]`, the same cases in the same order, at least 0, mean above 0.
        resamples: How often to resample.
        seed: Of the resampling.

    Raises:
        ValueError: As `bootstrap_interval`; a and b differ in length; b is negative somewhere or
            0 everywhere.
    """
    table = _table([a, b])
    numerator, denominator = table.mean(axis=0)
    if table[:, 1].min() < 0 or denominator == 0:
        raise ValueError(
            "the ratio's denominator must be at least 0 everywhere and not 0 on average"
        )
    means = _resampled_means(table, resamples, seed)
    means = means[means[:, 1] > 0]
    if not len(means):
        raise ValueError("no resample has a denominator above 0: too few cases have a value")
    return _interval(float(numerator / denominator), means[:, 0] / means[:, 1])


def _table(columns: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Stack the columns as [N, M], refusing what has no mean."""
    if (
        not columns
        or len({np.shape(column) for column in columns}) != 1
        or np.ndim(columns[0]) != 1
    ):
        raise ValueError(
            f"values must be [N] of the same cases, got {[np.shape(c) for c in columns]}"
        )
    table = np.column_stack(columns).astype(np.float64, copy=False)
    if not len(table):
        raise ValueError("no cases: an interval needs at least one value")
    if not np.isfinite(table).all():
        raise ValueError("a value is NaN or infinite")
    return table


def _resampled_means(table: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    """Return the column means of each resample of the rows, [resamples, M]."""
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")
    cases = len(table)
    counts = _resample_counts(cases, resamples, np.random.default_rng(seed))
    return np.concatenate([chunk @ table for chunk in counts]) / cases


def _resample_counts(
    cases: int, resamples: int, random: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Yield how often each resample drew each case, [chunk, cases]; rows sum to `cases`."""
    chunk = max(1, _CHUNK // cases)
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        drawn = random.integers(0, cases, size=(rows, cases))
        drawn += np.arange(rows)[:, None] * cases
        counts = np.bincount(drawn.ravel(), minlength=rows * cases).reshape(rows, cases)
        yield counts.astype(np.float64)


def _interval(value: float, means: NDArray[np.float64]) -> Interval:
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return Interval(value, float(low), float(high))
