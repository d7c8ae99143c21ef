"""Training windows and histories, gathered from the events without a Python loop over rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Windows:
    """W training windows: pieces of histories whose every position has a target, the next item.

    Each user's training events are cut from the end, so that only the oldest piece is short. All
    events but a user's first are the target of exactly one position. Order: by user, oldest first.

    Attributes:
        events: int32, the memory-mapped item codes.
        start: int64 [W], absolute index of the first input.
        stop: int64 [W], one past the last input; targets are events[start + 1 : stop + 1].
        length: Largest number of positions of a window.
        offsets: int64 [W + 1], positions before each window: position p of window w, counted from
            the window's first real input, is row offsets[w] + p of the soft labels.
    """

    events: NDArray[np.int32]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    length: int
    offsets: NDArray[np.int64]

    @classmethod
    def cut(
        cls,
        events: NDArray[np.int32],
        first: NDArray[np.int64],
        train_end: NDArray[np.int64],
        length: int,
    ) -> "Windows":
        """Cut the training events [first, train_end) of U users into windows.

        Args:
            events: int32, item codes of all users.
            first: int64 [U], absolute index of each user's first event.
            train_end: int64 [U], one past each user's last training event.
            length: Largest number of positions of a window, at least 1.
        """
        positions = np.maximum(train_end - first - 1, 0)
        pieces = -(-positions // length)
        user = np.repeat(np.arange(len(first)), pieces)
        ends = np.cumsum(pieces)
        from_the_end = ends[user] - 1 - np.arange(len(user))
        stop = train_end[user] - 1 - from_the_end * length
        start = np.maximum(first[user], stop - length)
        offsets = np.concatenate(([0], np.cumsum(stop - start)))
        return cls(events, start, stop, length, offsets)

    def __len__(self) -> int:
        return len(self.start)

    @property
    def positions(self) -> int:
        """Number of positions of all windows, that is of targets."""
        return int(self.offsets[-1])

    def batch(self, windows: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return inputs and targets of the windows with these numbers.

        Args:
            windows: int64 [B].

        Returns:
            Two int32 [B, length], padded on the left with 0 (in both).
        """
        start, stop = self.start[windows], self.stop[windows]
        inputs = gather_histories(self.events, start, stop, self.length)
        targets = gather_histories(self.events, start + 1, stop + 1, self.length)
        return inputs, targets


def gather_histories(
    events: NDArray[np.int32], first: NDArray[np.int64], end: NDArray[np.int64], length: int
) -> NDArray[np.int32]:
    """Return the last `length` codes of each range events[first:end].

    Returns:
        int32 [N, length], padded on the left with 0.
    """
    index = end[:, None] + np.arange(-length, 0)
    inside = index >= first[:, None]
    found = events[np.where(inside, index, 0)] if len(events) else np.zeros(index.shape, np.int32)
    return np.where(inside, found, np.int32(0))


def gather_ranges(
    events: NDArray[np.int32], first: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the ranges events[first:end] one after another.

    Returns:
        Offsets int64 [N + 1] and codes int32: range i is codes[offsets[i]:offsets[i + 1]].
    """
    lengths = end - first
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    index = np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], lengths)
    return offsets, np.asarray(events[index])
