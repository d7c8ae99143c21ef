"""The files under the machine's roofs: a table, a picture, and what holds each file up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from benchmarks.report.tables import Cell, Table
from benchmarks.report.wording import NOT_MEASURED, percent, share, significant
from benchmarks.roofline.data import RoofData, RooflineData, RooflineRowData

_HEADINGS = (
    ("Multiply-adds", "millions"),
    ("Moved", "MB"),
    ("Intensity", "per byte"),
    ("Held up by", ""),
    ("Attainable", "ms"),
    ("Measured p50", "ms"),
    ("Share reached", "%"),
)
_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "star", "pentagon", "hexagon", "cross")
_PLACES = ("middle right", "middle left", "top center", "bottom center")
_ROOF_COLOURS = ("line-0", "line-1", "line-3", "line-4", "line-5")
"""Not the one that files are drawn in."""
_CLOSE = 1.3
"""Ratio under which two points lie so close that their names could cover each other."""


@dataclass(frozen=True)
class RooflineSection:
    """What the page says of the roofline."""

    sentences: tuple[str, ...]
    table: Table
    cautions: tuple[str, ...]
    """What makes a figure a bound, or wrong."""
    not_counted: tuple[tuple[str, str], ...]
    """Name of a file and why it has no figures."""
    has_picture: bool


def roofline_section(data: RooflineData) -> RooflineSection:
    """Return what the section says."""
    counted = [row for row in data.rows if row.cost is not None]
    return RooflineSection(
        sentences=tuple(_sentences(data)),
        table=Table("", _HEADINGS, tuple((row.name, _cells(row)) for row in counted)),
        cautions=tuple(_cautions(data)),
        not_counted=tuple(
            (row.name, row.not_counted_because)
            for row in data.rows
            if row.not_counted_because is not None
        ),
        has_picture=bool(_points(data)),
    )


def roofline_figure(data: RooflineData) -> dict[str, Any]:
    """Return the picture: speed over intensity, both on log scales, under the roofs.

    Empty where no file was counted and timed.
    """
    points = _points(data)
    if not points:
        return {}
    return {
        "is_crowded": _is_crowded(points),
        "traces": [*_roof_traces(data, points), *map(_point_trace, range(len(points)), points)],
        "layout": {
            "xaxis": {
                "title": {"text": "multiply-adds a byte (log scale)"},
                "type": "log",
            },
            "yaxis": {
                "title": {"text": "billion multiply-adds a second (log scale)"},
                "type": "log",
            },
            "hovermode": "closest",
        },
    }


def _sentences(data: RooflineData) -> Iterator[str]:
    timed = [row for row in data.rows if row.share is not None]
    if timed:
        yield _finding(max(timed, key=lambda row: row.share or 0.0), timed)
    peaks = data.peaks
    rates = ", ".join(
        f"{significant(rate)} in {number}"
        for number, rate in peaks.giga_multiply_adds_per_s.items()
    )
    threads = f"{peaks.threads} thread{'' if peaks.threads == 1 else 's'}"
    fastest = max(one.gigabytes_per_s for one in peaks.transfers)
    largest = max(one.working_set_bytes for one in peaks.transfers)
    farthest = max(
        one.gigabytes_per_s for one in peaks.transfers if one.working_set_bytes == largest
    )
    yield (
        f"The best that this machine did on {threads}: {rates} (billion multiply-adds a second, "
        f"matrix products in ONNX Runtime); {significant(fastest)} GB/s from the nearest cache, "
        f"{significant(farthest)} GB/s from memory."
    )
    yield (
        "Attainable is the longer of two estimates: the multiply-adds at that rate, and the bytes "
        "at the rate of the memory that holds the weights and the largest operator’s activations. "
        "It is no least time: activations may stay in a nearer cache, and a runtime may fuse more "
        "than its graph says. Shares have no intervals: peaks are the best seen, in other minutes "
        "than the medians."
    )


def _finding(best: RooflineRowData, timed: Sequence[RooflineRowData]) -> str:
    """Say what holds the files up."""
    if best.bound == "neither":
        operators = 0 if best.cost is None else best.cost.operators
        return (
            "Neither arithmetic nor memory holds a file up: the one nearest to its roof, "
            f"{best.name}, reaches {share(best.share)} of what the machine allows. The rest is "
            f"{significant(best.unexplained_us_per_operator)} µs for each of its {operators} "
            "operators, the call itself included."
        )
    roof = "multiply-adds allow" if best.bound == "compute" else "memory allows"
    least = min(timed, key=lambda row: row.share or 0.0)
    rest = "" if least is best else f"; the least, {least.name}, {share(least.share)}"
    return f"{best.name} reaches {share(best.share)} of what the machine’s {roof}{rest}."


def _cells(row: RooflineRowData) -> tuple[Cell, ...]:
    cost, roof = row.cost, row.roof
    if cost is None:
        raise ValueError(f"{row.name} was not counted")
    counts = cost.multiply_adds
    at_least = "≥ " if cost.not_understood else ""
    types = ", ".join(
        f"{number} {share(count / sum(counts.values()))}" if len(counts) > 1 else number
        for number, count in counts.items()
    )
    return (
        Cell(at_least + significant(sum(counts.values()) / 1e6), types),
        Cell(
            significant((cost.weight_bytes + cost.activation_bytes) / 1e6),
            f"weights {significant(cost.weight_bytes / 1e6)}",
        ),
        Cell(significant(cost.intensity)),
        Cell(*_held_up(row)),
        Cell(significant(None if roof is None else roof.attainable_ms), _lower_roof(roof)),
        Cell(significant(row.measured_ms)),
        Cell(percent(row.share)),
    )


def _held_up(row: RooflineRowData) -> tuple[str, str]:
    if row.bound is None or row.cost is None or row.roof is None:
        return NOT_MEASURED, ""
    if row.bound == "neither":
        each = significant(row.unexplained_us_per_operator)
        return "neither", f"{row.cost.operators} operators, {each} µs each"
    return row.bound, row.roof.level if row.bound == "memory" else ""


def _lower_roof(roof: RoofData | None) -> str:
    """Give the other of the two times."""
    if roof is None or roof.compute_ms is None:
        return ""
    if roof.compute_ms >= roof.memory_ms:
        return f"{roof.level} {significant(roof.memory_ms)}"
    return f"compute {significant(roof.compute_ms)}"


def _cautions(data: RooflineData) -> Iterator[str]:
    for row in data.rows:
        if row.share is not None and row.share > 1:
            yield (
                f"{row.name} reaches {share(row.share)}: above 100% the roof is wrong. Its runtime "
                "has a faster kernel than the one that measured the peak, its activations stay in "
                "a nearer cache, or the machine was slower then."
            )
        if row.cost is not None and row.cost.not_understood:
            names = ", ".join(
                f"{name} ({count}×)" for name, count in row.cost.not_understood.items()
            )
            yield (
                f"{row.name}: the multiply-adds of {names} are not known; its count is a lower "
                "bound, its attainable time and share are too low."
            )
    if any(row.cost is not None and row.cost.text_operators for row in data.rows):
        yield (
            "A tokenizer inside a file multiplies nothing: its time lowers the share of the files "
            "that take texts."
        )


def _points(data: RooflineData) -> list[tuple[RooflineRowData, float, float]]:
    """Return each timed file with its multiply-adds a byte, and billions of them a second."""
    return [
        (row, row.cost.intensity, sum(row.cost.multiply_adds.values()) / row.measured_ms / 1e6)
        for row in data.rows
        if row.cost is not None and row.cost.intensity and row.measured_ms and row.share
    ]


def _is_crowded(points: Sequence[tuple[RooflineRowData, float, float]]) -> bool:
    return any(
        max(x / other_x, other_x / x) < _CLOSE and max(y / other_y, other_y / y) < _CLOSE
        for place, (_, x, y) in enumerate(points)
        for _, other_x, other_y in points[:place]
    )


def _roof_traces(
    data: RooflineData, points: Sequence[tuple[RooflineRowData, float, float]]
) -> Iterator[dict[str, Any]]:
    """Yield a flat roof a type of number, and a slanted one a memory that a file comes from."""
    rates = data.peaks.giga_multiply_adds_per_s
    slopes = {
        row.roof.level: row.roof.gigabytes_per_s for row, _, _ in points if row.roof is not None
    }
    highest = max(rates.values())
    lowest = min(rates.values())
    left = min(*(x for _, x, _ in points), *(lowest / slope for slope in slopes.values())) / 2
    right = max(*(x for _, x, _ in points), *(highest / slope for slope in slopes.values())) * 2
    for place, (level, slope) in enumerate(slopes.items()):
        name = f"{level}: {significant(slope)} GB/s"
        yield _line(name, [left, highest / slope], [left * slope, highest], place)
    steepest = max(slopes.values())
    for place, (number, rate) in enumerate(rates.items(), start=len(slopes)):
        name = f"{number}: {significant(rate)} billion a second"
        yield _line(name, [rate / steepest, right], [rate, rate], place)


def _line(name: str, x: list[float], y: list[float], place: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(name, quote=False),
        "x": x,
        "y": y,
        "line": {"width": 2},
        "hovertemplate": f"{escape(name, quote=False)}<extra></extra>",
        "meta": {"colour": _ROOF_COLOURS[place % len(_ROOF_COLOURS)]},
    }


def _point_trace(order: int, point: tuple[RooflineRowData, float, float]) -> dict[str, Any]:
    row, x, y = point
    name = escape(row.name, quote=False)
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": name,
        "x": [x],
        "y": [y],
        "text": [name],
        "textposition": _PLACES[order % len(_PLACES)],
        "cliponaxis": False,
        "marker": {"symbol": _SYMBOLS[order % len(_SYMBOLS)], "size": 11},
        "hovertemplate": f"<b>{name}</b><br>%{{x:.3~g}} multiply-adds a byte<br>"
        f"%{{y:.3~g}} billion a second<br>{share(row.share)} of what is attainable<extra></extra>",
        "meta": {"colour": "artifact"},
    }
