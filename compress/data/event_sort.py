"""Sorting any number of events by (user, time, original row) in bounded memory.

A bucket sort on disk: events are appended to one file, then spread over buckets of consecutive
users (the sizes are known by then, so the buckets lie in one file too), and each bucket is sorted
in memory. Memory is bounded by a bucket, that is by `BUCKET_EVENTS` plus the longest history, and
by the number of users; not by the number of events.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from compress.data.columns import MICROSECONDS

BUCKET_EVENTS = 1 << 18
"""Events sorted in memory at once."""
_CHUNK_EVENTS = 1 << 17
_EVENT = np.dtype([("user", "<i4"), ("item", "<i4"), ("whole", "<i8"), ("millionths", "<i4")])


@dataclass(frozen=True)
class SortedEvents:
    """The events of some consecutive users, by (user, time, original row).

    Attributes:
        user: int32 [N].
        item: int32 [N], item codes.
        time: int64 [N], `EventSort.units` of them being one given unit.
        duplicate: bool [N], whether an earlier event has the same user, item and time.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    time: NDArray[np.int64]
    duplicate: NDArray[np.bool_]


class EventSort:
    """Collects events in file order, then yields them sorted. A context manager: cleans up."""

    def __init__(self, folder: Path) -> None:
        self._unsorted = folder / "events.unsorted"
        self._buckets = folder / "events.buckets"
        self._file = self._unsorted.open("wb")
        self._per_user = np.zeros(0, np.int64)
        self._fractional = False
        self._largest = 0

    def __enter__(self) -> "EventSort":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        self._unsorted.unlink(missing_ok=True)
        self._buckets.unlink(missing_ok=True)

    @property
    def units(self) -> int:
        """How many steps of `SortedEvents.time` make one given unit: 1, or 10^6 for fractions."""
        return MICROSECONDS if self._fractional else 1

    @property
    def times_overflow(self) -> bool:
        """Whether some time has a fraction and some time is too large to be held in millionths."""
        return self._fractional and self._largest >= np.iinfo(np.int64).max // MICROSECONDS

    def append(
        self,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        whole: NDArray[np.int64],
        millionths: NDArray[np.int32],
    ) -> None:
        """Append N events in the order of their rows; all arrays [N], users counted from 0."""
        events = np.empty(len(user), _EVENT)
        events["user"], events["item"] = user, item
        events["whole"], events["millionths"] = whole, millionths
        self._file.write(events.tobytes())
        self._fractional = self._fractional or bool(millionths.any())
        if len(whole):
            self._largest = max(self._largest, -int(whole.min()), int(whole.max()))
        counts = np.bincount(user, minlength=len(self._per_user))
        counts[: len(self._per_user)] += self._per_user
        self._per_user = counts

    def sorted(self) -> Iterator[SortedEvents]:
        """Yield all events, bucket after bucket, users ascending; times must not overflow."""
        self._file.close()
        starts = np.concatenate(([0], np.cumsum(self._per_user)))
        bucket_of_user = starts[:-1] // BUCKET_EVENTS
        sizes = np.zeros(int(bucket_of_user[-1]) + 1 if len(bucket_of_user) else 0, np.int64)
        np.add.at(sizes, bucket_of_user, self._per_user)
        self._spread(bucket_of_user, np.concatenate(([0], np.cumsum(sizes)))[:-1])
        with self._buckets.open("rb") as file:
            for size in sizes:
                if size:
                    yield self._sort(np.fromfile(file, _EVENT, int(size)))
        self._buckets.unlink()

    def _spread(self, bucket_of_user: NDArray[np.int64], cursors: NDArray[np.int64]) -> None:
        with self._unsorted.open("rb") as source, self._buckets.open("wb") as target:
            while len(events := np.fromfile(source, _EVENT, _CHUNK_EVENTS)):
                buckets = bucket_of_user[events["user"]]
                order = np.argsort(buckets, kind="stable")
                present, first = np.unique(buckets[order], return_index=True)
                for bucket, part in zip(present, np.split(order, first[1:]), strict=True):
                    target.seek(int(cursors[bucket]) * _EVENT.itemsize)
                    target.write(events[part].tobytes())
                    cursors[bucket] += len(part)
        self._unsorted.unlink()

    def _sort(self, events: NDArray[np.void]) -> SortedEvents:
        time = self._times(events)
        user, item = events["user"], events["item"]
        # lexsort is stable, so equal keys keep the order of their rows.
        by_item = np.lexsort((item, time, user))
        same = np.ones(max(len(events) - 1, 0), bool)
        for values in (user[by_item], time[by_item], item[by_item]):
            same &= values[1:] == values[:-1]
        duplicate = np.zeros(len(events), bool)
        duplicate[by_item[1:]] = same
        order = np.lexsort((time, user))
        return SortedEvents(user[order], item[order], time[order], duplicate[order])

    def _times(self, events: NDArray[np.void]) -> NDArray[np.int64]:
        whole: NDArray[np.int64] = events["whole"].astype(np.int64)
        if not self._fractional:
            return whole
        millionths: NDArray[np.int32] = events["millionths"]
        return whole * MICROSECONDS + millionths
