"""Full ranking of the validation split."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from compress.distill.validation import ValidationSet, full_ranks


def test_rank_counts_better_unseen_items():
    scores = np.array([[5, 4, 3, 2, 1]], dtype=np.float32)
    # The target is item 2 (code 4); item 0 (code 2) was seen, item 1 is better.
    seen = np.array([2], dtype=np.int32)
    ranks = full_ranks(scores, np.array([4]), np.array([0, 1]), seen, np.array([0]))
    assert ranks.tolist() == [1]


def test_equal_scores_rank_in_catalogue_order():
    scores = np.zeros((1, 4), dtype=np.float32)
    offsets, seen = np.array([0, 0]), np.array([], dtype=np.int32)
    for item in range(4):
        ranks = full_ranks(scores, np.array([item + 2]), offsets, seen, np.array([0]))
        assert ranks.tolist() == [item]


@given(
    arrays.arrays(np.float32, (3, 6), elements=st.integers(-3, 3).map(float)),
    st.lists(st.lists(st.integers(2, 7), max_size=4), min_size=3, max_size=3),
    st.lists(st.integers(2, 7), min_size=3, max_size=3),
)
def test_agrees_with_sorting_in_plain_python(scores, seen, targets):
    lists = seen
    offsets = np.cumsum([0, *map(len, lists)])
    flat = np.array([code for codes in lists for code in codes], dtype=np.int32)
    cases = np.array([2, 0, 1])
    ranks = full_ranks(scores[cases], np.array(targets)[cases], offsets, flat, cases)
    for rank, case in zip(ranks, cases, strict=True):
        allowed = [code for code in range(2, 8) if code not in lists[case]]
        order = sorted(allowed, key=lambda code: (-scores[case, code - 2], code))
        if targets[case] in order:
            assert rank == order.index(targets[case])
        else:
            assert rank >= len(order)


def test_batches_cover_every_case_once_and_give_ndcg():
    n = 7
    rng = np.random.default_rng(0)
    validation = ValidationSet(
        histories=rng.integers(2, 12, (n, 3)).astype(np.int32),
        targets=np.full(n, 2, dtype=np.int32),
        seen_offsets=np.zeros(n + 1, dtype=np.int64),
        seen=np.array([], dtype=np.int32),
        batch_size=3,
    )
    assert [len(validation[batch][1]) for batch in range(len(validation))] == [3, 3, 1]
    scores = np.tile(np.array([8, 9, 0, 0], dtype=np.float32), (n, 1))
    assert validation.mean_ndcg(lambda h: scores[: len(h)]) == pytest.approx(1 / math.log2(3))
    with pytest.raises(IndexError):
        validation[3]


def test_scores_that_are_no_numbers_never_rank_first():
    scores = np.full((2, 4), np.nan, dtype=np.float32)
    scores[1] = [np.nan, 1, 2, 3]
    empty = np.array([], dtype=np.int32)
    ranks = full_ranks(scores, np.array([2, 5]), np.zeros(3, np.int64), empty, np.array([0, 1]))
    assert ranks.tolist() == [4, 1]
