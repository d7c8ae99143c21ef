"""How an item's popularity moved between training and the test period."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from compress.metrics import Statistic
from compress.metrics.intervals import Floats

Third = Literal["lower", "middle", "upper"]
THIRDS: tuple[Third, ...] = ("lower", "middle", "upper")


def popularity_change(
    training: NDArray[np.int64], later: NDArray[np.int64], targets: NDArray[np.int64]
) -> Floats:
    """Return by how much the popularity of each target's item changed.

    The log2 of (share of the test period's events) / (share of the training events); 1 is twice as
    popular. A case's own event is not counted: it would make its item look as if it had risen.
    Shares are (count + 1) / (events + items), so that a new item has one, too (Laplace).

    Args:
        training: `[items]`, events of each item in training.
        later: `[items]`, events of each item in the test period, the targets' among them.
        targets: `[N]`, each case's item, 0 ... items - 1.

    Returns:
        `[N]`.

    Raises:
        ValueError: A target is not among the events of the test period.
    """
    if (later[targets] < 1).any():
        raise ValueError("a target is not among the events of the test period")
    items = len(training)
    before = (training[targets] + 1) / (training.sum() + items)
    after = later[targets] / (later.sum() - 1 + items)
    return np.asarray(np.log2(after / before))


def by_third(change: Floats) -> NDArray[np.int64]:
    """Cut cases into thirds by the change: place in `THIRDS` of each, `[N]`.

    Equal changes stay together, so thirds may be unequal, or empty.
    """
    return np.searchsorted(np.quantile(change, [1 / 3, 2 / 3]), change, side="left")


def mean_within(values: Floats, inside: NDArray[np.bool_]) -> Statistic:
    """Return the mean of some units' values, resampled together with the units outside.

    Args:
        values: `[N]`, one a unit.
        inside: `[N]`, whose mean it is.
    """

    def measure(sums: Floats) -> Floats:
        total, number = sums[..., 0], sums[..., 1]
        return np.where(number > 0, total / np.maximum(number, 1.0), np.nan)

    return Statistic(np.column_stack([values * inside, inside]).astype(np.float64), measure)
