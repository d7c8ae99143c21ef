"""The report as a person reads it in the terminal: tables and sentences."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from benchmarks.report.groups import protect_complaints
from benchmarks.report.task_view import TaskView, metric_heading, task_view
from benchmarks.report.wording import NOT_MEASURED, percent, signed, significant, with_minus
from compress.metrics import metric_name

NOISY, INVALID = "~", "!"
"""Before a latency."""


def measured_table(report: dict[str, Any]) -> Table:
    """Return the rows that have quality or latency.

    Args:
        report: A `report.json`.
    """
    view = task_view(report["task"])
    headers = ("", f"{metric_heading(view.metric)} [95%]", "kept", "p90 ms", "KB")
    table = _table((*headers, view.fidelity_in_terminal, ""))
    for row in _rows(report):
        if row["quality"] or row["latency"]:
            table.add_row(*_cells(row, view))
    return table


def files_table(report: dict[str, Any]) -> Table:
    """Return every file that was written, and how it was checked."""
    table = _table(("Files", "KB", "checked", "agreement\nwith student", "largest\ndifference", ""))
    for one in report["artifacts"]:
        check = one["check"]
        alike = check["agreement"]
        table.add_row(
            escape(one["name"]),
            _kilobytes(one),
            _checked(one),
            NOT_MEASURED if alike is None else f"{percent(alike)}%",
            significant(check["max_abs_difference"]),
            _verdict(one),
        )
    return table


def sentences(report: dict[str, Any]) -> Iterator[str]:
    """What is to be said beside the tables, a line each."""
    view = task_view(report["task"])
    gain = report["distillation_gain"]
    for one in report["not_written"]:
        yield f"{one['name']} is not written: {one['because']}"
    if report["not_written"]:
        yield ""
    marks = {_doubt(row["latency"]) for row in _rows(report) if row["latency"]}
    if NOISY in marks:
        yield f"{NOISY} the machine was busy with other things meanwhile: a look, not a claim"
    if INVALID in marks:
        yield f"{INVALID} not valid: the report says which rule it breaks"
    if marks - {""}:
        yield ""
    yield report["headline"]
    yield (
        f"Distillation gained {signed(gain['value'])} [{signed(gain['low'])}, "
        f"{signed(gain['high'])}] {metric_name(view.metric)} over the same student without a "
        "teacher."
    )
    for peer in fastest_peers(report["peer_comparisons"]):
        ratio = peer["p90_ratio"]
        yield (
            f"{peer['ours']} beside {peer['peer']}, the fastest peer: {ratio['value']:.3f} "
            f"[{ratio['low']:.3f}, {ratio['high']:.3f}] times its p90 latency; agreement with the "
            "student "
            f"{percent(peer['agreement_ours'])}% against {percent(peer['agreement_peer'])}%."
        )
    yield from (f"Worth knowing: {warning}" for warning in report["warnings"])


def fastest_peers(comparisons: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each of our files beside the peer of the lowest p90, our fastest file first."""
    found: dict[str, dict[str, Any]] = {}
    for one in comparisons:
        held = found.setdefault(one["ours"], one)
        if one["p90_ratio"]["value"] > held["p90_ratio"]["value"]:
            found[one["ours"]] = one
    return sorted(found.values(), key=lambda one: float(one["p90_ratio"]["value"]))


def complaints(report: dict[str, Any]) -> Iterator[str]:
    """What a run failed at: files refused or not written, and a budget that no file keeps.

    Where the recipe limits or protects something and no file keeps to it, there is a line at least.
    """
    for artifact in report["artifacts"]:
        if artifact["refused_because"] is not None:
            yield f"{artifact['path']} is refused: {artifact['refused_because']}."
    for one in report["not_written"]:
        if not one["optional"]:
            yield (
                f"{one['name']} could not be written: {one['because'].rstrip('.')}. If the run is "
                "good without it, leave it out or mark it optional: true."
            )
    if not report["budget"]["met"]:
        asked = bool(report["budget"]["limits"] or report["recipe"].get("protect"))
        yield from _budget_complaints(report["budget"], asked=asked)


def _budget_complaints(budget: dict[str, Any], *, asked: bool) -> Iterator[str]:
    broken = [verdict for verdict in budget["verdicts"] if not verdict["met"]]
    over = {verdict["path"] for verdict in broken}
    of_groups = list(protect_complaints(budget.get("protected", ())))
    if of_groups and {verdict["path"] for verdict in budget["verdicts"]} - over:
        broken = []  # Some file keeps every limit: it is what is protected that fails the run.
    for verdict in broken:
        yield (
            f"budget.{verdict['limit']}: {verdict['path']} reaches {verdict['reached']:.4g}, "
            f"the recipe allows {verdict['allowed']:g}."
        )
    yield from of_groups
    if asked and not broken and not of_groups:
        yield "budget: no usable file was measured for all that the recipe limits or protects."


def _table(headers: Sequence[str]) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for number, header in enumerate(headers):
        is_text = number == 0 or header in ("", "checked")
        table.add_column(escape(header), justify="left" if is_text else "right", no_wrap=number > 0)
    return table


def _rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    alone = report["student_without_teacher"]
    models = [*report["baselines"], report["teacher"], alone, report["student"]]
    return [*models, *report["artifacts"], *report["peers"]]


def _cells(row: dict[str, Any], view: TaskView) -> list[str]:
    quality, latency, kept = row["quality"], row["latency"], row["kept_quality"]
    metric = NOT_MEASURED
    if quality is not None:
        one = quality[view.metric]
        metric = with_minus(f"{one['value']:.4f} [{one['low']:.4f}, {one['high']:.4f}]")
    alike = row["fidelity"]["teacher"]
    return [
        escape(row["name"]),
        escape(metric),
        "" if kept is None else f"{kept['value']:.1%}",
        NOT_MEASURED if latency is None else f"{_doubt(latency)}{latency['p90_ms']:.3f}",
        _kilobytes(row),
        "" if alike is None else f"{alike:.0%}",
        _state(row) if row["role"] == "artifact" else "",
    ]


def _doubt(latency: dict[str, Any]) -> str:
    """What stands before a figure that is none, or a look only."""
    if not latency["valid"]:
        return INVALID
    return "" if latency["quiet"] else NOISY


def _state(artifact: dict[str, Any]) -> str:
    """Say on what evidence a measured file stands."""
    if artifact["usable"] and artifact["checked"] == "evaluated":
        return "[green]evaluated[/]"
    return _verdict(artifact)


def _verdict(artifact: dict[str, Any]) -> str:
    if artifact["usable"]:
        return "[green]verified[/]"
    return "" if artifact["refused_because"] is None else "[red]refused[/]"


def _checked(artifact: dict[str, Any]) -> str:
    if artifact["checked"] == "parsed":
        return "parsed, not run"
    asked = artifact["check"]["agreement"] is not None
    return str(artifact["checked"]) if asked else "did not answer"


def _kilobytes(row: dict[str, Any]) -> str:
    return f"{row['bytes'] / 1000:,.0f}"
