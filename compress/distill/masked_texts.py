"""More texts to learn from: copies of the training texts with word pieces masked.

As in Tang et al. 2019 ("Distilling Task-Specific Knowledge from BERT into Simple Neural Networks"),
section 3.2: the teacher says what it makes of a text in which some pieces are hidden, and the
student learns that. A copy is a text, in which `MASK_CHARACTER` stands where a piece was, so that
teacher and student can cut it in their own ways: it is made for one tokenizer and read by any.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numpy.typing import NDArray

from compress.data.pieces import TextRows
from compress.data.text_dataset import Examples
from compress.files import open_atomically
from compress.tokenizers.tokenizer import MASK_CHARACTER, Encoded, PieceTokenizer

MASKED = "masked.arrow"
_TEXTS_AT_ONCE = 1024


class MaskedTextCutter:
    """Cuts texts in which `MASK_CHARACTER` stands for a mask: a `TextCutter` for `write_pieces`."""

    def __init__(self, tokenizer: PieceTokenizer) -> None:
        self._tokenizer = tokenizer

    @property
    def unknown_id(self) -> int | None:
        """The piece that stands for what no other piece covers."""
        return self._tokenizer.unknown_id

    def encode(
        self, first: list[str], second: list[str] | None, max_length: int
    ) -> Sequence[Encoded]:
        """Cut as the tokenizer does, with its mask piece for every `MASK_CHARACTER`."""
        return self._tokenizer.encode(first, second, max_length, mask_character=MASK_CHARACTER)


class UnmaskedTexts:
    """Texts as they are, but for a `MASK_CHARACTER` of their own: that is a space, and no mask."""

    def __init__(self, texts: TextRows) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def texts(self, rows: NDArray[np.int64]) -> tuple[list[str], list[str] | None]:
        """Return the first texts of some rows and, for pairs, the second; in the order given."""
        first, second = self._texts.texts(rows)
        return _without_masks(first), None if second is None else _without_masks(second)


def masked_copies(
    first: Sequence[str],
    second: Sequence[str] | None,
    tokenizer: PieceTokenizer,
    *,
    share: float,
    copies: int,
    seed: int,
    first_row: int = 0,
) -> tuple[list[str], list[str] | None]:
    """Return copies of texts, or of pairs, with pieces replaced by `MASK_CHARACTER`.

    Which pieces depends on the seed, the row and the number of the copy alone. At least one piece
    is masked; a text without any stays as it is.

    Args:
        first: N texts.
        second: N texts, each the pair of one; None: no pairs.
        tokenizer: Whose pieces are masked.
        share: Of the pieces of a text, or of a pair together.
        copies: Of each text.
        seed: Of the choice.
        first_row: Number of the first of these texts among all.

    Returns:
        `N x copies` texts, and as many of their pairs or None: the copies of a text follow each
        other.
    """
    firsts: list[str] = []
    seconds: list[str] = []
    first_spans = _spans(first, tokenizer)
    second_spans = [_NO_SPANS] * len(first) if second is None else _spans(second, tokenizer)
    for row, (ours, theirs) in enumerate(zip(first_spans, second_spans, strict=True)):
        pieces = len(ours) + len(theirs)
        for copy in range(copies):
            generator = np.random.default_rng([seed, first_row + row, copy])
            count = min(pieces, max(1, round(share * pieces)))
            chosen = np.sort(generator.permutation(pieces)[:count])
            firsts.append(_mask(first[row], ours[chosen[chosen < len(ours)]]))
            if second is not None:
                rest = chosen[chosen >= len(ours)] - len(ours)
                seconds.append(_mask(second[row], theirs[rest]))
    return firsts, None if second is None else seconds


def write_masked_copies(
    folder: Path,
    texts: TextRows,
    tokenizer: PieceTokenizer,
    *,
    share: float,
    copies: int,
    seed: int,
) -> None:
    """Write the masked copies of all texts to `masked.arrow`; see `masked_copies`.

    Memory does not grow with the number of texts.
    """
    is_pair = texts.texts(np.arange(0))[1] is not None
    names = ["first", "second"] if is_pair else ["first"]
    schema = pa.schema([(name, pa.large_string()) for name in names])
    with open_atomically(folder / MASKED) as file, pa.ipc.new_file(file, schema) as writer:
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            rows = np.arange(start, min(start + _TEXTS_AT_ONCE, len(texts)))
            found = masked_copies(
                *texts.texts(rows),
                tokenizer,
                share=share,
                copies=copies,
                seed=seed,
                first_row=start,
            )
            columns = [pa.array(one, pa.large_string()) for one in found if one is not None]
            writer.write_batch(pa.record_batch(columns, schema=schema))


def read_masked_copies(folder: Path) -> TextRows:
    """Open what `write_masked_copies` wrote, by memory map."""
    with pa.memory_map(str(folder / MASKED)) as file:
        table = pa.ipc.open_file(file).read_all()
    second = table["second"] if "second" in table.column_names else None
    nothing = np.zeros(len(table), np.int64)
    return Examples(table["first"], second, nothing, nothing)


def _without_masks(texts: list[str]) -> list[str]:
    return [text.replace(MASK_CHARACTER, " ") for text in texts]


_NO_SPANS = np.zeros((0, 2), np.int64)


def _spans(texts: Sequence[str], tokenizer: PieceTokenizer) -> list[NDArray[np.int64]]:
    """Where in each text its pieces are: `[pieces, 2]`, first character and the one after."""
    encoded = tokenizer.backend.encode_batch(list(texts), add_special_tokens=False)
    spans = [np.array(one.offsets, np.int64).reshape(-1, 2) for one in encoded]
    return [one[one[:, 1] > one[:, 0]] for one in spans]


def _mask(text: str, spans: NDArray[np.int64]) -> str:
    """Put a mask in the place of each span; of spans that overlap, one for all."""
    parts: list[str] = []
    end = 0
    for start, stop in spans.tolist():
        if start >= end:
            parts += [text[end:start], MASK_CHARACTER]
        end = max(end, stop)
    return "".join([*parts, text[end:]])
