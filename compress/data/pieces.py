"""Texts as word pieces: cut once, stored flat, read by memory map in padded batches."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from compress.data.npy_writer import NpyWriter
from compress.errors import DataError

_TEXTS_AT_ONCE = 1024
"""Texts that are cut in one call of the tokenizer; bounds the memory that cutting takes."""


class TextRows(Protocol):
    """Texts, or pairs of texts, by row: `compress.data.text_dataset.Examples` for one."""

    def __len__(self) -> int: ...

    def texts(self, rows: NDArray[np.int64]) -> tuple[list[str], list[str] | None]:
        """Return the first texts of some rows and, for pairs, the second."""
        ...


class TextCutter(Protocol):
    """What cuts texts into pieces: `compress.tokenizers.tokenizer.PieceTokenizer`."""

    @property
    def unknown_id(self) -> int | None:
        """The piece that stands for what no other piece covers; None: there is no need of one."""
        ...

    def encode(
        self, first: list[str], second: list[str] | None, max_length: int
    ) -> Sequence[tuple[Sequence[int], int, bool]]:
        """Return of each row its pieces, where the second text begins, and whether it was cut."""
        ...


@dataclass(frozen=True)
class Batch:
    """B rows of pieces, padded on the right to the longest of them, L.

    Attributes:
        input_ids: int64 [B, L], pieces.
        attention_mask: int64 [B, L], 1 for pieces, 0 for padding.
        token_type_ids: int64 [B, L], 1 for the second text of a pair, else 0.
    """

    input_ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]
    token_type_ids: NDArray[np.int64]


@dataclass(frozen=True)
class PieceCounts:
    """What came of cutting texts into pieces.

    Attributes:
        texts: Rows, a pair being one.
        pieces: All pieces that were stored, special ones included.
        truncated: Rows that were longer than `max_length` and lost their end.
        unknown: Pieces that stand for something that the tokenizer does not know.
        longest: Pieces of the longest row, at most `max_length`.
    """

    texts: int
    pieces: int
    truncated: int
    unknown: int
    longest: int

    @classmethod
    def read(cls, folder: Path, name: str) -> "PieceCounts":
        """Read what `write_pieces` counted.

        Raises:
            DataError: The file is missing or broken.
        """
        try:
            return cls(**json.loads((folder / f"{name}.counts.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise _damaged(folder, name, f"{type(error).__name__}: {error}") from error


def write_pieces(
    folder: Path,
    name: str,
    tokenizer: TextCutter,
    examples: TextRows,
    max_length: int,
    *,
    progress: Callable[[str, float], None] = lambda note, done: None,
) -> PieceCounts:
    """Cut texts into pieces and write the files that `Pieces.open` reads.

    - `{name}.pieces.npy`: int32, the pieces of all rows, one row after the other.
    - `{name}.offsets.npy`: int64 [N + 1]; row i is pieces[offsets[i]:offsets[i + 1]].
    - `{name}.seconds.npy`: int32 [N], where in its row the second text begins; the row's length
      when there is none.
    - `{name}.counts.json`: the `PieceCounts`.

    Memory does not grow with the number of texts.

    Args:
        folder: Where to write.
        name: Stem of the files, such as the split's.
        tokenizer: Cuts and truncates.
        examples: N texts or pairs.
        max_length: Most pieces of a row, special ones included.
        progress: Is told a note and the finished share, 0 to 1.
    """
    rows, truncated, unknown, longest = len(examples), 0, 0, 0
    with (
        NpyWriter(folder / f"{name}.pieces.npy", np.int32) as pieces,
        NpyWriter(folder / f"{name}.offsets.npy", np.int64) as offsets,
        NpyWriter(folder / f"{name}.seconds.npy", np.int32) as seconds,
    ):
        offsets.append(np.zeros(1, np.int64))
        for start in range(0, rows, _TEXTS_AT_ONCE):
            some = np.arange(start, min(start + _TEXTS_AT_ONCE, rows))
            cut = tokenizer.encode(*examples.texts(some), max_length)
            lengths = np.array([len(ids) for ids, _, _ in cut], np.int64)
            flat = np.fromiter((piece for ids, _, _ in cut for piece in ids), np.int32)
            offsets.append(pieces.length + np.cumsum(lengths))
            seconds.append(np.minimum([second for _, second, _ in cut], lengths))
            pieces.append(flat)
            truncated += sum(was_truncated for _, _, was_truncated in cut)
            if tokenizer.unknown_id is not None:
                unknown += int(np.count_nonzero(flat == tokenizer.unknown_id))
            longest = max(longest, int(lengths.max()))
            progress(f"{some[-1] + 1:,} of {rows:,} texts cut into pieces", (some[-1] + 1) / rows)
    counts = PieceCounts(rows, pieces.length, truncated, unknown, longest)
    text = json.dumps(asdict(counts), indent=2)
    (folder / f"{name}.counts.json").write_text(text + "\n", encoding="utf-8")
    return counts


@dataclass(frozen=True)
class Pieces:
    """N rows of pieces, memory-mapped.

    Attributes:
        pieces: int32, the pieces of all rows.
        offsets: int64 [N + 1]; row i is pieces[offsets[i]:offsets[i + 1]].
        seconds: int32 [N], where in its row the second text begins.
        padding_id: Fills up shorter rows of a batch.
    """

    pieces: NDArray[np.int32]
    offsets: NDArray[np.int64]
    seconds: NDArray[np.int32]
    padding_id: int

    @classmethod
    def open(cls, folder: Path, name: str, padding_id: int) -> "Pieces":
        """Open what `write_pieces` wrote.

        Raises:
            DataError: A file is missing or broken, or the files disagree.
        """
        try:
            pieces, offsets, seconds = (_map(folder / f"{name}.{part}.npy") for part in _PARTS)
        except (OSError, ValueError) as error:
            raise _damaged(folder, name, f"{type(error).__name__}: {error}") from error
        if not (pieces.dtype == seconds.dtype == np.int32 and offsets.dtype == np.int64):
            raise _damaged(folder, name, "a file holds another type of number")
        if len(offsets) != len(seconds) + 1 or offsets[-1] != len(pieces):
            raise _damaged(folder, name, "the files disagree in length")
        return cls(pieces, offsets, seconds, padding_id)

    def __len__(self) -> int:
        return len(self.seconds)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """int64 [N], the number of pieces of each row."""
        return np.diff(self.offsets)

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        """Return some rows, padded on the right to the longest of them (to at least 1).

        Args:
            rows: int64 [B], each at least 0 and below N.
        """
        starts = self.offsets[rows]
        lengths = self.offsets[rows + 1] - starts
        places = np.arange(max(int(lengths.max(initial=0)), 1))
        inside = places < lengths[:, None]
        input_ids = np.full(inside.shape, self.padding_id, np.int64)
        input_ids[inside] = self.pieces[(starts[:, None] + places)[inside]]
        second = inside & (places >= self.seconds[rows][:, None])
        return Batch(input_ids, inside.astype(np.int64), second.astype(np.int64))


_PARTS = ("pieces", "offsets", "seconds")


def _map(path: Path) -> NDArray[Any]:
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _damaged(folder: Path, name: str, what: str) -> DataError:
    return DataError(
        f"{folder}: the pieces {name!r} are not whole: {what}. Delete the folder and run again."
    )
