"""The report's figures as CSV (RFC 4180), for spreadsheets and data frames."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.bench.data import BrokenRuleData
from benchmarks.report.data import (
    ArtifactData,
    LatencyData,
    ReportData,
    VerdictData,
)
from benchmarks.report.markdown import FoldedPart
from benchmarks.report.shape import IntervalData
from benchmarks.report.tables import AnyRow, Table, all_rows
from benchmarks.report.wording import MINUS, NOT_MEASURED
from compress.errors import UserError
from compress.files import write_atomically

Field = str | int | float | bool | None

_NUMBER = re.compile(r"[-+]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?")
_FORMULA = re.compile(r"[\t\r\n]|\s*[-=+@]")


def write_csv(report: ReportData, folder: Path, further: Iterable[FoldedPart] = ()) -> list[Path]:
    """Write `rows.csv`, `latencies.csv`, `verdicts.csv` and the tables of further sections.

    Args:
        report: What is written.
        folder: Made if it is not there; files of the same names are replaced.
        further: Sections of features: a file a table, `<title>-<number>.csv`.

    Returns:
        The files.

    Raises:
        UserError: The folder cannot be written to.
    """
    texts = {
        "rows.csv": rows_csv(report),
        "latencies.csv": latencies_csv(report),
        "verdicts.csv": verdicts_csv(report),
    }
    numbers: Counter[str] = Counter()
    for part in further:
        for table in part.tables:
            name = _slug(part.title)
            numbers[name] += 1
            texts[f"{name}-{numbers[name]}.csv"] = table_to_csv(table, part.first.lower())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_atomically(folder / name, text)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written to: {error.strerror}. Name another folder."
        ) from error
    return [folder / name for name in texts]


def _slug(title: str) -> str:
    """Return a title as the name of a file, whatever is in it: columns are the user's words."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "table"


def rows_csv(report: ReportData) -> str:
    """Return every figure of every row, one a line; a measure is named as in report.json."""
    headings = ("role", "name", "path", "measure", "value", "low", "high")
    lines = ((*_names(row), *figure) for row in all_rows(report) for figure in _figures(row))
    return _csv(headings, lines)


def latencies_csv(report: ReportData) -> str:
    """Return the latency of every row that was timed, one row a line."""
    fields = tuple(LatencyData.model_fields)

    def lines() -> Iterator[tuple[Field, ...]]:
        for row in all_rows(report):
            if row.latency is not None:
                found = dict(row.latency)
                yield (*_names(row), *(_plain(found[name]) for name in fields))

    return _csv(("role", "name", "path", *fields), lines())


def verdicts_csv(report: ReportData) -> str:
    """Return the budget's verdicts, one a line; then those on differences between groups."""
    fields = tuple(VerdictData.model_fields)
    limits = (dict(one) for one in report.budget.verdicts)
    protected = (
        {
            "limit": f"protect.{one.column}.{one.of}",
            "path": one.path,
            "allowed": one.max_gap,
            "reached": one.reached,
            "met": one.met,
        }
        for one in report.budget.protected
    )
    found = (*limits, *protected)
    return _csv(fields, (tuple(_plain(one[name]) for name in fields) for one in found))


def table_to_csv(table: Table, first: str = "name") -> str:
    """Return a table of the report; numbers are written so that programs read them.

    A column's small print, where it has any, is a column of its own after it.

    Args:
        table: Rows of cells.
        first: Heading of the names.
    """
    noted = [any(cells[column].note for _, cells in table.rows) for column in _columns(table)]
    headings = [first]
    for (name, unit), has_notes in zip(table.headings, noted, strict=True):
        heading = f"{name} ({unit})" if unit else name
        headings += [heading, f"{heading}, note"] if has_notes else [heading]

    def lines() -> Iterator[list[Field]]:
        for name, cells in table.rows:
            line: list[Field] = [name]
            for cell, has_notes in zip(cells, noted, strict=True):
                line += (
                    [_number(cell.text), _number(cell.note)] if has_notes else [_number(cell.text)]
                )
            yield line

    return _csv(headings, lines())


def _columns(table: Table) -> range:
    return range(len(table.headings))


def _names(row: AnyRow) -> tuple[str, str, str]:
    return row.role, row.name, row.path if isinstance(row, ArtifactData) else ""


def _figures(row: AnyRow) -> Iterator[tuple[str, Field, Field, Field]]:
    """Yield measure, value and, where there is one, interval."""

    def interval(measure: str, found: IntervalData) -> tuple[str, Field, Field, Field]:
        return measure, found.value, found.low, found.high

    for part in ("quality", "quality_unmasked"):
        found: dict[str, IntervalData] = getattr(row, part) or {}
        yield from (interval(f"{part}.{name}", one) for name, one in found.items())
    if row.kept_quality is not None:
        yield interval(f"kept_quality.{row.kept_quality.metric}", row.kept_quality)
    if row.p90_ratio_to_teacher is not None:
        yield interval("p90_ratio_to_teacher", row.p90_ratio_to_teacher)
    for name, covered in (row.coverage or {}).items():
        yield f"coverage.{name}", covered, None, None
    for name in ("teacher", "student", "max_abs_difference"):
        value: float | None = getattr(row.fidelity, name)
        if value is not None:
            yield f"fidelity.{name}", value, None, None
    for name in ("bytes", "cold_start_ms", "load_ms", "peak_rss_mb", "rss_before_load_mb"):
        value = getattr(row, name)
        if value is not None:
            yield name, value, None, None


def _plain(value: object) -> Field:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, BrokenRuleData):
        return f"{value.rule}: {value.because}"
    return " ".join(str(_plain(one)) for one in value) if isinstance(value, tuple) else str(value)


def _number(text: str) -> Field:
    """Return a cell's text as a program reads it: a plain minus, no commas in numbers."""
    if text == NOT_MEASURED:
        return None
    plain = text.replace(MINUS, "-")
    if any(one.isdigit() for one in plain) and _NUMBER.fullmatch(plain):
        return float(plain.replace(",", "")) if "." in plain else int(plain.replace(",", ""))
    return text


def _csv(headings: Sequence[str], lines: Iterable[Sequence[Field]]) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([_written(one) for one in headings])
    writer.writerows([_written(field) for field in line] for line in lines)
    return stream.getvalue()


def _written(field: Field) -> Field:
    """Write booleans as JSON does, and keep a spreadsheet from running a text as a formula.

    A text that begins as formulas do gets an apostrophe before it (OWASP, "CSV Injection").
    """
    if isinstance(field, bool):
        return "true" if field else "false"
    if isinstance(field, str) and _FORMULA.match(field):
        return f"'{field}"
    return field
