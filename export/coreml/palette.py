"""The few numbers that a palettized weight's many are replaced with: k-means in one dimension.

coremltools asks scikit-learn for them; in one dimension the clusters are intervals, and sums over
intervals of sorted numbers are differences of two sums, so that no package is needed, nothing is
random, and a table of millions takes a fraction of a second.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_GROUPS, _MOST_ROUNDS = 512, 300


def palette_of(bits: int) -> Callable[[NDArray[Any]], tuple[NDArray[Any], NDArray[np.uint8]]]:
    """Return what coremltools calls a lookup table function: weight to table and indices.

    Args:
        bits: The table has `2 ** bits` entries.
    """

    def replace(weight: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        values, places, counts = np.unique(weight, return_inverse=True, return_counts=True)
        centres = cluster(values.astype(np.float64), counts.astype(np.float64), 2**bits)
        table = np.zeros(2**bits, dtype=weight.dtype)
        table[: len(centres)] = centres
        rounded = table[: len(centres)].astype(np.float64)
        nearest = np.searchsorted((rounded[1:] + rounded[:-1]) / 2, values)
        return table, nearest[places.reshape(-1)].astype(np.uint8)

    return replace


def cluster(values: Floats, counts: Floats, clusters: int) -> Floats:
    """Return centres of clusters with a small sum of squared distances, in ascending order.

    The best clusters of up to 512 groups of neighbours (Wang and Song 2011, "Ckmeans.1d.dp"), then
    Lloyd 1982 on the numbers themselves.

    Args:
        values: Different numbers `[N]`, ascending.
        counts: How often each occurs, `[N]`.
        clusters: How many centres; there are fewer where N is smaller.
    """
    if len(values) <= clusters:
        return values
    sums = _Sums(values, counts)
    edges = _best_edges(sums, _groups(values, counts, max(_GROUPS, 2 * clusters)), clusters)
    centres = sums.means(edges, np.zeros(len(edges) - 1))
    for _ in range(_MOST_ROUNDS):
        inner = np.searchsorted(values, (centres[1:] + centres[:-1]) / 2)
        moved = sums.means(np.concatenate([[0], inner, [len(values)]]), centres)
        if np.array_equal(moved, centres):
            break
        centres = np.sort(moved)
    return centres


class _Sums:
    """What is needed of any interval of sorted numbers, as differences of running sums."""

    def __init__(self, values: Floats, counts: Floats) -> None:
        zeroth, first, second = (counts * values**power for power in range(3))
        self.count, self.sum, self.square = (
            np.concatenate([[0.0], np.cumsum(one)]) for one in (zeroth, first, second)
        )

    def means(self, edges: NDArray[np.int64], where_empty: Floats) -> Floats:
        """Mean of each interval between neighbouring edges."""
        count = np.diff(self.count[edges])
        means: Floats = np.diff(self.sum[edges]) / np.maximum(count, 1.0)
        return np.where(count > 0, means, where_empty)

    def errors(self, edges: NDArray[np.int64]) -> Floats:
        """Sum of squared distances from the mean, of the interval from edge i to edge j: `[i, j]`.

        Infinite where j is not behind i.
        """
        count, total, square = (
            one[edges][None, :] - one[edges][:, None] for one in (self.count, self.sum, self.square)
        )
        return np.where(count > 0, square - total**2 / np.maximum(count, 1.0), np.inf)


def _groups(values: Floats, counts: Floats, most: int) -> NDArray[np.int64]:
    """Edges of groups of neighbours, as dense as centres should be.

    That is as the cube root of the numbers' density (Panter and Dite 1951).
    """
    if len(values) <= most:
        return np.arange(len(values) + 1)
    weights = np.cbrt(counts) * np.cbrt(np.gradient(values)) ** 2
    shares = np.concatenate([[0.0], np.cumsum(weights)])
    edges = np.searchsorted(shares, np.linspace(0.0, shares[-1], most + 1)[1:-1])
    return np.unique(np.concatenate([[0], edges, [len(values)]]))


def _best_edges(sums: _Sums, edges: NDArray[np.int64], clusters: int) -> NDArray[np.int64]:
    """Choose the edges between clusters with the least error, by dynamic programming."""
    errors = sums.errors(edges)
    clusters = min(clusters, len(edges) - 1)
    least, choices = errors[0], []
    for _ in range(clusters - 1):
        through = least[:, None] + errors
        choice = through.argmin(axis=0)
        choices.append(choice)
        least = through[choice, np.arange(len(edges))]
    chosen = [len(edges) - 1]
    for choice in reversed(choices):
        chosen.append(int(choice[chosen[-1]]))
    return edges[[0, *reversed(chosen)]]
