import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse

from compress.metrics import (
    Interval,
    Statistic,
    bootstrap,
    mean_statistic,
    paired_difference,
    ratio_interval,
)
from compress.metrics.intervals import ratio_difference


def interval_of(metric: Statistic | np.ndarray, resamples: int, seed: int) -> Interval:
    """Interval of one metric; of values `[N]`, that of their mean."""
    statistic = metric if isinstance(metric, Statistic) else mean_statistic(metric)
    return bootstrap({"metric": statistic}, resamples, seed)["metric"]


def difference_of(a: np.ndarray, b: np.ndarray, resamples: int, seed: int) -> Interval:
    return paired_difference(mean_statistic(a), mean_statistic(b), resamples, seed)


def ratio_of(a: np.ndarray, b: np.ndarray, resamples: int, seed: int) -> Interval:
    return ratio_interval(mean_statistic(a), mean_statistic(b), resamples, seed)


values = arrays.arrays(
    np.float64, st.integers(1, 40), elements=st.floats(0, 1, allow_subnormal=False)
)


def test_interval_of_equal_values_is_a_point():
    assert interval_of(np.full(9, 0.25), 200, 1) == Interval(0.25, 0.25, 0.25)


def test_interval_is_as_wide_as_the_normal_approximation_says():
    """1,000 coin tosses, 200 heads: 0.2 +- 1.96 * sqrt(0.2 * 0.8 / 1000) = 0.1752 ... 0.2248."""
    tosses = np.repeat([1.0, 0.0], [200, 800])
    interval = interval_of(tosses, 4000, seed=1)
    assert interval.value == 0.2
    assert interval.low == pytest.approx(0.1752, abs=0.002)
    assert interval.high == pytest.approx(0.2248, abs=0.002)


@given(values, st.integers(0, 2**31 - 1))
def test_interval_lies_within_the_values_and_repeats_with_its_seed(sample, seed):
    interval = interval_of(sample, 100, seed)
    slack = 1e-12
    assert sample.min() - slack <= interval.low <= interval.high <= sample.max() + slack
    assert interval == interval_of(sample, 100, seed)


@given(values)
def test_one_resampling_serves_all_metrics(sample):
    together = bootstrap({"a": mean_statistic(sample), "b": mean_statistic(sample**2)}, 100, seed=3)
    for name, alone in (("a", sample), ("b", sample**2)):
        expected = interval_of(alone, 100, seed=3)
        assert together[name].low == pytest.approx(expected.low)
        assert together[name].high == pytest.approx(expected.high)


def test_resampling_in_chunks_equals_resampling_at_once(monkeypatch):
    sample = np.random.default_rng(1).random(50)
    at_once = interval_of(sample, 100, seed=1)
    monkeypatch.setattr("compress.metrics.intervals._CHUNK", 350)
    assert interval_of(sample, 100, seed=1).low == pytest.approx(at_once.low, abs=1e-15)


def test_pairing_sees_a_difference_that_two_intervals_would_hide():
    random = np.random.default_rng(1)
    hard = random.random(500)
    better = hard + 0.01
    apart = (interval_of(better, 500, 1), interval_of(hard, 500, 1))
    assert apart[0].low < apart[1].high
    assert difference_of(better, hard, 500, 1).low == pytest.approx(0.01)


@given(values)
def test_a_model_compared_with_itself_differs_by_nothing(sample):
    assert difference_of(sample, sample, 100, 1) == Interval(0.0, 0.0, 0.0)
    if sample.any():
        ratio = ratio_of(sample, sample, 100, 1)
        assert (ratio.value, ratio.low, ratio.high) == (1.0, 1.0, 1.0)


def test_ratio_of_a_constant_share_is_that_share():
    sample = np.random.default_rng(1).random(100)
    ratio = ratio_of(0.98 * sample, sample, 500, 1)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.98, 0.98, 0.98))


