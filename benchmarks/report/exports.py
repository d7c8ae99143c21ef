"""A report in other formats: Markdown, CSV, pictures."""

import sys
from pathlib import Path

from benchmarks.report.csv_tables import write_csv
from benchmarks.report.data import ReportData
from benchmarks.report.every_figure import every_figure
from benchmarks.report.markdown import report_markdown
from benchmarks.report.pictures import write_pictures
from benchmarks.report.sections import folded_sections
from compress.errors import UserError
from compress.files import write_atomically

STDOUT = Path("-")


def export_report(
    report: ReportData,
    *,
    markdown: Path | None = None,
    csv: Path | None = None,
    pictures: Path | None = None,
) -> list[Path]:
    """Write a report in the formats that are named.

    Args:
        report: What is written.
        markdown: A file, or `-` for stdout.
        csv: A folder for `rows.csv`, `latencies.csv`, `verdicts.csv` and the tables of further
            sections.
        pictures: A folder for SVG and PNG files.

    Returns:
        The files that were written.

    Raises:
        UserError: A place cannot be written to.
    """
    written = []
    if markdown is not None:
        written += write_text(report_markdown(report, folded_sections(report)), markdown)
    if csv is not None:
        written += write_csv(report, csv, folded_sections(report))
    if pictures is not None:
        try:
            written += write_pictures(every_figure(report), pictures)
        except OSError as error:
            raise _not_writable(pictures, error) from error
    return written


def write_text(text: str, path: Path) -> list[Path]:
    """Write a text to a file, or to stdout where the path is `-`.

    Returns:
        The files that were written: one, or none.

    Raises:
        UserError: The file cannot be written.
    """
    if path == STDOUT:
        sys.stdout.write(text)
        return []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except OSError as error:
        raise _not_writable(path, error) from error
    return [path]


def _not_writable(path: Path, error: OSError) -> UserError:
    return UserError(f"{path} cannot be written: {error.strerror}. Name another place.")
