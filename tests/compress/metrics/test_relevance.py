import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import ndcg_score

from compress.errors import DataError
from compress.metrics import bootstrap, paired_difference, relevance_statistics


def of(scores, gains, queries=None, relevant_from=None):
    return relevance_statistics(
        np.asarray(scores, np.float32),
        np.asarray(gains, np.float64),
        np.zeros(len(scores), np.int64) if queries is None else np.asarray(queries),
        relevant_from,
    )


def values(*args, **options) -> dict[str, float]:
    return {name: one.value for name, one in of(*args, **options).items()}


pairs = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30
).filter(lambda rows: any(gain for _, gain, _ in rows))
"""Score, gain and query; few values, so that ties abound."""


def test_ndcg_of_a_hand_computed_ranking():
    """Gains in the order of the scores: 1, 0, 3; ideal: 3, 1, 0."""
    expected = (1 + 3 / 2) / (3 + 1 / math.log2(3))
    assert values([9, 8, 7], [1, 0, 3])["ndcg@10"] == pytest.approx(expected)


def test_mrr_is_one_over_the_place_of_the_first_relevant_product():
    found = values([9, 8, 7, 9, 8], [0, 2, 1, 2, 2], queries=[1, 1, 1, 5, 5])
    assert found["mrr@10"] == pytest.approx((1 / 2 + 1) / 2)


def test_relevance_begins_at_the_gain_that_the_recipe_names():
    assert values([9, 8, 7], [1, 2, 3])["mrr@10"] == pytest.approx(1 / 3)
    assert values([9, 8, 7], [1, 2, 3], relevant_from=2.0)["mrr@10"] == pytest.approx(1 / 2)


def test_only_the_first_10_products_count():
    scores, gains = np.arange(12, 0, -1), np.eye(12)[10]
    assert values(scores, gains)["ndcg@10"] == values(scores, gains)["mrr@10"] == 0
    assert values(scores, np.eye(12)[9])["mrr@10"] == pytest.approx(1 / 10)


def test_equal_scores_are_taken_in_the_worst_order():
    found = values([5, 5, 5], [2, 0, 0])
    assert found["mrr@10"] == pytest.approx(1 / 3)
    assert found["ndcg@10"] == pytest.approx(1 / math.log2(4))


@given(pairs, st.randoms())
def test_order_of_the_file_changes_nothing(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert values(*zip(*rows, strict=True)) == pytest.approx(values(*zip(*shuffled, strict=True)))


def test_all_products_relevant_are_ranked_well_by_any_model():
    found = values([1, 2, 3], [2, 2, 2])
    assert found["ndcg@10"] == found["mrr@10"] == 1


def test_a_query_without_anything_to_find_is_left_out_of_the_mean():
    """Query 7 has no gain at all; query 8 has one, but no relevant product."""
    scores, gains, queries = [2, 1, 2, 1, 2, 1], [3, 0, 0, 0, 1, 0], [6, 6, 7, 7, 8, 8]
    found = of(scores, gains, queries, relevant_from=3.0)
    assert found["ndcg@10"].value == found["mrr@10"].value == 1
    assert found["ndcg@10"].table[:, 1].tolist() == [1, 0, 1]
    assert found["mrr@10"].table[:, 1].tolist() == [1, 0, 0]


def test_one_product_of_one_query_is_ranked_first():
    assert values([0.3], [1]) == {"ndcg@10": 1, "mrr@10": 1, "spearman": 0}


def test_gains_below_0_are_counted_from_the_lowest():
    assert values([3, 2, 1], [-1, 0, 1])["ndcg@10"] == pytest.approx(
        values([3, 2, 1], [0, 1, 2])["ndcg@10"]
    )


@given(pairs)
def test_ndcg_without_ties_equals_scikit_learns(rows):
    _, gains, queries = (np.array(column) for column in zip(*rows, strict=True))
    scores = np.random.default_rng(1).permutation(len(rows))
    expected = [
        ndcg_score([gains[queries == query]], [scores[queries == query]], k=10)
        for query in np.unique(queries)
        if gains[queries == query].any() and (queries == query).sum() > 1
    ]
    # scikit-learn ranks nothing where there is one product; ours is then 1.
    expected += [
        1.0
        for query in np.unique(queries)
        if gains[queries == query].any() and (queries == query).sum() == 1
    ]
    assert values(scores, gains, queries)["ndcg@10"] == pytest.approx(np.mean(expected))


@given(pairs)
def test_metrics_equal_their_plain_definition(rows):
    best = max(gain for _, gain, _ in rows)
    ndcg, mrr = [], []
    for query in {query for _, _, query in rows}:
        own = [(score, gain) for score, gain, of_query in rows if of_query == query]
        shown = [gain for _, gain in sorted(own, key=lambda one: (-one[0], one[1]))][:10]
        ideal = sorted((gain for _, gain in own), reverse=True)[:10]
        dcg, most = (
            sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))
            for gains in (shown, ideal)
        )
        if most:
            ndcg.append(dcg / most)
        if best in ideal:
            mrr.append(1 / (shown.index(best) + 1) if best in shown else 0)
    found = values(*zip(*rows, strict=True))
    assert found["ndcg@10"] == pytest.approx(np.mean(ndcg))
    assert found["mrr@10"] == pytest.approx(np.mean(mrr))