def test_ratio_leaves_out_resamples_without_a_denominator():
    """With one success in 4 cases about a third of the resamples have none."""
    rare = np.array([1.0, 0.0, 0.0, 0.0])
    assert ratio_of(rare, rare, 200, 1) == Interval(1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        ([], [], "no cases"),
        ([1.0], [0.0], "denominator"),
        ([1.0], [-1.0], "denominator"),
        ([1.0, 0.0, 0.0], [5e-324, 0.0, 0.0], "denominator"),  # Its mean underflows to 0.
        ([math.nan], [1.0], "NaN"),
        ([1.0, 1.0], [1.0], "same cases"),
    ],
)
def test_ratio_refuses_what_has_no_answer(a, b, says):
    with pytest.raises(ValueError, match=says):
        ratio_of(np.array(a), np.array(b), 100, 1)


def test_intervals_of_nothing_and_from_nothing_are_refused():
    with pytest.raises(ValueError, match="no cases"):
        interval_of(np.zeros(0), 100, 1)
    with pytest.raises(ValueError, match="resamples"):
        interval_of(np.ones(3), 0, 1)


@pytest.mark.parametrize(
    ("interval", "published"),
    [
        (interval_of, Interval(0.45, 0.27975, 0.62)),
        (
            lambda values, *draws: difference_of(np.sqrt(values), values, *draws),
            Interval(0.16050934170681738, 0.1070002238783194, 0.212691675928598),
        ),
        (
            lambda values, *draws: ratio_of(np.sqrt(values), values, *draws),
            Interval(1.3566874260151496, 1.2003932585831685, 1.6640102441778333),
        ),
    ],
)
def test_draws_stay_those_of_earlier_reports(interval, published):
    found = interval(np.arange(10) / 10, 1000, 7)
    assert (found.value, found.low, found.high) == pytest.approx(
        (published.value, published.low, published.high), rel=1e-12
    )


# ------------------------------------------------------- metrics that are no mean over the units


def share(sums: np.ndarray) -> np.ndarray:
    """First sum / second sum, undefined where that is 0."""
    with np.errstate(invalid="ignore"):
        return sums[..., 0] / sums[..., 1]


tables = st.integers(1, 12).flatmap(
    lambda units: arrays.arrays(np.float64, (units, 2), elements=st.integers(1, 5).map(float))
)


def test_statistic_is_the_measure_of_the_sums_over_its_units():
    assert Statistic(np.array([[1.0, 2.0], [2.0, 2.0]]), share).value == 3 / 4


@given(tables, st.integers(0, 99))
def test_bootstrap_equals_resampling_the_units_one_by_one(table, seed):
    draws = np.random.default_rng(seed).integers(0, len(table), (40, len(table)))
    plain = [share(table[drawn].sum(axis=0)) for drawn in draws]
    found = bootstrap({"share": Statistic(table, share)}, 40, seed)["share"]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(plain, [0.025, 0.975])))


@given(tables)
def test_a_sparse_table_gives_the_same_interval(table):
    sparser = Statistic(sparse.csr_array(table), share)
    dense = interval_of(Statistic(table, share), 50, 1)
    found = interval_of(sparser, 50, 1)
    assert (found.value, found.low, found.high) == pytest.approx(
        (dense.value, dense.low, dense.high)
    )


def test_units_that_are_resampled_whole_make_the_interval_wider():
    """100 examples in 10 groups of equal answers know as much as 10 examples."""
    right = np.repeat([1.0, 0.0], 50)
    groups = right.reshape(10, 10).sum(axis=1)
    alone = interval_of(right, 1000, 1)
    grouped = interval_of(Statistic(np.column_stack([groups, np.full(10, 10.0)]), share), 1000, 1)
    assert grouped.value == alone.value == 0.5
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_difference_of_statistics_uses_the_same_draws_for_both():
    """The second is the first plus 0.1 in every resample, so their difference is certain."""
    counts = np.array([[1.0, 4.0], [0.0, 2.0], [3.0, 3.0], [1.0, 5.0]])
    more = counts + [0.1, 0.0] * counts[:, [1]]
    found = paired_difference(Statistic(more, share), Statistic(counts, share), 200, 1)
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


