"""A metric by group: how each group fares, and how far the best and the worst lie apart.

The *gap* is the best group's figure minus the worst's. It is never negative, and groups that are
served alike have one, too: the smaller the groups, the larger. Nor has it an interval: the
bootstrap of a maximum is inconsistent where several groups are nearly the best (Andrews 2000,
"Inconsistency of the bootstrap when a parameter is on the boundary of the parameter space"). So
`gap_by_chance` says how far apart groups of these sizes lie that are served alike, and
`groups_differ` whether these are not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no type information

from compress.metrics.intervals import CONFIDENCE, Floats, Interval, Statistic

_CHUNK = 4_000_000  # Numbers held at once: 32 MB.
_NOTHING = 1e-12  # What rounding leaves of 0, in units of the values.


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

    def quality_gap(self, judged: NDArray[np.int64]) -> float:
        """Return the best mean minus the worst, of the groups in `judged`, `[J]`."""
        return self._statistic(lambda sums: spread(self._quality(sums, 1)[..., judged])).value

    def kept_gap(self, judged: NDArray[np.int64]) -> float:
        """Return the best share of the teacher's metric minus the worst."""
        return self._statistic(lambda sums: spread(self._kept(sums)[..., judged])).value

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


def groups_differ(
    codes: NDArray[np.int64], own: Floats, of: Floats | None, deals: int, seed: int
) -> Floats:
    """Return each model's p of the hypothesis that all groups have the same figure.

    The figure of a group is its sum of `own` divided by that of `of`. A case's residual is
    `own - K of`, K being the figure of all cases, so that under the hypothesis residuals have mean
    0 in every group. The statistic is the largest, over groups, of

        |sum of residuals| / sqrt(sum of their squares - (sum of residuals)^2 / cases),

    and it is compared with what it is when cases are dealt to the groups at random. It is
    studentized because groups also differ in how much their residuals vary (a teacher that finds
    much in one and little in another): then a permutation test of a plain difference rejects far
    too often, and one of a studentized difference has its level for large groups (Janssen 1997,
    "Studentized permutation tests for non-i.i.d. hypotheses and the generalized Behrens-Fisher
    problem"; Chung and Romano 2013, "Exact and asymptotically robust permutation tests"). A group
    whose residuals are all the same has the spread of all cases.

    Args:
        codes: `[N]`, the group of each case.
        own: `[models, N]` values of a metric.
        of: `[N]`, what sums are divided by: the teacher's values, with a sum above 0; None: the
            number of cases.
        deals: How often to deal.
        seed: Of the dealing; equal seeds deal alike, and all models are dealt alike.

    Returns:
        `[models]`; the real groups count as one deal (Phipson and Smyth 2010, "Permutation p-values
        should never be zero").
    """
    random = np.random.default_rng(seed)
    _, sizes = np.unique(codes, return_counts=True)
    starts = np.cumsum(sizes) - sizes
    residuals = _residuals(own, of)
    models = len(own)
    table = np.ascontiguousarray(np.vstack([residuals, residuals**2]).T)
    of_all = table[:, models:].mean(axis=0)

    def largest(order: NDArray[np.int64]) -> Floats:
        sums = np.add.reduceat(table[order], starts, axis=0)
        total, squares = sums[:, :models], sums[:, models:]
        varied = squares - total**2 / sizes[:, None]
        alike = sizes[:, None] * of_all
        varied = np.where(varied > _NOTHING * alike, varied, alike)
        return np.asarray(
            np.sqrt(np.where(varied > 0, total**2 / np.where(varied > 0, varied, 1.0), 0.0)).max(
                axis=0
            )
        )

    # Sums of the same numbers in another order differ in their last bits.
    real = largest(np.argsort(codes, kind="stable")) * (1 - 1e-9)
    as_large = np.zeros(models)
    for _ in range(deals):
        as_large += largest(random.permutation(len(codes))) >= real
    return np.asarray((1 + as_large) / (1 + deals))


def gap_by_chance(
    codes: NDArray[np.int64], own: Floats, of: Floats | None, draws: int, seed: int
) -> list[Interval]:
    """Return how far apart groups of these sizes lie that all have the same figure, by model.

    Each group's cases are drawn anew from its own, with replacement, and its figure is moved by
    what the group's differs from the others': so every group varies as it does, around the same
    figure.

    Args:
        codes: `[N]`, the group of each case.
        own: `[models, N]` values of a metric.
        of: `[N]`, what sums are divided by; None: the number of cases.
        draws: How often to draw.
        seed: Of the drawing; equal seeds draw alike, and all models have the same draws.

    Returns:
        The mean gap, and the middle 95% of gaps.
    """
    random = np.random.default_rng(seed)
    order = np.argsort(codes, kind="stable")
    _, places, sizes = np.unique(codes[order], return_inverse=True, return_counts=True)
    groups, cases, models = len(sizes), len(codes), len(own)
    starts, size_of = (np.cumsum(sizes) - sizes)[places], sizes[places]
    rows_of = [*own[:, order], np.ones(cases) if of is None else of[order]]
    columns = np.concatenate([places + part * groups for part in range(models + 1)])
    table = sparse.csr_array(
        (np.concatenate(rows_of), (np.tile(np.arange(cases), models + 1), columns)),
        shape=(cases, (models + 1) * groups),
    )

    def figures(sums: Floats) -> Floats:
        """Sums `[..., (models + 1) groups]` to `[..., models, groups]`."""
        apart = sums.reshape(*sums.shape[:-1], models + 1, groups)
        return divided(apart[..., :-1, :], apart[..., -1:, :])

    real = figures(np.asarray(table.sum(axis=0)))
    found = []
    step = max(1, _CHUNK // cases)
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        drawn = starts + (random.random((rows, cases)) * size_of).astype(np.int64)
        drawn += np.arange(rows)[:, None] * cases
        counts = np.bincount(drawn.ravel(), minlength=rows * cases).reshape(rows, cases)
        found.append(spread(figures(np.asarray(counts.astype(np.float64) @ table)) - real))
    return [_middle(one) for one in np.concatenate(found).T]


def spread(values: Floats) -> Floats:
    """Return the largest minus the smallest, `[..., J]` to `[...]`; NaN with fewer than two."""
    enough = (~np.isnan(values)).sum(axis=-1) >= 2
    high = np.where(np.isnan(values), -np.inf, values).max(axis=-1)
    low = np.where(np.isnan(values), np.inf, values).min(axis=-1)
    return np.where(enough, np.where(enough, high, 0.0) - np.where(enough, low, 0.0), np.nan)


def divided(sums: Floats, by: Floats) -> Floats:
    """Return the quotient, NaN where the divisor is 0."""
    return np.where(by > 0, sums / np.where(by > 0, by, 1.0), np.nan)


def _residuals(own: Floats, of: Floats | None) -> Floats:
    """Return what each case has beyond the figure of all, `[models, N]`; exactly 0 if nothing."""
    below = np.ones(own.shape[1]) if of is None else of
    figure = own.sum(axis=1, keepdims=True) / below.sum()
    found = own - figure * below
    scale = np.abs(own).max(axis=1, keepdims=True, initial=0.0)
    return np.where(np.abs(found) > _NOTHING * scale, found, 0.0)


def _middle(gaps: Floats) -> Interval:
    defined = gaps[~np.isnan(gaps)]
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(defined, [tail, 1.0 - tail])
    return Interval(float(defined.mean()), float(low), float(high))
