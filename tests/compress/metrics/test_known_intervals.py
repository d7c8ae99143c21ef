"""Bootstrap intervals against `scipy.stats.bootstrap` with its percentile method.

Both draw from NumPy's default generator, units of a resample at once, so that the same seed gives
the same resamples: the ends must be equal, not only alike.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats
from sklearn import metrics as sklearn

from compress.metrics import (
    bootstrap,
    classification_statistics,
    mean_statistic,
    paired_difference,
    ranking_metrics,
    ratio_interval,
    relevance_statistics,
)

RESAMPLES, SEED = 300, 7

samples = arrays.arrays(np.float64, st.integers(2, 40), elements=st.floats(0, 1, width=32))


def theirs(statistic, *data, **options):
    """Low and high end of scipy's 95% interval."""
    found = stats.bootstrap(
        data,
        statistic,
        n_resamples=RESAMPLES,
        method="percentile",
        paired=len(data) > 1,
        rng=np.random.default_rng(SEED),
        **options,
    )
    return found.confidence_interval.low, found.confidence_interval.high


def ends(interval):
    return interval.low, interval.high


def alone(statistic):
    return bootstrap({"metric": statistic}, RESAMPLES, SEED)["metric"]


@settings(deadline=None)
@given(samples)
def test_interval_of_a_mean_equals_scipys(values):
    assert ends(alone(mean_statistic(values))) == pytest.approx(theirs(np.mean, values), abs=1e-9)


@settings(deadline=None)
@given(samples, st.data())
def test_interval_of_a_paired_difference_equals_scipys(values, data):
    other = data.draw(arrays.arrays(np.float64, len(values), elements=st.floats(0, 1, width=32)))
    found = paired_difference(mean_statistic(values), mean_statistic(other), RESAMPLES, SEED)
    expected = theirs(lambda a, b, axis: a.mean(axis) - b.mean(axis), values, other)
    assert ends(found) == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(samples, st.data())
def test_interval_of_a_ratio_equals_scipys(values, data):
    other = data.draw(
        arrays.arrays(np.float64, len(values), elements=st.floats(0.125, 1, width=32))
    )
    found = ratio_interval(mean_statistic(values), mean_statistic(other), RESAMPLES, SEED)
    expected = theirs(lambda a, b, axis: a.mean(axis) / b.mean(axis), values, other)
    assert ends(found) == pytest.approx(expected, rel=1e-9)


def test_interval_of_ndcg_with_many_ties_among_its_values_equals_scipys():
    """Half of the cases miss: values are 0 again and again."""
    ranks = np.random.default_rng(1).integers(0, 20, 200)
    values = ranking_metrics(ranks)["ndcg@10"]
    assert (values == 0).mean() > 0.3
    assert ends(alone(mean_statistic(values))) == pytest.approx(theirs(np.mean, values))


@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "micro_f1"])
def test_interval_of_a_metric_that_is_no_mean_equals_scipys(name):
    """scipy draws examples, scikit-learn counts each resample anew."""
    random = np.random.default_rng(2)
    targets = random.integers(0, 4, 60)
    probabilities = random.dirichlet(np.ones(4), 60).astype(np.float32)
    said = probabilities.argmax(axis=1)
    found = classification_statistics(probabilities, targets, np.arange(60))[name]

    def anew(rows):
        truth, answers = targets[rows], said[rows]
        if name == "accuracy":
            return sklearn.accuracy_score(truth, answers)
        labels = np.unique(truth) if name == "macro_f1" else np.arange(4)
        mean = name.removesuffix("_f1")
        return sklearn.f1_score(truth, answers, labels=labels, average=mean, zero_division=0)

    expected = theirs(anew, np.arange(60), vectorized=False)
    assert ends(alone(found)) == pytest.approx(expected, abs=1e-9)


def test_interval_over_queries_equals_scipys_over_scikit_learns_ndcg():
    """Queries are drawn, with all of their products."""
    random = np.random.default_rng(3)
    gains, queries = random.integers(0, 4, 120).astype(float), np.repeat(np.arange(30), 4)
    gains[::4] = 1.0
    scores = random.permutation(120).astype(np.float32)
    found = relevance_statistics(scores, gains, queries)["ndcg@10"]
    each = np.array(
        [
            sklearn.ndcg_score([gains[queries == query]], [scores[queries == query]], k=10)
            for query in range(30)
        ]
    )
    assert ends(alone(found)) == pytest.approx(theirs(np.mean, each), abs=1e-9)


def test_one_unit_has_an_interval_of_one_point_although_scipy_refuses_it():
    values = np.array([0.25])
    found = alone(mean_statistic(values))
    assert (found.value, found.low, found.high) == (0.25, 0.25, 0.25)
    with pytest.raises(ValueError, match="two or more observations"):
        theirs(np.mean, values)
