import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from compress.metrics import GroupSums, bootstrap, gap_by_chance, groups_differ

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
    assert SUMS.quality_gap(BOTH) == pytest.approx(0.75 - 0.2)
    assert SUMS.kept_gap(BOTH) == pytest.approx(1.5 - 0.75)
    # The teacher's means are 1 and 0.4 / 3.
    assert SUMS.wider(BOTH).value == pytest.approx((0.75 - 0.2) - (1.0 - 0.4 / 3))


def test_a_group_that_is_not_judged_makes_no_gap():
    assert SUMS.quality_gap(np.array([0, 1, 2])) == pytest.approx(0.9 - 0.2)
    assert np.isnan(SUMS.quality_gap(np.array([0])))


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


def studentized(*groups):
    """The statistic as its docstring writes it, of residuals by group."""
    return max(
        abs(one.sum()) / np.sqrt((one**2).sum() - one.sum() ** 2 / len(one)) for one in groups
    )


@pytest.mark.parametrize("of", [None, np.array([0.5, 0.1, 0.9, 0.3, 0.8, 0.2, 0.4, 0.6, 0.7])])
def test_p_is_that_of_scipys_permutation_test(of):
    codes = np.array([0, 1, 0, 1, 2, 0, 1, 2, 2])
    own = np.array([0.9, 0.2, 0.8, 0.3, 0.55, 0.7, 0.05, 0.6, 0.4])
    below = np.ones(9) if of is None else of
    residuals = own - own.sum() / below.sum() * below
    samples = [residuals[codes == group] for group in range(3)]
    exact = scipy.stats.permutation_test(
        samples, studentized, permutation_type="independent", n_resamples=np.inf,
        alternative="greater",
    ).pvalue  # fmt: skip
    (p,) = groups_differ(codes, own[None], of, deals=4000, seed=1)
    assert 0 < exact < 1
    assert p == pytest.approx(exact, abs=0.03)


def test_a_p_is_never_0():
    codes = np.repeat([0, 1], 20)
    (p,) = groups_differ(codes, np.linspace(0, 1, 40)[None], None, deals=9, seed=1)
    assert p == pytest.approx(1 / 10)


def test_a_model_that_keeps_the_same_of_every_case_does_not_differ():
    random = np.random.default_rng(4)
    teacher, codes = random.random(40) + 0.1, random.integers(0, 3, 40)
    assert groups_differ(codes, teacher[None] * 0.9, teacher, 100, 1) == pytest.approx(1.0)
    (by_chance,) = gap_by_chance(codes, teacher[None] * 0.9, teacher, 100, 1)
    assert (by_chance.value, by_chance.high) == pytest.approx((0, 0), abs=1e-12)


def test_a_group_that_finds_nothing_at_all_can_be_told_from_the_rest():
    codes = np.repeat([0, 1], 60)
    own = np.where(codes == 0, np.arange(120) % 2, 0.0)
    assert groups_differ(codes, own[None], None, 199, 1) == pytest.approx(1 / 200)


@given(st.integers(0, 2**31))
def test_models_are_dealt_alike(seed):
    random = np.random.default_rng(seed)
    values = random.random(12)
    codes, own = random.permutation(12) % 3, np.stack([values, values])
    one, other = groups_differ(codes, own, None, deals=20, seed=seed)
    assert one == other
    assert len(set(gap_by_chance(codes, own, None, draws=20, seed=seed))) == 1


def test_the_gap_by_chance_is_scipys_bootstrap_of_groups_that_are_moved_together():
    random = np.random.default_rng(6)
    codes = np.repeat([0, 1, 2], [12, 20, 15])
    own, of = random.random(47) + codes, random.random(47)
    groups = [own[codes == one] for one in range(3)]
    below = [of[codes == one] for one in range(3)]

    def gap(*drawn):
        found = [
            groups[one][drawn[one]].sum() / below[one][drawn[one]].sum()
            - groups[one].sum() / below[one].sum()
            for one in range(3)
        ]
        return max(found) - min(found)

    places = [np.arange(len(one)) for one in groups]
    expected = scipy.stats.bootstrap(
        places, gap, vectorized=False, n_resamples=3000, method="percentile", rng=1
    ).bootstrap_distribution
    (found,) = gap_by_chance(codes, own[None], of, draws=6000, seed=1)
    assert found.value == pytest.approx(expected.mean(), rel=0.05)
    assert (found.low, found.high) == pytest.approx(
        tuple(np.quantile(expected, [0.025, 0.975])), rel=0.15
    )


def rejected(deal, number, of_teacher):
    """How often p is at most 5% in so many data sets."""
    found = 0
    for seed in range(number):
        codes, own, teacher = deal(np.random.default_rng(seed))
        of = teacher if of_teacher else None
        found += groups_differ(codes, own[None], of, deals=99, seed=seed)[0] <= 0.05
    return found


def test_without_a_difference_p_is_below_5_percent_in_5_percent_of_data_sets():
    def deal(random):
        return np.arange(30) % 3, random.random(30), None

    assert 6 <= rejected(deal, 400, of_teacher=False) <= 36  # 20 expected; four deviations


def test_groups_in_which_the_teacher_finds_more_or_less_are_not_taken_for_different():
    """Each keeps 90%: a test of plain differences would reject in a third of these data sets."""
    codes = np.repeat([0, 1, 2], [190, 560, 193])
    rates = np.array([0.35, 0.15, 0.03])[codes]

    def deal(random, kept=0.9):
        teacher = (random.random(len(codes)) < rates).astype(float)
        lost = random.random(len(codes)) < 0.25
        found = random.random(len(codes)) < (kept - 0.75) * rates
        return codes, teacher * ~lost + found, teacher

    assert rejected(deal, 300, of_teacher=True) <= 30  # 15 expected; four deviations
    assert rejected(lambda random: deal(random, kept=3.0 * (codes == 1)), 30, of_teacher=True) > 20
