from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.data.columns import Column, TimeParser, float_values, text_ids
from compress.errors import DataError


def column(values: pa.Array | list[object]) -> Column:
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return Column(Path("t.csv"), "c", array, np.arange(2, 2 + len(array)))


def times(*batches: pa.Array | list[object]) -> list[tuple[int, int]]:
    parser = TimeParser()
    parsed = [parser.parse(column(batch)) for batch in batches]
    return [
        (int(whole), int(rest))
        for wholes, rests in parsed
        for whole, rest in zip(wholes, rests, strict=True)
    ]


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["7", "8"]),
        pa.array(["7", "8"], pa.large_string()),
        pa.array([b"7", b"8"]),
        pa.array([7, 8], pa.uint8()),
        pa.array([7.0, 8.0]),
        pa.array(["7", "8"]).dictionary_encode(),
    ],
    ids=lambda values: str(values.type),
)
def test_ids_are_the_same_text_whatever_their_type(values: pa.Array) -> None:
    assert text_ids(column(values)).to_pylist() == ["7", "8"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", ""], "row 3, column 'c': is empty"),
        (["a", "  "], "row 3, column 'c': is empty"),
        (["a", None], "row 3, column 'c': is empty"),
        (["a", "NaN"], "row 3, column 'c': is NaN"),
        ([1, None], "row 3, column 'c': is empty"),
        ([1.0, float("nan")], "row 3, column 'c': is NaN"),
        ([1.0, 2.5], "row 3, column 'c': 2.5 is not a whole number"),
        ([1.0, 1e30], "row 3, column 'c': 1e[+]30 is too large"),
        ([b"a", b"\xff"], r"row 3, column 'c': b'\\xff' is not UTF-8"),
        ([["a"]], "row 2, column 'c': values of type list"),
    ],
)
def test_faulty_ids_are_named(values: list[object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        text_ids(column(values))


def test_text_that_parquet_claims_to_be_utf8_is_checked() -> None:
    raw = pa.array([b"ok", b"\xff\xfe"])
    claimed = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    with pytest.raises(DataError, match="row 3, column 'c': .*not UTF-8"):
        text_ids(column(claimed))


def test_numeric_times_keep_their_value() -> None:
    assert times(["881250949", " 5 ", "-3"]) == [(881250949, 0), (5, 0), (-3, 0)]
    assert times(["1700000000123456789"]) == [(1700000000123456789, 0)]
    assert times(["2", "1.25", "-0.5", "1e3"]) == [(2, 0), (1, 250_000), (-1, 500_000), (1000, 0)]
    assert times([1.9999999, 3.5]) == [(2, 0), (3, 500_000)]
    assert times(pa.array([7, 2**62], pa.uint64())) == [(7, 0), (2**62, 0)]


def test_iso_times_are_seconds_since_1970_utc() -> None:
    assert times(["1970-01-02", "1970-01-01T00:00:01.5"]) == [(86_400, 0), (1, 500_000)]
    assert times(["1970-01-01T01:00:00+01:00", "1970-01-01 00:00:00Z"]) == [(0, 0), (0, 0)]
    assert times(["19700102T000000", "1969-12-31T23:59:59"]) == [(86_400, 0), (-1, 0)]
    assert times(pa.array([datetime(1970, 1, 1, 0, 0, 2)])) == [(2, 0)]
    assert times(pa.array([0, 1_500_000_000], pa.timestamp("ns", "Europe/Rome"))) == [
        (0, 0),
        (1, 500_000),
    ]
    assert times(pa.array([1], pa.date32())) == [(86_400, 0)]


@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),
            st.one_of(st.none(), st.integers(-14 * 60, 14 * 60)),
            st.sampled_from("T "),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_iso_times_match_the_standard_library(
    moments: list[tuple[datetime, int | None, str]],
) -> None:
    texts, expected = [], []
    for moment, minutes, separator in moments:
        zone = UTC if minutes is None else timezone(timedelta(minutes=minutes))
        aware = moment.replace(tzinfo=zone)
        texts.append((moment if minutes is None else aware).isoformat(separator))
        micros = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        expected.append(divmod(micros, 1_000_000))
    assert times(texts) == expected


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8))
def test_integers_are_exact_as_text_and_as_numbers(values: list[int]) -> None:
    expected = [(value, 0) for value in values]
    assert times([str(value) for value in values]) == expected
    assert times(pa.array(values, pa.int64())) == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1", ""], "row 3, column 'c': is empty"),
        (["1", None], "row 3, column 'c': is empty"),
        ([1, None], "row 3, column 'c': is empty"),
        ([1.0, float("nan")], "row 3, column 'c': is NaN"),
        (["1", "nan"], "row 3, column 'c': is NaN"),
        (["1", "inf"], "row 3, column 'c': 'inf' is no usable time"),
        (["1", "1e19"], "row 3, column 'c': '1e19' is no usable time"),
        ([1.0, float("-inf")], "row 3, column 'c': -inf is no usable time"),
        (["1", "yesterday"], "row 3, column 'c': 'yesterday' is not a number as the times before"),
        (["1", "2024-01-31"], "row 3, column 'c': '2024-01-31' is not a number as"),
        (["2024-01-31", "17"], "row 3, column 'c': '17' is not an ISO 8601 time"),
        (["31.01.2024"], "row 2, column 'c': '31.01.2024' is not an ISO 8601 time.*ISO 8601 text"),
        (pa.array([1, 2**64 - 1], pa.uint64()), "row 3, column 'c': 18446744073709551615 is too l"),
        (pa.array([True]), "row 2, column 'c': values of type bool"),
        (pa.array([None, datetime(2024, 1, 1)]), "row 2, column 'c': is empty"),
    ],
)
def test_faulty_times_are_named(values: list[object] | pa.Array, message: str) -> None:
    with pytest.raises(DataError, match=message):
        times(values)


def test_the_kind_of_time_may_not_change_between_batches() -> None:
    with pytest.raises(DataError, match="not an ISO 8601 time"):
        times(["2024-01-31"], ["17"])
    with pytest.raises(DataError, match="not a number"):
        times(["17"], ["2024-01-31"])


def test_numbers_are_read_from_text_and_checked() -> None:
    assert float_values(column(["1", " 2.5 "])).tolist() == [1.0, 2.5]
    assert float_values(column([3, 4])).tolist() == [3.0, 4.0]
    for values, message in (
        (["1", "many"], "row 3, column 'c': 'many' is not a number"),
        (["1", ""], "row 3, column 'c': is empty"),
        ([1.0, float("nan")], "row 3, column 'c': nan is not a number"),
    ):
        with pytest.raises(DataError, match=message):
            float_values(column(values))