@given(pairs)
def test_spearman_equals_scipys(rows):
    scores, gains, queries = zip(*rows, strict=True)
    if len(set(scores)) > 1 and len(set(gains)) > 1:
        expected = stats.spearmanr(scores, gains).statistic
        assert values(scores, gains, queries)["spearman"] == pytest.approx(expected, abs=1e-9)


def test_scores_that_are_all_equal_correlate_with_nothing():
    found = of([1, 1, 1], [0, 1, 2], [0, 1, 2])
    assert found["spearman"].value == 0
    interval = bootstrap({"spearman": found["spearman"]}, 100, 1)["spearman"]
    assert (interval.low, interval.high) == (0, 0)


def test_spearman_of_resamples_stays_a_correlation():
    random = np.random.default_rng(1)
    gains = random.integers(0, 3, 40)
    found = of(gains + 0.1 * random.random(40), gains, random.integers(0, 8, 40))["spearman"]
    interval = bootstrap({"spearman": found}, 500, 1)["spearman"]
    assert -1 <= interval.low <= found.value <= interval.high <= 1


def test_a_better_ranking_is_better_with_certainty():
    """Every query is ranked rightly by one model, and in reverse by the other."""
    gains, queries = np.tile([3.0, 1.0, 0.0], 30), np.repeat(np.arange(30), 3)
    good, bad = of(gains, gains, queries), of(-gains, gains, queries)
    difference = paired_difference(good["ndcg@10"], bad["ndcg@10"], 100, 1)
    assert difference.low == pytest.approx(difference.high) == pytest.approx(difference.value)
    assert difference.value > 0.3


@pytest.mark.parametrize(
    ("scores", "gains", "queries", "relevant_from", "says"),
    [
        ([], [], [], None, "no cases"),
        ([1, 2], [1], [0], None, "do not belong together"),
        ([np.nan], [1], [0], None, "NaN"),
        ([1], [np.inf], [0], None, "infinite"),
    ],
)
def test_metrics_refuse_what_has_no_answer(scores, gains, queries, relevant_from, says):
    with pytest.raises(ValueError, match=says):
        of(scores, gains, queries, relevant_from)


@pytest.mark.parametrize(
    ("gains", "relevant_from", "says"),
    [([0, 0], None, "gain above 0.*task.gains"), ([0, 1], 2.0, "none is relevant.*relevant_from")],
)
def test_a_split_without_anything_to_find_is_the_users_to_mend(gains, relevant_from, says):
    with pytest.raises(DataError, match=says):
        of([1, 2], gains, [0, 0], relevant_from)
