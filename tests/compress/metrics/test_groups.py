import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.metrics import GroupSums, bootstrap, chance_of, gap_by_chance

CODES = np.array([0, 0, 1, 1, 1, 2])
OWN = np.array([1.0, 0.5, 0.3, 0.3, 0.0, 0.9])
TEACHER = np.array([1.0, 1.0, 0.2, 0.2, 0.0, 0.0])
SUMS = GroupSums.of(CODES, 4, OWN, TEACHER)
BOTH = np.array([0, 1])


def test_quality_and_kept_share_of_each_group_by_hand():
    assert SUMS.quality(0).value == pytest.approx(0.75)
    assert SUMS.quality(1).value == pytest.approx(0.2)
    assert SUMS.kept(0).value == pytest.approx(1.5 / 2.0)
    assert SUMS.kept(1).value == pytest.approx(0.6 / 0.4)


def test_a_group_without_cases_or_without_a_teachers_find_has_no_figure():
    assert np.isnan(SUMS.quality(3).value)
    assert np.isnan(SUMS.kept(2).value)


def test_gaps_by_hand():
    assert SUMS.quality_gap(BOTH).value == pytest.approx(0.75 - 0.2)
    assert SUMS.kept_gap(BOTH).value == pytest.approx(1.5 - 0.75)
    # The teacher's means are 1 and 0.4 / 3.
    assert SUMS.wider(BOTH).value == pytest.approx((0.75 - 0.2) - (1.0 - 0.4 / 3))


def test_a_group_that_is_not_judged_makes_no_gap():
    assert SUMS.quality_gap(np.array([0, 1, 2])).value == pytest.approx(0.9 - 0.2)
    assert np.isnan(SUMS.quality_gap(np.array([0])).value)


def test_a_model_that_is_its_teacher_has_no_wider_gap_in_any_resample():
    random = np.random.default_rng(1)
    values = random.random(60)
    same = GroupSums.of(random.integers(0, 3, 60), 3, values, values)
    found = bootstrap({"wider": same.wider(np.arange(3)), "kept": same.kept(1)}, 200, 1)
    assert (found["wider"].low, found["wider"].high) == (0, 0)
    assert (found["kept"].low, found["kept"].high) == (1, 1)


def test_arrays_of_other_cases_are_refused():
    with pytest.raises(ValueError, match="same cases"):
        GroupSums.of(CODES, 3, OWN, TEACHER[:-1])


def test_dealing_two_cases_to_two_groups_has_one_outcome():
    (dealt,) = gap_by_chance(np.array([0, 1]), np.array([[0.2, 0.9]]), None, shuffles=50, seed=1)
    assert dealt == pytest.approx(0.7)
    by_chance, share = chance_of(0.7, dealt)
    assert (by_chance.low, by_chance.high, share) == (pytest.approx(0.7), pytest.approx(0.7), 1.0)


def test_dealt_gaps_are_those_of_all_ways_to_deal():
    """Four cases to two pairs: one way in three puts the two ones together."""
    values = np.array([[1.0, 1.0, 0.0, 0.0]])
    (dealt,) = gap_by_chance(np.array([0, 0, 1, 1]), values, None, shuffles=6000, seed=2)
    assert set(dealt.tolist()) == {0.0, 1.0}
    assert dealt.mean() == pytest.approx(1 / 3, abs=0.02)
    assert chance_of(1.0, dealt)[1] == pytest.approx(1 / 3, abs=0.02)


def test_a_share_that_nobody_dealt_is_never_0():
    assert chance_of(5.0, np.array([1.0, 2.0, 3.0]))[1] == pytest.approx(1 / 4)


def test_shares_are_of_sums_not_of_cases():
    """Pairs of own and teacher travel together, so a constant ratio stays constant."""
    random = np.random.default_rng(4)
    teacher = random.random(40) + 0.1
    dealt = list(gap_by_chance(random.integers(0, 3, 40), teacher[None] * 0.9, teacher, 100, 1))
    assert dealt[0] == pytest.approx(0.0, abs=1e-12)


@given(st.integers(0, 2**31))
def test_models_are_dealt_alike(seed):
    random = np.random.default_rng(seed)
    values = random.random(12)
    one, other = gap_by_chance(
        random.permutation(12) % 3, np.stack([values, values]), None, shuffles=20, seed=seed
    )
    assert (one == other).all()
    assert (one >= 0).all()


def test_without_a_difference_p_is_below_5_percent_in_5_percent_of_data_sets():
    small = 0
    for seed in range(400):
        random = np.random.default_rng(seed)
        values, codes = random.random(30), np.arange(30) % 3
        real = GroupSums.of(codes, 3, values, values).quality_gap(np.arange(3)).value
        (dealt,) = gap_by_chance(codes, values[None], None, shuffles=99, seed=seed)
        small += chance_of(real, dealt)[1] <= 0.05
    assert 6 <= small <= 36  # 20 expected; four standard deviations
