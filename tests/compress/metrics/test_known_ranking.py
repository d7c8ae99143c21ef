"""Ranking metrics against torchmetrics and scikit-learn, which know nothing of our code.

A library scores every item that it is shown; a ranking is handed to it as scores that fall from
place to place. Where the libraries mean something else, a test shows the difference by hand.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score, precision_score, recall_score
from torchmetrics.functional import retrieval as library

from compress.metrics import coverage, drop_seen, ranking_metrics, target_ranks, top_k_overlap
from compress.teachers.baselines import Popularity

CUTOFFS = (1, 2, 3, 5, 10, 20)
THEIRS = {
    "hit": library.retrieval_hit_rate,
    "recall": library.retrieval_recall,
    "ndcg": library.retrieval_normalized_dcg,
    "mrr": library.retrieval_reciprocal_rank,
}

rankings = st.integers(1, 8).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(2, 14), unique=True, max_size=width).map(
            lambda row: row + [0] * (width - len(row))
        ),
        min_size=1,
        max_size=6,
    )
)
"""Cases of one width; a row is shorter than it where items ran out, and may be empty."""


def codes(*rows):
    return np.array(rows, dtype=np.int32)


def ours(ranking, targets, ks=CUTOFFS):
    return ranking_metrics(target_ranks(codes(*ranking), codes(targets)[0]), ks)


def theirs(name, row, target, k):
    """What torchmetrics says of one case; of a list without items it says nothing, which is 0."""
    shown = [code for code in row if code]
    if not shown:
        return 0.0
    scores = torch.arange(len(shown), 0, -1, dtype=torch.float32)
    is_target = torch.tensor([code == target for code in shown])
    return float(THEIRS[name](scores, is_target, top_k=k))


# ----------------------------------------------------------------------- hit, recall, NDCG, MRR


@settings(deadline=None)
@given(rankings, st.data())
def test_every_metric_equals_torchmetrics(rows, data):
    """Targets that are not in the list, lists shorter than k and empty ones are among the cases."""
    targets = [data.draw(st.integers(2, 15)) for _ in rows]
    found = ours(rows, targets)
    for name in THEIRS:
        for k in CUTOFFS:
            expected = [
                theirs(name, row, target, k) for row, target in zip(rows, targets, strict=True)
            ]
            assert found[f"{name}@{k}"].tolist() == pytest.approx(expected, abs=1e-6)


@settings(deadline=None)
@given(st.integers(2, 30), st.data())
def test_ndcg_equals_scikit_learns_over_the_whole_catalogue(items, data):
    ranking = data.draw(st.permutations(range(2, items + 2)))
    target = data.draw(st.integers(2, items + 1))
    scores = np.empty(items)
    scores[np.array(ranking) - 2] = np.arange(items, 0, -1)
    truth = np.eye(items)[target - 2]
    found = ours([ranking], [target])
    for k in CUTOFFS:
        assert found[f"ndcg@{k}"][0] == pytest.approx(ndcg_score([truth], [scores], k=k))


def test_a_target_that_is_not_in_the_list_is_0_everywhere():
    found = ours([[5, 4, 3]], [9])
    assert {name: values.tolist() for name, values in found.items()} == dict.fromkeys(found, [0.0])
    assert all(theirs(name, [5, 4, 3], 9, k) == 0 for name in THEIRS for k in CUTOFFS)


@pytest.mark.parametrize("k", [3, 4, 10, 20])
def test_k_beyond_the_catalogue_is_the_whole_catalogue(k):
    """Of 3 items; the target is the last one: found at place 3, whatever k."""
    found = ours([[7, 3, 9]], [9], [k])
    assert [found[f"{name}@{k}"][0] for name in ("hit", "recall", "ndcg", "mrr")] == pytest.approx(
        [1, 1, 1 / math.log2(4), 1 / 3]
    )
    for name in THEIRS:
        assert found[f"{name}@{k}"][0] == pytest.approx(theirs(name, [7, 3, 9], 9, k))
        assert theirs(name, [7, 3, 9], 9, k) == pytest.approx(theirs(name, [7, 3, 9], 9, 3))


def test_a_list_without_items_finds_nothing():
    """torchmetrics refuses to be asked about it; a case is a case, and here it is missed."""
    with pytest.raises(ValueError, match="empty"):
        library.retrieval_hit_rate(torch.zeros(0), torch.zeros(0, dtype=torch.bool), top_k=10)
    assert all(values.tolist() == [0.0] for values in ours([[0, 0, 0]], [5]).values())


def test_recall_is_hit_as_there_is_one_target():
    """With a second relevant item torchmetrics' recall is a half; we have no second one."""
    found = ours([[5, 4, 3]], [4])
    assert found["recall@10"].tolist() == found["hit@10"].tolist() == [1.0]
    two_targets = torch.tensor([False, True, True])
    scores = torch.tensor([3.0, 2.0, 1.0])
    assert float(library.retrieval_recall(scores, two_targets, top_k=2)) == 0.5
    assert float(library.retrieval_hit_rate(scores, two_targets, top_k=2)) == 1.0


# ------------------------------------------------------------------------------ ties in scores


