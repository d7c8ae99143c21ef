"""CSV, TSV and RecBole atomic files, row by row with exact line numbers.

RecBole's atomic format is tab-separated without quoting; its header says `name:type`, and a column
is called by its name.
"""

import csv
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa

from compress.data.table_batch import TableBatch, missing_column_error, row_error
from compress.errors import DataError

LONGEST_LINE = 1 << 24
"""Characters; a longer line means that the file is something else."""


_LISTS = pa.list_(pa.string())


class _AtomicDialect(csv.Dialect):
    delimiter = "\t"
    quoting = csv.QUOTE_NONE
    lineterminator = "\n"


class _CsvDialect(csv.excel):
    strict = True


class _TsvDialect(csv.excel_tab):
    strict = True


_DIALECTS: dict[str, type[csv.Dialect]] = {
    "csv": _CsvDialect,
    "tsv": _TsvDialect,
    "recbole": _AtomicDialect,
}


def open_text(path: Path) -> TextIO:
    """Open a text file; bytes that are not UTF-8 come out as lone surrogates, to be found later."""
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def bounded_lines(path: Path, file: TextIO) -> Iterator[str]:
    """Yield the lines of `file`, refusing one that would not fit in memory."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise DataError(
                f"{path}, row {number}: the line is longer than {LONGEST_LINE:,} characters. "
                "Check that the file is what its ending says, with one row a line."
            )
        yield line


def is_utf8(value: str) -> bool:
    """Whether a value from `open_text` was UTF-8 in the file."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def not_utf8_error(path: Path, row: int, column: str, value: str) -> DataError:
    """Return the error about a value whose bytes are not UTF-8."""
    try:
        shown = repr(value.encode("utf-8", "surrogateescape")[:60])
    except UnicodeEncodeError:  # A lone surrogate that JSON spelt out.
        shown = repr(value[:60])
    return row_error(
        path, row, column, f"{shown} is not UTF-8", "Save the file as UTF-8 (`iconv -t utf-8`)."
    )


def text_batch(
    path: Path,
    columns: tuple[str, ...],
    cells: list[list[Any]],
    rows: list[int],
    lists: Container[str] = (),
) -> TableBatch:
    """Return a batch of strings: `cells` holds one list a column, `lists` names those of lists.

    Raises:
        DataError: A value is not UTF-8.
    """
    arrays = {}
    for column, values in zip(columns, cells, strict=True):
        try:
            arrays[column] = pa.array(values, _LISTS if column in lists else pa.string())
        except UnicodeEncodeError:
            for row, value in zip(rows, values, strict=True):
                if value is not None and not is_utf8(value):
                    raise not_utf8_error(path, row, column, value) from None
            raise
    return TableBatch(arrays, np.array(rows, dtype=np.int64))


def read_delimited(
    path: Path, kind: str, columns: tuple[str, ...], batch_rows: int
) -> Iterator[TableBatch]:
    """Yield batches of string columns; `kind` is csv, tsv or recbole.

    Empty lines are skipped, as spreadsheets and editors leave them at the end.

    Raises:
        DataError: A column is missing, a row is ragged, quotes are broken, or text is not UTF-8.
    """
    with open_text(path) as file:
        lines = csv.reader(bounded_lines(path, file), _DIALECTS[kind])
        try:
            header = next(lines, [])
            places = _places(path, kind, header, columns)
            cells: list[list[str | None]] = [[] for _ in columns]
            rows: list[int] = []
            for fields in lines:
                if len(fields) != len(header):
                    if not fields:
                        continue
                    raise DataError(
                        f"{path}, row {lines.line_num}: {len(fields)} columns where the header has "
                        f"{len(header)}. Put values that hold the separator in quotes, or remove "
                        "what does not belong there."
                    )
                for values, place in zip(cells, places, strict=True):
                    values.append(fields[place])
                rows.append(lines.line_num)
                if len(rows) == batch_rows:
                    yield text_batch(path, columns, cells, rows)
                    cells, rows = [[] for _ in columns], []
            if rows:
                yield text_batch(path, columns, cells, rows)
        except csv.Error as error:
            raise DataError(
                f"{path}, row {lines.line_num}: {error}. A quote is opened, closed or doubled "
                'wrongly; inside a quoted value a quote is written "".'
            ) from error


def _places(path: Path, kind: str, header: list[str], columns: tuple[str, ...]) -> list[int]:
    if not all(is_utf8(name) for name in header):
        raise not_utf8_error(path, 1, "header", "".join(header))
    names = [name.rpartition(":")[0] or name for name in header] if kind == "recbole" else header
    for column in columns:
        if column not in names:
            raise missing_column_error(path, column, names)
        if names.count(column) > 1:
            raise DataError(f"{path}: the header names {column!r} twice. Rename one of them.")
    return [names.index(column) for column in columns]
