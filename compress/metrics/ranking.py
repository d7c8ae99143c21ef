"""How good a ranking is, where one item is right.

A *ranking* is int32 `[N, K]`: the item codes that each of N cases was shown, best first, padded on
the right with 0. Every case has exactly one target, the item that the user really chose next.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NOT_FOUND = int(np.iinfo(np.int64).max)
"""The rank of a target that its ranking lacks: beyond every k, however short the ranking is."""

CUTOFFS = (10, 20)


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
