"""The user's tables, read in bounded batches, whatever their format.

Every format gives the same batches: Arrow arrays of the wanted columns, and for each row the
number under which a person finds it in the file. Text formats give strings.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from compress.data.delimited_file import read_delimited
from compress.data.json_lines import read_json_lines
from compress.data.table_batch import TableBatch, missing_column_error
from compress.errors import DataError

BATCH_ROWS = 32_768
"""Rows a batch; bounds the memory that reading takes."""

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".inter": "recbole",
    ".item": "recbole",
    ".user": "recbole",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_COMPRESSIONS = {".brotli", ".gzip", ".lz4", ".snappy", ".zstd"}
"""What some programs write behind `.parquet`, naming the compression inside the file."""


def read_batches(
    path: Path,
    columns: Sequence[str],
    sparse: Sequence[str] = (),
    batch_rows: int | None = None,
    lists: Mapping[str, str | None] | None = None,
) -> Iterator[TableBatch]:
    """Yield the wanted columns of a table, at most `batch_rows` rows at a time.

    Args:
        path: `.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.parquet`, `.pq`, or RecBole
            `.inter`, `.item`, `.user`.
        columns: Names that every row must have.
        sparse: Names that must occur, but that a JSON line may leave out (then null).
        batch_rows: Upper bound of a batch; None: `BATCH_ROWS`.
        lists: Columns whose JSON cells hold lists of text, with what separates the parts of a cell
            that holds text instead (None: such a cell is an error). Lists stay lists in the batch;
            Parquet and text files are read as they are.

    Raises:
        DataError: The file is missing, empty, broken, or lacks a column.
    """
    kind = _kind(path)
    if kind is None:
        raise DataError(
            f"{path}: the ending {path.suffix!r} is not known. Known: {', '.join(_SUFFIXES)}. "
            "Rename or convert the file."
        )
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path}: the file is empty. Give a file with at least one row.")
        found = 0
        wanted = tuple(columns), tuple(sparse)
        for batch in _reader(kind, path, wanted, batch_rows or BATCH_ROWS, lists or {}):
            found += len(batch.rows)
            if len(batch.rows):
                yield batch
    except FileNotFoundError as error:
        raise DataError(
            f"{path}: there is no such file. Relative paths count from the recipe's folder."
        ) from error
    except OSError as error:
        raise DataError(f"{path}: could not be read: {error.strerror or error}.") from error
    if not found:
        raise DataError(f"{path}: the file has no rows below its header. Give at least one.")


def table_sha256(path: Path) -> str:
    """Return the sha256 of a table's file.

    Raises:
        DataError: The file is not there or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        why = error.strerror if isinstance(error, OSError) else error
        raise DataError(
            f"{path}: could not be read: {why}. Relative paths count from the recipe's folder."
        ) from error


def _kind(path: Path) -> str | None:
    *before, last = ["", *path.suffixes][-2:]
    known = before[0] if last in _COMPRESSIONS and before[0].lower() == ".parquet" else last
    return _SUFFIXES.get(known.lower())


def _reader(
    kind: str,
    path: Path,
    wanted: tuple[tuple[str, ...], tuple[str, ...]],
    batch_rows: int,
    lists: Mapping[str, str | None],
) -> Iterator[TableBatch]:
    columns, sparse = wanted
    match kind:
        case "parquet":
            return _read_parquet(path, columns + sparse, batch_rows)
        case "jsonl":
            return read_json_lines(path, columns, sparse, batch_rows, lists)
        case _:
            return read_delimited(path, kind, columns + sparse, batch_rows)


def _read_parquet(path: Path, columns: tuple[str, ...], batch_rows: int) -> Iterator[TableBatch]:
    try:
        # Without a buffer size a whole column chunk is read at once, however large it is.
        file = pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
        present = file.schema_arrow.names
        for column in columns:
            if present.count(column) != 1:
                raise missing_column_error(path, column, present)
        first = 1
        batches = file.iter_batches(batch_rows, columns=list(columns), use_threads=False)
        for batch in batches:
            rows = np.arange(first, first + len(batch), dtype=np.int64)
            yield TableBatch({name: batch.column(name) for name in columns}, rows)
            first += len(batch)
    except pa.ArrowException as error:
        raise DataError(
            f"{path}: not readable as Parquet: {error}. Write the file again, or rename it if it "
            "is of another format."
        ) from error
