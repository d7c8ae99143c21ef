"""Ranking by relevance against torchmetrics, scikit-learn and scipy, with graded gains and ties."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score
from torchmetrics.functional import retrieval as library
from torchmetrics.functional.regression import spearman_corrcoef

from compress.metrics import relevance_statistics


def ours(scores, gains, queries=None, relevant_from=None):
    queries = np.zeros(len(scores), np.int64) if queries is None else np.asarray(queries)
    found = relevance_statistics(
        np.asarray(scores, np.float32), np.asarray(gains, np.float64), queries, relevant_from
    )
    return {name: one.value for name, one in found.items()}


@st.composite
def pairs(draw):
    """Graded gains of a few queries; scores without ties, above 0 as torchmetrics wants them."""
    number = draw(st.integers(1, 40))
    gains = draw(st.lists(st.integers(0, 3), min_size=number, max_size=number).filter(any))
    queries = draw(st.lists(st.integers(0, 4), min_size=number, max_size=number))
    scores = draw(st.permutations(range(1, number + 1)))
    return np.array(scores, float), np.array(gains), np.array(queries)


def by_query(scores, gains, queries):
    for query in np.unique(queries):
        own = queries == query
        yield torch.from_numpy(scores[own]), torch.from_numpy(gains[own])


@settings(deadline=None)
@given(pairs())
def test_ndcg_of_graded_gains_equals_torchmetrics(case):
    """More than 10 products, one product and nothing to find are among the queries."""
    expected = [
        float(library.retrieval_normalized_dcg(scores, gains, top_k=10))
        for scores, gains in by_query(*case)
        if gains.any()
    ]
    assert ours(*case)["ndcg@10"] == pytest.approx(np.mean(expected), abs=1e-6)


@settings(deadline=None)
@given(pairs(), st.integers(1, 3))
def test_mrr_equals_torchmetrics(case, relevant_from):
    _, gains, _ = case
    if gains.max() < relevant_from:
        return
    expected = [
        float(library.retrieval_reciprocal_rank(scores, gains >= relevant_from, top_k=10))
        for scores, gains in by_query(*case)
        if (gains >= relevant_from).any()
    ]
    found = ours(*case, relevant_from=relevant_from)["mrr@10"]
    assert found == pytest.approx(np.mean(expected), abs=1e-6)


def test_mrr_of_one_relevant_product_is_scikit_learns_ranking_precision():
    """Another library again: with one relevant label its average precision is 1 / place."""
    scores, gains = np.array([[0.2, 0.9, 0.5, 0.7]]), np.array([[0, 0, 1, 0]])
    assert label_ranking_average_precision_score(gains, scores) == pytest.approx(1 / 3)
    assert ours(scores[0], gains[0])["mrr@10"] == pytest.approx(1 / 3)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=3, max_size=40))
def test_spearman_with_ties_equals_torchmetrics_and_scipys(rows):
    scores, gains = (np.array(column, float) for column in zip(*rows, strict=True))
    if np.ptp(scores) == 0 or np.ptp(gains) == 0:
        return
    found = ours(scores, gains)["spearman"]
    assert found == pytest.approx(stats.spearmanr(scores, gains).statistic, abs=1e-9)
    expected = spearman_corrcoef(torch.from_numpy(scores), torch.from_numpy(gains))
    assert found == pytest.approx(float(expected), abs=1e-5)


# --------------------------------------------------------------- where we mean something else


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=5))
def test_a_tie_costs_the_worst_order_and_the_libraries_take_the_mean(rows):
    """All orders that a tie allows, each asked of scikit-learn: ours is the least of them."""
    scores, gains = (np.array(column) for column in zip(*rows, strict=True))
    if not gains.any():
        return
    orders = [
        order
        for order in itertools.permutations(range(len(rows)))
        if (np.diff(scores[list(order)]) <= 0).all()
    ]
    figures = []
    for order in orders:
        as_listed = np.empty(len(rows))
        as_listed[list(order)] = np.arange(len(rows), 0, -1)
        figures.append(ndcg_score([gains], [as_listed], k=10))
    found = ours(scores, gains)["ndcg@10"]
    assert found == pytest.approx(min(figures))
    assert ndcg_score([gains], [scores], k=10) == pytest.approx(np.mean(figures))
    assert found <= np.mean(figures) + 1e-12


def test_three_equal_scores_by_hand():
    """One product of gain 2 among three of equal score is at place 3: 1 / log2(4) = 0.5.

    scikit-learn and torchmetrics: (1 + 0.631 + 0.5) / 3 = 0.710.
    """
    scores, gains = [5.0, 5.0, 5.0], [2, 0, 0]
    assert ours(scores, gains)["ndcg@10"] == pytest.approx(1 / math.log2(4))
    mean = (1 + 1 / math.log2(3) + 1 / 2) / 3
    assert ndcg_score([gains], [scores], k=10) == pytest.approx(mean)
    theirs = library.retrieval_normalized_dcg(torch.tensor(scores), torch.tensor(gains), top_k=10)
    assert float(theirs) == pytest.approx(mean, abs=1e-6)


def test_a_query_without_anything_to_find_is_left_out_and_not_0():
    """torchmetrics and scikit-learn call it 0, which would measure the data and not the model."""
    nothing = torch.tensor([3.0, 2.0]), torch.tensor([0, 0])
    assert float(library.retrieval_normalized_dcg(*nothing, top_k=10)) == 0
    assert float(library.retrieval_reciprocal_rank(*nothing, top_k=10)) == 0
    assert ndcg_score([[0, 0]], [[3.0, 2.0]], k=10) == 0
    found = ours([3, 2, 3, 2], [0, 0, 1, 0], queries=[1, 1, 2, 2])
    assert found["ndcg@10"] == found["mrr@10"] == 1


def test_scores_that_are_all_equal_correlate_with_nothing_and_scipy_does_not_know():
    assert ours([1, 1, 1], [0, 1, 2])["spearman"] == 0
    with pytest.warns(stats.ConstantInputWarning):
        assert math.isnan(stats.spearmanr([1, 1, 1], [0, 1, 2]).statistic)


def test_a_score_of_0_or_less_is_a_score_although_torchmetrics_mrr_passes_over_it():
    scores, gains = [-1.0, -2.0, -3.0], [0, 1, 0]
    assert ours(scores, gains)["mrr@10"] == 1 / 2
    theirs = library.retrieval_reciprocal_rank(torch.tensor(scores), torch.tensor(gains) > 0)
    assert float(theirs) == 0
    above = torch.tensor(scores) + 10
    assert float(library.retrieval_reciprocal_rank(above, torch.tensor(gains) > 0)) == 1 / 2
