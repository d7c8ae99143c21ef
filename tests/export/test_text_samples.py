"""Texts as what models are asked with."""

import numpy as np
import pytest

from compress.data.pieces import Pieces, write_pieces
from compress.tokenizers.tokenizer import PieceTokenizer
from export.text_samples import (
    STRANGE,
    cut_samples,
    piece_samples,
    text_samples,
    verification_texts,
)

TEXTS = ["love this dress", "", "too small, not the color of the picture", "很喜欢这条裙子"]
PRODUCTS = ["red dress", "blue wool hat", "", "small shoe"]


class Split:
    """A split of a data set: texts by row."""

    def __init__(self, first, second=None):
        self.first, self.second = first, second

    def __len__(self):
        return len(self.first)

    def texts(self, rows):
        second = None if self.second is None else [self.second[row] for row in rows]
        return [self.first[row] for row in rows], second


@pytest.fixture(scope="module")
def tokenizer(tiny_bert):
    return PieceTokenizer.load(tiny_bert)


def test_pieces_are_padded_on_the_right_and_know_their_length(tokenizer):
    samples = cut_samples(tokenizer, ["dress", "red dress"], None, 16)
    dress, red = (tokenizer.vocabulary[one] for one in ("dress", "red"))
    assert samples.arrays["input_ids"].tolist() == [[2, dress, 3, 0], [2, red, dress, 3]]
    assert samples.arrays["attention_mask"].tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert samples.lengths.tolist() == [3, 4]
    assert set(samples.arrays) == {"input_ids", "attention_mask"}
    assert {array.dtype for array in samples.arrays.values()} == {np.dtype(np.int32)}


def test_of_pairs_the_second_text_is_marked(tokenizer):
    samples = cut_samples(tokenizer, ["red dress", "red"], ["hat", "wool hat"], 16)
    assert samples.arrays["token_type_ids"].tolist() == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1]]
    padded = cut_samples(tokenizer, ["red", "red"], ["hat", "wool hat"], 16)
    assert padded.arrays["token_type_ids"].tolist() == [[0, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1]]


@pytest.mark.parametrize("second", [None, PRODUCTS])
def test_pieces_that_were_stored_are_the_same_samples(tokenizer, tmp_path, second):
    write_pieces(tmp_path, "test", tokenizer, Split(TEXTS, second), 8)
    stored = Pieces.open(tmp_path, "test", tokenizer.padding_id)
    found = piece_samples(stored, is_pair=second is not None)
    expected = cut_samples(tokenizer, TEXTS, second, 8)
    assert set(found.arrays) == set(expected.arrays)
    for name, array in expected.arrays.items():
        assert np.array_equal(found.arrays[name], array), name
    assert found.lengths.tolist() == expected.lengths.tolist()


def test_a_text_without_any_piece_is_asked_as_one_of_padding():
    class Nothing:
        padding_id = 7

        def encode(self, first, second, max_length):
            return [Row([5, 6], 2), Row([], 0)]

    class Row:
        def __init__(self, ids, second_start):
            self.ids, self.second_start = ids, second_start

    samples = cut_samples(Nothing(), ["a", ""], None, 4)
    assert samples.row(1)["input_ids"].tolist() == [[7]]
    assert samples.row(1)["attention_mask"].tolist() == [[0]]


def test_texts_themselves_have_the_names_of_the_files_inputs():
    assert text_samples(TEXTS).row(2)["text"].tolist() == [TEXTS[2]]
    pair = text_samples(TEXTS, PRODUCTS).row(3)
    assert {name: array.tolist() for name, array in pair.items()} == {
        "query": [TEXTS[3]],
        "product": [PRODUCTS[3]],
    }


def test_real_texts_are_spread_evenly_behind_the_hard_ones(tokenizer):
    split = Split([f"text {at}" for at in range(100)])
    lengths = np.full(100, 4)
    first, second = verification_texts(split, lengths, 10, 16)
    assert second is None
    assert first[0] == ""
    assert first[3:] == [f"text {at}" for at in range(0, 100, 11)]
    cut = cut_samples(tokenizer, first, None, 16)
    assert cut.lengths[0] == 2
    assert cut.lengths[2] == 16
    assert (cut.row(1)["input_ids"][0, 1:-1] == tokenizer.unknown_id).all()


def test_the_longest_text_is_repeated_until_it_is_cut(tokenizer):
    split = Split(["dress", "red dress", "hat"])
    first, _ = verification_texts(split, np.array([3, 4, 3]), 3, 16)
    assert set(first[2].split()) == {"red", "dress"}
    assert tokenizer.encode([first[2]], None, 16)[0].was_truncated


def test_pairs_are_hard_on_both_sides():
    first, second = verification_texts(Split(TEXTS, PRODUCTS), np.array([8, 7, 9, 5]), 4, 16)
    assert (first[:2], second[:2]) == (["", STRANGE], ["", STRANGE])
    assert first[2].startswith(TEXTS[2])
    assert (first[3:], second[3:]) == (TEXTS, PRODUCTS)


def test_a_tiny_split_gives_as_many():
    first, _ = verification_texts(Split(["a", "b"]), np.array([3, 3]), 5, 16)
    assert first[3:] == ["a", "b", "a", "b", "a"]
