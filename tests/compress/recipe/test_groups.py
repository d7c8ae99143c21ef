import pytest
from pydantic import ValidationError

from compress.recipe import Groups, Protect
from compress.recipe.groups import check_protected


def test_movielens_is_grouped_by_what_it_says_of_its_users():
    assert Groups().columns_of("movielens-100k") == ("age", "gender", "occupation")
    assert Groups(columns=("gender",)).columns_of("movielens-1m") == ("gender",)
    assert Groups().columns_of("table") == ()


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"users": "u.csv"}, "users names u.csv"),
        ({"columns": ["age", "age"]}, "columns lists age more than once"),
        ({"columns": ["popularity"]}, "popularity is what limbeck calls the groups of items"),
        ({"users": "u.csv", "user": "id", "columns": ["id"]}, "id holds the users' ids"),
    ],
)
def test_what_cannot_be_meant_is_refused(groups, message):
    with pytest.raises(ValidationError, match=message):
        Groups.model_validate(groups)


def protect(column):
    return [Protect(column=column, max_gap=0.1)]


def test_what_is_known_can_be_protected():
    check_protected(protect("age"), Groups(), "movielens-100k")
    check_protected(protect("popularity"), Groups(), "table")
    check_protected(protect("country"), Groups(users="u.csv", columns=("country",)), "table")


@pytest.mark.parametrize("gap", [15, 1.01, 0, -0.1])
def test_a_limit_that_nothing_can_break_is_refused(gap):
    with pytest.raises(ValidationError) as error:
        Protect(column="age", max_gap=gap)
    assert "0.15 is 15 points" in str(error.value) or "greater than 0" in str(error.value)
    assert Protect(column="age", max_gap=1).max_gap == 1


def test_a_protected_column_that_nobody_is_grouped_by_is_told_with_the_closest():
    with pytest.raises(ValueError, match=r"'ocupation' is no column .* Did you mean occupation\?"):
        check_protected(protect("ocupation"), Groups(), "movielens-100k")
    with pytest.raises(ValueError, match="'age' is no column .* There are: gender, popularity"):
        check_protected(protect("age"), Groups(columns=("gender",)), "movielens-100k")


def test_a_column_that_the_data_set_lacks_is_told_with_the_closest():
    with pytest.raises(ValueError, match="called 'sex'. It has age, gender, occupation"):
        Groups(columns=("sex",)).check_source("movielens-100k")
    with pytest.raises(ValueError, match=r"Did you mean gender\?"):
        Groups(columns=("gendr",)).check_source("movielens-100k")


def test_columns_of_no_table_are_refused():
    with pytest.raises(ValueError, match="age of which users"):
        Groups(columns=("age",)).check_source("table")


def test_columns_of_a_table_of_ones_own_are_looked_for_in_it():
    Groups(users="u.csv", columns=("shoe_size",)).check_source("movielens-100k")
