"""Ours beside what a user could take instead, of the same student: sentences and a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.peers.data import PeerComparisonData
from benchmarks.report.data import ReportData
from benchmarks.report.shape import IntervalData
from benchmarks.report.tables import Cell, Table, all_rows, interval_cell, kept_cell, latency_marks
from benchmarks.report.task_view import TaskView, metric_heading
from benchmarks.report.wording import NOT_MEASURED, percent, rounds_in_words, share, significant

EAGER = "PyTorch eager (the student)"


@dataclass(frozen=True)
class PeersSection:
    """What the page says of peers."""

    sentences: tuple[str, ...]
    """Our fastest file beside the fastest peer first."""
    table: Table
    routes: tuple[tuple[str, str, str], ...]
    """Of each peer its name, what a user would type, and versions."""
    missing: tuple[tuple[str, str], ...]
    """Name of a peer without figures, and why."""


def peers_section(report: ReportData, view: TaskView) -> PeersSection | None:
    """Return what the section says; None where no peer was asked for."""
    found = report.peer_comparisons
    if not found:
        return None
    return PeersSection(
        sentences=(
            *(speed_sentence(one, found) for one in against_the_fastest(found)),
            _faith_sentence(found, view),
            _size_sentence(report),
        ),
        table=_table(report, view),
        routes=tuple(
            (one.name, one.typed, ", ".join(f"{name} {of}" for name, of in one.made_with.items()))
            for one in report.peer_routes
        ),
        missing=tuple((one.name, one.because) for one in report.peers_not_measured),
    )


def against_the_fastest(
    comparisons: Sequence[PeerComparisonData],
) -> tuple[PeerComparisonData, ...]:
    """Return each of our files beside the fastest peer, our fastest file first.

    The fastest is that of the lowest p90 when all were asked in turn.
    """
    strongest: dict[str, PeerComparisonData] = {}
    for one in comparisons:
        held = strongest.get(one.ours)
        if held is None or one.p90_ratio.value > held.p90_ratio.value:
            strongest[one.ours] = one
    return tuple(sorted(strongest.values(), key=lambda one: one.p90_ratio.value))


def speed_sentence(one: PeerComparisonData, all_of_them: Sequence[PeerComparisonData]) -> str:
    """Say which is faster, and nothing that the interval does not support.

    Args:
        one: Our file beside the fastest peer.
        all_of_them: All comparisons of the session.
    """
    peers = len({other.peer for other in all_of_them})
    rank = f", which has the lowest p90 of {peers} peers" if peers > 1 else ""
    asked = rounds_in_words(one.rounds, one.restarts)
    return (
        f"{one.ours} takes {_ratio(one.p90_ratio)} the p90 latency of {_name(one.peer)}{rank}, all "
        f"asked in turn over {asked}: {_verdict(one.p90_ratio)}."
    )


def _ratio(ratio: IntervalData) -> str:
    return f"{ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}] times"


def _verdict(ratio: IntervalData) -> str:
    if ratio.high < 1:
        return "it is faster"
    if ratio.low > 1:
        return "it is slower"
    return "the interval contains 1, so neither is shown to be faster"


def _faith_sentence(comparisons: Sequence[PeerComparisonData], view: TaskView) -> str:
    """Say how closely our files and the fastest peer follow the student."""
    shown = against_the_fastest(comparisons)
    said = {one.ours: one.agreement_ours for one in shown}
    said |= {_name(one.peer): one.agreement_peer for one in shown if one.peer != "student"}
    listed = ", ".join(f"{name} {share(value)}" for name, value in said.items())
    what = "Top 10 shared" if view.fidelity_measure == "overlap@10" else "Agreement"
    return f"{what} with the student over the test {view.examples}: {listed}."


def _size_sentence(report: ReportData) -> str:
    """Say what the speed costs, or is worth, in size."""
    rows = {row.name: row for row in all_rows(report)}
    shown = against_the_fastest(report.peer_comparisons)
    names = dict.fromkeys([*(one.ours for one in shown), *(one.peer for one in shown)])
    listed = ", ".join(f"{_name(one)} {significant(rows[one].bytes / 1e6)} MB" for one in names)
    return f"Size: {listed}."


def _table(report: ReportData, view: TaskView) -> Table:
    comparisons = report.peer_comparisons
    ours = tuple(dict.fromkeys(one.ours for one in comparisons))
    peers = tuple(dict.fromkeys(one.peer for one in comparisons))
    ratios = {(one.ours, one.peer): one.p90_ratio for one in comparisons}
    faith = {one.ours: (one.agreement_ours, one.max_abs_difference_ours) for one in comparisons}
    faith |= {one.peer: (one.agreement_peer, one.max_abs_difference_peer) for one in comparisons}
    rows = {row.name: row for row in all_rows(report)}
    headings = (
        (metric_heading(report.metric), ""),
        ("Kept", "% of teacher"),
        ("p90", "ms, each alone"),
        *((f"p90 of {name}", "times this one’s, in turn") for name in ours),
        ("Size", "MB"),
        ("Peak memory", "MB"),
        ("Agreement", "% with the student"),
        (f"Largest {view.answer} difference", "from the student"),
    )

    def cells(name: str) -> tuple[Cell, ...]:
        row = rows[name]
        latency = row.latency
        return (
            interval_cell((row.quality or {}).get(report.metric)),
            kept_cell(row),
            Cell(
                significant(None if latency is None else latency.p90_ms),
                "; ".join(latency_marks(row)),
            ),
            *(_ratio_cell(ratios.get((one, name))) for one in ours),
            Cell(significant(row.bytes / 1e6)),
            Cell(significant(row.peak_rss_mb)),
            Cell(percent(faith[name][0])),
            Cell(significant(faith[name][1])),
        )

    return Table("", headings, tuple((_name(name), cells(name)) for name in (*ours, *peers)))


def _ratio_cell(ratio: IntervalData | None) -> Cell:
    if ratio is None:
        return Cell(NOT_MEASURED)
    return Cell(f"{ratio.value:.3f}", f"{ratio.low:.3f}–{ratio.high:.3f}")


def _name(row: str) -> str:
    """Name a row as a peer: the student's own is PyTorch eager."""
    return EAGER if row == "student" else row
