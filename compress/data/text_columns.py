"""From raw columns to texts, names of classes, and scores, with every faulty cell named."""

import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from compress.data.columns import Column, float_values, is_blank, is_text, plain

NOT_A_NUMBER = ("nan", "NaN")
"""How programs write that a cell is empty: as text, because the format has no other way."""

_SCORE_ADVICE = "Write a finite number, or leave the cell empty: the row is left out then."
_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)


def joined_texts(columns: Sequence[Column], joined_by: str) -> pa.LargeStringArray:
    """Return the columns of each row joined into one text, blank cells left out.

    Numbers are written in decimal, lists of text joined by a comma and a space. Text is kept as it
    is, control characters and all.

    Returns:
        [N], empty where all cells of a row are blank.

    Raises:
        DataError: A column holds something that is no text, or is not UTF-8.
    """
    parts = [_texts(column).cast(pa.large_string()) for column in columns]
    parts = [pc.if_else(is_blank(part), None, part) for part in parts]
    # Arrow's join drops rows of nothing but nulls, so each row needs one that is none.
    last = pc.if_else(pc.is_null(pc.coalesce(*parts)), "", parts[-1])
    if len(parts) == 1:
        return last
    separator = pa.scalar(joined_by, pa.large_string())
    return pc.binary_join_element_wise(*parts[:-1], last, separator, null_handling="skip")


def class_names(column: Column) -> pa.StringArray:
    """Return what each cell names: text trimmed, numbers in decimal (1.0 is "1"), true, false.

    Returns:
        [N], null where a cell is empty or NaN.

    Raises:
        DataError: A cell is not UTF-8, or of a type that names nothing.
    """
    column = plain(column)
    kind = column.values.type
    if pa.types.is_null(kind):
        return pa.nulls(len(column.values), pa.string())
    if pa.types.is_nested(kind) or pa.types.is_temporal(kind):
        lists = " (Lists of classes need task.multi_label: true.)"
        advice = f"Write text or numbers.{lists if pa.types.is_nested(kind) else ''}"
        raise column.error(0, f"values of type {kind} name nothing", advice)
    encoded = column.values.dictionary_encode()
    names = pa.array([_name(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return names.take(encoded.indices)


def class_lists(
    column: Column, separator: str | None
) -> tuple[pa.StringArray, NDArray[np.int64], NDArray[np.bool_]]:
    """Return the names in each cell of a column of lists, or of text with a separator.

    Args:
        column: N cells.
        separator: Between the names of a cell of text; None: the cells must be lists.

    Returns:
        Names [M], none of them null; int64 [M], which of the N cells each is from; and bool [N],
        which cells are empty. A list without names is not empty: it says that there are none.

    Raises:
        DataError: The cells are text and there is no separator; or as `class_names`.
    """
    values = column.values
    if pa.types.is_null(values.type):
        values = values.cast(pa.list_(pa.string()))
    if not any(test(values.type) for test in _LISTS):
        column = plain(column)
        if not is_text(column.values.type) or separator is None:
            raise column.error(
                0,
                f"values of type {column.values.type} are no lists of classes",
                "Say what stands between the classes of a text with "
                "data.source.columns.label_separator, or set task.multi_label: false.",
            )
        values = pc.if_else(is_blank(column.values), None, column.values)
        values = pc.split_pattern(values, separator)
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)
    owners = np.repeat(np.arange(len(values)), lengths)
    names = class_names(
        Column(column.path, column.name, pc.list_flatten(values), column.rows[owners])
    )
    named = pc.is_valid(names)
    empty = pc.is_null(values).to_numpy(zero_copy_only=False)
    return names.filter(named), owners[named.to_numpy(zero_copy_only=False)], empty


def scores(column: Column) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return numbers as float32 [N], and bool [N], which cells are empty or NaN (and 0 here).

    Raises:
        DataError: A cell is not a number, or not finite as float32.
    """
    column = plain(column)
    values = column.values
    if is_text(values.type):
        blank = is_blank(values)
        nan = pc.is_in(pc.utf8_trim_whitespace(values), pa.array(NOT_A_NUMBER))
        missing = pc.or_(blank, nan)
    else:
        missing = pc.is_null(values, nan_is_null=True)
    empty = missing.to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(~empty)
    given = Column(column.path, column.name, values.take(pa.array(rows)), column.rows[rows])
    found = np.zeros(len(empty), np.float32)
    if len(rows):
        exact = float_values(given)
        too_large = ~(np.abs(exact) <= np.finfo(np.float32).max)
        given.refuse_where(pa.array(too_large), "{value} is no usable score", _SCORE_ADVICE)
        found[rows] = exact
    return found, empty


def _texts(column: Column) -> pa.Array:
    values = column.values
    if any(test(values.type) for test in _LISTS) and is_text(values.type.value_type):
        lists = values.cast(pa.list_(pa.string()))
        column = Column(column.path, column.name, pc.binary_join(lists, ", "), column.rows)
    column = plain(column)
    return column.values if is_text(column.values.type) else class_names(column)


def _name(value: object) -> str | None:
    if isinstance(value, str):
        text = value.strip()
        return None if text in ("", *NOT_A_NUMBER) else text
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | Decimal):
        if math.isnan(value):
            return None
        return str(int(value)) if value == value // 1 else str(value)
    return str(value)
