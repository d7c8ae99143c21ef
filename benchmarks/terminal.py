"""What a person sees in the terminal: the plan, the progress, the tables."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.task_view import TaskView, metric_heading, task_view
from benchmarks.wording import percent, signed, with_minus
from compress.metrics import metric_name
from compress.progress import Display
from compress.recipe import Recipe
from compress.run import PlannedStage

if TYPE_CHECKING:
    from compress.data.package_archive import PackageStatus
    from export.targets import Target

PLAIN_EVERY_S = 15.0
"""How often a stage's news is printed where there is no terminal."""

_WIDTH_OF_LOGS = 120

_console = Console(
    stderr=True, highlight=False, width=None if sys.stderr.isatty() else _WIDTH_OF_LOGS
)
_out = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_LOGS)


class TerminalDisplay(Display):
    """One live line a stage on a terminal, plain lines elsewhere; all on stderr."""

    def __init__(self) -> None:
        self._live = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=_console,
        )
        self._task: TaskID | None = None
        self._name = ""
        self._told = 0.0

    def __enter__(self) -> Self:
        if _console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()

    def stage_started(self, name: str, title: str, resumed: bool) -> None:
        """Open the stage's line."""
        self._name, self._told = name, time.monotonic()
        note = "goes on" if resumed else ""
        if _console.is_terminal:
            self._task = self._live.add_task(name, total=None, note=note)
        else:
            _console.print(
                f"{name}: {title}{' (goes on)' if resumed else ''}", markup=False, soft_wrap=True
            )

    def stage_reused(self, name: str) -> None:
        """Say nothing: the plan already did."""

    def stage_finished(self, name: str, seconds: float) -> None:
        """Close the stage's line."""
        if self._task is not None:
            self._live.update(self._task, total=1.0, completed=1.0, note=f"{seconds:,.1f} s")
            self._live.stop_task(self._task)
            self._task = None
        else:
            _console.print(f"{name}: done in {seconds:,.1f} s", markup=False, soft_wrap=True)

    def stage_advanced(self, note: str, done: float | None) -> None:
        """Move the stage's line."""
        if self._task is not None:
            total = None if done is None else 1.0
            self._live.update(self._task, total=total, completed=done or 0.0, note=escape(note))
        elif time.monotonic() - self._told >= PLAIN_EVERY_S:
            self._told = time.monotonic()
            share = "" if done is None else f" ({done:.0%})"
            _console.print(f"{self._name}: {note}{share}", markup=False, soft_wrap=True)

    def said(self, message: str) -> None:
        """Print above the live lines."""
        _console.print(message, markup=False, style="yellow", soft_wrap=True)


def print_plan(
    recipe: Recipe, folder: Path, plan: Sequence[PlannedStage], only: str | None
) -> None:
    """Say what will be done before it is."""
    table = Table(box=None, padding=(0, 2), show_header=False)
    marks = {
        "finished": "[green]✓ finished[/]",
        "resume": "[yellow]↻ goes on[/]",
        "to do": "· to do",
    }
    for one in plan:
        state = marks[one.state] if only in (None, one.stage.name) else "[dim]left alone[/]"
        table.add_row(one.stage.name, one.stage.title, state)
    _console.print(f"[bold]{escape(recipe.name)}[/] → {escape(str(folder))}")
    _console.print(table)


def print_report(report: dict[str, Any], folder: Path, *, on_stderr: bool = False) -> None:
    """Print a report's table, its headline, and where the page is.

    Args:
        report: A `report.json`.
        folder: The run's folder.
        on_stderr: Because stdout is taken, by JSON say.
    """
    console = _console if on_stderr else _out
    view = task_view(report["task"])
    headers = ("", f"{metric_heading(view.metric)} [95%]", "kept", "p90 ms", "KB")
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for header in (*headers, view.fidelity_in_terminal, ""):
        table.add_column(escape(header), justify="right" if header else "left", no_wrap=True)
    for row in _rows(report):
        table.add_row(*_cells(row, view))
    console.print(table)
    console.print()
    for line in (*_sentences(report, view), f"Report: {folder / 'report' / 'report.html'}"):
        console.print(line, markup=False, soft_wrap=True)


