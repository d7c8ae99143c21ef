"""How often each piece of a vocabulary occurs in a text: what models that count read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no type information

from compress.data.pieces import Batch, Pieces

_ROWS_AT_ONCE = 4096
"""Texts that are counted together; bounds the memory that fitting takes."""


@dataclass(frozen=True)
class PieceCounter:
    """Counts the pieces of texts, all but the special ones."""

    vocabulary: int
    """V: the greatest id + 1."""
    special: tuple[int, ...] = ()
    """Ids that are no words: not counted."""
    separators: tuple[int, ...] = ()
    """Of these, the ids that may stand around and between the two texts of a pair."""

    @property
    def words(self) -> int:
        """How many ids are counted."""
        return self.vocabulary - len(self.special)

    def counts(self, batch: Batch) -> sparse.csr_array:
        """Return how often each piece occurs in each row, `[B, V]`."""
        return self._counts(batch.input_ids, self._is_word(batch))

    def pair_counts(self, batch: Batch) -> tuple[sparse.csr_array, sparse.csr_array]:
        """Return the same of the first and of the second text of each row, `[B, V]` each.

        The second text is what has token type 1, or else what follows a separator that follows
        the first text: some tokenizers give both texts the same type.
        """
        inside = batch.attention_mask == 1
        separates = np.isin(batch.input_ids, self.separators) & inside
        begun = np.logical_or.accumulate(inside & ~separates, axis=1)
        second = np.logical_or.accumulate(begun & separates, axis=1) | (batch.token_type_ids == 1)
        words = self._is_word(batch)
        return (
            self._counts(batch.input_ids, words & ~second),
            self._counts(batch.input_ids, words & second),
        )

    def batches(self, pieces: Pieces, rows: int) -> Iterator[tuple[slice, Batch]]:
        """Yield the first `rows` rows in large batches, with where they are."""
        for start in range(0, rows, _ROWS_AT_ONCE):
            part = slice(start, min(start + _ROWS_AT_ONCE, rows))
            yield part, pieces.batch(np.arange(part.start, part.stop))

    def arrays(self) -> dict[str, NDArray[np.int64]]:
        """Return what `of` makes an equal counter of."""
        return {
            "vocabulary": np.array(self.vocabulary),
            "special": np.array(self.special, dtype=np.int64),
            "separators": np.array(self.separators, dtype=np.int64),
        }

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> "PieceCounter":
        """Make the counter whose `arrays` are among these."""
        return cls(
            int(arrays["vocabulary"]),
            tuple(arrays["special"].tolist()),
            tuple(arrays["separators"].tolist()),
        )

    def _is_word(self, batch: Batch) -> NDArray[np.bool_]:
        words: NDArray[np.bool_] = np.isin(batch.input_ids, self.special, invert=True)
        words &= batch.attention_mask == 1
        return words

    def _counts(self, ids: NDArray[np.int64], counted: NDArray[np.bool_]) -> sparse.csr_array:
        rows = np.nonzero(counted)[0]
        cells = (np.ones(len(rows)), (rows, ids[counted]))
        return sparse.coo_array(cells, shape=(len(ids), self.vocabulary)).tocsr()
