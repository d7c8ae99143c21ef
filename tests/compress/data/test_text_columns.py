from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from compress.data.columns import Column
from compress.data.text_columns import class_lists, class_names, joined_texts, scores
from compress.errors import DataError


def column(values: Any, kind: pa.DataType | None = None) -> Column:
    array = values if isinstance(values, pa.Array) else pa.array(values, kind)
    return Column(Path("t.csv"), "label", array, np.arange(len(array)) + 2)


def test_columns_are_joined_and_blank_cells_left_out() -> None:
    title = column(["Coat", "", None, " \t", None])
    text = column(["warm", "red", "blue", None, None])
    assert joined_texts([title, text], " | ").to_pylist() == ["Coat | warm", "red", "blue", "", ""]
    assert joined_texts([title], " | ").to_pylist() == ["Coat", "", "", "", ""]


def test_texts_are_kept_as_they_are() -> None:
    texts = [" two  spaces ", "nul\x00 and \x1b[0m", "🧥 大衣 é", "nan", "x" * 100_000]
    joined = joined_texts([column(texts)], " ")
    assert joined.type == pa.large_string()
    assert joined.to_pylist() == texts


def test_numbers_and_lists_are_texts_too() -> None:
    texts = [
        column([["cotton", "wool"], [], None], pa.list_(pa.string())),
        column([38.0, 40.5, None]),
        column([True, None, False]),
        column(["a", "b", "a"], pa.dictionary(pa.int8(), pa.string())),
    ]
    assert joined_texts(texts, "; ").to_pylist() == [
        "cotton, wool; 38; true; a",
        "40.5; b",
        "false; a",
    ]


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(DataError, match=r"t\.csv, row 2, column 'label': values of type date32"):
        joined_texts([column([date(2024, 1, 1)])], " ")
    with pytest.raises(DataError, match=r"row 3, .*b'\\xff' is not UTF-8"):
        joined_texts([column(pa.array([b"a", b"\xff"]))], " ")


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (pa.array([" Coats ", "", None, "NaN", "nan", " "]), ["Coats"] + [None] * 5),
        (pa.array([1, None, -20]), ["1", None, "-20"]),
        (pa.array([1.0, float("nan"), None, 2.5, 1e16]), ["1", None, None, "2.5", "1" + "0" * 16]),
        (pa.array([np.float16(3.0)]), ["3"]),
        (pa.array([Decimal("4.00"), Decimal("4.50")]), ["4", "4.50"]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array(["b", "a", "b"]).dictionary_encode(), ["b", "a", "b"]),
        (pa.nulls(2), [None, None]),
        (pa.array([], pa.string()), []),
    ],
    ids=["text", "integer", "float", "half", "decimal", "bool", "dictionary", "null", "none"],
)
def test_a_class_is_called_what_its_cell_says(cells: pa.Array, names: list[str | None]) -> None:
    assert class_names(column(cells)).to_pylist() == names


LISTS = [["b", " a "], [], None, ["", None], ["c"]]


@pytest.mark.parametrize("kind", [pa.list_(pa.string()), pa.large_list(pa.large_string())])
def test_a_list_may_name_no_class_but_an_empty_cell_says_nothing(kind: pa.DataType) -> None:
    names, owners, empty = class_lists(column(LISTS, kind), None)
    assert names.to_pylist() == ["b", "a", "c"]
    assert owners.tolist() == [0, 0, 4]
    assert empty.tolist() == [False, False, True, False, False]


def test_lists_of_fixed_size_and_of_numbers() -> None:
    kind = pa.list_(pa.int64(), 2)
    names, owners, empty = class_lists(column([[1, 2], None, [3, None]], kind), None)
    assert names.to_pylist() == ["1", "2", "3"]
    assert owners.tolist() == [0, 0, 2]
    assert empty.tolist() == [False, True, False]


def test_text_is_split_where_the_recipe_says() -> None:
    names, owners, empty = class_lists(column(["a|b c", "b", " ", None, "|", "a|"]), "|")
    assert names.to_pylist() == ["a", "b c", "b", "a"]
    assert owners.tolist() == [0, 0, 1, 5]
    assert empty.tolist() == [False, False, True, True, False, False]


@pytest.mark.parametrize("cells", [["a, b"], [3]])
def test_text_without_a_separator_is_refused(cells: list[Any]) -> None:
    with pytest.raises(DataError, match="row 2, .* no lists of classes.*label_separator"):
        class_lists(column(cells), None)


def test_faults_in_lists_name_the_row_of_the_list() -> None:
    lists = column([["a", "b"], [b"\xff"]], pa.list_(pa.binary()))
    with pytest.raises(DataError, match="row 3, column 'label': .* is not UTF-8"):
        class_lists(lists, None)


@pytest.mark.parametrize(
    "cells",
    [
        pa.array(["1", " 2.5 ", "", None, "NaN", "-3e2"]),
        pa.array([1, 2.5, float("nan"), None, None, -300]),
    ],
    ids=["text", "float"],
)
def test_scores_are_numbers_and_empty_cells_are_marked(cells: pa.Array) -> None:
    values, missing = scores(column(cells))
    assert values.dtype == np.float32
    assert values.tolist() == [1, 2.5, 0, 0, 0, -300]
    assert missing.tolist() == [False, False, True, True, True, False]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1", "good"], "row 3, column 'label': 'good' is not a number"),
        (["1", "inf"], "row 3, column 'label': 'inf' is no usable score"),
        ([1.0, None, 1e39], "row 4, column 'label': 1e.39 is no usable score"),
    ],
)
def test_scores_that_are_none_are_refused(cells: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        scores(column(cells))
