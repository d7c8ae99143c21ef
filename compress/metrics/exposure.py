"""Which items a model shows, whatever is right: popular ones, many of them, or ever the same.

A *ranking* is as in `compress.metrics.ranking`: int32 `[N, K]`, best first, 0 where there is
nothing. Figures are over the first k of every case.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no type information

from compress.metrics.intervals import Floats, Statistic
from compress.tasks.item_codes import FIRST_ITEM

POPULARITY_GROUPS = ("head", "middle", "tail")
HEAD_SHARE = 0.2
"""Of the training events: what the head draws, and what the tail draws."""


class Shown(NamedTuple):
    """Metrics of the first k of every case, each over the cases."""

    means: dict[str, Statistic]
    """`head`, `middle`, `tail`: their share of what is shown; `novelty`: mean self-information of
    what is shown, in bits, without a discount by rank (Zhou et al. 2010, "Solving the apparent
    diversity-accuracy dilemma of recommender systems", PNAS 107:4511); NaN where nothing is."""
    coverage: Statistic
    """Share of the catalogue that is shown to anyone, 0...1. Give it a `jackknife` interval."""
    gini: Statistic
    """Gini coefficient of how often each item is shown, 0...1. Likewise."""


def popularity_groups(events: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return whether each item is of the head (0), the middle (1) or the tail (2).

    Head: the most popular items that together draw the first 20% of the training events; tail: the
    least popular ones that draw the last 20%; middle: the rest (Abdollahpouri et al. 2021,
    "User-centered evaluation of popularity bias in recommender systems"). Items of equal popularity
    are of the same group, so head and tail may draw a little more. An item that would be of both
    is of the head.

    Args:
        events: `[items]`, training events of each item.

    Raises:
        ValueError: There are no items or no events, or a number is negative.
    """
    if not events.size or events.min() < 0 or not events.any():
        raise ValueError("popularity needs at least one item and one event, and no negative number")
    counts, places, items = np.unique(events, return_inverse=True, return_counts=True)
    drawn = counts * items
    less = np.cumsum(drawn) - drawn
    more = drawn.sum() - less - drawn
    limit = HEAD_SHARE * drawn.sum()
    group = np.where(more < limit, 0, np.where(less < limit, 2, 1))
    return group[places].astype(np.int64)


def self_information(users: NDArray[np.int64], number: int) -> Floats:
    """Return how much of a surprise each item is, -log2 of the share of users who know it, bits.

    An item that nobody is known to know counts as if one user knew it.

    Args:
        users: `[items]`, how many of the training users have each item.
        number: Of training users, at least 1.

    Raises:
        ValueError: More users have an item than there are, or there are none.
    """
    if number < 1 or users.min(initial=0) < 0 or users.max(initial=0) > number:
        raise ValueError(f"an item's users must be between 0 and all {number} of them")
    return np.asarray(-np.log2(np.maximum(users, 1) / number), dtype=np.float64)


def gini(amounts: Floats, others: int = 0) -> Floats:
    """Return the Gini coefficient: 0 where all have the same, near 1 where one has everything.

    Half the mean absolute difference of two members, in units of the mean (Gini 1912):
    `sum_ij |x_i - x_j| / (2 n^2 mean)`, computed from the sorted amounts.

    Args:
        amounts: `[..., n]`, none negative.
        others: Members beside them who have nothing.

    Returns:
        `[...]` in 0...1 - 1/n; NaN where nobody has anything.
    """
    members = amounts.shape[-1] + others
    ordered = np.sort(amounts, axis=-1)
    ranks = np.arange(others + 1, members + 1)
    total = ordered.sum(axis=-1)
    weighted = (ordered * (2 * ranks - members - 1)).sum(axis=-1)
    return np.where(total > 0, weighted / np.where(total > 0, members * total, 1.0), np.nan)


def shown_statistics(
    ranking: NDArray[np.int32], groups: NDArray[np.int64], information: Floats, k: int
) -> Shown:
    """Return what the first k of every case show.

    Args:
        ranking: `[N, K]` item codes.
        groups: `[items]` from `popularity_groups`.
        information: `[items]` from `self_information`.
        k: Cutoff, at least 1.

    Raises:
        ValueError: There are no cases or k is below 1.
    """
    if not len(ranking) or k < 1:
        raise ValueError("exposure needs at least one case and a k of at least 1")
    shown = ranking[:, :k]
    row, column = np.nonzero(shown)
    items = shown[row, column].astype(np.int64) - FIRST_ITEM
    cases = len(ranking)

    def by_case(weights: Floats | None) -> Floats:
        return np.bincount(row, weights, minlength=cases).astype(np.float64)

    number = len(POPULARITY_GROUPS)
    of_group = [by_case((groups[items] == group).astype(np.float64)) for group in range(number)]
    table = np.column_stack([*of_group, by_case(information[items]), by_case(None)])
    names = (*POPULARITY_GROUPS, "novelty")
    distinct, places = np.unique(items, return_inverse=True)
    exposure = sparse.csr_array(
        (np.ones(len(row)), (row, places)), shape=(cases, max(len(distinct), 1))
    )
    catalogue = len(groups)
    return Shown(
        means={name: Statistic(table, _per_item(place)) for place, name in enumerate(names)},
        coverage=Statistic(
            exposure, lambda sums: np.asarray((sums > 0.5).sum(axis=-1) / catalogue)
        ),
        gini=Statistic(exposure, lambda sums: gini(sums, catalogue - sums.shape[-1])),
    )


def _per_item(place: int) -> Callable[[Floats], Floats]:
    """Return one sum over cases divided by the number of items shown, the last sum."""

    def measure(sums: Floats) -> Floats:
        number = sums[..., -1]
        return np.where(number > 0, sums[..., place] / np.where(number > 0, number, 1.0), np.nan)

    return measure