def complaints(report: dict[str, Any]) -> Iterator[str]:
    """What a run failed at: refused files, and a budget that no file keeps."""
    for artifact in report["artifacts"]:
        if not artifact["usable"]:
            yield f"{artifact['path']} is refused: {artifact['refused_because']}."
    budget = report["budget"]
    if not budget["met"]:
        for verdict in budget["verdicts"]:
            if not verdict["met"]:
                reached = "unknown" if verdict["reached"] is None else f"{verdict['reached']:.4g}"
                yield (
                    f"budget.{verdict['limit']}: {verdict['path']} reaches {reached}, "
                    f"the recipe allows {verdict['allowed']:g}."
                )


def print_targets(targets: "Sequence[Target]") -> None:
    """Print what can be written and run here."""
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for header in ("format", "schemes", "target", "write", "run", "how"):
        table.add_column(header)
    for target in targets:
        table.add_row(
            target.format,
            ", ".join(target.schemes),
            target.target,
            _yes(target.can_emit),
            _yes(target.can_run),
            target.how,
        )
    _out.print(table)


def print_packages(packages: "Sequence[PackageStatus]", as_json: bool) -> None:
    """Print what can be fetched, and what is in the cache."""
    if as_json:
        entries = [
            {
                "name": package.name,
                "what": package.what,
                "megabytes": package.megabytes,
                "terms": package.terms,
                "folder": None if package.folder is None else str(package.folder),
            }
            for package in packages
        ]
        sys.stdout.write(json.dumps(entries, indent=2) + "\n")
        return
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for header in ("name", "what", "MB", "here", "terms"):
        table.add_column(header, justify="right" if header == "MB" else "left")
    for package in packages:
        here = _yes(package.folder is not None)
        table.add_row(package.name, package.what, f"{package.megabytes:g}", here, package.terms)
    _out.print(table)


def _rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    alone = report["student_without_teacher"]
    models = [*report["baselines"], report["teacher"], alone, report["student"]]
    return [*models, *report["artifacts"], *report["peers"]]


def _sentences(report: dict[str, Any], view: TaskView) -> Iterator[str]:
    gain = report["distillation_gain"]
    yield report["headline"]
    yield (
        f"Distillation gained {signed(gain['value'])} [{signed(gain['low'])}, "
        f"{signed(gain['high'])}] {metric_name(view.metric)} over the same student without a "
        "teacher."
    )
    peer = report["peer_comparison"]
    if peer is not None:
        ratio = peer["p90_ratio"]
        yield (
            f"Beside {peer['peer']}: {ratio['value']:.3f} [{ratio['low']:.3f}, "
            f"{ratio['high']:.3f}] times its p90 latency; agreement with the student "
            f"{percent(peer['agreement_ours'])}% against {percent(peer['agreement_peer'])}%."
        )
    yield from (f"Worth knowing: {warning}" for warning in report["warnings"])


def _cells(row: dict[str, Any], view: TaskView) -> list[str]:
    quality, latency, kept = row["quality"], row["latency"], row["kept_quality"]
    metric = "–"
    if quality is not None:
        one = quality[view.metric]
        metric = with_minus(f"{one['value']:.4f} [{one['low']:.4f}, {one['high']:.4f}]")
    alike = row["fidelity"]["teacher"]
    usable = row.get("usable")
    return [
        escape(row["name"]),
        escape(metric),
        "" if kept is None else f"{kept['value']:.1%}",
        "–" if latency is None else f"{latency['p90_ms']:.3f}",
        f"{row['bytes'] / 1000:,.0f}",
        "" if alike is None else f"{alike:.0%}",
        {True: "[green]verified[/]", False: "[red]refused[/]", None: ""}[usable],
    ]


def _yes(value: bool) -> str:
    return "[green]yes[/]" if value else "no"
