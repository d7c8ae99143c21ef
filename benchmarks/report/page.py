"""report.html: the report as one file that needs nothing else.

What is shown is decided here and in the modules of its parts, as text; the templates only lay it
out. Jinja2 escapes every value, and JSON inside a script element is written so that no text in it
can end the element.
"""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from benchmarks.report.classes import class_table
from benchmarks.report.data import ReportData
from benchmarks.report.every_figure import every_figure
from benchmarks.report.files import budget_table, file_rows
from benchmarks.report.sections import TITLES, further_sections
from benchmarks.report.tables import main_columns, main_rows, measured_rows, metric_tables
from benchmarks.report.task_view import TaskView, task_view
from benchmarks.report.wording import seconds, share, signed, significant, times_less
from compress.metrics import metric_name


def render_page(report: ReportData) -> str:
    """Return the text of report.html."""
    plotly = files("plotly") / "package_data" / "plotly.min.js"
    templates = Environment(
        loader=PackageLoader("benchmarks.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    view, rows = task_view(report.task), measured_rows(report)
    measured = tuple(report.teacher.quality)
    shown = view.main_metrics(measured)
    columns = main_columns(rows, shown, view)
    sections = further_sections(report)
    lengths = [len(group) for _, group in columns]
    return templates.get_template("report.html.j2").render(
        report=report,
        view=view,
        tiles=list(_tiles(report)),
        refused=[one for one in report.artifacts if one.refused_because is not None],
        missing=[one for one in report.not_written if not one.optional],
        gain_sentence=_gain_sentence(report, view),
        main_columns=columns,
        group_starts=[sum(lengths[:group]) for group in range(len(lengths))],
        main_rows=list(main_rows(report, rows, shown)),
        metric_tables=metric_tables(rows, measured),
        classes=class_table(report, view),
        **sections,
        further=list(sections),
        contents=list(_contents(report, sections)),
        files=list(file_rows(report)),
        ways={one.checked for one in report.artifacts},
        budget=budget_table(report),
        epochs_shown=bool(report.curves),
        longest=max(report.timings_s.values(), default=0.0),
        seconds=seconds,
        figures=every_figure(report),
        recipe_text=json.dumps(report.recipe, indent=2, ensure_ascii=False),
        plotly=plotly.read_text(encoding="utf-8"),
    )


def _contents(report: ReportData, sections: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the anchor and the title of every section after the first page."""
    yield "rows", "Every row"
    yield from ((name, TITLES[name]) for name in sections)
    yield "files", "Files and budget"
    if report.curves:
        yield "training", "Training"
    yield "protocol", "Protocol"
    yield "recipe", "Recipe"


def _tiles(report: ReportData) -> Iterator[dict[str, str]]:
    """Yield the few figures that a reader came for."""
    best = next((one for one in report.artifacts if one.path == report.best), None)
    if best is not None and best.latency is not None:
        teacher = report.teacher
        if best.kept_quality is not None:
            kept = best.kept_quality
            yield {
                "label": f"of the teacher’s {metric_name(kept.metric)} kept",
                "figure": share(kept.value),
                "note": f"95% interval {share(kept.low)} – {share(kept.high)}",
            }
        yield {
            "label": "file size",
            "figure": f"{significant(best.bytes / 1e6)} MB",
            "note": f"{times_less(best.bytes / teacher.bytes)} of the teacher’s "
            f"{significant(teacher.bytes / 1e6)} MB",
        }
        p90, was = best.latency.p90_ms, teacher.latency.p90_ms
        in_turn = best.p90_ratio_to_teacher
        yield {
            "label": "p90 latency, batch 1",
            "figure": f"{significant(p90)} ms",
            "note": f"{times_less(p90 / was)} of the teacher’s {significant(was)} ms"
            if in_turn is None
            else f"{times_less(in_turn.value)} [{times_less(in_turn.low)}, "
            f"{times_less(in_turn.high)}] of the teacher’s, asked in turn",
        }
    gain = report.distillation_gain
    yield {
        "label": f"{metric_name(gain.metric)} gained by distilling",
        "figure": signed(gain.value),
        "note": f"95% interval {signed(gain.low)} to {signed(gain.high)}",
    }


def _gain_sentence(report: ReportData, view: TaskView) -> str:
    """Say what the teacher was worth, and nothing that the interval does not support."""
    gain = report.distillation_gain
    figures = (
        f"{signed(gain.value)} {metric_name(gain.metric)} [{signed(gain.low)}, {signed(gain.high)}]"
    )
    against = "against the same student trained without a teacher"
    if gain.low > 0:
        return f"Distillation helped: {figures} {against}, paired over test {view.examples}."
    if gain.high < 0:
        return f"Distillation hurt: {figures} {against}, paired over test {view.examples}."
    return (
        f"Distillation: {figures} {against}. The interval contains 0, so these test "
        f"{view.examples} do not show that it helped."
    )
