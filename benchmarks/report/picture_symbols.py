"""The page's point symbols, as Matplotlib has them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.path import Path

_OWN = {
    "circle": "o",
    "cross": "P",
    "diamond": "D",
    "diamond-tall": "d",
    "hexagon": "h",
    "octagon": "8",
    "pentagon": "p",
    "square": "s",
    "star": "*",
    "triangle-down": "v",
    "triangle-left": "<",
    "triangle-right": ">",
    "triangle-up": "^",
    "x": "X",
}
_STARS = {"hexagram": 6, "star-diamond": 4, "star-square": 4, "star-triangle-up": 3}
_CORNERS = {
    "bowtie": ((-1, -1), (1, 1), (1, -1), (-1, 1)),
    "hourglass": ((-1, -1), (1, 1), (-1, 1), (1, -1)),
}


def marker_of(symbol: str) -> tuple[Any, bool]:
    """Return a marker for Matplotlib, and whether its inside is empty.

    Args:
        symbol: Plotly's name of it, such as `square-open`; a circle for one that is not known.
    """
    name = symbol.removesuffix("-open")
    return _marker(name), name != symbol


def _marker(name: str) -> "str | Path":
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D

    if name in _STARS:
        star = Path.unit_regular_star(_STARS[name], innerCircle=0.4)
        return star.transformed(Affine2D().rotate_deg(45)) if name == "star-square" else star
    if name in _CORNERS:
        corners = _CORNERS[name]
        return Path([*corners, corners[0]], closed=True)
    return _OWN.get(name, "o")
