"""What a person sees in the terminal: the plan, the progress, the tables."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.report.terminal import complaints, files_table, measured_table, sentences
from benchmarks.report.wording import NOT_MEASURED, percent, significant
from compress.progress import Display
from compress.recipe import Recipe
from compress.stage import PlannedStage

if TYPE_CHECKING:
    from benchmarks.bench.data import BenchData
    from compress.data.package_archive import PackageStatus
    from export.targets import Target
    from export.verify_run import Verdict

__all__ = [
    "TerminalDisplay",
    "complaints",
    "print_bench",
    "print_packages",
    "print_plan",
    "print_report",
    "print_targets",
    "print_verdicts",
]

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
    """Print a report's tables, its headline, and where the page is.

    Args:
        report: A `report.json`.
        folder: The run's folder.
        on_stderr: Because stdout is taken, by JSON say.
    """
    console = _console if on_stderr else _out
    console.print(measured_table(report))
    if report["artifacts"]:
        console.print()
        console.print(files_table(report))
    console.print()
    for line in (*sentences(report), f"Report: {folder / 'report' / 'report.html'}"):
        console.print(line, markup=False, soft_wrap=True)


def print_bench(found: "BenchData", folder: Path, *, on_stderr: bool = False) -> None:
    """Print what was measured, what is wrong with it, and where its logs are."""
    from benchmarks.bench.terminal import bench_sentences, bench_table

    console = _console if on_stderr else _out
    if found.rows:
        console.print(bench_table(found))
        console.print(
            "memory: peak over the empty runtime’s; cold start: process start to first answer",
            style="dim",
        )
        console.print()
    for line in (*bench_sentences(found), f"LoadGen’s logs and bench.json: {folder}"):
        console.print(line, markup=False, soft_wrap=True)


def print_targets(targets: "Sequence[Target]") -> None:
    """Print what can be written and run here."""
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    for header, widest in (("format", None), ("target", 18), ("schemes", 14)):
        table.add_column(header, no_wrap=widest is None, max_width=widest)
    for header in ("write", "run"):
        table.add_column(header, no_wrap=True)
    table.add_column("how", overflow="fold")
    for target in targets:
        table.add_row(
            target.format,
            escape(target.target),
            ", ".join(target.schemes),
            _yes(target.can_emit),
            _yes(target.can_run),
            escape(target.how),
        )
    _out.print(table)


def print_verdicts(verdicts: "Sequence[Verdict]") -> None:
    """Print what came of checking files again: a table, then what is wrong or could not be done."""
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for header in ("file", "checked", "cases", "agreement", "difference", ""):
        is_text = header in ("file", "checked", "")
        table.add_column(header, justify="left" if is_text else "right", no_wrap=header != "file")
    for verdict in verdicts:
        table.add_row(*_verdict_cells(verdict))
    _out.print(table)
    for verdict in verdicts:
        for fault in verdict.faults:
            _out.print(f"{verdict.path} is refused: {fault}", markup=False, soft_wrap=True)
        if verdict.note:
            _out.print(f"{verdict.path}: {verdict.note}", markup=False, soft_wrap=True)


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


def _verdict_cells(verdict: "Verdict") -> list[str]:
    check = verdict.check
    alike = None if check is None else check.agreement
    apart = None if check is None else check.max_abs_difference
    return [
        escape(verdict.path),
        "parsed, not run" if verdict.checked == "parsed" else verdict.checked,
        NOT_MEASURED if check is None or not check.cases else f"{check.cases:,}",
        NOT_MEASURED if alike is None else f"{percent(alike)}%",
        significant(apart),
        "[green]verified[/]" if verdict.passed else "[red]refused[/]" if verdict.refused else "",
    ]


def _yes(value: bool) -> str:
    return "[green]yes[/]" if value else "no"
