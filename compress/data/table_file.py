"""The user's tables, read in bounded batches, whatever their format.

Every format gives the same batches: Arrow arrays of the wanted columns, and for each row the
number under which a person finds it in the file. Text formats give strings.
"""

from collections.abc import Iterator, Sequence
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
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def read_batches(
    path: Path, columns: Sequence[str], sparse: Sequence[str] = (), batch_rows: int | None = None
) -> Iterator[TableBatch]:
    """Yield the wanted columns of a table, at most `batch_rows` rows at a time.

    Args:
        path: `.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.parquet`, `.pq`, or RecBole `.inter`, `.item`.
        columns: Names that every row must have.
        sparse: Names that must occur, but that a JSON line may leave out (then null).
        batch_rows: Upper bound of a batch; None: `BATCH_ROWS`.

    Raises:
        DataError: The file is missing, empty, broken, or lacks a column.
    """
    kind = _SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise DataError(
            f"{path}: the ending {path.suffix!r} is not known. Known: {', '.join(_SUFFIXES)}. "
            "Rename or convert the file."
        )
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path}: the file is empty. Give a file with at least one row.")
        found = 0
        for batch in _reader(kind, path, tuple(columns), tuple(sparse), batch_rows or BATCH_ROWS):
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


def _reader(
    kind: str, path: Path, columns: tuple[str, ...], sparse: tuple[str, ...], batch_rows: int
) -> Iterator[TableBatch]:
    match kind:
        case "parquet":
            return _read_parquet(path, columns + sparse, batch_rows)
        case "jsonl":
            return read_json_lines(path, columns, sparse, batch_rows)
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
