"""A metric by group: how each group fares, and how far the best and the worst lie apart.

The *gap* is the best group's figure minus the worst's. It is never negative, and groups drawn by
lot have one, too: the smaller the groups, the larger. So a gap, and its bootstrap interval, say
nothing alone; `gap_by_chance` says what it is when the same cases are dealt to groups of the same
sizes at random.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no type information

from compress.metrics.intervals import CONFIDENCE, Floats, Interval, Statistic

_CHUNK = 4_000_000  # Numbers held at once: 32 MB.


@dataclass(frozen=True, eq=False)
class GroupSums:
    """What two models reach on every case, summed by group: one table for all that is asked."""

    groups: int
    """Their number G."""
    table: Any
    """`[N, 3 G]`, sparse: whether a case is of a group, its value, and the teacher's."""

    @classmethod
    def of(cls, codes: NDArray[np.int64], groups: int, own: Floats, teacher: Floats) -> "GroupSums":
        """Return the sums of a metric that is a mean over cases.

        Args:
            codes: `[N]`, the group of each case, 0 to `groups` - 1.
            groups: Their number.
            own: `[N]` values of the metric.
            teacher: `[N]`, those of the model that it is held against.

        Raises:
            ValueError: The arrays are not of the same cases.
        """
        if not len(codes) == len(own) == len(teacher):
            raise ValueError("groups and values are not of the same cases")
        cases = len(codes)
        columns = np.concatenate([codes + part * groups for part in range(3)])
        values = np.concatenate([np.ones(cases), own, teacher])
        rows = np.tile(np.arange(cases), 3)
        return cls(groups, sparse.csr_array((values, (rows, columns)), shape=(cases, 3 * groups)))

    def quality(self, group: int) -> Statistic:
        """Return the mean of one group; NaN where it has no case."""
        return self._statistic(lambda sums: self._quality(sums, 1)[..., group])

    def kept(self, group: int) -> Statistic:
        """Return one group's sum divided by the teacher's; NaN where the teacher's is 0."""
        return self._statistic(lambda sums: self._kept(sums)[..., group])

    def quality_gap(self, judged: NDArray[np.int64]) -> Statistic:
        """Return the best mean minus the worst, of the groups in `judged`, `[J]`."""
        return self._statistic(lambda sums: spread(self._quality(sums, 1)[..., judged]))

    def kept_gap(self, judged: NDArray[np.int64]) -> Statistic:
        """Return the best share of the teacher's metric minus the worst."""
        return self._statistic(lambda sums: spread(self._kept(sums)[..., judged]))

    def wider(self, judged: NDArray[np.int64]) -> Statistic:
        """Return by how much the gap is wider than the teacher's own."""
        return self._statistic(
            lambda sums: (
                spread(self._quality(sums, 1)[..., judged])
                - spread(self._quality(sums, 2)[..., judged])
            )
        )

    def _statistic(self, measure: Callable[[Floats], Floats]) -> Statistic:
        return Statistic(self.table, measure)

    def _quality(self, sums: Floats, part: int) -> Floats:
        cases = sums[..., : self.groups]
        return divided(sums[..., part * self.groups : (part + 1) * self.groups], cases)

    def _kept(self, sums: Floats) -> Floats:
        return divided(sums[..., self.groups : 2 * self.groups], sums[..., 2 * self.groups :])


def gap_by_chance(
    codes: NDArray[np.int64],
    own: Floats,
    of: Floats | None,
    shuffles: int,
    seed: int,
) -> Iterator[Floats]:
    """Yield, model by model, the gaps between groups whose cases are dealt at random.

    Args:
        codes: `[N]`, the group of each case.
        own: `[models, N]` values of a metric.
        of: `[N]`, what sums are divided by: the teacher's values; None: the number of cases.
        shuffles: How often to deal.
        seed: Of the dealing; equal seeds deal alike.

    Yields:
        `[shuffles]` gaps of each model.
    """
    random = np.random.default_rng(seed)
    groups, cases = int(codes.max()) + 1, len(codes)
    step = max(1, _CHUNK // cases)
    found: list[list[Floats]] = [[] for _ in own]
    for start in range(0, shuffles, step):
        rows = min(step, shuffles - start)
        dealt = random.permuted(np.broadcast_to(codes, (rows, cases)).copy(), axis=1)
        places = (dealt + np.arange(rows)[:, None] * groups).ravel()

        def sums(values: Floats, places: NDArray[np.int64] = places, rows: int = rows) -> Floats:
            counted = np.bincount(places, np.tile(values, rows), minlength=rows * groups)
            return counted.reshape(rows, groups).astype(np.float64)

        below = sums(np.ones(cases) if of is None else of)
        for one, values in zip(found, own, strict=True):
            one.append(spread(divided(sums(values), below)))
    for one in found:
        yield np.concatenate(one)


def chance_of(gap: float, dealt: Floats) -> tuple[Interval, float]:
    """Return the mean and the middle 95% of gaps by chance, and how often one is as large.

    The share counts the gap itself, as a permutation test does (Phipson and Smyth 2010):
    `(1 + number of dealt gaps >= gap) / (1 + number of dealt gaps)`.

    Args:
        gap: Of the real groups.
        dealt: `[shuffles]` from `gap_by_chance`.
    """
    defined = dealt[~np.isnan(dealt)]
    # Sums of the same numbers in another order differ in their last bits.
    as_large = int((defined >= gap * (1 - 1e-12)).sum())
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(defined, [tail, 1.0 - tail])
    by_chance = Interval(float(defined.mean()), float(low), float(high))
    return by_chance, (1 + as_large) / (1 + len(defined))


def spread(values: Floats) -> Floats:
    """Return the largest minus the smallest, `[..., J]` to `[...]`; NaN with fewer than two."""
    enough = (~np.isnan(values)).sum(axis=-1) >= 2
    high = np.where(np.isnan(values), -np.inf, values).max(axis=-1)
    low = np.where(np.isnan(values), np.inf, values).min(axis=-1)
    return np.where(enough, np.where(enough, high, 0.0) - np.where(enough, low, 0.0), np.nan)


def divided(sums: Floats, by: Floats) -> Floats:
    """Return the quotient, NaN where the divisor is 0."""
    return np.where(by > 0, sums / np.where(by > 0, by, 1.0), np.nan)