def test_a_tie_is_ranked_as_the_list_has_it_and_not_averaged():
    """Four items of equal score: our list has them in catalogue order, and the user sees that one.

    scikit-learn and torchmetrics take the mean over all orders instead: (1 + 0.631 + 0.5 + 0.431)
    / 4 = 0.640 for every target. The mean of ours over all targets is theirs.
    """
    equal = np.full(4, 0.25)
    ranking = np.argsort(-equal, kind="stable") + 2
    assert ranking.tolist() == [2, 3, 4, 5]
    discounts = [1 / math.log2(place + 1) for place in (1, 2, 3, 4)]
    own = [ours([ranking], [target])["ndcg@10"][0] for target in (2, 3, 4, 5)]
    assert own == pytest.approx(discounts)
    for target in range(4):
        averaged = ndcg_score([np.eye(4)[target]], [equal], k=10)
        assert averaged == pytest.approx(np.mean(discounts))
        tensors = torch.from_numpy(equal), torch.from_numpy(np.eye(4)[target]).long()
        assert float(library.retrieval_normalized_dcg(*tensors, top_k=10)) == pytest.approx(
            averaged, abs=1e-6
        )
    assert np.mean(own) == pytest.approx(np.mean(discounts))


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=12), st.data())
def test_scikit_learn_agrees_if_it_leaves_ties_in_the_lists_order(scores, data):
    """`ignore_ties` sorts without averaging: handed our order as scores, it finds our figure."""
    items = len(scores)
    target = data.draw(st.integers(0, items - 1))
    ranking = np.argsort(-np.array(scores), kind="stable")
    as_listed = np.empty(items)
    as_listed[ranking] = np.arange(items, 0, -1)
    expected = ndcg_score([np.eye(items)[target]], [as_listed], k=10, ignore_ties=True)
    assert ours([ranking + 2], [target + 2])["ndcg@10"][0] == pytest.approx(expected)


# -------------------------------------------------------------------------- empty histories


def test_a_user_without_history_has_a_full_list_and_counts_like_any_other():
    """Popularity answers the empty history; the target is its third item."""
    choices = np.array([1, 9, 4, 7, 0], dtype=np.float32)
    scores = Popularity(choices).scores(np.zeros((1, 6), dtype=np.int32))
    ranking = np.argsort(-scores, axis=1, kind="stable") + 2
    assert ranking.tolist() == [[3, 5, 4, 2, 6]]
    found = ours(ranking, [4])
    is_target = torch.tensor([False, False, True, False, False])
    for name, metric in THEIRS.items():
        own = found[f"{name}@10"][0]
        positive = torch.from_numpy(scores[0]) + 1  # torchmetrics' MRR passes over scores of 0
        assert own == pytest.approx(float(metric(positive, is_target, top_k=10)), abs=1e-6)
        assert own > 0


# ------------------------------------------------------------------------- overlap, coverage


def _shown(row, k):
    """The items of a list as scikit-learn takes a set: one flag a code."""
    return np.isin(np.arange(2, 16), [code for code in row[:k] if code]).astype(int)


@settings(deadline=None)
@given(rankings, st.data(), st.sampled_from([1, 3, 10]))
def test_overlap_is_the_lower_of_scikit_learns_precision_and_recall(rows, data, k):
    """Of one list held against the other; both have the same value where they are equally long."""
    width = len(rows[0])
    others = [
        data.draw(st.lists(st.integers(2, 14), unique=True, min_size=1, max_size=width))
        for _ in rows
    ]
    padded = [row + [0] * (width - len(row)) for row in others]
    found = top_k_overlap(codes(*rows), codes(*padded), k)
    for own, row, other in zip(found, rows, padded, strict=True):
        sets = _shown(other, k), _shown(row, k)
        precision = precision_score(*sets, zero_division=0)
        assert own == pytest.approx(min(precision, recall_score(*sets, zero_division=0)))


def test_two_empty_lists_agree_although_scikit_learn_calls_it_nothing():
    nothing = codes([0, 0, 0])
    assert top_k_overlap(nothing, nothing, 10).tolist() == [1.0]
    assert precision_score(_shown([], 10), _shown([], 10), zero_division=0) == 0


@settings(deadline=None)
@given(rankings, st.integers(1, 10))
def test_coverage_is_the_recall_of_the_catalogue(rows, k):
    """scikit-learn's recall of "is in the catalogue" by "was shown to anybody", of 13 items."""
    everyone = [code for row in rows for code in row[:k] if code]
    expected = recall_score(np.ones(13), _shown(everyone, len(everyone))[:13])
    assert coverage(codes(*rows), items=13, k=k) == pytest.approx(expected)


# ------------------------------------------------------------------------------- seen items


@settings(deadline=None)
@given(rankings, st.data())
def test_seen_items_taken_out_equal_torchmetrics_without_them(rows, data):
    """The library is shown the items that the user has not seen, and no others."""
    targets = [data.draw(st.integers(2, 14)) for _ in rows]
    seen = [data.draw(st.lists(st.integers(2, 14), max_size=6)) for _ in rows]
    offsets = np.cumsum([0, *map(len, seen)])
    flat = np.array([code for one in seen for code in one], dtype=np.int32)
    left = drop_seen(codes(*rows), offsets, flat, k=10)
    found = ours(left, targets)
    for name in THEIRS:
        expected = [
            theirs(name, [code for code in row if code not in own], target, 10)
            for row, own, target in zip(rows, seen, targets, strict=True)
        ]
        assert found[f"{name}@10"].tolist() == pytest.approx(expected, abs=1e-6)
