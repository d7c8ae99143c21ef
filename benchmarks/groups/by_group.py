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
from benchmarks.groups.model import Model, Resampling, interval_data
from benchmarks.report.shape import IntervalData
from compress.data.grouping import UNKNOWN, Grouping
from compress.metrics import GroupSums, Statistic, chance_of, gap_by_chance

Figure = Literal["quality", "kept", "wider"]
Key = tuple[int, Figure, int | None]
"""Place of the model, what is asked of it, and the group; None: the gap between groups."""


@dataclass(frozen=True, eq=False)
class ByGroup:
    """The test cases in groups, and what every model reaches on each of them."""

    grouping: Grouping
    """Of the N cases."""
    values: NDArray[np.float64]
    """`[models, N]` of a metric; the teacher first."""
    minimum_cases: int
    resampling: Resampling

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
    def _found(self) -> NDArray[np.float64]:
        """What the teacher reaches in each group, summed, `[G]`."""
        codes, names = self.grouping.codes, self.grouping.names
        found = np.bincount(codes, self.values[0], minlength=len(names))
        return found.astype(np.float64, copy=False)

    @cached_property
    def _is_large(self) -> NDArray[np.bool_]:
        """Whether a group has cases enough for an interval, `[G]`."""
        return self._cases >= max(self.minimum_cases, 1)

    @cached_property
    def _judged(self) -> NDArray[np.int64]:
        known = np.array([name != UNKNOWN for name in self.grouping.names])
        return np.flatnonzero(self._is_large & known)

    @cached_property
    def _judged_of_kept(self) -> NDArray[np.int64]:
        return self._judged[self._found[self._judged] > 0]

    @cached_property
    def _intervals(self) -> dict[Key, IntervalData]:
        statistics = dict(self._statistics())
        return self.resampling.bootstrap(statistics) if statistics else {}

    def _statistics(self) -> Iterator[tuple[Key, Statistic]]:
        judged, of_kept = self._judged, self._judged_of_kept
        codes, names = self.grouping.codes, self.grouping.names
        for place, own in enumerate(self.values):
            sums = GroupSums.of(codes, len(names), own, self.values[0])
            for group in np.flatnonzero(self._is_large).tolist():
                yield (place, "quality", group), sums.quality(group)
            if len(judged) > 1:
                yield (place, "quality", None), sums.quality_gap(judged)
            if not place:
                continue  # The teacher keeps all of its own.
            for group in np.flatnonzero(self._is_large & (self._found > 0)).tolist():
                yield (place, "kept", group), sums.kept(group)
            if len(of_kept) > 1:
                yield (place, "kept", None), sums.kept_gap(of_kept)
            if len(judged) > 1:
                yield (place, "wider", None), sums.wider(judged)

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

    def _gap(self, place: int, what: Literal["quality", "kept"]) -> GapData | None:
        interval = self._intervals.get((place, what, None))
        if interval is None:
            return None
        names, among = self.grouping.names, self._judged_among(what)
        order = sorted(among.tolist(), key=lambda one: self._intervals[place, what, one].value)
        by_chance, share = chance_of(interval.value, self._chances[what][place])
        return GapData(
            **interval.model_dump(),
            best=names[order[-1]],
            worst=names[order[0]],
            by_chance=interval_data(by_chance),
            share_by_chance=share,
        )

    @cached_property
    def _chances(self) -> dict[Figure, list[NDArray[np.float64]]]:
        """Every model's gaps between groups that are dealt at random."""
        teacher = self.values[0]
        return {
            "quality": list(self._dealt("quality", None)),
            "kept": list(self._dealt("kept", teacher)),
        }

    def _dealt(
        self, what: Literal["quality", "kept"], of: NDArray[np.float64] | None
    ) -> Iterator[NDArray[np.float64]]:
        among = self._judged_among(what)
        if len(among) < 2:
            return
        inside = np.isin(self.grouping.codes, among)
        yield from gap_by_chance(
            np.searchsorted(among, self.grouping.codes[inside]),
            self.values[:, inside],
            None if of is None else of[inside],
            self.resampling.resamples,
            self.resampling.seed,
        )

    def _judged_among(self, what: Literal["quality", "kept"]) -> NDArray[np.int64]:
        return self._judged if what == "quality" else self._judged_of_kept
