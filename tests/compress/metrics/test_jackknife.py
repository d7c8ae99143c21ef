import numpy as np
import pytest

from compress.metrics import (
    Statistic,
    bootstrap,
    jackknife,
    mean_statistic,
    self_information,
    shown_statistics,
)


def ratio(table):
    return Statistic(np.asarray(table, float), lambda sums: sums[..., 0] / sums[..., 1])


def test_the_standard_error_of_a_mean_is_that_of_the_textbook():
    """Of a mean the jackknife gives s / sqrt(n), exactly."""
    values = np.array([1.0, 4.0, 4.0, 7.0, 9.0])
    found = jackknife(ratio(np.column_stack([values, np.ones(5)])), seed=1)
    error = values.std(ddof=1) / 5**0.5
    assert found.value == pytest.approx(5.0)
    assert (found.low, found.high) == (
        pytest.approx(5 - 1.959964 * error),
        pytest.approx(5 + 1.959964 * error),
    )


def test_many_units_are_left_out_in_parts_and_give_about_the_same():
    values = np.random.default_rng(1).normal(3, 2, size=40_000)
    found = jackknife(ratio(np.column_stack([values, np.ones(len(values))])), seed=1)
    error = values.std(ddof=1) / len(values) ** 0.5
    assert found.high - found.value == pytest.approx(1.96 * error, rel=0.1)


def test_it_is_what_numpy_finds_case_by_case():
    """Coverage and Gini of 30 lists of 3 of 20 items, a list left out at a time."""
    random = np.random.default_rng(2)
    top = np.stack([random.permutation(20)[:3] for _ in range(30)]).astype(np.int32) + 2
    shown = shown_statistics(top, np.zeros(20, np.int64), np.ones(20), 3)

    def coverage(lists):
        return len(np.unique(lists)) / 20

    def gini(lists):
        amounts = np.bincount(lists.ravel() - 2, minlength=20)
        return np.abs(np.subtract.outer(amounts, amounts)).mean() / (2 * amounts.mean())

    for statistic, plainly in ((shown.coverage, coverage), (shown.gini, gini)):
        without = [plainly(np.delete(top, one, axis=0)) for one in range(30)]
        error = np.sqrt(29 * np.var(without))
        found = jackknife(statistic, seed=1)
        assert found.value == pytest.approx(plainly(top))
        assert found.high - found.value == pytest.approx(1.959964 * error)


def test_two_models_that_differ_by_a_constant_differ_for_sure():
    values = np.random.default_rng(1).normal(size=50)
    one, other = (ratio(np.column_stack([values + by, np.ones(50)])) for by in (2.0, 0.5))
    found = jackknife(one, seed=1, minus=other)
    assert (found.value, found.low, found.high) == pytest.approx((1.5, 1.5, 1.5))


def shown_by(cases, items, seed):
    random = np.random.default_rng(seed)
    chance = 1 / np.arange(1, items + 1)
    scores = random.gumbel(size=(cases, items)) + np.log(chance)
    top = np.argsort(-scores, axis=1)[:, :5].astype(np.int32) + 2
    bits = self_information(np.ones(items, np.int64), 10)
    return shown_statistics(top, np.zeros(items, np.int64), bits, 5)


def test_a_bootstrap_would_put_the_interval_of_coverage_beside_it_and_this_does_not():
    shown = shown_by(cases=150, items=400, seed=1)
    resampled = bootstrap({"coverage": shown.coverage, "gini": shown.gini}, 300, 1)
    assert resampled["coverage"].high < shown.coverage.value
    assert resampled["gini"].low > shown.gini.value
    own = jackknife(shown.coverage, seed=1)
    assert own.low < own.value < own.high


def test_the_interval_is_as_wide_as_other_users_would_make_it_at_least():
    """Coverage and Gini of 60 other sets of users spread no more than the jackknife says."""
    others = [shown_by(cases=150, items=400, seed=seed) for seed in range(2, 62)]
    for figure in ("coverage", "gini"):
        spread = np.std([getattr(one, figure).value for one in others], ddof=1)
        own = jackknife(getattr(others[0], figure), seed=1)
        assert spread * 0.8 < (own.high - own.value) / 1.96 < spread * 2.0, figure


def test_one_case_and_other_cases_are_refused():
    with pytest.raises(ValueError, match="too few"):
        jackknife(mean_statistic(np.ones(1)), seed=1)
    with pytest.raises(ValueError, match="same cases"):
        jackknife(mean_statistic(np.ones(3)), seed=1, minus=mean_statistic(np.ones(4)))
