"""The traces of a picture: points with error bars, and lines."""

import re
from collections.abc import Mapping
from html import unescape
from typing import TYPE_CHECKING, Any

from benchmarks.report.palette import light_palette
from benchmarks.report.picture_symbols import marker_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BLANKS = re.compile(r"[\s\x00-\x1f\x7f]+")
_DASHES: dict[str, Any] = {"dash": "--", "dot": ":", "dashdot": "-.", "solid": "-"}


def draw_trace(axes: "Axes", trace: Mapping[str, Any], order: int) -> Any:
    """Draw one trace.

    Args:
        axes: Where.
        trace: Of type scatter.
        order: Of the trace in its figure; a later one lies above.

    Returns:
        What a legend shows.

    Raises:
        ValueError: The trace is of a type that is not drawn.
    """
    kind = trace.get("type", "scatter")
    if kind != "scatter":
        raise ValueError(f"a picture has no traces of type {kind!r}")
    colour, mode = colour_of(trace), trace.get("mode", "lines")
    marker, is_open = marker_of(str(trace.get("marker", {}).get("symbol", "circle")))
    line = trace.get("line", {})
    across, along = (spread(trace.get(f"error_{axis}")) for axis in "xy")
    if across or along:
        axes.errorbar(
            trace["x"],
            trace["y"],
            xerr=across,
            yerr=along,
            fmt="none",
            ecolor=(colour, 0.55),
            elinewidth=1.1,
            capsize=2.5,
            zorder=3,
        )
    (handle,) = axes.plot(
        trace["x"],
        trace["y"],
        color=colour,
        linestyle=_DASHES.get(line.get("dash", "solid"), "-") if "lines" in mode else "none",
        linewidth=float(line.get("width", 2)) * 0.75,
        drawstyle="steps-post" if line.get("shape") == "hv" else "default",
        marker=marker if "markers" in mode else "none",
        markersize=float(trace.get("marker", {}).get("size", 8)) * 0.75,
        markerfacecolor=light_palette()["surface"] if is_open else colour,
        markeredgecolor=colour,
        markeredgewidth=1.4 if is_open else 0.0,
        zorder=4 + order / 1000,
    )
    return handle


def colour_of(trace: Mapping[str, Any]) -> str:
    """Return a trace's colour: that of the role that it names, in the light theme."""
    palette = light_palette()
    return palette.get(str(trace.get("meta", {}).get("colour", "ink")), palette["ink"])


def spread(error: Mapping[str, Any] | None) -> tuple[list[float], list[float]] | None:
    """Return how far error bars reach down and up, never below nothing, as rounding may say."""
    if error is None:
        return None
    down = error.get("arrayminus", error["array"])
    return [max(0.0, one) for one in down], [max(0.0, one) for one in error["array"]]


def plain_name(text: str) -> str:
    """Return a name on one line, without what keeps Plotly from reading HTML in it."""
    return _BLANKS.sub(" ", unescape(text)).strip()
