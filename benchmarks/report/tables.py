"""The tables of report.html, as text in rows and columns; the templates only lay them out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.report.data import ArtifactData, ReportData, RowData
from benchmarks.report.shape import IntervalData
from benchmarks.report.task_view import LOWER_IS_BETTER, TaskView, metric_heading
from benchmarks.report.wording import NOT_MEASURED, percent, significant, with_minus

AnyRow = RowData | ArtifactData

ROLES = {
    "baseline": "baseline",
    "teacher": "teacher",
    "student": "student",
    "student_without_teacher": "same student, no teacher",
    "artifact": "artifact",
    "peer": "made by another tool",
}


@dataclass(frozen=True)
class Cell:
    """One figure of a table, with the small print under it."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A title, headings with their units, and a row of cells a name."""

    title: str
    headings: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def all_rows(report: ReportData) -> tuple[AnyRow, ...]:
    """Return every row in the order that a reader compares them."""
    return (
        *report.baselines,
        report.teacher,
        report.student_without_teacher,
        report.student,
        *report.artifacts,
        *report.peers,
    )


def measured_rows(report: ReportData) -> tuple[AnyRow, ...]:
    """Return the rows that have quality or latency; the others are files, and named as such."""
    return tuple(row for row in all_rows(report) if row.quality or row.latency)


def main_columns(
    rows: Sequence[AnyRow], metrics: Sequence[str], view: TaskView
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the main table's column groups: a title, and each column's heading and unit."""
    percentiles = ["p50", "p90", "p95", *_further_percentiles(rows).values()]
    first, *others = (metric_heading(metric) for metric in metrics)
    quality = [(first, ""), ("Kept", "% of teacher"), *((name, "") for name in others)]
    return [
        (view.quality, quality),
        ("Latency, one query", [(title, "ms") for title in percentiles]),
        ("Cost", [("Size", "MB"), ("Load", "ms"), ("Peak memory", "MB")]),
        (view.fidelity, [("teacher", "%"), ("student", "%")]),
    ]


def main_rows(
    report: ReportData, rows: Sequence[AnyRow], metrics: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Yield each row of the main table, as text."""
    further = _further_percentiles(rows)
    to_ship = {report.best} & {*report.budget.fits}
    for row in rows:
        yield {
            "name": row.name,
            "role": row.role,
            "role_name": ROLES[row.role],
            "best": isinstance(row, ArtifactData) and row.path in to_ship,
            "refused": row.refused_because if isinstance(row, ArtifactData) else None,
            "marks": list(latency_marks(row)),
            "cells": _main_cells(
                row, metrics, further, kept_cell(row, is_teacher=row is report.teacher)
            ),
        }


def latency_marks(row: AnyRow) -> Iterator[str]:
    """Yield what a reader must know of a row's latency."""
    if row.latency is None:
        return
    if not row.latency.valid:
        yield f"latency not valid: {', '.join(one.rule for one in row.latency.broken)}"
    if not row.latency.quiet:
        yield f"noisy ({row.latency.noise_drift:.0%})"


def kept_cell(row: AnyRow, *, is_teacher: bool = False) -> Cell:
    """Return the share of the teacher's metric that a row keeps, in percent."""
    if is_teacher:
        return Cell("100.0")
    kept = row.kept_quality
    if kept is None:
        return Cell(NOT_MEASURED)
    return Cell(percent(kept.value), f"{percent(kept.low)}–{percent(kept.high)}")


def metric_tables(rows: Iterable[AnyRow], metrics: Sequence[str]) -> list[Table]:
    """Return every metric of every measured row; for next-item masked and unmasked."""
    measured = [row for row in rows if row.quality]
    unmasked = [row for row in measured if row.quality_unmasked]
    covered = sorted({name for row in measured for name in row.coverage or {}})
    lists = any(row.short_lists is not None for row in measured)
    headings = [
        (metric_heading(metric), "lower is better" if metric in LOWER_IS_BETTER else "")
        for metric in metrics
    ]
    further = [(metric_heading(name), "%") for name in covered]
    further += [("Short lists", "cases")] if lists else []

    def cells(row: AnyRow) -> Iterator[Cell]:
        yield from (interval_cell((row.quality or {}).get(metric)) for metric in metrics)
        yield from (Cell(percent((row.coverage or {}).get(name))) for name in covered)
        if lists:
            yield Cell(NOT_MEASURED if row.short_lists is None else f"{row.short_lists:,}")

    tables = [
        Table(
            "Masked: seen items cannot be recommended" if unmasked else "",
            tuple(headings + further),
            tuple((row.name, tuple(cells(row))) for row in measured),
        )
    ]
    if unmasked:
        tables.append(
            Table(
                "Unmasked: seen items compete",
                tuple(headings),
                tuple(
                    (row.name, tuple(interval_cell(found.get(metric)) for metric in metrics))
                    for row in unmasked
                    if (found := row.quality_unmasked)
                ),
            )
        )
    return tables


def interval_cell(interval: IntervalData | None) -> Cell:
    """Return an estimate with its interval under it."""
    if interval is None:
        return Cell(NOT_MEASURED)
    value, low, high = (
        with_minus(f"{one:.4f}") for one in (interval.value, interval.low, interval.high)
    )
    return Cell(value, f"{low}–{high}")


def _main_cells(
    row: AnyRow, metrics: Sequence[str], further: dict[str, str], kept: Cell
) -> list[Cell]:
    latency = row.latency
    unsupported = () if latency is None else latency.unsupported
    first, *others = (interval_cell((row.quality or {}).get(metric)) for metric in metrics)

    def milliseconds(field: str) -> Cell:
        value = None if latency is None else getattr(latency, field)
        about = "≈ " if field.removesuffix("_ms") in unsupported else ""
        return Cell(about + significant(value), _beside_teacher(row) if field == "p90_ms" else "")

    return [
        first,
        kept,
        *others,
        *(milliseconds(field) for field in ("p50_ms", "p90_ms", "p95_ms", *further)),
        Cell(significant(row.bytes / 1e6)),
        Cell(significant(row.load_ms), _cold_start(row)),
        Cell(significant(row.peak_rss_mb), _runtime_share(row)),
        Cell(percent(row.fidelity.teacher)),
        Cell(percent(row.fidelity.student)),
    ]


def _further_percentiles(rows: Sequence[AnyRow]) -> dict[str, str]:
    """Return the field and title of the percentiles that at least one row supports."""
    titles = {"p99_ms": "p99", "p99_9_ms": "p99.9"}
    return {
        field: title
        for field, title in titles.items()
        if any(row.latency is not None and getattr(row.latency, field) is not None for row in rows)
    }


def _beside_teacher(row: AnyRow) -> str:
    """Say how its p90 stands to the teacher's, as both were asked in turn."""
    ratio = row.p90_ratio_to_teacher
    return "" if ratio is None else f"× {significant(ratio.value)}"


def _cold_start(row: AnyRow) -> str:
    return "" if row.cold_start_ms is None else f"cold {significant(row.cold_start_ms)}"


def _runtime_share(row: AnyRow) -> str:
    """Say how much of the memory any model in this runtime takes."""
    before = row.rss_before_load_mb
    return "" if before is None else f"runtime {significant(before)}"
