"""report.html: the report as one file that needs nothing else.

What is shown is decided here, as text; the templates only lay it out. Jinja2 escapes every value,
and JSON inside a script element is written so that no text in it can end the element.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from benchmarks.report import METRIC, metric_name, times_less
from benchmarks.report_data import ArtifactData, IntervalData, ReportData, RowData
from benchmarks.report_figures import curve_figures, trade_off_figure

AnyRow = RowData | ArtifactData

ROLES = {
    "baseline": "baseline",
    "teacher": "teacher",
    "student": "student",
    "student_without_teacher": "same student, no teacher",
    "artifact": "artifact",
}
LIMITS = {
    "megabytes": ("Size", "MB", "at most"),
    "milliseconds": ("p90 latency", "ms", "at most"),
    "kept_quality": (f"Teacher’s {metric_name(METRIC)} kept", "", "at least"),
}
NOT_MEASURED = "–"


@dataclass(frozen=True)
class Cell:
    """One figure of a table, with the small print under it."""

    text: str
    note: str = ""


def render_page(report: ReportData) -> str:
    """Return the text of report.html."""
    plotly = files("plotly") / "package_data" / "plotly.min.js"
    templates = Environment(
        loader=PackageLoader("benchmarks"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = all_rows(report)
    figures = {"trade-off": trade_off_figure(rows), **curve_figures(report.curves)}
    columns = _main_columns(rows)
    lengths = [len(group) for _, group in columns]
    return templates.get_template("report.html.j2").render(
        report=report,
        tiles=list(_tiles(report)),
        refused=[one for one in report.artifacts if not one.usable],
        gain_sentence=_gain_sentence(report),
        main_columns=columns,
        group_starts=[sum(lengths[:group]) for group in range(len(lengths))],
        main_rows=[_main_row(row, report, _further_percentiles(rows)) for row in rows],
        metrics=tuple(report.teacher.quality),
        metric_name=metric_name,
        metric_tables=_metric_tables(rows),
        budget=[_verdict(verdict.model_dump()) for verdict in report.budget.verdicts],
        epochs_shown=bool(report.curves),
        longest=max(report.timings_s.values(), default=0.0),
        seconds=_seconds,
        number=significant,
        figures=figures,
        recipe_text=json.dumps(report.recipe, indent=2, ensure_ascii=False),
        plotly=plotly.read_text(encoding="utf-8"),
    )


def all_rows(report: ReportData) -> tuple[AnyRow, ...]:
    """Return every row in the order that a reader compares them."""
    return (
        *report.baselines,
        report.teacher,
        report.student_without_teacher,
        report.student,
        *report.artifacts,
    )


def significant(value: float | None) -> str:
    """Return a number with about three digits that mean something: 1,234, 56.7, 8.90, 0.123."""
    if value is None:
        return NOT_MEASURED
    for least, digits in ((100, 0), (10, 1), (1, 2), (0.01, 3)):
        if abs(value) >= least:
            return f"{value:,.{digits}f}"
    return f"{value:.2g}"


def _share(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.1%}"


def _seconds(value: float) -> str:
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60):02d} s"


def _interval(interval: IntervalData | None) -> Cell:
    if interval is None:
        return Cell(NOT_MEASURED)
    return Cell(f"{interval.value:.4f}", f"{interval.low:.4f}–{interval.high:.4f}")


def _tiles(report: ReportData) -> Iterator[dict[str, str]]:
    """Yield the few figures that a reader came for."""
    best = next((one for one in report.artifacts if one.path == report.best), None)
    if best is not None and best.latency is not None:
        teacher = report.teacher
        if best.kept_quality is not None:
            kept = best.kept_quality
            yield {
                "label": f"of the teacher’s {metric_name(kept.metric)} kept",
                "figure": _share(kept.value),
                "note": f"95% interval {_share(kept.low)} – {_share(kept.high)}",
            }
        yield {
            "label": "file size",
            "figure": f"{significant(best.bytes / 1e6)} MB",
            "note": f"{times_less(best.bytes / teacher.bytes)} of the teacher’s "
            f"{significant(teacher.bytes / 1e6)} MB",
        }
        p90, was = best.latency.p90_ms, teacher.latency.p90_ms
        yield {
            "label": "p90 latency, batch 1",
            "figure": f"{significant(p90)} ms",
            "note": f"{times_less(p90 / was)} of the teacher’s {significant(was)} ms",
        }
    gain = report.distillation_gain
    yield {
        "label": f"{metric_name(gain.metric)} gained by distilling",
        "figure": f"{gain.value:+.4f}",
        "note": f"95% interval {gain.low:+.4f} – {gain.high:+.4f}",
    }


def _gain_sentence(report: ReportData) -> str:
    """Say what the teacher was worth, and nothing that the interval does not support."""
    gain = report.distillation_gain
    figures = f"{gain.value:+.4f} {metric_name(gain.metric)} [{gain.low:+.4f}, {gain.high:+.4f}]"
    against = "against the same student trained without a teacher"
    if gain.low > 0:
        return f"Distillation helped: {figures} {against}, paired over test cases."
    if gain.high < 0:
        return f"Distillation hurt: {figures} {against}, paired over test cases."
    return (
        f"Distillation: {figures} {against}. The interval contains 0, so these test cases do not "
        "show that it helped."
    )


def _further_percentiles(rows: Sequence[AnyRow]) -> dict[str, str]:
    """Return the field and title of the percentiles that at least one row supports."""
    titles = {"p99_ms": "p99", "p99_9_ms": "p99.9"}
    return {
        field: title
        for field, title in titles.items()
        if any(row.latency is not None and getattr(row.latency, field) is not None for row in rows)
    }


def _main_columns(rows: Sequence[AnyRow]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the table's column groups: a title, and each column's title and unit."""
    percentiles = ["p50", "p90", "p95", *_further_percentiles(rows).values()]
    return [
        (
            "Quality, masked",
            [(metric_name(METRIC), ""), ("Kept", "% of teacher"), ("Hit@10", ""), ("MRR@10", "")],
        ),
        ("Latency, one query", [(title, "ms") for title in percentiles]),
        ("Cost", [("Size", "MB"), ("Load", "ms"), ("Peak memory", "MB")]),
        ("Top 10 shared", [("teacher", "%"), ("student", "%")]),
    ]


