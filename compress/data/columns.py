"""From raw columns to ids, times and values, with every faulty cell named.

Each function takes an Arrow array of any sensible type and returns checked arrays of the same
length, or raises a `DataError` about the first cell that does not fit.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from compress.data.table_batch import row_error
from compress.errors import DataError

MICROSECONDS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
_ID_ADVICE = "Fill it in, or remove the row."
_TIME_ADVICE = (
    "Write times as numbers (such as seconds since 1970) or as ISO 8601 text "
    "(2024-01-31T18:30:00Z), one kind in the whole column."
)


@dataclass(frozen=True)
class Column:
    """One column of a batch and where it comes from.

    Attributes:
        path: The file.
        name: The column's name there.
        values: Array of N cells.
        rows: int64 [N], the rows' numbers in the file.
    """

    path: Path
    name: str
    values: pa.Array
    rows: NDArray[np.int64]

    def error(self, index: int, problem: str, advice: str) -> DataError:
        """Return the error about the cell at `index`."""
        return row_error(self.path, int(self.rows[index]), self.name, problem, advice)

    def refuse_where(self, faulty: pa.Array, problem: str, advice: str) -> None:
        """Raise about the first cell where `faulty` is true."""
        index = pc.index(faulty, True).as_py()
        if index >= 0:
            shown = problem.format(value=repr(self.values[index].as_py()))
            raise self.error(index, shown, advice)


def text_ids(column: Column) -> pa.StringArray:
    """Return ids as text: text unchanged, whole numbers in decimal.

    Raises:
        DataError: A cell is empty, NaN, not a whole number, or not UTF-8.
    """
    column = plain(column)
    kind = column.values.type
    if pa.types.is_floating(kind):
        column.refuse_where(pc.is_null(column.values, nan_is_null=True), "is NaN", _ID_ADVICE)
        whole = pc.equal(column.values, pc.floor(column.values))
        column.refuse_where(
            pc.invert(whole), "{value} is not a whole number", "Write ids as text or integers."
        )
        return _cast(column, column.values, pa.int64(), "{value} is too large", _ID_ADVICE).cast(
            pa.string()
        )
    if pa.types.is_integer(kind):
        column.refuse_where(pc.is_null(column.values), "is empty", _ID_ADVICE)
        return column.values.cast(pa.string())
    if not is_text(kind):
        raise column.error(0, f"values of type {kind} are no ids", "Write text or integers.")
    column.refuse_where(is_blank(column.values), "is empty", _ID_ADVICE)
    nan = pc.is_in(column.values, value_set=pa.array(["nan", "NaN"]))
    column.refuse_where(nan, "is NaN", _ID_ADVICE)
    return column.values


def float_values(column: Column) -> NDArray[np.float64]:
    """Return a column of numbers as float64 [N].

    Raises:
        DataError: A cell is empty, NaN, or not a number.
    """
    column = plain(column)
    values = column.values
    if is_text(values.type):
        column.refuse_where(is_blank(values), "is empty", "Write a number.")
        values = pc.utf8_trim_whitespace(values)
    problem = "{value} is not a number"
    result = _cast(column, values, pa.float64(), problem, "Write a number.")
    column.refuse_where(pc.is_null(result, nan_is_null=True), problem, "Write a number.")
    return _numpy(result).astype(np.float64)


@dataclass
class TimeParser:
    """Reads the time column of one file, batch by batch, holding it to one kind of time.

    Attributes:
        kind: `number` (unit unknown, kept as given), `instant` (ISO 8601 text or Parquet
            timestamps; seconds since 1970 UTC; text without an offset counts as UTC), or None
            before the first batch.
    """

    kind: Literal["number", "instant"] | None = field(default=None)

    def parse(self, column: Column) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return whole units int64 [N] and millionths int32 [N] in 0…999,999.

        Two integers, because a float64 cannot hold every time exactly.

        Raises:
            DataError: A cell is empty, NaN, infinite, unparsable, or of the other kind.
        """
        column = plain(column)
        values, kind = column.values, column.values.type
        if pa.types.is_temporal(kind) and not (
            pa.types.is_time(kind) or pa.types.is_duration(kind)
        ):
            column.refuse_where(pc.is_null(values), "is empty", _TIME_ADVICE)
            self._hold_to("instant", column, 0)
            unit = pa.timestamp("us", getattr(kind, "tz", None))
            return _split_microseconds(_numpy(values.cast(unit, safe=False).cast(pa.int64())))
        if is_text(kind):
            column.refuse_where(is_blank(values), "is empty", _TIME_ADVICE)
            return self._parse_text(column, pc.utf8_trim_whitespace(values))
        self._hold_to("number", column, 0)
        if pa.types.is_integer(kind):
            column.refuse_where(pc.is_null(values), "is empty", _TIME_ADVICE)
            whole = _numpy(_cast(column, values, pa.int64(), "{value} is too large", _TIME_ADVICE))
            return whole, np.zeros(len(whole), np.int32)
        if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return _split_floats(column, values.cast(pa.float64()))
        raise column.error(0, f"values of type {kind} are no times", _TIME_ADVICE)

    def _parse_text(
        self, column: Column, values: pa.Array
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        if self.kind is None:
            self.kind = "number" if _is_number(values[0].as_py()) else "instant"
        if self.kind == "instant":
            return _parse_iso(column, values)
        try:
            whole = _numpy(values.cast(pa.int64()))
            return whole, np.zeros(len(whole), np.int32)
        except pa.ArrowInvalid:
            pass
        problem = "{value} is not a number as the times before it are"
        return _split_floats(column, _cast(column, values, pa.float64(), problem, _TIME_ADVICE))

    def _hold_to(self, kind: Literal["number", "instant"], column: Column, index: int) -> None:
        if self.kind not in (None, kind):
            raise column.error(index, "is not of the kind of the times before it", _TIME_ADVICE)
        self.kind = kind


def plain(column: Column) -> Column:
    """Undo dictionary encoding, and turn bytes and every string type into checked strings.

    Raises:
        DataError: A cell is not UTF-8.
    """
    values = column.values
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())  # Arrow computes nothing in 16 bits
    if is_text(values.type) or any(test(values.type) for test in _BYTES):
        try:
            # Parquet promises UTF-8 but does not check it.
            values.validate(full=True)
            values = values.cast(pa.string())
        except pa.ArrowInvalid as error:
            for index, raw in enumerate(values.cast(pa.large_binary(), safe=False)):
                try:
                    (raw.as_py() or b"").decode()
                except UnicodeDecodeError:
                    problem = f"{raw.as_py()[:60]!r} is not UTF-8"
                    raise column.error(index, problem, "Save the text as UTF-8.") from error
            raise
    return Column(column.path, column.name, values, column.rows)


