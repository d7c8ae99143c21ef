import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.metrics import (
    NOT_FOUND,
    coverage,
    drop_seen,
    ranking_metrics,
    target_ranks,
    top_k_overlap,
)


def codes(*rows: list[int]) -> np.ndarray:
    return np.array(rows, dtype=np.int32)


# A case of each: a ranking without repeats, padded with 0, and what the case has seen.
rankings = st.integers(1, 6).flatmap(
    lambda k: st.lists(
        st.lists(st.integers(2, 12), unique=True, max_size=k).map(
            lambda row: row + [0] * (k - len(row))
        ),
        min_size=1,
        max_size=8,
    )
)
seen_lists = st.lists(st.integers(2, 14), max_size=6)


def test_rank_is_the_place_of_the_target_counted_from_0():
    ranking = codes([7, 3, 9], [7, 3, 9], [7, 3, 0])
    assert target_ranks(ranking, codes([7, 9, 5])[0]).tolist() == [0, 2, NOT_FOUND]


def test_target_missing_from_a_short_list_is_outside_every_cutoff():
    """A catalogue of 3 items, ranked whole: not found must not look like place 3."""
    ranks = target_ranks(codes([2, 3, 4]), codes([5])[0])
    assert ranking_metrics(ranks, ks=(10,))["hit@10"].tolist() == [0.0]


def test_cutoff_beyond_the_catalogue_still_finds_what_is_there():
    ranks = target_ranks(codes([2, 3, 4]), codes([4])[0])
    assert ranking_metrics(ranks, ks=(20,))["mrr@20"].tolist() == [pytest.approx(1 / 3)]


def test_metrics_of_hand_computed_ranks():
    metrics = ranking_metrics(np.array([0, 1, 6, 9, 10, 19, 20, NOT_FOUND]))
    assert metrics["hit@10"].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert metrics["hit@20"].tolist() == [1, 1, 1, 1, 1, 1, 0, 0]
    assert metrics["ndcg@10"].tolist() == pytest.approx(
        [1.0, 0.6309297535714575, 1 / 3, 0.2890648263178879, 0, 0, 0, 0]
    )
    assert metrics["mrr@20"].tolist() == pytest.approx(
        [1, 1 / 2, 1 / 7, 1 / 10, 1 / 11, 0.05, 0, 0]
    )


@given(rankings, st.data())
def test_metrics_equal_their_plain_definition(rows, data):
    targets = [data.draw(st.integers(2, 12)) for _ in rows]
    metrics = ranking_metrics(
        target_ranks(codes(*rows), np.array(targets, np.int32)), ks=(1, 3, 10)
    )
    for case, (row, target) in enumerate(zip(rows, targets, strict=True)):
        for k in (1, 3, 10):
            shown = row[:k]
            found = target in shown
            place = shown.index(target) + 1 if found else None
            assert metrics[f"hit@{k}"][case] == metrics[f"recall@{k}"][case] == float(found)
            assert metrics[f"mrr@{k}"][case] == pytest.approx(1 / place if found else 0)
            assert metrics[f"ndcg@{k}"][case] == pytest.approx(
                1 / math.log2(place + 1) if found else 0
            )


@pytest.mark.parametrize(
    ("ranking", "targets", "says"),
    [
        (np.zeros((0, 5), np.int32), np.zeros(0, np.int32), "no cases"),
        (codes([2, 3]), codes([2, 3])[0], "do not belong together"),
        (codes([2, 0]), codes([0])[0], "padding"),
    ],
)
def test_ranks_refuse_what_has_no_answer(ranking, targets, says):
    with pytest.raises(ValueError, match=says):
        target_ranks(ranking, targets)


@pytest.mark.parametrize(
    ("ranks", "ks", "says"),
    [([], (10,), "no cases"), ([-1], (10,), "negative"), ([3], (0,), "at least 1")],
)
def test_metrics_refuse_what_has_no_answer(ranks, ks, says):
    with pytest.raises(ValueError, match=says):
        ranking_metrics(np.array(ranks, dtype=np.int64), ks)


def test_coverage_counts_items_of_the_top_k_and_no_padding():
    ranking = codes([2, 3, 0], [3, 4, 5])
    assert coverage(ranking, items=10, k=2) == pytest.approx(3 / 10)  # 2, 3, 4
    assert coverage(ranking, items=10, k=20) == pytest.approx(4 / 10)  # and 5


def test_coverage_of_no_cases_is_refused():
    with pytest.raises(ValueError, match="no cases"):
        coverage(np.zeros((0, 5), np.int32), 10, 10)


def test_overlap_ignores_order_and_padding():
    first = codes([2, 3, 4, 5], [2, 3, 0, 0], [0, 0, 0, 0], [2, 3, 4, 5])
    second = codes([5, 4, 9, 8], [3, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0])
    assert top_k_overlap(first, second, 4).tolist() == [0.5, 1.0, 1.0, 0.0]
    assert top_k_overlap(first, second, 2).tolist() == [0.0, 1.0, 1.0, 0.0]


@given(rankings)
def test_a_ranking_overlaps_fully_with_any_order_of_itself(rows):
    ranking = codes(*rows)
    assert top_k_overlap(ranking, ranking[:, ::-1], ranking.shape[1]).tolist() == [1.0] * len(rows)


def test_overlap_refuses_rankings_of_different_cases():
    with pytest.raises(ValueError, match="1 and of 2 cases"):
        top_k_overlap(codes([2]), codes([2], [3]), 1)


def test_drop_seen_removes_each_cases_own_items():
    kept = drop_seen(
        codes([2, 3, 4, 5], [2, 3, 4, 5]), np.array([0, 2, 3]), codes([3, 2, 5])[0], k=3
    )
    assert kept.tolist() == [[4, 5, 0], [2, 3, 4]]


@given(rankings, st.data(), st.integers(1, 8))
def test_drop_seen_equals_its_plain_definition(rows, data, k):
    seen = [data.draw(seen_lists) for _ in rows]
    offsets = np.cumsum([0, *(len(one) for one in seen)])
    flat = np.array([code for one in seen for code in one], dtype=np.int32)
    expected = []
    for row, own in zip(rows, seen, strict=True):
        left = [code for code in row if code and code not in own][:k]
        expected.append(left + [0] * (k - len(left)))
    assert drop_seen(codes(*rows), offsets, flat, k).tolist() == expected


@pytest.mark.parametrize("offsets", [[0], [0, 1], [1, 2], [0, 2, 2]])
def test_drop_seen_refuses_offsets_that_do_not_fit(offsets):
    with pytest.raises(ValueError, match="offsets"):
        drop_seen(codes([2, 3]), np.array(offsets), codes([2, 3])[0], k=1)