def _main_row(row: AnyRow, report: ReportData, further: dict[str, str]) -> dict[str, Any]:
    """Return one row of the table, as text."""
    quality, latency, kept = row.quality or {}, row.latency, row.kept_quality
    unsupported = () if latency is None else latency.unsupported

    def milliseconds(field: str) -> Cell:
        value = None if latency is None else getattr(latency, field)
        about = "≈ " if field.removesuffix("_ms") in unsupported else ""
        return Cell(about + significant(value))

    if row is report.teacher:
        share = Cell("100.0")
    elif kept is None:
        share = Cell(NOT_MEASURED)
    else:
        share = Cell(f"{kept.value * 100:.1f}", f"{kept.low * 100:.1f}–{kept.high * 100:.1f}")
    refused = row.refused_because if isinstance(row, ArtifactData) else None
    return {
        "name": row.name,
        "role": row.role,
        "role_name": ROLES[row.role],
        "best": isinstance(row, ArtifactData) and row.path in {report.best} & {*report.budget.fits},
        "refused": refused,
        "invalid": latency is not None and not latency.valid,
        "cells": [
            _interval(quality.get(METRIC)),
            share,
            _interval(quality.get("hit@10")),
            _interval(quality.get("mrr@10")),
            *(milliseconds(field) for field in ("p50_ms", "p90_ms", "p95_ms", *further)),
            Cell(significant(row.bytes / 1e6)),
            Cell(significant(row.load_ms)),
            Cell(significant(row.peak_rss_mb), _runtime_share(row)),
            Cell(_percent(row.fidelity.teacher_overlap)),
            Cell(_percent(row.fidelity.student_overlap)),
        ],
    }


def _percent(share: float | None) -> str:
    return NOT_MEASURED if share is None else f"{share * 100:.1f}"


def _runtime_share(row: AnyRow) -> str:
    """Say how much of the memory any model in this runtime takes."""
    before = row.rss_before_load_mb
    return "" if before is None else f"runtime {significant(before)}"


def _metric_tables(rows: Sequence[AnyRow]) -> list[dict[str, Any]]:
    """Return every metric of every row, masked and unmasked."""
    return [
        {
            "title": "Masked: seen items cannot be recommended",
            "rows": [
                (row.name, row.quality, (row.coverage or {}).values(), row.short_lists)
                for row in rows
                if row.quality
            ],
            "masked": True,
        },
        {
            "title": "Unmasked: seen items compete",
            "rows": [
                (row.name, row.quality_unmasked, (), 0) for row in rows if row.quality_unmasked
            ],
            "masked": False,
        },
    ]


def _verdict(verdict: dict[str, Any]) -> dict[str, Any]:
    title, unit, direction = LIMITS[verdict["limit"]]
    write = _share if verdict["limit"] == "kept_quality" else significant
    return {
        "path": verdict["path"],
        "title": title,
        "allowed": f"{direction} {write(verdict['allowed'])} {unit}".strip(),
        "reached": f"{write(verdict['reached'])} {unit}".strip(),
        "met": verdict["met"],
    }
