"""From the recipe's `data` section to a prepared data set, in bounded memory.

Rows are streamed in checked batches into a sort on disk; sorted events are streamed into `.npy`
files. Memory grows with the numbers of users and items, not with the number of interactions.
"""

import errno
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from compress.data.catalogue import Catalogue, item_map_sha256, read_catalogue
from compress.data.dataset import SCHEMA
from compress.data.event_sort import EventSort
from compress.data.interactions import read_interactions
from compress.data.movielens import movielens_table
from compress.data.npy_writer import NpyWriter
from compress.data.package_archive import PACKAGES, print_to_stderr
from compress.data.split_files import SplitSummary, split_files
from compress.data.table_file import table_sha256
from compress.errors import DataError
from compress.recipe import Data, Table, content_hash

MINIMUM_EVENTS = 3
"""A user needs one event to train on, one to validate and one to test."""


def fingerprint(data: Data, recipe_folder: Path) -> str:
    """Return a hash of the content that `prepare` would read; downloads nothing.

    Args:
        data: The recipe's section.
        recipe_folder: What relative paths count from.

    Raises:
        DataError: A file of the user's is not there.
    """
    if not isinstance(data.source, Table):
        return content_hash({"package": PACKAGES[data.source.kind].sha256})
    table = _absolute(data.source, recipe_folder)
    files = {"interactions": table.interactions, "items": table.items}
    return content_hash(
        {name: None if path is None else table_sha256(Path(path)) for name, path in files.items()}
    )


def prepare(
    data: Data,
    recipe_folder: Path,
    into: Path,
    cache: Path | None = None,
    progress: Callable[[str], None] = print_to_stderr,
) -> None:
    """Write the files that `compress.data.dataset.Dataset.open` reads.

    The same input gives the same bytes.

    Args:
        data: The recipe's section.
        recipe_folder: What relative paths count from.
        into: Folder to write to; made if it is not there. Needs room for three times the events.
        cache: Where built-in data is kept; None: the user's cache folder.
        progress: Is told what happens, one line at a time.

    Raises:
        DataError: The input is faulty or too small; the message names file, row and column.
        DownloadError: Built-in data could not be fetched.
    """
    source = data.source
    if isinstance(source, Table):
        table, first_users = _absolute(source, recipe_folder), None
        name = Path(source.interactions).stem
    else:
        table, first_users = movielens_table(source, cache, progress), source.first_users
        name = source.kind
    try:
        into.mkdir(parents=True, exist_ok=True)
        _Preparation(data, table, first_users, name, into, progress).run()
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise DataError(
            f"{into}: could not be written: {'the disk is full' if full else error.strerror}. "
            "Preparing needs about 60 bytes for every interaction; free some space, permit "
            "writing there, or choose another folder with --out."
        ) from error


def _absolute(table: Table, recipe_folder: Path) -> Table:
    if table.minimum_value is not None and table.columns.value is None:
        raise DataError(
            "data.source.minimum_value needs data.source.columns.value: the name of the column "
            "that holds the ratings, counts or the like."
        )
    return table.model_copy(
        update={
            "interactions": str(recipe_folder / table.interactions),
            "items": None if table.items is None else str(recipe_folder / table.items),
        }
    )


