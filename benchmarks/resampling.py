"""How often to resample and from what seed: one pair behind all intervals that are compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.report.shape import IntervalData, interval_data
from compress.metrics import Interval, Statistic, bootstrap, jackknife

KeyT = TypeVar("KeyT", bound=tuple[object, ...])


@dataclass(frozen=True)
class Resampling:
    """Behind every interval: equal draws for all models, so that they are paired."""

    resamples: int
    seed: int

    def bootstrap(self, statistics: Mapping[KeyT, Statistic]) -> dict[KeyT, IntervalData]:
        """Return the intervals by the same keys."""
        keys = {str(number): key for number, key in enumerate(statistics)}
        named = {number: statistics[key] for number, key in keys.items()}
        found = bootstrap(named, self.resamples, self.seed)
        return {key: interval_data(found[number]) for number, key in keys.items()}

    def jackknife(self, own: Statistic, minus: Statistic | None = None) -> IntervalData:
        """Return the interval of a share that a bootstrap cannot resample, or of a difference."""
        found = jackknife(own, self.seed, minus)
        if minus is None:
            found = Interval(found.value, max(found.low, 0.0), min(found.high, 1.0))
        return interval_data(found)
