"""What the points and lines of a picture are called: names beside them, or a legend."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report.palette import light_palette
from benchmarks.report.picture_labels import Box, Place, place_labels
from benchmarks.report.picture_traces import colour_of, plain_name, spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

_ROW_IN = 0.21
"""Height of a row of the legend."""
_GAP_PT = 7.0
"""From the middle of a point to its name."""
_NAME_PT = 9.5
_STEPS = 120
"""In which a stretch of a line is looked at."""


def write_names(
    drawing: "Figure",
    axes: "Axes",
    traces: Sequence[Mapping[str, Any]],
    drawn: Sequence[Mapping[str, Any]],
) -> bool:
    """Write the names of points beside them; False where they do not fit without overlap.

    Args:
        drawing: The picture.
        axes: What the points are on.
        traces: Those whose points are named.
        drawn: All traces: names keep clear of their lines too.
    """
    drawing.canvas.draw()
    engine = drawing.get_layout_engine()
    drawing.set_layout_engine("none")  # What is written now must not move what was measured.
    scale = drawing.dpi / 72
    points, names, colours = [], [], []
    taken = [box for trace in drawn for box in _covered_by_line(axes, trace, scale)]
    for trace in traces:
        texts = trace["text"] if isinstance(trace["text"], list) else [trace["text"]]
        for index, (x, y, text) in enumerate(zip(trace["x"], trace["y"], texts, strict=True)):
            point = tuple(axes.transData.transform((x, y)))
            points.append(point)
            names.append(plain_name(text))
            colours.append(colour_of(trace))
            taken += _covered_by(axes, trace, index, point, scale)
    sizes = [_size_of(drawing, name) for name in names]
    bounds = axes.get_window_extent()
    canvas = (bounds.x0 + 4, bounds.y0 + 2, drawing.bbox.x1 - 4, bounds.y1)
    places = place_labels(points, sizes, taken, canvas, _GAP_PT * scale)
    if places is None:
        drawing.set_layout_engine(engine)
        return False
    for point, name, colour, place in zip(points, names, colours, places, strict=True):
        _write_name(drawing, point, name, colour, place)
    return True


def _covered_by(
    axes: "Axes", trace: Mapping[str, Any], index: int, point: tuple[float, ...], scale: float
) -> list[Box]:
    """Return the boxes of a point's marker and error bars."""
    x, y = point
    half = 5.5 * scale
    boxes = [(x - half, y - half, x + half, y + half)]
    for position, axis in enumerate("xy"):
        reach = spread(trace.get(f"error_{axis}"))
        if reach is None:
            continue
        ends = [[trace["x"][index], trace["y"][index]] for _ in range(2)]
        ends[0][position] -= reach[0][index]
        ends[1][position] += reach[1][index]
        (left, bottom), (right, top) = (axes.transData.transform(one) for one in ends)
        boxes.append((left - 3 * scale, bottom - scale, right + 3 * scale, top + scale))
    return boxes


def _covered_by_line(axes: "Axes", trace: Mapping[str, Any], scale: float) -> list[Box]:
    """Return small boxes along a line."""
    if "lines" not in trace.get("mode", "lines"):
        return []
    ends = axes.transData.transform([*zip(trace["x"], trace["y"], strict=True)])
    steps = np.linspace(0.0, 1.0, _STEPS)[:, None]
    boxes: list[Box] = []
    for start, end in pairwise(ends[np.isfinite(ends).all(axis=1)]):
        for x, y in start + steps * (end - start):
            boxes.append((x - 2 * scale, y - 2 * scale, x + 2 * scale, y + 2 * scale))
    return boxes


def _size_of(drawing: "Figure", name: str) -> tuple[float, float]:
    text = drawing.text(0, 0, name, fontsize=_NAME_PT)
    extent = text.get_window_extent()
    text.remove()
    return float(extent.width) + 2.0, float(extent.height) + 1.0


def _write_name(
    drawing: "Figure", point: tuple[float, ...], name: str, colour: str, place: Place
) -> None:
    from matplotlib.lines import Line2D

    left, bottom, right, top = place.box
    to_figure = drawing.transFigure.inverted()
    beside = left >= point[0] - 1, right <= point[0] + 1
    align = "left" if beside[0] else "right" if beside[1] else "center"
    x = {"left": left, "right": right, "center": (left + right) / 2}[align]
    x, y = to_figure.transform((x, (bottom + top) / 2))
    drawing.text(
        x,
        y,
        name,
        fontsize=_NAME_PT,
        color=colour,
        ha=align,
        va="center_baseline",
        zorder=6,
    )
    if not place.is_near:
        ends = to_figure.transform([point, place.anchor((point[0], point[1]))])
        drawing.add_artist(
            Line2D(*ends.T, color=colour, linewidth=0.7, alpha=0.6, zorder=2, clip_on=False)
        )


def draw_legend(drawing: "Figure", entries: Sequence[tuple[str, Any]]) -> "Legend":
    """Draw a legend below, in as many columns as fit, and make the picture as much taller.

    Args:
        drawing: The picture.
        entries: Names, and what stands for each.
    """
    names = [name for name, _ in entries]
    columns, legend = len(names), _legend(drawing, entries, len(names))
    while columns > 1 and legend.get_window_extent().width > 0.98 * drawing.bbox.width:
        legend.remove()
        columns -= 1
        legend = _legend(drawing, entries, columns)
    width, height = drawing.get_size_inches()
    drawing.set_size_inches(width, height + _ROW_IN * (-(-len(names) // columns) - 1))
    return legend


def _legend(drawing: "Figure", entries: Sequence[tuple[str, Any]], columns: int) -> "Legend":
    # Matplotlib leaves out labels that begin with an underscore: names are set afterwards.
    legend = drawing.legend(
        [handle for _, handle in entries],
        [f"{number}" for number in range(len(entries))],
        loc="outside lower left",
        ncols=columns,
        frameon=False,
        fontsize=_NAME_PT,
        handletextpad=0.5,
        columnspacing=1.6,
        labelcolor=light_palette()["soft"],
    )
    for text, (name, _) in zip(legend.get_texts(), entries, strict=True):
        text.set_text(name)
    return legend
