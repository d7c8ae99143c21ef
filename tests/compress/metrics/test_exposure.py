"""Known answers, by hand and from the definitions written plainly."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import rel_entr
from sklearn.metrics import auc

from compress.metrics import (
    bootstrap,
    coverage,
    gini,
    popularity_groups,
    self_information,
    shown_statistics,
)


def gini_by_definition(amounts: list[float]) -> float:
    """Half the mean absolute difference of all pairs, in units of the mean."""
    pairs = [abs(one - other) for one in amounts for other in amounts]
    return sum(pairs) / (2 * len(amounts) ** 2 * (sum(amounts) / len(amounts)))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(any))
def test_gini_is_half_the_relative_mean_difference_of_all_pairs(amounts):
    assert gini(np.array(amounts, float)) == pytest.approx(gini_by_definition(amounts))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20).filter(any), st.integers(0, 9))
def test_items_that_are_never_shown_can_be_left_out_of_the_amounts(amounts, others):
    assert gini(np.array(amounts, float), others) == pytest.approx(
        gini_by_definition(amounts + [0] * others)
    )


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(any))
def test_gini_is_what_scikit_learn_finds_between_the_lorenz_curve_and_the_even_line(amounts):
    lorenz = np.concatenate([[0], np.cumsum(sorted(amounts))]) / sum(amounts)
    area = auc(np.linspace(0, 1, len(lorenz)), lorenz)
    assert gini(np.array(amounts, float)) == pytest.approx(1 - 2 * area)


def test_gini_of_what_is_even_is_0_and_of_one_that_has_all_is_one_less_a_share():
    assert gini(np.array([3.0, 3.0, 3.0])) == 0
    assert gini(np.array([0.0, 0.0, 0.0, 7.0])) == pytest.approx(3 / 4)
    assert gini(np.array([1.0, 3.0])) == pytest.approx(1 / 4)


def test_gini_of_several_at_once_and_of_nothing():
    found = gini(np.array([[1.0, 3.0], [0.0, 0.0]]))
    assert found[0] == pytest.approx(1 / 4)
    assert math.isnan(found[1])


def test_head_and_tail_draw_a_fifth_of_the_events_each():
    """100 events: 20 by item 0, 20 by the last four."""
    events = np.array([20, 15, 15, 15, 15, 8, 6, 4, 2])
    assert popularity_groups(events).tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 2]


def test_items_of_equal_popularity_are_of_the_same_group():
    """The first 20 of 100 events would end inside the three tens; all three are head."""
    events = np.array([10] * 3 + [5] * 8 + [1] * 30)
    assert popularity_groups(events).tolist() == [0] * 3 + [1] * 8 + [2] * 30


def test_an_item_that_nobody_trained_on_is_of_the_tail():
    assert popularity_groups(np.array([0, 50, 30, 20, 20, 0]))[[0, 5]].tolist() == [2, 2]


def test_an_item_that_draws_nearly_everything_is_head():
    assert popularity_groups(np.array([99, 1])).tolist() == [0, 2]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40).filter(any))
def test_groups_go_down_with_popularity_and_reach_their_share(counts):
    events = np.array(counts)
    groups = popularity_groups(events)
    order = np.argsort(-events, kind="stable")
    assert (np.diff(groups[order]) >= 0).all()
    assert events[groups == 0].sum() >= 0.2 * events.sum()
    # What is head but for its least popular items draws less than the share.
    least = events[groups == 0].min()
    assert events[(groups == 0) & (events > least)].sum() < 0.2 * events.sum()


@pytest.mark.parametrize("events", [[], [0, 0], [-1, 3]])
def test_popularity_without_events_is_refused(events):
    with pytest.raises(ValueError, match="at least one"):
        popularity_groups(np.array(events, dtype=np.int64))


def test_self_information_is_in_bits():
    """Known to all, to half, to a quarter, and to nobody: as if to one of eight."""
    assert self_information(np.array([8, 4, 2, 0]), 8).tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="all 8"):
        self_information(np.array([9]), 8)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=20))
def test_self_information_is_scipys_relative_entropy_to_certainty(users):
    expected = rel_entr(1.0, np.array(users) / 100) / math.log(2)
    # `rel_entr` of 1 and p is log(1 / p).
    assert self_information(np.array(users), 100) == pytest.approx(expected)


# Items 2 to 5 are of head, middle, tail, tail; item 6 is never shown.
GROUPS = np.array([0, 1, 2, 2, 2])
BITS = np.array([0.0, 1.0, 2.0, 4.0, 9.0])
TOP = np.array([[2, 3, 6], [2, 4, 6], [0, 0, 0], [5, 0, 0]], dtype=np.int32)


def test_what_the_first_two_of_four_cases_show():
    """2, 3 | 2, 4 | nothing | 5: five items, two of them head, one middle, two tail."""
    shown = shown_statistics(TOP, GROUPS, BITS, k=2)
    assert {name: one.value for name, one in shown.means.items()} == {
        "head": pytest.approx(2 / 5),
        "middle": pytest.approx(1 / 5),
        "tail": pytest.approx(2 / 5),
        "novelty": pytest.approx((0 + 1 + 0 + 2 + 4) / 5),
    }
    assert shown.coverage.value == pytest.approx(4 / 5)
    assert shown.gini.value == pytest.approx(gini_by_definition([2, 1, 1, 1, 0]))


def test_a_model_that_shows_nothing_has_no_shares():
    shown = shown_statistics(np.zeros((3, 2), np.int32), GROUPS, BITS, k=2)
    assert math.isnan(shown.means["head"].value)
    assert shown.coverage.value == 0
    assert math.isnan(shown.gini.value)


@given(st.integers(1, 30), st.integers(1, 8), st.integers(0, 2**31))
def test_shares_add_up_and_coverage_is_the_reports(cases, k, seed):
    random = np.random.default_rng(seed)
    top = random.integers(0, 7, size=(cases, 8)).astype(np.int32)
    top[top == 1] = 2
    top[0, 0] = 3
    shown = shown_statistics(top, GROUPS, BITS, k)
    assert sum(shown.means[name].value for name in ("head", "middle", "tail")) == pytest.approx(1)
    assert shown.coverage.value == pytest.approx(coverage(top, len(GROUPS), k))


def test_intervals_of_shares_hold_the_estimate():
    random = np.random.default_rng(3)
    top = random.integers(2, 7, size=(200, 4)).astype(np.int32)
    for name, one in bootstrap(shown_statistics(top, GROUPS, BITS, 4).means, 300, 1).items():
        assert one.low < one.value < one.high, name


def test_no_cases_and_no_cutoff_are_refused():
    with pytest.raises(ValueError, match="at least one case"):
        shown_statistics(np.zeros((0, 2), np.int32), GROUPS, BITS, 2)
    with pytest.raises(ValueError, match="at least 1"):
        shown_statistics(TOP, GROUPS, BITS, 0)
