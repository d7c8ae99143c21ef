"""The report's pictures as SVG and PNG files, for slides, pull requests and print.

They are drawn from the same traces and layouts that the page hands to Plotly
(`benchmarks.report.figures`), in the colours of the page's light theme. Equal figures make equal
files: no dates, no random ids. SVG keeps text as text, so that it can be searched and edited; it is
laid out in DejaVu Sans, wider than most fonts that a viewer might put in its place.
"""

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.report.palette import light_palette
from benchmarks.report.picture_axes import draw_axes
from benchmarks.report.picture_names import draw_legend, write_names
from benchmarks.report.picture_traces import draw_trace, plain_name
from compress.files import write_bytes_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_IN, HEIGHT_IN = 9.0, 5.0
DPI_ON_SCREEN, DPI_OF_PNG = 100, 200
"""900 px wide on a page; the PNG twice as fine, for print."""

_PAD_IN = 0.12
_STYLE: dict[Any, Any] = {
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10.0,
    "svg.fonttype": "none",
    "svg.hashsalt": "limbeck",
    "text.parse_math": False,
    "axes.unicode_minus": True,
}


def write_pictures(figures: Mapping[str, Mapping[str, Any]], folder: Path) -> list[Path]:
    """Write each figure as SVG and as PNG.

    Args:
        figures: By name, as `benchmarks.report.figures` makes them: `traces` of type scatter
            and a `layout` with its axes.
        folder: Made if it is not there; files of the same names are replaced.

    Returns:
        The files, `NAME.svg` and `NAME.png`.

    Raises:
        ValueError: A trace is of a type that is not drawn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, figure in figures.items():
        for suffix, data in zip((".svg", ".png"), draw_picture(figure, name), strict=True):
            path = folder / f"{name}{suffix}"
            write_bytes_atomically(path, data)
            written.append(path)
    return written


def draw_picture(figure: Mapping[str, Any], title: str) -> tuple[bytes, bytes]:
    """Draw a figure.

    Args:
        figure: See `write_pictures`.
        title: For the files' metadata.

    Returns:
        The contents of an SVG and of a PNG file.

    Raises:
        ValueError: A trace is of a type that is not drawn.
    """
    with _style():
        drawing = _drawing(figure)
        svg, png = io.BytesIO(), io.BytesIO()
        about = {"Title": title, "Creator": "limbeck", "Date": None}
        drawing.savefig(svg, format="svg", metadata=about)
        drawing.savefig(png, format="png", dpi=DPI_OF_PNG, metadata={"Software": "limbeck"})
    return svg.getvalue(), png.getvalue()


@contextmanager
def _style() -> Iterator[None]:
    """Draw in our own style, whatever a matplotlibrc says."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        # A name in a script that DejaVu lacks is boxes in the PNG, and itself in the SVG.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def _drawing(figure: Mapping[str, Any]) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    traces, surface = figure["traces"], light_palette()["surface"]
    drawing = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI_ON_SCREEN, facecolor=surface)
    FigureCanvasAgg(drawing)
    drawing.set_layout_engine("constrained", w_pad=_PAD_IN, h_pad=_PAD_IN)
    axes = drawing.add_subplot(facecolor=surface)
    handles = [draw_trace(axes, trace, order) for order, trace in enumerate(traces)]
    draw_axes(axes, figure["layout"], traces)
    listed = [
        (plain_name(trace["name"]), handle, trace)
        for trace, handle in zip(traces, handles, strict=True)
        if trace.get("showlegend", True) and trace.get("name")
    ]
    named = [trace for *_, trace in listed if "text" in trace.get("mode", "")]
    others = [(name, handle) for name, handle, trace in listed if trace not in named]
    legend = draw_legend(drawing, others) if others and len(listed) > 1 else None
    if named and not write_names(drawing, axes, named, traces):
        if legend is not None:
            legend.remove()
            drawing.set_size_inches(WIDTH_IN, HEIGHT_IN)
        draw_legend(drawing, [(name, handle) for name, handle, _ in listed])
    return drawing
