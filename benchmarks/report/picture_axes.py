"""The axes of a picture: scales, ticks, grid and titles, as the page has them."""

from collections.abc import Mapping, Sequence
from html import unescape
from math import log10
from typing import TYPE_CHECKING, Any

from benchmarks.report.palette import light_palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_DECADES = 3.0
"""Up to which 1, 2 and 5 of a decade have a tick."""
_LEAST_DECADES = 0.6
"""Below which a logarithmic axis has its ticks at round numbers."""


def draw_axes(axes: "Axes", layout: Mapping[str, Any], traces: Sequence[Mapping[str, Any]]) -> None:
    """Lay the axes out.

    Args:
        axes: With everything drawn on them.
        layout: Plotly's, of which titles, types, ranges, ticks and percent signs are heard.
        traces: Of the figure.
    """
    palette = light_palette()
    is_named = any("text" in trace.get("mode", "") for trace in traces)
    axes.margins(0.1 if is_named else 0.04, 0.1)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(palette["rule"])
    axes.tick_params(colors=palette["soft"], which="both", length=0, pad=6, labelsize=9.5)
    axes.grid(color=palette["grid"], linewidth=0.9, zorder=0)
    axes.set_axisbelow(True)
    for name in ("x", "y"):
        _draw_axis(axes, name, layout.get(f"{name}axis", {}), traces, palette["soft"])


def _draw_axis(
    axes: "Axes",
    name: str,
    wanted: Mapping[str, Any],
    traces: Sequence[Mapping[str, Any]],
    colour: str,
) -> None:
    from matplotlib.ticker import FuncFormatter

    title = wanted.get("title", "")
    text = unescape(title if isinstance(title, str) else str(title.get("text", "")))
    axes.set(**{f"{name}label": text})
    axis = axes.xaxis if name == "x" else axes.yaxis
    axis.label.set(color=colour, size=10)
    is_log = wanted.get("type") == "log"
    if is_log:
        axes.set(**{f"{name}scale": "log"})
        _draw_log_ticks(axes, name, traces)
    if "range" in wanted:
        low, high = wanted["range"]
        axes.set(**{f"{name}lim": (10**low, 10**high) if is_log else (low, high)})
    elif wanted.get("rangemode") == "tozero" and not is_log:
        axes.set(**{f"{name}lim": (0, None)})
    if wanted.get("autorange") == "reversed":
        (axes.invert_xaxis if name == "x" else axes.invert_yaxis)()
    if str(wanted.get("tickformat", "")).endswith("%"):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:g}%"))
    if "tickvals" in wanted:
        texts = wanted.get("ticktext", [f"{one:g}" for one in wanted["tickvals"]])
        axis.set_ticks(wanted["tickvals"], labels=[unescape(str(one)) for one in texts])


def _draw_log_ticks(axes: "Axes", name: str, traces: Sequence[Mapping[str, Any]]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    axis = axes.xaxis if name == "x" else axes.yaxis
    values = [float(one) for trace in traces for one in trace[name] if one is not None and one > 0]
    decades = log10(max(values) / min(values)) if values else 0.0
    if decades < _LEAST_DECADES:
        axis.set_major_locator(MaxNLocator(5))
    else:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades <= _MOST_DECADES else (1,)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
