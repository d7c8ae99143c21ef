"""Quality by group: of each model, and of each against the teacher."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.groups.data import (
    ColumnData,
    EstimateData,
    GapData,
    GroupData,
    ModelGroupsData,
)
from benchmarks.groups.model import Model
from benchmarks.report.shape import IntervalData, interval_data
from benchmarks.resampling import Resampling
from compress.data.grouping import UNKNOWN, Grouping
from compress.metrics import GroupSums, Interval, Statistic, gap_by_chance, groups_differ

MINIMUM_FINDS = 10
"""Of the teacher's in a group: a share of fewer rests on a handful of cases."""

Gap = Literal["quality", "kept"]
Key = tuple[int, Literal["quality", "kept", "wider"], int | None]
"""Place of the model, what is asked of it, and the group; None: all groups."""


@dataclass(frozen=True, eq=False)
class ByGroup:
    """The test cases in groups, and what every model reaches on each of them."""

    grouping: Grouping
    """Of the N cases."""
    values: NDArray[np.float64]
    """`[models, N]` of a metric; the teacher first."""
    minimum_cases: int
    resampling: Resampling
    deals: int
    """Of the permutation tests, and of what gaps are by chance."""

    def column(self, of: Literal["users", "items"], models: Sequence[Model]) -> ColumnData:
        """Return the groups and how each model serves them.

        Args:
            of: What is grouped.
            models: In the order of `values`.
        """
        return ColumnData(
            column=self.grouping.column,
            of=of,
            groups=tuple(
                GroupData(
                    name=name,
                    cases=int(self._cases[group]),
                    teacher_finds=int(self._finds[group]),
                    judged=bool(np.isin(group, self._judged)),
                )
                for group, name in enumerate(self.grouping.names)
            ),
            models=tuple(
                ModelGroupsData(
                    name=model.name,
                    role=model.role,
                    path=model.path,
                    quality=self._quality(place),
                    quality_gap=self._gap(place, "quality"),
                    kept_quality=self._kept(place) if place else None,
                    kept_gap=self._gap(place, "kept"),
                    wider=self._intervals.get((place, "wider", None)),
                )
                for place, model in enumerate(models)
            ),
        )

    @cached_property
    def _cases(self) -> NDArray[np.int64]:
        """Of each group, `[G]`."""
        return np.bincount(self.grouping.codes, minlength=len(self.grouping.names))

    @cached_property
    def _finds(self) -> NDArray[np.int64]:
        """Cases of each group of which the teacher finds the item, `[G]`."""
        found = self.grouping.codes[self.values[0] > 0]
        return np.bincount(found, minlength=len(self.grouping.names))

    @cached_property
    def _is_large(self) -> NDArray[np.bool_]:
        """Whether a group has cases enough for an interval, `[G]`."""
        return self._cases >= max(self.minimum_cases, 1)

    @cached_property
    def _has_share(self) -> NDArray[np.bool_]:
        """Whether the teacher finds enough in a group to keep a share of, `[G]`."""
        return self._is_large & (self._finds >= MINIMUM_FINDS)

    @cached_property
    def _known(self) -> NDArray[np.bool_]:
        return np.array([name != UNKNOWN for name in self.grouping.names])

    @cached_property
    def _judged(self) -> NDArray[np.int64]:
        return np.flatnonzero(self._is_large & self._known)

    @cached_property
    def _judged_of_kept(self) -> NDArray[np.int64]:
        return np.flatnonzero(self._has_share & self._known)

    @cached_property
    def _intervals(self) -> dict[Key, IntervalData]:
        statistics = dict(self._statistics())
        return self.resampling.bootstrap(statistics) if statistics else {}

    def _statistics(self) -> Iterator[tuple[Key, Statistic]]:
        for place, sums in enumerate(self._sums):
            for group in np.flatnonzero(self._is_large).tolist():
                yield (place, "quality", group), sums.quality(group)
            if not place:
                continue  # The teacher keeps all of its own.
            for group in np.flatnonzero(self._has_share).tolist():
                yield (place, "kept", group), sums.kept(group)
            if len(self._judged) > 1:
                yield (place, "wider", None), sums.wider(self._judged)

    @cached_property
    def _sums(self) -> list[GroupSums]:
        """Of each model, beside the teacher's."""
        codes, groups = self.grouping.codes, len(self.grouping.names)
        return [GroupSums.of(codes, groups, own, self.values[0]) for own in self.values]

    def _quality(self, place: int) -> dict[str, EstimateData]:
        names = self.grouping.names
        sums = np.bincount(self.grouping.codes, self.values[place], minlength=len(names))
        found = {}
        for group in np.flatnonzero(self._cases).tolist():
            interval = self._intervals.get((place, "quality", group))
            found[names[group]] = (
                EstimateData(value=float(sums[group] / self._cases[group]))
                if interval is None
                else EstimateData(**interval.model_dump())
            )
        return found

    def _kept(self, place: int) -> dict[str, IntervalData]:
        return {
            name: self._intervals[place, "kept", group]
            for group, name in enumerate(self.grouping.names)
            if (place, "kept", group) in self._intervals
        }

    def _gap(self, place: int, what: Gap) -> GapData | None:
        among = self._judged_among(what)
        if len(among) < 2 or (what == "kept" and not place):
            return None
        names, sums = self.grouping.names, self._sums[place]
        order = sorted(among.tolist(), key=lambda one: self._intervals[place, what, one].value)
        others = np.flatnonzero(self._known & ~np.isin(np.arange(len(names)), among))
        by_chance, p = self._chances[what]
        return GapData(
            value=sums.quality_gap(among) if what == "quality" else sums.kept_gap(among),
            best=names[order[-1]],
            worst=names[order[0]],
            judged=len(among),
            not_judged=tuple(names[group] for group in others),
            by_chance=interval_data(by_chance[place]),
            p=float(p[place]),
        )

    @cached_property
    def _chances(self) -> dict[Gap, tuple[list[Interval], NDArray[np.float64]]]:
        """Every model's gaps between groups that are served alike, and its p that these are."""
        gaps: tuple[Gap, ...] = ("quality", "kept")
        return {what: self._chance(what) for what in gaps if len(self._judged_among(what)) > 1}

    def _chance(self, what: Gap) -> tuple[list[Interval], NDArray[np.float64]]:
        inside = np.isin(self.grouping.codes, self._judged_among(what))
        codes, own = self.grouping.codes[inside], self.values[:, inside]
        of = own[0] if what == "kept" else None
        seed = self.resampling.seed
        return (
            gap_by_chance(codes, own, of, self.deals, seed),
            groups_differ(codes, own, of, self.deals, seed),
        )

    def _judged_among(self, what: Gap) -> NDArray[np.int64]:
        return self._judged if what == "quality" else self._judged_of_kept
