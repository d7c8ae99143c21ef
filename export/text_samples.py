"""Texts as what a model is asked with: the texts themselves, or the pieces that they are cut into.

Pieces are int32, padded on the right; `token_type_ids` are there for pairs alone, as in the files.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from export.samples import Samples

if TYPE_CHECKING:
    from compress.data.pieces import Pieces, TextRows
    from compress.tokenizers.tokenizer import PieceTokenizer

STRANGE = "\U00010380\U00010381\U00010382 \U00010000\U00010001"
"""Letters (Ugaritic, Linear B) that hardly any vocabulary has: all pieces are unknown."""
_ROWS_AT_ONCE = 4096

Texts = tuple[list[str], list[str] | None]
"""First texts and, for pairs, second ones."""


def verification_texts(
    examples: "TextRows", lengths: NDArray[np.int64], number: int, max_length: int
) -> Texts:
    """Choose real texts spread evenly over a split, and put hard ones before them.

    The first is empty, the second is of letters that no tokenizer knows, the third is the longest
    there is, repeated until it has to be cut.

    Args:
        examples: A split, at least one example.
        lengths: `[N]` pieces of each example.
        number: How many real ones; in a small split some are taken twice.
        max_length: The most pieces that a model reads.

    Returns:
        `number + 3` texts or pairs.
    """
    count = len(examples)
    rows = np.resize(np.linspace(0, count - 1, min(number, count)).astype(np.int64), number)
    first, second = examples.texts(rows)
    longest = int(np.argmax(lengths))
    times = 1 + max_length // max(1, int(lengths[longest]) - 3)  # at most 3 pieces are no text
    first_of, second_of = examples.texts(np.array([longest]))

    def with_hard_ones(real: list[str], long: str) -> list[str]:
        return ["", STRANGE, " ".join([long] * times), *real]

    if second is None or second_of is None:
        return with_hard_ones(first, first_of[0]), None
    return with_hard_ones(first, first_of[0]), with_hard_ones(second, second_of[0])


def text_samples(first: Sequence[str], second: Sequence[str] | None = None) -> Samples:
    """`text`, or `query` and `product`, for files that cut texts themselves."""
    if second is None:
        return Samples({"text": _objects(first)})
    return Samples({"query": _objects(first), "product": _objects(second)})


def cut_samples(
    tokenizer: "PieceTokenizer", first: list[str], second: list[str] | None, max_length: int
) -> Samples:
    """Cut texts into the pieces that a file without tokenizer takes.

    Args:
        tokenizer: The model's own.
        first: N texts.
        second: N texts, each the pair of one; None: no pairs.
        max_length: The most pieces of a row.
    """
    cut = tokenizer.encode(first, second, max_length)
    lengths = np.array([len(one.ids) for one in cut], dtype=np.int64)
    seconds = np.array([one.second_start for one in cut], dtype=np.int64)
    width = max(1, int(lengths.max(initial=1)))
    ids = np.full((len(cut), width), tokenizer.padding_id, dtype=np.int32)
    for row, one in enumerate(cut):
        ids[row, : len(one.ids)] = one.ids
    place = np.arange(width)
    is_piece = place < lengths[:, None]
    arrays = {"input_ids": ids, "attention_mask": is_piece.astype(np.int32)}
    if second is not None:
        arrays["token_type_ids"] = (is_piece & (place >= seconds[:, None])).astype(np.int32)
    return Samples(arrays, np.maximum(lengths, 1).astype(np.int32))


def piece_samples(pieces: "Pieces", *, is_pair: bool) -> Samples:
    """Take over the pieces of a split that was cut already, in its order.

    Args:
        pieces: N rows.
        is_pair: Whether rows are pairs of texts.
    """
    names = ("input_ids", "attention_mask", "token_type_ids")[: 3 if is_pair else 2]
    # A row without any piece is asked as one piece of padding: no model takes nothing at all.
    lengths = np.maximum(pieces.lengths, 1).astype(np.int32)
    shape = (len(pieces), int(lengths.max(initial=1)))
    arrays = {name: np.zeros(shape, dtype=np.int32) for name in names}
    arrays["input_ids"][:] = pieces.padding_id
    for start in range(0, len(pieces), _ROWS_AT_ONCE):
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(pieces)))
        batch = pieces.batch(rows)
        width = batch.input_ids.shape[1]
        for name in names:
            arrays[name][rows, :width] = getattr(batch, name)
    return Samples(arrays, lengths)


def _objects(texts: Sequence[str]) -> NDArray[np.object_]:
    found = np.empty(len(texts), dtype=object)
    found[:] = texts
    return found
