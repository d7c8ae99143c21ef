"""A prepared data set: memory-mapped events, the splits and the catalogue."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from compress.data.catalogue import item_map_sha256, read_items
from compress.data.split import SplitUsers
from compress.data.windows import Windows, gather_histories, gather_ranges
from compress.errors import DataError

__all__ = ["SCHEMA", "Cases", "Dataset", "Windows"]

SCHEMA = 1
"""Version of the files' layout."""


@dataclass(frozen=True)
class Cases:
    """What is predicted in a split: N cases, at most one a user.

    Attributes:
        users: int64 [N], row in `users.parquet`.
        first: int64 [N], absolute index of the user's first event.
        index: int64 [N], absolute index of the target event; its history is `first` to `index`.
        targets: int32 [N], item codes.
    """

    users: NDArray[np.int64]
    first: NDArray[np.int64]
    index: NDArray[np.int64]
    targets: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.users)


class Dataset:
    """The files of one folder, as `compress.data.prepare` writes them.

    - `events.npy`: int32 item codes, by (user, time, original row).
    - `times.npy`: int64, in the same order, in the unit that `dataset.json` names.
    - `users.parquet`: user, first, train_end, validation, test (see `SplitUsers`).
    - `items.parquet`: item, text, in code order.
    - `dataset.json`: schema, name, split, item_map_sha256, counts, times.
    """

    def __init__(self, folder: Path, description: dict[str, Any], split: SplitUsers) -> None:
        self.folder = folder
        self.name: str = description["name"]
        self.counts: dict[str, int] = description["counts"]
        self.item_map_sha256: str = description["item_map_sha256"]
        self.description = description
        self.split = split
        self.events: NDArray[np.int32] = np.load(folder / "events.npy", mmap_mode="r")

    @classmethod
    def open(cls, folder: Path) -> "Dataset":
        """Open a prepared data set and check that its files belong together.

        Raises:
            DataError: A file is missing or broken, or the files disagree.
        """
        try:
            description = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
            if description["schema"] != SCHEMA:
                raise _disagree(folder, f"schema {description['schema']} instead of {SCHEMA}")
            names = ["first", "train_end", "validation", "test"]
            table = pq.read_table(folder / "users.parquet", columns=names)
            split = SplitUsers(*(table[name].to_numpy() for name in names))
            dataset = cls(folder, description, split)
            times = np.load(folder / "times.npy", mmap_mode="r")
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
            raise _disagree(folder, f"{type(error).__name__}: {error}") from error
        dataset._check(times)
        return dataset

    @property
    def items(self) -> int:
        """Number of items in the catalogue."""
        return len(self.item_ids)

    @property
    def users(self) -> int:
        """Number of users."""
        return len(self.split.first)

    @property
    def item_ids(self) -> list[str]:
        """The ids in code order: item i has code `i + FIRST_ITEM`."""
        return self._items[0]

    @property
    def item_texts(self) -> list[str]:
        """The texts in code order; empty where there is none."""
        return self._items[1]

    def windows(self, length: int) -> Windows:
        """Return the training windows of at most `length` positions."""
        return Windows.cut(self.events, self.split.first, self.split.train_end, length)

    def cases(self, split: Literal["validation", "test"]) -> Cases:
        """Return what is predicted in validation or in the test, in user order."""
        index = self.split.validation if split == "validation" else self.split.test
        users = np.flatnonzero(index >= 0)
        index = index[users]
        return Cases(users, self.split.first[users], index, np.asarray(self.events[index]))

    def histories(self, cases: Cases, length: int) -> NDArray[np.int32]:
        """Return the last `length` items before each case's target.

        Returns:
            int32 [N, length], padded on the left with 0.
        """
        return gather_histories(self.events, cases.first, cases.index, length)

    def seen(self, cases: Cases) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return the complete history of each case.

        Returns:
            Offsets int64 [N + 1] and codes int32: case i has codes[offsets[i]:offsets[i + 1]].
        """
        return gather_ranges(self.events, cases.first, cases.index)

    def training_sequences(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return each user's training events, oldest first.

        Returns:
            Offsets int64 [U + 1] and codes int32: user i has codes[offsets[i]:offsets[i + 1]].
        """
        return gather_ranges(self.events, self.split.first, self.split.train_end)

    @cached_property
    def _items(self) -> tuple[list[str], list[str]]:
        return read_items(self.folder / "items.parquet")

    def _check(self, times: NDArray[np.int64]) -> None:
        split, events = self.split, len(self.events)
        if self.events.dtype != np.int32 or times.dtype != np.int64 or len(times) != events:
            raise _disagree(self.folder, "events.npy and times.npy differ in length or type")
        kept = {name: self.counts.get(name) for name in ("events_kept", "users_kept", "items")}
        found = {"events_kept": events, "users_kept": self.users, "items": self.items}
        if kept != found:
            raise _disagree(self.folder, f"dataset.json counts {kept}, the files hold {found}")
        ends = np.append(split.first[1:], events)
        inside = (split.first < split.train_end + 1) & (split.train_end <= ends)
        for index in (split.validation, split.test):
            inside &= (index < 0) | ((split.first < index) & (index < ends))
        if not inside.all() or (self.users and split.first[0] != 0):
            raise _disagree(self.folder, "users.parquet does not fit events.npy")
        if item_map_sha256(self.item_ids) != self.item_map_sha256:
            raise _disagree(self.folder, "the items are not those that the codes were made from")


def _disagree(folder: Path, what: str) -> DataError:
    return DataError(
        f"{folder}: this is not a whole prepared data set: {what}. Delete the folder and run again."
    )
