"""A comparison as a person reads it in the terminal."""

import sys

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from benchmarks.compare.data import CompareData
from benchmarks.compare.view import compare_view
from benchmarks.report.tables import Cell, Table

_WIDTH_OF_LOGS = 140
_LEAST_NAME = 24
_COLOURS = {
    "better": "green",
    "faster": "green",
    "worse": "red",
    "slower": "red",
    "not decided": "yellow",
    "worse within the limit": "yellow",
    "slower within the limit": "yellow",
}


def print_comparison(data: CompareData, *, on_stderr: bool = False) -> None:
    """Print the tables of a comparison, then its sentences.

    Args:
        data: What was found.
        on_stderr: Because stdout is taken, by JSON say.
    """
    stream = sys.stderr if on_stderr else sys.stdout
    width = None if stream.isatty() else _WIDTH_OF_LOGS
    console = Console(stderr=on_stderr, highlight=False, width=width)
    view = compare_view(data)
    console.print(terminal_table(view.files, "Files"))
    console.print()
    console.print(terminal_table(view.behind, "Behind them"))
    console.print()
    for line in (*view.sentences, *view.notes, view.footnote):
        console.print(line, markup=False, soft_wrap=True)


def terminal_table(table: Table, first: str) -> RichTable:
    """Return a table of the report for the terminal, small print under its figure.

    Args:
        table: Rows of cells.
        first: Heading of the names.
    """
    shown = RichTable(box=None, padding=(0, 1), header_style="bold")
    shown.add_column(escape(first), overflow="fold", min_width=_LEAST_NAME)
    for name, unit in table.headings:
        shown.add_column(
            escape(f"{name}\n{unit}" if unit else name),
            justify="left" if name in ("Verdict", "Speed") else "right",
            no_wrap=True,
        )
    for name, cells in table.rows:
        shown.add_row(escape(name), *map(_in_terminal, cells))
    return shown


def _in_terminal(cell: Cell) -> str:
    colour, text = _COLOURS.get(cell.text), escape(cell.text)
    shown = f"[{colour}]{text}[/]" if colour else text
    return f"{shown}\n[dim]{escape(cell.note)}[/]" if cell.note else shown