def test_resamples_that_do_not_define_a_metric_are_left_out():
    """Half of the units have nothing to count; all of them drawn at once leave 0 / 0."""
    table = np.array([[1.0, 2.0], [0.0, 0.0]])
    assert interval_of(Statistic(table, share), 100, 1) == Interval(0.5, 0.5, 0.5)


def test_a_metric_that_is_undefined_everywhere_is_refused():
    with pytest.raises(ValueError, match="undefined"):
        interval_of(Statistic(np.zeros((3, 2)), share), 100, 1)


def test_statistics_of_other_units_are_not_compared():
    with pytest.raises(ValueError, match="same cases"):
        paired_difference(mean_statistic(np.ones(3)), mean_statistic(np.ones(4)), 100, 1)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (np.zeros(3), r"\[units, M\]"),
        (np.zeros((0, 2)), "no cases"),
        (np.array([[1.0, math.inf]]), "infinite"),
        (sparse.csr_array(np.array([[0.0, math.nan]])), "NaN"),
    ],
)
def test_statistic_refuses_what_has_no_sums(table, says):
    with pytest.raises(ValueError, match=says):
        Statistic(table, share)


def test_ratio_of_a_metric_that_can_be_negative_is_refused():
    with pytest.raises(ValueError, match="denominator"):
        ratio_of(np.ones(2), np.array([1.5, -1.0]), 100, 1)


# ----------------------------------------------------------------- the difference of two shares


def shares_of(a, b, c, d, resamples=200, seed=1) -> Interval:
    first, second = (
        tuple(mean_statistic(np.asarray(one, dtype=np.float64)) for one in pair)
        for pair in ((a, b), (c, d))
    )
    return ratio_difference(first, second, resamples, seed)


def test_the_difference_of_shares_is_that_of_the_two_quotients():
    """1/2 of 2 cases against 2/2 of them: 0.5 - 1.0."""
    found = shares_of([1.0, 0.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0])
    assert found.value == -0.5
    assert (found.low, found.high) == (-1.0, 0.0)


@given(values)
def test_two_models_that_keep_the_same_share_differ_by_nothing(sample):
    if sample.any():
        assert shares_of(sample / 2, sample, sample / 2, sample) == Interval(0.0, 0.0, 0.0)


def test_the_shares_of_a_resample_are_of_the_same_units():
    """One keeps 0.8 of what it had, the other 0.9, in every case and so in every resample."""
    random = np.random.default_rng(1)
    one, other = random.random(100), random.random(100)
    found = shares_of(0.8 * one, one, 0.9 * other, other)
    assert (found.value, found.low, found.high) == pytest.approx((-0.1, -0.1, -0.1))


def test_the_difference_of_shares_equals_resampling_by_hand():
    random = np.random.default_rng(2)
    a, b, c, d = random.random((4, 30))
    draws = np.random.default_rng(7).integers(0, 30, (50, 30))
    plain = [a[one].mean() / b[one].mean() - c[one].mean() / d[one].mean() for one in draws]
    found = shares_of(a, b, c, d, resamples=50, seed=7)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(plain, [0.025, 0.975])))


def test_resamples_without_one_of_the_denominators_are_left_out():
    """About a third of the resamples of one success in 4 have none; the other share is 1."""
    rare, always = [1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]
    assert shares_of(rare, rare, always, always) == Interval(0.0, 0.0, 0.0)


@pytest.mark.parametrize("place", [1, 3])
def test_a_share_of_nothing_is_refused(place):
    given = [[1.0, 1.0]] * 4
    given[place] = [0.0, 0.0]
    with pytest.raises(ValueError, match="denominator"):
        shares_of(*given)
