"""The catalogue: every item that can be recommended, its id, its text and its code.

Codes: 0 is padding, 1 is unknown, item i (from 0) is `i + FIRST_ITEM`.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from compress.data.columns import Column, text_ids
from compress.data.table_file import read_batches
from compress.errors import DataError
from compress.recipe import ItemColumns
from compress.tasks.item_codes import FIRST_ITEM

_SCHEMA = pa.schema([("item", pa.string()), ("text", pa.string())])


def item_map_sha256(ids: Iterable[str]) -> str:
    """Return the sha256 that identifies which item every code means.

    Of each id in code order: the number of its UTF-8 bytes as 4 bytes, little-endian, then those
    bytes. The lengths make it unambiguous, and any language can compute it.
    """
    digest = hashlib.sha256()
    for item in ids:
        raw = item.encode()
        digest.update(len(raw).to_bytes(4, "little") + raw)
    return digest.hexdigest()


@dataclass
class Catalogue:
    """Items in the order of the items file, then of their first appearance.

    Attributes:
        texts: The text of every item, by id; empty where there is none. Insertion order is code
            order.
        unknown: What an id that is not there means: `refuse` it, `add` an item without text, or
            `id-is-text`: there is no items file, an item is added and its id is its text.
    """

    unknown: Literal["refuse", "add", "id-is-text"]
    texts: dict[str, str] = field(default_factory=dict)
    _codes: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._codes)

    def add(self, item: str, text: str) -> int:
        """Add an item that is not there yet and return its code."""
        code = self._codes[item] = len(self._codes) + FIRST_ITEM
        self.texts[item] = text
        return code

    def __contains__(self, item: object) -> bool:
        return item in self._codes

    def codes(self, column: Column) -> NDArray[np.int32]:
        """Return the codes of a column of checked ids (see `text_ids`), int32 [N].

        Raises:
            DataError: An id is not in the catalogue and may not be added.
        """
        encoded = column.values.dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        codes = np.array([self._codes.get(item, 0) for item in distinct], np.int32)
        missing = np.flatnonzero(codes == 0)
        if len(missing) and self.unknown == "refuse":
            index = int(np.argmax(np.isin(encoded.indices.to_numpy(), missing)))
            raise column.error(
                index,
                f"the items file has no item {column.values[index].as_py()!r}",
                "Add it there, remove the row, or set data.source.unknown_items: add.",
            )
        for index in missing:
            item = distinct[index]
            codes[index] = self.add(item, item if self.unknown == "id-is-text" else "")
        indices: NDArray[np.int32] = encoded.indices.to_numpy()
        return codes[indices]

    def write(self, path: Path) -> None:
        """Write `items.parquet`: columns item and text, in code order."""
        table = pa.table({"item": list(self.texts), "text": list(self.texts.values())}, _SCHEMA)
        pq.write_table(table, path)


def read_catalogue(
    path: Path, columns: ItemColumns, unknown: Literal["refuse", "add"]
) -> Catalogue:
    """Return the catalogue of an items file; empty text cells are left out of an item's text.

    Raises:
        DataError: The file is faulty, or names an item twice.
    """
    catalogue = Catalogue(unknown)
    first_rows: dict[str, int] = {}
    for batch in read_batches(path, (columns.item,), sparse=columns.text):
        column = Column(path, columns.item, batch.columns[columns.item], batch.rows)
        texts = zip(
            *(
                _cell_texts(Column(path, name, batch.columns[name], batch.rows))
                for name in columns.text
            ),
            strict=True,
        )
        for index, item in enumerate(text_ids(column).to_pylist()):
            row = int(batch.rows[index])
            if item in first_rows:
                raise column.error(
                    index,
                    f"item {item!r} is there already, in row {first_rows[item]}",
                    "Keep one row an item.",
                )
            first_rows[item] = row
            catalogue.add(item, ", ".join(filter(None, next(texts, ()))))
    return catalogue


def _cell_texts(column: Column) -> list[str]:
    return [_cell_text(column, index, value) for index, value in enumerate(_cells(column))]


def _cells(column: Column) -> list[object]:
    try:
        return list(column.values.to_pylist())
    except UnicodeDecodeError as error:
        for index, value in enumerate(column.values):
            try:
                value.as_py()
            except UnicodeDecodeError:
                problem = f"{error.object[:60]!r} is not UTF-8"
                raise column.error(index, problem, "Save the text as UTF-8.") from error
        raise
    except (ValueError, OverflowError) as error:
        problem = f"values of type {column.values.type} cannot be read: {error}"
        raise column.error(0, problem, "Store the column as text.") from error


def _cell_text(column: Column, index: int, value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    if isinstance(value, bytes | dict | list):
        raise column.error(index, f"a {type(value).__name__} is no text", "Write it as text.")
    return str(value)


def read_items(path: Path) -> tuple[list[str], list[str]]:
    """Return ids and texts of `items.parquet`, in code order.

    Raises:
        DataError: The file is not there or not what it should be.
    """
    try:
        table = pq.read_table(path, schema=_SCHEMA)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: not the items of a prepared data set: {error}.") from error
    return table["item"].to_pylist(), table["text"].to_pylist()
