"""The report as Markdown, short enough for a comment on a pull request."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.report.data import ArtifactData, LatencyData, ReportData
from benchmarks.report.files import budget_table, checked_in_words, verdict_of
from benchmarks.report.markdown_tables import (
    code_in_markdown,
    escape_markdown,
    folded,
    list_in_markdown,
    table_to_markdown,
)
from benchmarks.report.shape import EnvironmentData, IntervalData
from benchmarks.report.tables import (
    ROLES,
    AnyRow,
    Cell,
    Table,
    kept_cell,
    measured_rows,
    metric_tables,
)
from benchmarks.report.task_view import TaskView, metric_heading, task_view
from benchmarks.report.wording import NOT_MEASURED, percent, significant, with_minus

MOST_CHARACTERS = 65_536
"""What GitHub takes as one comment."""


@dataclass(frozen=True)
class FoldedPart:
    """A section that is folded below the key figures."""

    title: str
    sentences: tuple[str, ...] = ()
    """A paragraph each."""
    points: tuple[str, ...] = ()
    """A point of a list each."""
    tables: tuple[Table, ...] = ()
    first: str = "Model"
    """Heading of the tables' names."""


def report_markdown(report: ReportData, further: Iterable[FoldedPart] = ()) -> str:
    """Return the report as Markdown: headline, key figures, verdicts; the rest is folded.

    Folded parts that would make it longer than a comment may be are left out and named.

    Args:
        report: What is told.
        further: Sections of features, in their order.
    """
    view = task_view(report.task)
    rows = measured_rows(report)
    parts = [
        f"### {escape_markdown(report.recipe['name'])}\n",
        f"**{escape_markdown(report.headline)}**\n",
        *(f"> {escape_markdown(line)}\n" for line in _cautions(report)),
        table_to_markdown(_key_figures(report, rows)),
        *_budget_sentence(report),
    ]
    left_out, room = [], MOST_CHARACTERS - 2_000 - sum(map(len, parts))
    for part in (*_own_parts(report, rows, view), *further):
        text = _folded(part)
        if len(text) >= room:
            left_out.append(part.title)
            continue
        parts.append(text)
        room -= len(text) + 1
    if left_out:
        parts.append(f"In report.html beside these: {escape_markdown(', '.join(left_out))}.\n")
    return "\n".join((*parts, _origin(report)))


def _own_parts(report: ReportData, rows: Sequence[AnyRow], view: TaskView) -> Iterator[FoldedPart]:
    verdicts = _budget_verdicts(report)
    if verdicts is not None:
        yield FoldedPart("Verdicts of the budget", tables=(verdicts,), first="File")
    if report.warnings:
        yield FoldedPart("Worth knowing about the data", points=report.warnings)
    tables = metric_tables(rows, tuple(report.teacher.quality))
    yield FoldedPart(view.all_metrics, tables=tuple(table for table in tables if table.rows))
    if report.artifacts:
        yield FoldedPart("Files", tables=(_files(report),), first="File")
    yield FoldedPart("How it was measured", points=report.protocol)


def _folded(part: FoldedPart) -> str:
    sentences = (f"{escape_markdown(line)}\n" for line in part.sentences)
    points = [list_in_markdown(part.points)] if part.points else []
    tables = (table_to_markdown(table, part.first) for table in part.tables)
    return folded(part.title, *sentences, *points, *tables)


def _cautions(report: ReportData) -> Iterator[str]:
    """Yield what must not be folded: files not to ship, files not there, a quick look."""
    for one in report.artifacts:
        if one.refused_because is not None:
            yield f"Refused: {one.name} ({one.path}) must not be shipped. {one.refused_because}"
    for missing in report.not_written:
        if not missing.optional:
            yield f"Not written: {missing.name}. {missing.because}"
    if report.quick:
        yield (
            "Quick measurement: fewer latency queries than the recipe asks for. Good for a look, "
            "not for a claim."
        )


