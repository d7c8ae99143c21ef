"""A prepared data set of texts, or of pairs of query and product: memory-mapped, in four splits."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numpy.typing import NDArray

from compress.errors import DataError
from compress.recipe import Target

SCHEMA = 1
"""Version of the files' layout."""

SPLITS = ("train", "validation", "test", "unlabelled")
"""Names of the splits, which are also the stems of their files."""


@dataclass(frozen=True)
class Examples:
    """One split: N texts, or N pairs of query and product, with what is true of them.

    Attributes:
        first: large_string [N], the text, or the query.
        second: large_string [N], the product; None where examples are single texts.
        targets: By the kind of target: int64 [N], the number of the class; float32 [N, C], 1 for
            each class that the example has, else 0; or float32 [N], the score. Of the unlabelled
            split all are 0 and mean nothing.
        groups: int64 [N], the number of the product, query or the like that the example is of,
            the same in every split; without groups each example's own number.
    """

    first: pa.ChunkedArray
    second: pa.ChunkedArray | None
    targets: NDArray[Any]
    groups: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first)

    def texts(self, rows: NDArray[np.int64]) -> tuple[list[str], list[str] | None]:
        """Return the texts of some rows, in the order asked for.

        Args:
            rows: int64 [B], each at least 0 and below N.

        Returns:
            B first texts, and B second texts or None.

        Raises:
            IndexError: A row is not there.
        """
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self)):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of {len(self)} examples")
        first = _take(self.first, self._chunk_ends, rows)
        if self.second is None:
            return first, None
        return first, _take(self.second, self._chunk_ends, rows)

    @cached_property
    def _chunk_ends(self) -> NDArray[np.int64]:
        # Both columns are written by record batch, so they are cut at the same rows.
        return np.cumsum([len(chunk) for chunk in self.first.chunks], dtype=np.int64)


@dataclass(frozen=True)
class TextDataset:
    """The files of one folder, as `compress.data.prepare_texts` writes them.

    - `{split}.arrow`: `first` and, for pairs, `second`; an uncompressed Arrow IPC file.
    - `{split}.targets.npy`, `{split}.groups.npy`: see `Examples`; none of the unlabelled split.
    - `dataset.json`: the rest of the attributes.

    Attributes:
        folder: Where the files are.
        name: What the data is called.
        is_pair: Whether examples are pairs of query and product.
        target: The kind of the targets.
        classes: Names in order: class i is the i-th. Empty for scores.
        gains: Of each class, where classes are grades of relevance; else None.
        counts: What was read, dropped and found, by name.
        warnings: What a person should know about the data, in sentences.
        split_rule: How the splits were made: `kind` (`given`, `stratified`, `grouped`), and with
            the latter two `validation`, `test` (shares) and `seed`; `group` is the grouping
            column, or None.
    """

    folder: Path
    name: str
    is_pair: bool
    target: Target
    classes: tuple[str, ...]
    gains: tuple[float, ...] | None
    counts: dict[str, int]
    warnings: tuple[str, ...]
    split_rule: dict[str, Any]

    @classmethod
    def open(cls, folder: Path) -> "TextDataset":
        """Open a prepared data set and check that its files belong together.

        Raises:
            DataError: A file is missing or broken, or the files disagree.
        """
        try:
            found = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
            if found.pop("schema") != SCHEMA:
                raise _damaged(folder, f"its schema is not {SCHEMA}")
            found["classes"] = tuple(found["classes"])
            found["warnings"] = tuple(found["warnings"])
            found["gains"] = None if found["gains"] is None else tuple(found["gains"])
            dataset = cls(folder=folder, **found)
            for name in SPLITS:
                dataset._check(name)
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
            raise _damaged(folder, f"{type(error).__name__}: {error}") from error
        return dataset

    @property
    def outputs(self) -> int:
        """Width of a model's answer: the number of classes, or 1 for a score."""
        return 1 if self.target == "score" else len(self.classes)

    def split(self, name: str) -> Examples:
        """Return one of `SPLITS`; the unlabelled one may hold no examples.

        Raises:
            DataError: A file is missing or broken.
        """
        try:
            return self._split(name)
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            raise _damaged(self.folder, f"{type(error).__name__}: {error}") from error

    def _split(self, name: str) -> Examples:
        with pa.memory_map(str(self.folder / f"{name}.arrow")) as file:
            table = pa.ipc.open_file(file).read_all()
        second = table["second"] if self.is_pair else None
        if name != "unlabelled":
            targets = _map(self.folder / f"{name}.targets.npy")
            return Examples(
                table["first"], second, targets, _map(self.folder / f"{name}.groups.npy")
            )
        shape = (len(table), self.outputs) if self.target == "any-of" else (len(table),)
        zero = np.zeros((), np.int64 if self.target == "one-of" else np.float32)
        return Examples(table["first"], second, np.broadcast_to(zero, shape), np.arange(len(table)))

    def _check(self, name: str) -> None:
        examples, texts = self._split(name), self.counts[f"{name}_texts"]
        shape = (texts, len(self.classes)) if self.target == "any-of" else (texts,)
        kind = np.int64 if self.target == "one-of" else np.float32
        if (
            len(examples) != texts
            or examples.targets.shape != shape
            or examples.targets.dtype != kind
            or examples.groups.shape != (texts,)
            or examples.groups.dtype != np.int64
        ):
            raise _damaged(self.folder, f"the files of {name!r} do not fit dataset.json")


def _map(path: Path) -> NDArray[Any]:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    return np.asarray(array)


def _take(column: pa.ChunkedArray, ends: NDArray[np.int64], rows: NDArray[np.int64]) -> list[str]:
    """Return the values at `rows`; Arrow's own `take` would join all chunks first, in memory."""
    found: NDArray[np.object_] = np.empty(len(rows), object)
    chunks = np.searchsorted(ends, rows, side="right")
    for number in np.unique(chunks):
        chunk = column.chunk(int(number))
        places = np.flatnonzero(chunks == number)
        inside = rows[places] - (int(ends[number]) - len(chunk))
        found[places] = chunk.take(pa.array(inside)).to_pylist()
    values: list[str] = found.tolist()
    return values


def _damaged(folder: Path, what: str) -> DataError:
    return DataError(
        f"{folder}: this is not a whole prepared data set: {what}. Delete the folder and run again."
    )
