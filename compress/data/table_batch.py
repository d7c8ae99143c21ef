"""Some rows of a table, and how a fault in one of them is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from compress.errors import DataError


@dataclass(frozen=True)
class TableBatch:
    """Some consecutive rows of a table.

    Attributes:
        columns: For each wanted column an array of N values; strings if the file is text.
        rows: int64 [N]. Text files: the line on which the row ends, the first line being 1 (the
            header, if there is one). Parquet: the row, the first being 1.
    """

    columns: dict[str, pa.Array]
    rows: NDArray[np.int64]


def row_error(path: Path, row: int, column: str, problem: str, advice: str) -> DataError:
    """Return the error about one cell: file, row and column, what is wrong, what to do."""
    return DataError(f"{path}, row {row}, column {column!r}: {problem}. {advice}")


def missing_column_error(
    path: Path, column: str, present: Sequence[str], row: int | None = None
) -> DataError:
    """Return the error about a column that is not there, with the closest name that is."""
    close = get_close_matches(column, present, n=1) or [
        name for name in present if column.lower() in name.lower()
    ]
    hint = f"Did you mean {close[0]!r}? " if close else ""
    if len(present) == 1 and ";" in present[0]:
        hint = "Its columns are separated by semicolons; save it with commas, or tabs as .tsv. "
    where = "" if row is None else f", row {row}"
    there = ", ".join(repr(name) for name in present)
    return DataError(
        f"{path}{where}: there is no column {column!r}. {hint}There are: {there}. "
        "Say which column holds what under data.source.columns (for items: item_columns; for "
        "users: groups.user and groups.columns)."
    )