@dataclass
class _Preparation:
    """One run of `prepare`, and what it counts on the way."""

    data: Data
    table: Table
    first_users: int | None
    name: str
    into: Path
    progress: Callable[[str], None]

    def __post_init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.interactions = Path(self.table.interactions)

    def run(self) -> None:
        catalogue = self._catalogue()
        items_in_file = len(catalogue)
        with EventSort(self.into) as events:
            found = read_interactions(
                self.table, self.first_users, catalogue, events, self.progress
            )
            self.counts.update(found.counts)
            self.progress("sorting events")
            users, lengths = self._write_events(events)
            unit = found.time_unit
        self._check_users(len(users))
        self._write_catalogue(catalogue, items_in_file)
        self.progress("splitting")
        summary = split_files(self.data.split, lengths, len(catalogue), self.into)
        self._write_users(found.user_ids, users, summary)
        self.counts.update(summary.counts)
        self._check_cases()
        self._write_description(catalogue, summary, unit)
        self.progress(
            f"{self.counts['users_kept']:,} users, {self.counts['items']:,} items, "
            f"{self.counts['events_kept']:,} events"
        )

    def _catalogue(self) -> Catalogue:
        if self.table.items is None:
            return Catalogue("id-is-text")
        return read_catalogue(
            Path(self.table.items), self.table.item_columns, self.table.unknown_items
        )

    def _write_events(self, events: EventSort) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Write `events.npy` and `times.npy`; return kept users' numbers and history lengths."""
        duplicates = short = tied = 0
        kept_users: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        lengths: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        drop = self.table.duplicates == "drop"
        with (
            NpyWriter(self.into / "events.npy", np.int32) as items_file,
            NpyWriter(self.into / "times.npy", np.int64) as times_file,
        ):
            for part in events.sorted():
                wanted = ~part.duplicate if drop else np.ones(len(part.user), bool)
                user, first, size = np.unique(
                    part.user[wanted], return_index=True, return_counts=True
                )
                enough = size >= MINIMUM_EVENTS
                keep = np.flatnonzero(wanted)[np.repeat(enough, size)]
                duplicates += int(part.duplicate.sum() if drop else part.duplicate[keep].sum())
                short += int(size[~enough].sum())
                tied += _tied(part.user[keep], part.time[keep])
                items_file.append(part.item[keep])
                times_file.append(part.time[keep])
                kept_users.append(user[enough].astype(np.int64))
                lengths.append(size[enough])
        self.counts |= {
            "duplicate_events_dropped" if drop else "duplicate_events_kept": duplicates,
            "events_of_short_histories": short,
            "events_kept": int(items_file.length),
            "events_tied_in_time": tied,
        }
        users = np.concatenate(kept_users)
        considered = self.counts["users_read"] - self.counts["users_beyond_first"]
        self.counts["users_dropped_short_history"] = considered - len(users)
        self.counts["users_kept"] = len(users)
        return users, np.concatenate(lengths)

    def _check_users(self, remaining: int) -> None:
        if remaining >= self.data.minimum_users:
            return
        counts = self.counts
        reasons = [
            f"{counts[key]:,} {what}"
            for key, what in (
                ("users_dropped_short_history", f"had fewer than {MINIMUM_EVENTS} events left"),
                ("users_beyond_first", "were beyond first_users"),
            )
            if counts[key]
        ]
        below = counts["events_below_minimum_value"]
        reasons += [f"{below:,} events lay below minimum_value"] if below else []
        why = f" ({'; '.join(reasons)})" if reasons else ""
        raise DataError(
            f"{self.interactions}: {remaining:,} of {counts['users_read']:,} users remain{why}, "
            f"but data.minimum_users is {self.data.minimum_users:,}. Give more data, or set "
            "data.minimum_users lower; figures from few users say little."
        )

    def _write_catalogue(self, catalogue: Catalogue, items_in_file: int) -> None:
        catalogue.write(self.into / "items.parquet")
        self.counts |= {
            "items": len(catalogue),
            "items_added": len(catalogue) - items_in_file,
            "items_without_text": sum(not text for text in catalogue.texts.values()),
        }

    def _write_users(self, ids: list[str], kept: NDArray[np.int64], summary: SplitSummary) -> None:
        columns = {
            "user": pa.array(ids, pa.string()).take(pa.array(kept)),
            "first": summary.users.first,
            "train_end": summary.users.train_end,
            "validation": summary.users.validation,
            "test": summary.users.test,
        }
        pq.write_table(pa.table(columns), self.into / "users.parquet")

    def _check_cases(self) -> None:
        counts = self.counts
        if not counts["training_targets"]:
            raise DataError(
                f"{self.interactions}: no user has two events to train on, so there is nothing to "
                "learn from. Give longer histories, or another data.split."
            )
        for split in ("validation", "test"):
            if counts[f"{split}_cases"] < self.data.minimum_users:
                raise DataError(
                    f"{self.interactions}: only {counts[f'{split}_cases']:,} users have a "
                    f"{split} case, but data.minimum_users is {self.data.minimum_users:,}. Make "
                    f"data.split.{split} larger, or choose the split leave-one-out."
                )

    def _write_description(self, catalogue: Catalogue, summary: SplitSummary, unit: str) -> None:
        description = {
            "schema": SCHEMA,
            "name": self.name,
            "split": self.data.split.model_dump(mode="json"),
            "item_map_sha256": item_map_sha256(catalogue.texts),
            "counts": self.counts,
            "times": {"unit": unit, **summary.times},
        }
        text = json.dumps(description, indent=2, ensure_ascii=False)
        (self.into / "dataset.json").write_text(text + "\n", encoding="utf-8")


def _tied(user: NDArray[np.int32], time: NDArray[np.int64]) -> int:
    """Return how many events share their user and time with another event."""
    same = (user[1:] == user[:-1]) & (time[1:] == time[:-1])
    return int((np.append(same, False) | np.append(False, same)).sum())
