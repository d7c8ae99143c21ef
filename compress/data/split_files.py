"""Splits the sorted events on disk and counts what came of it, in bounded memory."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compress.data.npy_writer import HEADER_BYTES
from compress.data.split import SplitUsers, global_time, leave_one_out, order_statistic
from compress.recipe import GlobalTime, LeaveOneOut
from compress.tasks.item_codes import FIRST_ITEM

_CHUNK = 1 << 17


@dataclass(frozen=True)
class SplitSummary:
    """The split and its figures.

    Attributes:
        users: Where every user's history is cut.
        counts: Training events and targets, cases, targets and items that training never saw, ties.
        times: `first` and `last` time, and for a global-time split `validation_from`, `test_from`:
            the earliest times of those periods.
    """

    users: SplitUsers
    counts: dict[str, int]
    times: dict[str, int]


def split_files(
    split: LeaveOneOut | GlobalTime, lengths: NDArray[np.int64], items: int, folder: Path
) -> SplitSummary:
    """Split the events of `events.npy` and `times.npy`.

    Args:
        split: The recipe's section.
        lengths: int64 [U], events of each user, at least one user.
        items: Items in the catalogue.
        folder: Where the two files lie.
    """
    times_file = folder / "times.npy"
    bounds = [(int(chunk.min()), int(chunk.max())) for chunk in _chunks(times_file)]
    times = {"first": min(low for low, _ in bounds), "last": max(high for _, high in bounds)}
    if isinstance(split, LeaveOneOut):
        users = leave_one_out(lengths)
    else:
        events = int(lengths.sum())
        cuts = {
            "validation_from": _rank(events, split.validation + split.test),
            "test_from": _rank(events, split.test),
        }
        moments = {
            name: order_statistic(lambda: _chunks(times_file), rank) for name, rank in cuts.items()
        }
        times |= moments
        before = _events_before(times_file, lengths, list(moments.values()))
        users = global_time(lengths, before[0], before[1])
    return SplitSummary(users, _counts(users, lengths, items, folder), times)


def _rank(events: int, after: float) -> int:
    # Rounded first, because 1 - 0.1 - 0.1 is a little less than 0.8.
    return math.floor(round(events * (1 - after), 6))


def _chunks(path: Path, dtype: type[np.signedinteger[Any]] = np.int64) -> Iterator[NDArray[Any]]:
    # Read, not mapped: mapped pages would count as this process's memory.
    with path.open("rb") as file:
        file.seek(HEADER_BYTES)
        while len(chunk := np.fromfile(file, dtype, _CHUNK)):
            yield chunk


def _chunks_with_users(
    path: Path, first: NDArray[np.int64], dtype: type[np.signedinteger[Any]] = np.int64
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Yield chunks of values, their absolute indices and their users' rows."""
    begin = 0
    for chunk in _chunks(path, dtype):
        index = np.arange(begin, begin + len(chunk))
        yield chunk, index, np.searchsorted(first, index, side="right") - 1
        begin += len(chunk)


def _events_before(
    path: Path, lengths: NDArray[np.int64], moments: list[int]
) -> list[NDArray[np.int64]]:
    """Return for each moment how many events each user has before it, int64 [U]."""
    first = np.cumsum(lengths) - lengths
    before = [np.zeros(len(lengths), np.int64) for _ in moments]
    for chunk, _, user in _chunks_with_users(path, first):
        for counts, moment in zip(before, moments, strict=True):
            low = int(user[0])
            found = np.bincount(user[chunk < moment] - low)
            counts[low : low + len(found)] += found
    return before


def _counts(
    users: SplitUsers, lengths: NDArray[np.int64], items: int, folder: Path
) -> dict[str, int]:
    training = users.train_end - users.first
    seen = np.zeros(items + FIRST_ITEM, np.int64)
    cases = {"validation": users.validation, "test": users.test}
    targets: dict[str, list[NDArray[np.int64]]] = {name: [] for name in cases}
    for chunk, index, user in _chunks_with_users(folder / "events.npy", users.first, np.int32):
        seen += np.bincount(chunk[index < users.train_end[user]], minlength=len(seen))
        for name, case in cases.items():
            targets[name].append(chunk[index == case[user]])
    counts = {
        "training_events": int(training.sum()),
        "training_targets": int(np.maximum(training - 1, 0).sum()),
        "users_without_training_target": int((training < 2).sum()),
        "items_never_seen_in_training": int((seen[FIRST_ITEM:] == 0).sum()),
    }
    for name in cases:
        codes = np.concatenate(targets[name])
        counts[f"{name}_cases"] = len(codes)
        counts[f"users_without_{name}_case"] = len(lengths) - len(codes)
        counts[f"{name}_targets_never_seen_in_training"] = int((seen[codes] == 0).sum())
    counts["users_with_tied_last_time"] = _tied_ends(lengths, folder / "times.npy")
    return counts


def _tied_ends(lengths: NDArray[np.int64], path: Path) -> int:
    """Return how many users' last two events have the same time: there the tie rule decides."""
    first = np.cumsum(lengths) - lengths
    last_time = np.zeros(len(lengths), np.int64)
    time_before = np.zeros(len(lengths), np.int64)
    for chunk, index, user in _chunks_with_users(path, first):
        from_the_end = first[user] + lengths[user] - 1 - index
        last_time[user[from_the_end == 0]] = chunk[from_the_end == 0]
        time_before[user[from_the_end == 1]] = chunk[from_the_end == 1]
    return int((last_time == time_before).sum())