def is_text(kind: pa.DataType) -> bool:
    """Whether a type is one of Arrow's string types."""
    return any(test(kind) for test in _TEXT)


def is_blank(values: pa.Array) -> pa.Array:
    """Return where an array of strings is null or nothing but white space."""
    return pc.fill_null(pc.equal(pc.utf8_trim_whitespace(values), ""), True)


def _cast(
    column: Column, values: pa.Array, kind: pa.DataType, problem: str, advice: str
) -> pa.Array:
    """Cast, or raise `problem` about the first cell that cannot be."""
    try:
        return values.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        # Arrow does not say which cell it was: find it.
        for index, value in enumerate(values):
            try:
                pa.array([value.as_py()], values.type).cast(kind)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                shown = problem.format(value=repr(value.as_py()))
                raise column.error(index, shown, advice) from error
        raise


def _numpy(values: pa.Array) -> NDArray[np.int64]:
    result: NDArray[np.int64] = values.to_numpy(zero_copy_only=False)
    return result


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _split_microseconds(micros: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    whole, rest = np.divmod(micros, MICROSECONDS)
    return whole, rest.astype(np.int32)


def _split_floats(column: Column, values: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    column.refuse_where(pc.is_null(values, nan_is_null=True), "is NaN or empty", _TIME_ADVICE)
    usable = pc.less(pc.abs(values), float(2**63))
    column.refuse_where(pc.invert(usable), "{value} is no usable time", _TIME_ADVICE)
    given = _numpy(values).astype(np.float64)
    whole = np.floor(given)
    millionths = np.rint((given - whole) * MICROSECONDS).astype(np.int64)
    carried, rest = np.divmod(millionths, MICROSECONDS)
    return whole.astype(np.int64) + carried, rest.astype(np.int32)


def _parse_iso(column: Column, values: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    try:
        fast = values.cast(pa.timestamp("us"))
        return _split_microseconds(_numpy(fast.cast(pa.int64())))
    except pa.ArrowInvalid:
        pass  # With an offset, or in a form that only the standard library reads.
    micros = np.empty(len(values), np.int64)
    for index, text in enumerate(values.to_pylist()):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            problem = f"{text!r} is not an ISO 8601 time"
            raise column.error(index, problem, _TIME_ADVICE) from error
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        micros[index] = (moment - _EPOCH) // timedelta(microseconds=1)
    return _split_microseconds(micros)
