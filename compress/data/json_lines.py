"""JSON lines: one object a line, its keys being the columns."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from compress.data.delimited_file import (
    bounded_lines,
    is_utf8,
    not_utf8_error,
    open_text,
    text_batch,
)
from compress.data.table_batch import TableBatch, missing_column_error, row_error
from compress.errors import DataError


def read_json_lines(
    path: Path,
    columns: tuple[str, ...],
    sparse: tuple[str, ...],
    batch_rows: int,
    lists: Mapping[str, str | None],
) -> Iterator[TableBatch]:
    """Yield batches of string columns: numbers as they are written, lists joined by a comma.

    Args:
        path: The file; empty lines are skipped.
        columns: Keys that every line must have.
        sparse: Keys that a line may leave out, but not all lines.
        batch_rows: Upper bound of a batch.
        lists: Columns whose lists stay lists, with what separates the parts of text in them; None:
            text is an error there.

    Raises:
        DataError: A line is no JSON object, lacks a key, or holds a value that is no text.
    """
    wanted = columns + sparse
    never_seen = set(sparse)
    present: dict[str, None] = {}
    with open_text(path) as file:
        cells: list[list[Any]] = [[] for _ in wanted]
        rows: list[int] = []
        for row, line in enumerate(bounded_lines(path, file), start=1):
            if not line.strip():
                continue
            values = _object(path, row, line)
            if never_seen:
                present.update(dict.fromkeys(values))
                never_seen.difference_update(values)
            for column, column_cells in zip(wanted, cells, strict=True):
                if column not in values and column in columns:
                    raise missing_column_error(path, column, list(values), row)
                value = values.get(column)
                if column in lists:
                    column_cells.append(_list(path, row, column, value, lists[column]))
                else:
                    column_cells.append(_text(path, row, column, value))
            rows.append(row)
            if len(rows) == batch_rows:
                yield text_batch(path, wanted, cells, rows, lists)
                cells, rows = [[] for _ in wanted], []
        if rows:
            yield text_batch(path, wanted, cells, rows, lists)
    if never_seen and present:
        raise missing_column_error(path, min(never_seen), list(present))


def _object(path: Path, row: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{path}, row {row}: not JSON: {error}. Every line must hold one whole object."
        ) from error
    if not isinstance(value, dict):
        raise DataError(
            f"{path}, row {row}: {line.strip()[:60]!r} is not a JSON object. Every line must hold "
            'one, such as {"user": "u1", "item": "i1", "time": 1700000000}.'
        )
    return value


def _text(path: Path, row: int, column: str, value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(int(value)) if isinstance(value, float) and value.is_integer() else repr(value)
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    raise row_error(
        path, row, column, f"{json.dumps(value)[:60]} is no text or number", "Write it as text."
    )


def _list(
    path: Path, row: int, column: str, value: object, separator: str | None
) -> list[str] | None:
    if value is None:
        return None
    if isinstance(value, list):
        parts = [_text(path, row, column, part) or "" for part in value]
    else:
        text = _text(path, row, column, value) or ""
        if separator is None:
            raise row_error(
                path,
                row,
                column,
                f"{text[:60]!r} is no list",
                "Write a list, or say what "
                "separates the parts of a text with data.source.columns.label_separator.",
            )
        parts = text.split(separator)
    for part in parts:
        if not is_utf8(part):
            raise not_utf8_error(path, row, column, part)
    return parts
