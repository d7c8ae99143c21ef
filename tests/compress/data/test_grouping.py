import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.data.grouping import UNKNOWN, group_by_value
from compress.data.movielens_users import movielens_grouping


def named(grouping):
    return [grouping.names[code] for code in grouping.codes]


def test_every_value_is_a_group_in_order_of_the_alphabet():
    found = group_by_value("country", ["PT", "de", "PT", None, "AT"], 5)
    assert found.names == ("AT", "de", "PT", UNKNOWN)
    assert found.codes.tolist() == [2, 1, 2, 3, 0]


def test_few_numbers_are_groups_in_order_of_their_size():
    found = group_by_value("stars", ["10", "2", "2.0", "2.5"], 5)
    assert found.names == ("2", "2.5", "10")
    assert found.codes.tolist() == [2, 0, 0, 1]


def test_many_numbers_are_cut_into_groups_of_equal_size_with_names():
    found = group_by_value("age", [str(age) for age in range(20, 40)], 4)
    assert found.names == ("20–24", "25–29", "30–34", "35–39")
    assert np.bincount(found.codes).tolist() == [5, 5, 5, 5]


def test_equal_numbers_stay_together():
    found = group_by_value("age", ["1"] * 6 + ["2", "3", "4"], 3)
    assert found.names == ("1", "2–4")
    assert np.bincount(found.codes).tolist() == [6, 3]


def test_negative_numbers_and_fractions_can_be_read():
    found = group_by_value("x", ["-2.5", "-1", "0", "0.1", "7", "8"], 2)
    assert found.names == ("−2.5–0", "0.1–8")


def test_numbers_that_differ_in_the_last_digits_keep_names_of_their_own():
    found = group_by_value("x", ["1.00000001", "1.00000002"], 5)
    assert found.names == ("1.00000001", "1.00000002")


def test_one_word_among_numbers_makes_all_of_them_words():
    assert group_by_value("x", ["1", "2", "many"], 1).names == ("1", "2", "many")


def test_the_word_unknown_is_the_group_of_those_who_are():
    found = group_by_value("x", ["a", "unknown", None], 5)
    assert found.names == ("a", UNKNOWN)
    assert found.codes.tolist() == [0, 1, 1]


def test_nothing_known_of_anyone():
    found = group_by_value("x", [None, None], 5)
    assert (found.names, found.codes.tolist()) == ((UNKNOWN,), [0, 0])


def test_groups_of_some_keep_all_names():
    found = group_by_value("x", ["a", "b", "a"], 5).of(np.array([2, 0]))
    assert (found.names, found.codes.tolist()) == (("a", "b"), [0, 0])


@given(
    st.lists(st.one_of(st.none(), st.integers(-50, 50)), min_size=1, max_size=60),
    st.integers(1, 8),
)
def test_groups_of_numbers_are_neighbours_and_no_more_than_asked_for(numbers, bins):
    texts = [None if one is None else str(one) for one in numbers]
    found = group_by_value("x", texts, bins)
    assert len(set(found.names) - {UNKNOWN}) <= bins
    assert len(set(found.names)) == len(found.names)
    pairs = sorted(
        (one, int(code)) for one, code in zip(numbers, found.codes, strict=True) if one is not None
    )
    assert [code for _, code in pairs] == sorted(code for _, code in pairs)
    assert len({one: code for one, code in pairs}) == len(set(pairs))
    assert all(
        name == UNKNOWN for name, one in zip(named(found), numbers, strict=True) if one is None
    )


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ("1", "under 18"),
        ("17", "under 18"),
        ("18", "18–24"),
        ("34", "25–34"),
        ("49", "45–49"),
        ("50", "50–55"),
        ("73", "56 and over"),
    ],
)
def test_ages_have_the_bands_of_movielens_1m(age, band):
    assert named(movielens_grouping("age", [age, "30"], 5))[0] == band


def test_bands_without_users_are_left_out():
    assert movielens_grouping("age", ["60", "7"], 5).names == ("under 18", "56 and over")


def test_occupations_of_movielens_1m_have_names():
    found = movielens_grouping("occupation", ["12", "0", "20", None], 5)
    assert named(found) == ["programmer", "other", "writer", UNKNOWN]
    assert found.names == ("other", "programmer", "writer", UNKNOWN)
