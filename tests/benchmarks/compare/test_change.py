import numpy as np
import pytest

from benchmarks.compare.change import paired_change, published_change, unpaired_change
from compress.metrics import Interval, Statistic, mean_statistic


def of_hits(hits: int, cases: int = 100) -> Statistic:
    return mean_statistic(np.repeat([1.0, 0.0], [hits, cases - hits]))


def test_the_same_answers_are_no_change_at_all():
    assert paired_change(of_hits(50), of_hits(50), 500, 1) == Interval(0.0, 0.0, 0.0)


def test_the_value_is_relative_to_the_base():
    for change in (paired_change, unpaired_change):
        assert change(of_hits(40), of_hits(50), 100, 1).value == pytest.approx(-0.2)


def test_a_pair_is_resampled_together():
    # The other hits 40 of the base's 50: the ratio of a resample is a share of those, of which the
    # standard error is sqrt(0.8 * 0.2 / 50) = 0.0566.
    change = paired_change(of_hits(40), of_hits(50), 4000, 1)
    assert change.low == pytest.approx(-0.2 - 1.96 * 0.0566, abs=0.015)
    assert change.high == pytest.approx(-0.2 + 1.96 * 0.0566, abs=0.015)


def test_runs_over_different_cases_are_resampled_alone():
    # The logarithm of the ratio of two shares has the variance 0.6 / 40 + 0.5 / 50 (Katz 1978).
    spread = np.exp(1.96 * np.sqrt(0.6 / 40 + 0.5 / 50))
    change = unpaired_change(of_hits(40), of_hits(50), 4000, 1)
    assert change.low == pytest.approx(0.8 / spread - 1, abs=0.03)
    assert change.high == pytest.approx(0.8 * spread - 1, abs=0.05)


def test_different_cases_need_not_be_equally_many():
    change = unpaired_change(of_hits(400, 1000), of_hits(5, 10), 2000, 1)
    assert change.value == pytest.approx(-0.2)
    assert change.low < -0.4 < 0.4 < change.high


def test_the_same_seed_draws_the_same_interval():
    one, again, other = (unpaired_change(of_hits(40), of_hits(50), 300, seed) for seed in (1, 1, 2))
    assert one == again != other


def test_a_published_change_by_hand():
    # With 0.4 [0.3, 0.5] and 0.5 [0.4, 0.6]: (0.2 -+ sqrt(0.04 - 0.036)) / 0.24 both times.
    change = published_change(Interval(0.4, 0.3, 0.5), Interval(0.5, 0.4, 0.6))
    root = np.sqrt(0.004)
    assert change.value == pytest.approx(-0.2)
    assert change.low == pytest.approx((0.2 - root) / 0.24 - 1)
    assert change.high == pytest.approx((0.2 + root) / 0.24 - 1)


def test_published_intervals_without_width_leave_none():
    change = published_change(Interval(0.4, 0.4, 0.4), Interval(0.5, 0.5, 0.5))
    assert change.low == pytest.approx(-0.2)
    assert change.high == pytest.approx(-0.2)


def test_a_published_interval_beside_its_value_is_widened_to_it():
    beside = published_change(Interval(0.4, 0.41, 0.5), Interval(0.5, 0.4, 0.6))
    assert beside == published_change(Interval(0.4, 0.4, 0.5), Interval(0.5, 0.4, 0.6))


def test_published_intervals_agree_with_resampling_alone():
    def normal(share: float) -> Interval:
        half = 1.96 * np.sqrt(share * (1 - share) / 100)
        return Interval(share, share - half, share + half)

    published = published_change(normal(0.4), normal(0.5))
    resampled = unpaired_change(of_hits(40), of_hits(50), 4000, 1)
    assert published.low == pytest.approx(resampled.low, abs=0.03)
    assert published.high == pytest.approx(resampled.high, abs=0.06)


def test_a_base_that_finds_nothing_leaves_no_ratio():
    for change in (paired_change, unpaired_change):
        with pytest.raises(ValueError, match="above 0"):
            change(of_hits(40), of_hits(0), 100, 1)
    with pytest.raises(ValueError, match="above 0"):
        published_change(Interval(0.4, 0.3, 0.5), Interval(0.1, 0.0, 0.2))
