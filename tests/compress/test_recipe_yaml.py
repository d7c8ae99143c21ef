"""A recipe's YAML as data: what YAML says, except for ids."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from compress.recipe_yaml import plain_data

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def read(text, key=()):
    return plain_data(yaml.compose(text, Loader=yaml.SafeLoader), key)


@given(st.dictionaries(st.text(), VALUES, max_size=3))
def test_all_but_ids_is_what_yaml_says(data):
    assert read(yaml.safe_dump(data)) == data


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("0012", "0012"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("0x1F", "0x1F"),
        ("yes", "yes"),
        ("2020-02-31", "2020-02-31"),
        ("'12'", "12"),
        ("!!int 012", "012"),
        ("~", None),
    ],
)
def test_an_id_is_the_text_that_is_written(written, read_as):
    text = f"export: {{blocked_items: [a, {written}]}}"
    assert read(text) == {"export": {"blocked_items": ["a", read_as]}}
    assert read(f"[{written}]", ("export", "blocked_items")) == [read_as]
    assert read(written, ("export", "blocked_items", 3)) == read_as


def test_the_path_of_a_file_of_ids_and_numbers_beside_it_are_no_ids():
    text = "export: {blocked_items: 0012, verify_cases: 0400}"
    assert read(text) == {"export": {"blocked_items": 10, "verify_cases": 256}}


def test_an_empty_document_is_nothing():
    assert read("") is None
