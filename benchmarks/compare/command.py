"""What `limbeck compare` does, from paths to an exit code."""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.compare.comparison import MAX_SLOWDOWN, Limits, compare_runs
from benchmarks.compare.markdown import comparison_markdown
from benchmarks.compare.runs import open_run
from benchmarks.compare.terminal import print_comparison
from benchmarks.report.exports import write_text
from compress.errors import CheckFailed, UserError


def compare_command(
    runs: Sequence[tuple[str, Path]],
    *,
    max_drop: float = 0.01,
    strict: bool = False,
    file: str | None = None,
    latency: bool = False,
    max_slowdown: float | None = None,
    markdown: Path | None = None,
    as_json: bool = False,
) -> None:
    """Compare runs with the first of them, and print what comes out.

    Args:
        runs: As the user named each, and where it lies: a folder or a `report.json`.
        max_drop: Largest drop of the metric, relative to the base's.
        strict: Whether a run fails where more than that is not excluded.
        file: Name of the row to compare; None for the file that each run would ship.
        latency: Ask the files in turn, now.
        max_slowdown: Largest slowdown of the p90; needs `latency`.
        markdown: Also write Markdown to this file; `-` prints it in place of the tables.
        as_json: Print JSON in place of the tables.

    Raises:
        CheckFailed: A run is worse than is allowed: one line a failure.
        UserError: The runs cannot be compared as asked.
    """
    if max_slowdown is not None and not latency:
        raise UserError("--max-slowdown judges what --latency measures: give both, or neither.")
    if as_json and markdown == Path("-"):
        raise UserError("--json and --markdown - both print to stdout: name a file for one.")
    if latency and max_slowdown is None:
        max_slowdown = MAX_SLOWDOWN
    limits = Limits(max_drop, max_slowdown, strict)
    base, *others = (open_run(name, path) for name, path in runs)
    data = compare_runs(base, others, limits, file)
    if as_json:
        sys.stdout.write(data.to_json() + "\n")
    if markdown is not None:
        write_text(comparison_markdown(data), markdown)
    print_comparison(data, on_stderr=as_json or markdown == Path("-"))
    failures = [line for one in data.comparisons for line in one.failures]
    if failures:
        raise CheckFailed("\n       ".join(failures))
