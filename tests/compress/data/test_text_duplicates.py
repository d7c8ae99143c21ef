import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.data.text_duplicates import (
    also_measured,
    count_duplicates,
    normalised,
    pair_hashes,
    text_hashes,
)
from compress.data.text_split import TEST, TRAIN, UNLABELLED, VALIDATION


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Red  Dress\n", "red dress"),
        ("STRASSE", "straße"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("ﬁne", "fine"),
        ("cafe\u0301", "CAFÉ"),
    ],
)
def test_texts_that_read_the_same_are_the_same(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)
    assert len(set(text_hashes([one, other]).tolist())) == 1


@pytest.mark.parametrize("other", ["red dresses", "red-dress", "réd dress", "red\x00dress", ""])
def test_texts_that_differ_are_not(other: str) -> None:
    assert len(set(text_hashes(["red dress", other]).tolist())) == 2


@given(st.lists(st.text(max_size=5), max_size=8))
def test_hashes_are_equal_exactly_where_the_texts_are(texts: list[str]) -> None:
    hashes = text_hashes(texts).tolist()
    assert len(set(hashes)) == len({normalised(text) for text in texts})
    assert hashes == [int(text_hashes([text])[0]) for text in texts]


def test_both_texts_of_a_pair_count_in_their_order() -> None:
    pairs = [("a", "b"), ("b", "a"), ("a", "a"), ("ab", ""), ("", "ab"), ("a", "b")]
    first = text_hashes([one for one, _ in pairs])
    second = text_hashes([two for _, two in pairs])
    hashes = pair_hashes(first, second).tolist()
    assert hashes[0] == hashes[5]
    assert len(set(hashes)) == 5


TEXTS = ["a", "A", "b", "c", "d", "b", "d", "e", "a", "c", "x"]
SPLIT = [TRAIN] * 4 + [VALIDATION] + [TEST] * 4 + [UNLABELLED] * 2


def test_duplicates_are_counted_by_where_they_are() -> None:
    # Train: a A b c. Validation: d. Test: b d e a. Unlabelled: c x.
    assert count_duplicates(text_hashes(TEXTS), np.array(SPLIT, np.uint8)) == {
        "duplicates_in_training": 1,
        "duplicates_across_splits": 3,  # a, A and b
        "test_texts_in_training": 2,  # b and a
        "validation_texts_in_test": 1,  # d
        "unlabelled_texts_in_validation_or_test": 0,
    }


def test_what_is_learnt_from_and_measured_on_is_marked() -> None:
    hashes = text_hashes([*TEXTS[:10], "E"])
    splits = np.array(SPLIT, np.uint8)
    assert np.flatnonzero(also_measured(hashes, splits, TRAIN)).tolist() == [0, 1, 2]
    assert np.flatnonzero(also_measured(hashes, splits, UNLABELLED)).tolist() == [10]
