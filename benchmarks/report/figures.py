"""The report's pictures, as Plotly traces and layouts in plain data.

Colours and fonts are the page's: a trace names its colour by the role of its row, and the page's
script fills it in, for light and for dark.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from math import log10
from typing import Any

from benchmarks.report.data import ArtifactData, CurveData, RowData
from compress.metrics import metric_name

_WIDTH, _HEIGHT = 900.0, 400.0
_CHARACTER, _LINE = 7.2, 17.0
_READABLE = 0.5
"""Share of a name that others may cover, counted for each of them."""
_PLACES = (
    *("middle right", "middle left", "top center", "bottom center"),
    *("top right", "top left", "bottom right", "bottom left"),
)
_SYMBOLS = {
    "baseline": ("square", "square-open", "cross"),
    "teacher": ("diamond",),
    "student": ("circle",),
    "student_without_teacher": ("circle-open",),
    "artifact": (
        *("star-triangle-up", "star", "hexagram", "star-square", "star-diamond"),
        *("triangle-up", "pentagon", "hexagon", "bowtie", "hourglass", "diamond-tall", "octagon"),
    ),
    "peer": (
        *("triangle-down", "triangle-down-open", "triangle-left", "triangle-left-open"),
        *("triangle-right", "triangle-right-open"),
    ),
}


def trade_off_figure(rows: Sequence[RowData | ArtifactData], metric: str) -> dict[str, Any]:
    """Return the latency-quality picture: one point a measured row, up and left is better.

    Where points lie so close that their names would cover each other, a legend names them.
    """
    measured = [row for row in rows if row.latency is not None and row.quality is not None]
    places, is_crowded = _label_places(measured, metric)
    return {
        "is_crowded": is_crowded,
        "traces": [
            _point(row, metric, place, symbol)
            for row, place, symbol in zip(measured, places, _symbols(measured), strict=True)
        ],
        "layout": {
            "xaxis": {"title": {"text": "p90 latency, ms (log scale)"}, "type": "log"},
            "yaxis": {"title": {"text": f"{metric_name(metric)}, test split"}},
            "hovermode": "closest",
        },
    }


def curve_figures(curves: Sequence[CurveData], metric: str) -> dict[str, Any]:
    """Return two pictures: validation quality and training loss over the epochs."""
    if not curves:
        return {}
    quality = [_line(curve, "validation", index) for index, curve in enumerate(curves)]
    loss = [_line(curve, "loss", index) for index, curve in enumerate(curves)]
    best = [_best_epoch(curve, index) for index, curve in enumerate(curves)]
    epochs = {"title": {"text": "epoch"}}
    return {
        "validation": {
            "traces": [*quality, *best],
            "layout": {
                "xaxis": epochs,
                "yaxis": {"title": {"text": f"validation {metric_name(metric)}"}},
            },
        },
        "loss": {
            "traces": loss,
            "shares_legend": True,
            "layout": {"xaxis": epochs, "yaxis": {"title": {"text": "training loss"}}},
        },
    }


def _plain(text: str) -> str:
    """Keep Plotly, which reads a little HTML, from reading any in a name."""
    return escape(text, quote=False)


def _symbols(rows: Sequence[RowData | ArtifactData]) -> Iterator[str]:
    """Yield a symbol a row that tells its role, and rows of one role apart."""
    used: Counter[str] = Counter()
    for row in rows:
        if isinstance(row, ArtifactData) and not row.usable:
            yield "x"
            continue
        choice = _SYMBOLS[row.role]
        yield choice[used[row.role] % len(choice)]
        used[row.role] += 1


def _point(row: RowData | ArtifactData, metric: str, place: str, symbol: str) -> dict[str, Any]:
    latency, quality = row.latency, row.quality
    if latency is None or quality is None:
        raise ValueError(f"{row.name} was not measured")
    refused = isinstance(row, ArtifactData) and not row.usable
    interval = quality[metric]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": _plain(row.name),
        "x": [latency.p90_ms],
        "y": [interval.value],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [interval.high - interval.value],
            "arrayminus": [interval.value - interval.low],
            "thickness": 1.25,
            "width": 4,
        },
        "text": [_plain(row.name)],
        "textposition": place,
        "cliponaxis": False,
        "marker": {"symbol": symbol, "size": 11},
        "hovertemplate": f"<b>%{{text}}</b><br>{metric_name(metric)} %{{y:.4f}} "
        f"[{interval.low:.4f}, {interval.high:.4f}]<br>p90 %{{x:.3~g}} ms<br>"
        f"{row.bytes / 1e6:,.2f} MB<extra></extra>",
        "meta": {"colour": "refused" if refused else row.role},
    }


def _line(curve: CurveData, field: str, index: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _plain(curve.name),
        "x": [epoch.epoch for epoch in curve.epochs],
        "y": [getattr(epoch, field) for epoch in curve.epochs],
        "line": {"width": 2},
        "hovertemplate": "epoch %{x}: %{y:.4f}",
        "meta": {"colour": f"line-{index % 6}"},
    }


def _best_epoch(curve: CurveData, index: int) -> dict[str, Any]:
    best = max(curve.epochs, key=lambda epoch: epoch.validation)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": _plain(f"{curve.name}, kept"),
        "x": [best.epoch],
        "y": [best.validation],
        "marker": {"size": 9},
        "showlegend": False,
        "hovertemplate": "kept: epoch %{x}, %{y:.4f}",
        "meta": {"colour": f"line-{index % 6}"},
    }


def _label_places(rows: Sequence[RowData | ArtifactData], metric: str) -> tuple[list[str], bool]:
    """Choose a side of each point for its name, so that names and points do not collide.

    Greedy over a nominal canvas: each name takes the first of the sides with the least overlap.

    Returns:
        The sides, and whether some name is covered by so much that none can be told from another.
    """
    points = list(_on_canvas(rows, metric))
    taken = [(x - 8, y - 8, x + 8, y + 8) for x, y, _, _ in points]
    taken += [(x - 4, high, x + 4, low) for x, _, low, high in points]
    chosen, is_crowded = [], False
    for row, (x, y, _, _) in zip(rows, points, strict=True):
        width = len(row.name) * _CHARACTER
        boxes = {place: _box(place, x, y, width) for place in _PLACES}
        place = min(boxes, key=lambda one: _crowding(boxes[one], taken))
        is_crowded |= _crowding(boxes[place], taken) > _READABLE * width * _LINE
        taken.append(boxes[place])
        chosen.append(place)
    return chosen, is_crowded


def _on_canvas(
    rows: Sequence[RowData | ArtifactData], metric: str
) -> Iterator[tuple[float, float, float, float]]:
    """Yield each row's x, y and the ends of its error bar in pixels, y downwards."""
    places = [
        (log10(max(row.latency.p90_ms, 1e-6)), row.quality[metric])
        for row in rows
        if row.latency is not None and row.quality is not None
    ]
    if not places:
        return
    left, right = min(x for x, _ in places), max(x for x, _ in places)
    bottom, top = min(y.low for _, y in places), max(y.high for _, y in places)
    for x, interval in places:
        along = (x - left) / max(right - left, 1e-9) * _WIDTH
        value, low, high = (
            (top - y) / max(top - bottom, 1e-9) * _HEIGHT
            for y in (interval.value, interval.low, interval.high)
        )
        yield along, value, low, high


def _box(place: str, x: float, y: float, width: float) -> tuple[float, float, float, float]:
    vertical, horizontal = place.split()
    left = {"left": x - 10 - width, "center": x - width / 2, "right": x + 10}[horizontal]
    top = {"top": y - 10 - _LINE, "middle": y - _LINE / 2, "bottom": y + 10}[vertical]
    return left, top, left + width, top + _LINE


def _crowding(
    box: tuple[float, float, float, float],
    taken: Sequence[tuple[float, float, float, float]],
) -> float:
    """Return how much of a name would cover others or leave the canvas, in square pixels."""
    left, top, right, bottom = box
    outside = (max(0.0, -left - 30) + max(0.0, right - _WIDTH - 30)) * _LINE
    covered = 0.0
    for other in taken:
        wide = min(right, other[2]) - max(left, other[0])
        high = min(bottom, other[3]) - max(top, other[1])
        if wide > 0 and high > 0:
            covered += wide * high
    return outside + covered
