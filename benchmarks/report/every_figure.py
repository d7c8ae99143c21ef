"""All pictures of a report by their name: the page draws them, and they are exported as files."""

from typing import Any

from benchmarks.report.data import ReportData
from benchmarks.report.figures import curve_figures, trade_off_figure
from benchmarks.report.robustness_figures import robustness_figures
from benchmarks.report.roofline import roofline_figure
from benchmarks.report.tables import measured_rows


def every_figure(report: ReportData) -> dict[str, dict[str, Any]]:
    """Return the figures that there is something to draw for, the first one first."""
    found = {"trade-off": trade_off_figure(measured_rows(report), report.metric)}
    if report.roofline is not None:
        found["roofline"] = roofline_figure(report.roofline)
    if report.robustness is not None:
        found |= robustness_figures(report.robustness)
    found |= curve_figures(report.curves, report.metric)
    return {name: figure for name, figure in found.items() if figure}