def _key_figures(report: ReportData, rows: Iterable[AnyRow]) -> Table:
    shared = {"overlap@10": "Top 10 shared", "agreement": "Same answer"}
    headings = (
        ("", ""),
        (metric_heading(report.metric), "95%"),
        ("Kept", "% of teacher"),
        ("p50", "ms"),
        ("p90", "ms"),
        ("Size", "MB"),
        ("Memory", "MB"),
        (shared[report.student.fidelity.measure], "% with the student"),
    )
    to_ship = {report.best} & {*report.budget.fits}

    def cells(row: AnyRow) -> tuple[Cell, ...]:
        is_best = isinstance(row, ArtifactData) and row.path in to_ship
        refused = isinstance(row, ArtifactData) and row.refused_because is not None
        role = "refused" if refused else "the one to ship" if is_best else ROLES[row.role]
        return (
            Cell(role),
            _interval((row.quality or {}).get(report.metric)),
            kept_cell(row, is_teacher=row is report.teacher),
            _milliseconds(row.latency, "p50"),
            _milliseconds(row.latency, "p90"),
            Cell(significant(row.bytes / 1e6)),
            Cell(significant(row.peak_rss_mb)),
            Cell(percent(row.fidelity.student)),
        )

    return Table("", headings, tuple((row.name, cells(row)) for row in rows))


def _interval(interval: IntervalData | None) -> Cell:
    if interval is None:
        return Cell(NOT_MEASURED)
    low, high = (with_minus(f"{one:.4f}") for one in (interval.low, interval.high))
    return Cell(with_minus(f"{interval.value:.4f}"), f"{low}–{high}")


def _milliseconds(latency: LatencyData | None, percentile: str) -> Cell:
    if latency is None:
        return Cell(NOT_MEASURED)
    about = "≈ " if percentile in latency.unsupported else ""
    shown = significant(getattr(latency, f"{percentile}_ms"))
    state = ("" if latency.quiet else "noisy") if latency.valid else "not valid"
    return Cell(about + shown, state)


def _budget_sentence(report: ReportData) -> Iterator[str]:
    table = budget_table(report)
    if table is None:
        return
    limits = ", ".join(f"{name} {allowed}" for name, allowed in table.headings)
    kept = "Budget kept" if report.budget.met else "Budget **not** kept"
    yield f"{kept}: {escape_markdown(limits)}.\n"


def _budget_verdicts(report: ReportData) -> Table | None:
    table = budget_table(report)
    if table is None or not table.rows:
        return None
    marks = {True: "kept", False: "broken", None: ""}
    rows = tuple(
        (
            name,
            (
                *(Cell(reached, marks[met]) for reached, met in cells),
                Cell("yes" if fits else "no"),
            ),
        )
        for name, cells, fits in table.rows
    )
    return Table("", (*table.headings, ("Fits", "")), rows)


def _files(report: ReportData) -> Table:
    headings = (
        ("Checked", ""),
        ("Cases", ""),
        ("Agreement", "% with the student"),
        ("Largest difference", ""),
        ("", ""),
        ("sha256", ""),
    )
    rows = tuple(
        (
            one.name,
            (
                Cell(checked_in_words(one), one.checked_with or ""),
                Cell(f"{one.check.cases:,}" if one.check.cases else NOT_MEASURED),
                Cell(percent(one.check.agreement)),
                Cell(significant(one.check.max_abs_difference)),
                Cell(verdict_of(one)),
                Cell(f"{one.sha256[:12]}…"),
            ),
        )
        for one in report.artifacts
    )
    return Table("", headings, rows)


def _origin(report: ReportData) -> str:
    """Say where the figures are from and how to get them again."""
    options = (" --quick" if report.quick else "") + (" --peers" if report.peers else "")
    command = code_in_markdown(f"limbeck run recipe.yaml{options}")
    return (
        f"{escape_markdown(environment_line(report.environment))}  \n"
        f"Again: {command} with the run’s recipe.yaml, sha256 {report.recipe_hash[:12]}….\n"
    )


def environment_line(machine: EnvironmentData) -> str:
    """Return the machine and what mattered of the software in one line."""
    named = ("limbeck", "torch", "onnxruntime")
    packages = [f"{name} {machine.packages[name]}" for name in named if name in machine.packages]
    cores = "1 core" if machine.cores == 1 else f"{machine.cores} cores"
    cores += " of a virtual machine" if machine.is_virtual else ""
    return (
        f"{machine.cpu}, {cores}, {machine.memory_gb:g} GB; {machine.system}, "
        f"{machine.architecture}; Python {machine.python}"
        + (f"; {', '.join(packages)}" if packages else "")
    )
