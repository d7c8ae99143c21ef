"""Ours beside the file that another tool made of the same student: sentences and a table."""

from dataclasses import dataclass

from benchmarks.report.data import PeerComparisonData, ReportData
from benchmarks.report.shape import IntervalData
from benchmarks.report.tables import AnyRow, Cell, Table, all_rows, interval_cell, kept_cell
from benchmarks.report.task_view import TaskView, metric_heading
from benchmarks.report.wording import percent, share, significant


@dataclass(frozen=True)
class PeerSection:
    """What the page says of the comparison."""

    sentences: tuple[str, ...]
    table: Table


def peer_section(report: ReportData, view: TaskView) -> PeerSection | None:
    """Return what the section says; None where nothing was compared."""
    found = report.peer_comparison
    if found is None:
        return None
    rows = {row.name: row for row in all_rows(report)}

    def cells(name: str, agreement: float, difference: float) -> tuple[str, tuple[Cell, ...]]:
        return name, _cells(rows[name], report.metric, agreement, difference)

    headings = (
        ("p90", "ms, each alone"),
        (metric_heading(report.metric), ""),
        ("Kept", "% of teacher"),
        ("Agreement", "% with the student"),
        (f"Largest {view.answer} difference", "from the student"),
        ("Size", "MB"),
    )
    table = Table(
        "",
        headings,
        (
            cells(found.ours, found.agreement_ours, found.max_abs_difference_ours),
            cells(found.peer, found.agreement_peer, found.max_abs_difference_peer),
        ),
    )
    return PeerSection((speed_sentence(found), _faith_sentence(found, view)), table)


def speed_sentence(found: PeerComparisonData) -> str:
    """Say which file is faster, and nothing that the interval does not support."""
    return (
        f"{found.ours} takes {_ratio(found.p90_ratio)} the p90 latency of {found.peer}, both asked "
        f"in turn over {found.rounds:,} rounds: {_verdict(found.p90_ratio)}."
    )


def _ratio(ratio: IntervalData) -> str:
    return f"{ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}] times"


def _verdict(ratio: IntervalData) -> str:
    if ratio.high < 1:
        return "it is faster"
    if ratio.low > 1:
        return "it is slower"
    return "the interval contains 1, so neither is shown to be faster"


def _faith_sentence(found: PeerComparisonData, view: TaskView) -> str:
    return (
        f"Agreement with the student over the test {view.examples}: {found.ours} "
        f"{share(found.agreement_ours)}, {found.peer} {share(found.agreement_peer)}."
    )


def _cells(row: AnyRow, metric: str, agreement: float, difference: float) -> tuple[Cell, ...]:
    p90 = None if row.latency is None else row.latency.p90_ms
    return (
        Cell(significant(p90)),
        interval_cell((row.quality or {}).get(metric)),
        kept_cell(row),
        Cell(percent(agreement)),
        Cell(significant(difference)),
        Cell(significant(row.bytes / 1e6)),
    )
