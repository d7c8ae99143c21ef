"""Which events train, and which are predicted.

Both splits cut every user's history, sorted by time with ties in original row order, so that
nothing from the future is in a history: a case's history is what the user did before its target.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_CASE = -1
"""Index of a case that a user does not have."""


@dataclass(frozen=True)
class SplitUsers:
    """Where the history of each of U users is cut; all int64 [U], absolute indices of events.

    Attributes:
        first: The user's first event.
        train_end: One past the last event that may be trained on.
        validation: The event predicted in validation, or `NO_CASE`.
        test: The event predicted in the test, or `NO_CASE`.
    """

    first: NDArray[np.int64]
    train_end: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def leave_one_out(counts: NDArray[np.int64]) -> SplitUsers:
    """Test on each user's last event, validate on the one before, train on the rest.

    Args:
        counts: int64 [U], events of each user, each at least 3.
    """
    end = np.cumsum(counts)
    return SplitUsers(first=end - counts, train_end=end - 2, validation=end - 2, test=end - 1)


def global_time(
    counts: NDArray[np.int64], before_validation: NDArray[np.int64], before_test: NDArray[np.int64]
) -> SplitUsers:
    """Train on what lies before one moment, validate and test on what comes first after two.

    The validation case of a user is the first event of the validation period, the test case the
    first event of the test period, each only if the user has an earlier event. A user with fewer
    than two training events trains nothing but may still be predicted. The history of a test case
    includes the user's events of the validation period: they lie before it.

    Args:
        counts: int64 [U], events of each user.
        before_validation: int64 [U], how many of them lie before the validation period.
        before_test: int64 [U], how many of them lie before the test period.
    """
    first = np.cumsum(counts) - counts
    in_validation = (before_validation >= 1) & (before_validation < before_test)
    in_test = (before_test >= 1) & (before_test < counts)
    return SplitUsers(
        first=first,
        train_end=first + before_validation,
        validation=np.where(in_validation, first + before_validation, NO_CASE),
        test=np.where(in_test, first + before_test, NO_CASE),
    )


def order_statistic(chunks: Callable[[], Iterable[NDArray[np.int64]]], rank: int) -> int:
    """Return the value at place `rank` (from 0) of all values in ascending order.

    Memory is bounded: every pass counts the values of 65,536 equal ranges of what is left.

    Args:
        chunks: Gives an iterator over all values, int64, each time it is called.
        rank: From 0 to the number of values less 1.
    """
    low = min(int(chunk.min()) for chunk in chunks() if len(chunk))
    high = max(int(chunk.max()) for chunk in chunks() if len(chunk))
    while low < high:
        shift = max((high - low).bit_length() - 16, 0)
        counts = np.zeros(((high - low) >> shift) + 1, np.int64)
        for chunk in chunks():
            inside = chunk[(chunk >= low) & (chunk <= high)]
            # Unsigned, because the distance of two int64 can pass int64.
            distance = inside.astype(np.uint64) - np.uint64(low % 2**64)
            counts += np.bincount(
                (distance >> np.uint64(shift)).astype(np.int64), minlength=len(counts)
            )
        below = np.cumsum(counts)
        place = int(np.searchsorted(below, rank, side="right"))
        rank -= int(below[place] - counts[place])
        low, high = low + (place << shift), min(high, low + ((place + 1) << shift) - 1)
    return low
