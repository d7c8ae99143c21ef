import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from compress.data.pieces import Batch, Pieces
from compress.teachers.piece_counts import PieceCounter

PADDING, START, END, UNKNOWN = 0, 1, 2, 3
COUNTER = PieceCounter(8, special=(PADDING, START, END, UNKNOWN), separators=(PADDING, START, END))


def batch(*rows: list[int], second_from: int | None = None) -> Batch:
    ids = np.full((len(rows), max(len(row) for row in rows)), PADDING, dtype=np.int64)
    mask, types = np.zeros_like(ids), np.zeros_like(ids)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
        if second_from is not None:
            types[number, second_from : len(row)] = 1
    return Batch(ids, mask, types)


def test_pieces_are_counted_and_special_ones_are_not() -> None:
    counts = COUNTER.counts(batch([START, 5, 5, 7, UNKNOWN, END], [START, END]))
    assert_array_equal(counts.toarray(), [[0, 0, 0, 0, 0, 2, 0, 1], [0] * 8])
    assert COUNTER.words == 4


def test_padding_is_not_counted_even_where_it_is_a_word() -> None:
    counter = PieceCounter(8)
    padded = batch([5, 5, 6], [7])
    assert counter.counts(padded).toarray()[1].tolist() == [0, 0, 0, 0, 0, 0, 0, 1]


def test_second_text_begins_after_the_separator() -> None:
    """As MPNet writes pairs: one type for both texts, two separators between them."""
    first, second = COUNTER.pair_counts(batch([START, 5, 6, END, END, 6, 7, 6, END]))
    assert_array_equal(first.toarray(), [[0, 0, 0, 0, 0, 1, 1, 0]])
    assert_array_equal(second.toarray(), [[0, 0, 0, 0, 0, 0, 2, 1]])


def test_second_text_begins_where_the_type_changes() -> None:
    """A tokenizer without separators that gives the texts types."""
    first, second = COUNTER.pair_counts(batch([5, 6, 6, 7], second_from=2))
    assert_array_equal(first.toarray(), [[0, 0, 0, 0, 0, 1, 1, 0]])
    assert_array_equal(second.toarray(), [[0, 0, 0, 0, 0, 0, 1, 1]])


def test_an_unknown_piece_does_not_end_the_first_text() -> None:
    first, second = COUNTER.pair_counts(batch([START, UNKNOWN, 5, END, 6, END]))
    assert_array_equal(first.toarray()[0, 4:], [0, 1, 0, 0])
    assert_array_equal(second.toarray()[0, 4:], [0, 0, 1, 0])


def test_a_text_may_be_empty() -> None:
    first, second = COUNTER.pair_counts(batch([START, 5, END, END], [START, END, END]))
    assert first.sum() == 1
    assert second.sum() == 0


@given(st.lists(st.lists(st.integers(0, 7), max_size=6), min_size=1, max_size=5))
def test_counts_equal_counting_one_by_one(rows: list[list[int]]) -> None:
    counts = COUNTER.counts(batch(*rows, [START])).toarray()
    for row, found in zip(rows, counts, strict=False):
        words = [piece for piece in row if piece not in COUNTER.special]
        assert found.tolist() == [words.count(piece) for piece in range(8)]


def test_large_data_is_read_in_parts_and_only_as_far_as_asked() -> None:
    rows = 10_000
    pieces = Pieces(
        np.arange(rows, dtype=np.int32) % 8, np.arange(rows + 1), np.ones(rows, np.int32), PADDING
    )
    parts = [(part, batch.input_ids) for part, batch in COUNTER.batches(pieces, 9_000)]
    assert len(parts) > 1
    assert parts[-1][0].stop == 9_000
    assert_array_equal(np.concatenate([ids for _, ids in parts])[:, 0], np.arange(9_000) % 8)


def test_counter_survives_saving() -> None:
    assert PieceCounter.of(COUNTER.arrays()) == COUNTER
    assert PieceCounter.of(PieceCounter(3).arrays()) == PieceCounter(3)
