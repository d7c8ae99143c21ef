"""Which items every model shows: popular ones or not, how many of them, how evenly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.groups.data import ExposureData, ShownData
from benchmarks.groups.model import Model
from benchmarks.report.shape import IntervalData
from benchmarks.resampling import Resampling
from compress.metrics import (
    CUTOFFS,
    POPULARITY_GROUPS,
    Shown,
    Statistic,
    self_information,
    shown_statistics,
)
from compress.tasks.item_codes import FIRST_ITEM


@dataclass(frozen=True, eq=False)
class Training:
    """How popular each item of the catalogue is."""

    events: NDArray[np.int64]
    """`[items]`."""
    item_users: NDArray[np.int64]
    """`[items]`, users who have it in their training events."""
    users: int
    """With training events."""

    @classmethod
    def of(cls, offsets: NDArray[np.int64], codes: NDArray[np.int32], items: int) -> "Training":
        """Count the training events.

        Args:
            offsets: `[U + 1]`; user u trains with `codes[offsets[u]:offsets[u + 1]]`.
            codes: Item codes.
            items: Size of the catalogue.
        """
        lengths = np.diff(offsets)
        places = codes.astype(np.int64) - FIRST_ITEM
        pairs = np.unique(np.repeat(np.arange(len(lengths)), lengths) * items + places)
        return cls(
            events=np.bincount(places, minlength=items),
            item_users=np.bincount(pairs % items, minlength=items),
            users=int((lengths > 0).sum()),
        )


def exposure(
    models: Sequence[Model],
    popularity: NDArray[np.int64],
    of_targets: NDArray[np.int64],
    training: Training,
    resampling: Resampling,
) -> ExposureData:
    """Return what every model shows in its first ten.

    Args:
        models: The teacher first.
        popularity: `[items]`, head, middle or tail.
        of_targets: `[N]`, the same of the item that each case is looking for.
        training: What popularity is counted from.
        resampling: Behind the intervals.
    """
    cutoff, number = CUTOFFS[0], len(POPULARITY_GROUPS)
    information = self_information(training.item_users, training.users)
    shown = [
        shown_statistics(model.evaluation.top, popularity, information, cutoff) for model in models
    ]
    events = np.bincount(popularity, training.events, minlength=number)
    return ExposureData(
        cutoff=cutoff,
        items=_by_name(np.bincount(popularity, minlength=number)),
        training_events=_by_name(events / events.sum()),
        targets=_by_name(np.bincount(of_targets, minlength=number) / len(of_targets)),
        models=tuple(_models(models, shown, resampling)),
    )


def _models(
    models: Sequence[Model], shown: Sequence[Shown], resampling: Resampling
) -> Iterator[ShownData]:
    teacher = shown[0]
    statistics = {
        (place, what, held): _minus(own, teacher.means[what]) if held else own
        for place, one in enumerate(shown)
        for what, own in one.means.items()
        for held in (False, True)
        if place or not held
    }
    means = resampling.bootstrap(statistics)

    def figures(place: int, held: bool) -> dict[str, IntervalData]:
        own, other = shown[place], teacher if held else None
        return {
            **{what: means[place, what, held] for what in own.means},
            "coverage": resampling.jackknife(own.coverage, other and other.coverage),
            "gini": resampling.jackknife(own.gini, other and other.gini),
        }

    for place, model in enumerate(models):
        own = figures(place, held=False)
        yield ShownData(
            name=model.name,
            role=model.role,
            path=model.path,
            shares={group: own.pop(group) for group in POPULARITY_GROUPS},
            **own,
            against_teacher=figures(place, held=True) if place else None,
        )


def _minus(own: Statistic, teacher: Statistic) -> Statistic:
    """Return the difference of two means as one statistic, so that both come of the same draws."""
    width = own.table.shape[1]
    return Statistic(
        np.hstack([own.table, teacher.table]),
        lambda sums: np.asarray(
            own.measure(sums[..., :width]) - teacher.measure(sums[..., width:])
        ),
    )


def _by_name(values: NDArray[Any]) -> dict[str, Any]:
    return dict(zip(POPULARITY_GROUPS, values.tolist(), strict=True))
