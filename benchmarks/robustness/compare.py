"""From what rows answered to what they kept, and who lost more than the teacher."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.report.shape import IntervalData, interval_data
from benchmarks.resampling import Resampling
from benchmarks.robustness.damage import Damage
from benchmarks.robustness.data import DamageData, KeptData, PopularityShiftData, ShiftData
from benchmarks.robustness.popularity import THIRDS, by_third, mean_within
from compress.metrics import Statistic, bootstrap, ratio_interval
from compress.metrics.intervals import Floats, ratio_difference


@dataclass(frozen=True, eq=False)
class Condition:
    """What the rows did under one condition, by the row's name, the teacher first."""

    statistics: Mapping[str, Statistic]
    short_lists: Mapping[str, int] = field(default_factory=dict)


def damage_data(
    damage: Damage,
    damaged: Condition,
    undamaged: Condition,
    draws: Resampling,
    *,
    changed: int,
    targets_in_input: int | None = None,
) -> DamageData:
    """Say what a damage did.

    Args:
        damage: Which.
        damaged: The rows under it.
        undamaged: The same rows on the same cases.
        draws: Of the intervals.
        changed: Inputs that it made any different.
        targets_in_input: See `DamageData`.
    """
    return DamageData(
        kind=damage.kind,
        level=damage.level,
        name=damage.name,
        changed=changed,
        targets_in_input=targets_in_input,
        answers=kept_data(damaged, undamaged, draws),
    )


def shift_data(
    change: Floats,
    values: Mapping[str, Floats],
    draws: Resampling,
    *,
    training_events: int,
    test_events: int,
) -> PopularityShiftData:
    """Say how rows do where popularity fell most, in between, and rose most.

    Args:
        change: `[N]` of each case, from `popularity_change`.
        values: `[N]` the metric of each case, by the row's name, the teacher first.
        draws: Of the intervals.
        training_events: What the popularity before was counted in.
        test_events: What the popularity after was counted in.
    """
    return PopularityShiftData(
        training_events=training_events,
        test_events=test_events,
        groups=tuple(_groups(change, values, draws)),
    )


def kept_data(condition: Condition, whole: Condition, draws: Resampling) -> tuple[KeptData, ...]:
    """Say what each row keeps of its own metric, and how that differs from the teacher's share.

    Args:
        condition: The rows under a condition; the first is the teacher.
        whole: The same rows and the same units, all inputs as they are.
        draws: Of the intervals.

    Raises:
        ValueError: As `compress.metrics.bootstrap`.
    """
    qualities = bootstrap(condition.statistics, draws.resamples, draws.seed)
    pairs = {name: (one, whole.statistics[name]) for name, one in condition.statistics.items()}
    teacher = next(iter(pairs))

    def kept(name: str) -> IntervalData | None:
        one, own = pairs[name]
        if not own.value > 0:
            return None
        return interval_data(ratio_interval(one, own, draws.resamples, draws.seed))

    def difference(name: str) -> IntervalData | None:
        both = pairs[name], pairs[teacher]
        has_shares = all(own.value > 0 for _, own in both)
        # Two models that found nothing at all are no evidence that they lose the same.
        if name == teacher or not has_shares or not any(one.value > 0 for one, _ in both):
            return None
        found = ratio_difference(*both, draws.resamples, draws.seed)
        return interval_data(found)

    return tuple(
        KeptData(
            row=name,
            quality=interval_data(qualities[name]),
            kept=kept(name),
            difference=difference(name),
            short_lists=condition.short_lists.get(name),
        )
        for name in pairs
    )


def _groups(change: Floats, values: Mapping[str, Floats], draws: Resampling) -> Iterator[ShiftData]:
    place = by_third(change)

    def rows(inside: NDArray[np.bool_]) -> Condition:
        return Condition({name: mean_within(own, inside) for name, own in values.items()})

    whole = rows(np.ones(len(change), dtype=bool))
    for number, third in enumerate(THIRDS):
        inside = place == number
        if inside.any():
            yield ShiftData(
                third=third,
                cases=int(inside.sum()),
                least=float(change[inside].min()),
                greatest=float(change[inside].max()),
                answers=kept_data(rows(inside), whole, draws),
            )
