"""Where the names of points go, so that no name covers another, a point or an error bar.

Geometry alone: pixels with y upwards, boxes `(left, bottom, right, top)`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]

_ANGLES = (0, 180, 90, 270, 35, 145, 325, 215, 80, 100, 280, 260, 60, 120, 300, 240)
"""Degrees; sides before corners."""
_DISTANCES = (1.0, 2.2, 3.4, 4.6, 5.8, 7.0, 8.2, 9.4, 10.6, 11.8, 13.0)
"""Times the gap; further away than the first a line leads to the point."""

_DOTS = 24
"""In which a leading line is looked at."""


@dataclass(frozen=True)
class Place:
    """Where a name is written."""

    box: Box
    is_near: bool
    """Whether it touches its point, so that no line has to lead there."""

    def anchor(self, point: tuple[float, float]) -> tuple[float, float]:
        """Return where a line from the point reaches the name."""
        left, bottom, right, top = self.box
        return min(max(point[0], left), right), min(max(point[1], bottom), top)


def place_labels(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    taken: Sequence[Box],
    canvas: Box,
    gap: float,
) -> list[Place] | None:
    """Find a place for each name, greedily, the most crowded points first.

    Args:
        points: Centres.
        sizes: Width and height of each name.
        taken: What no name may cover: markers, error bars.
        canvas: What all names have to be inside.
        gap: Between the centre of a point and its name.

    Returns:
        The places in the order of the points; None where not all names find one that is free.
    """
    covered, names = _boxes(taken), _boxes(())
    found: dict[int, Place] = {}
    for index in sorted(range(len(points)), key=lambda one: -_neighbours(points, one, sizes[one])):
        place = _first_free(
            points[index], sizes[index], covered=covered, names=names, canvas=canvas, gap=gap
        )
        if place is None:
            return None
        found[index] = place
        names = _boxes([*names, place.box])
        covered = _boxes([*covered, place.box, *_leader(points[index], place)])
    return [found[index] for index in range(len(points))]


def _first_free(
    point: tuple[float, float],
    size: tuple[float, float],
    *,
    covered: NDArray[np.float64],
    names: NDArray[np.float64],
    canvas: Box,
    gap: float,
) -> Place | None:
    """Return the nearest place that covers nothing and whose line crosses no other name."""
    for step, distance in enumerate(_DISTANCES):
        for box in _around(point, size, gap * distance):
            place = Place(box, step == 0)
            if (
                _is_inside(box, canvas)
                and not _covers(box, covered)
                and not any(_covers(dot, names) for dot in _leader(point, place))
            ):
                return place
    return None


def _leader(point: tuple[float, float], place: Place) -> list[Box]:
    """Return dots along the line from a point to its name; none where the name is near."""
    if place.is_near:
        return []
    x, y = place.anchor(point)
    along = [(number + 0.5) / _DOTS for number in range(_DOTS)]
    middles = [(point[0] + one * (x - point[0]), point[1] + one * (y - point[1])) for one in along]
    return [(one - 1, other - 1, one + 1, other + 1) for one, other in middles]


def _neighbours(
    points: Sequence[tuple[float, float]], index: int, size: tuple[float, float]
) -> int:
    """Count the points that lie where this one's name might go."""
    x, y = points[index]
    width, height = size
    return sum(abs(one - x) < width and abs(other - y) < 3 * height for one, other in points) - 1


def _around(point: tuple[float, float], size: tuple[float, float], gap: float) -> list[Box]:
    """Return the boxes around a point whose nearest edge is `gap` away from it."""
    boxes = []
    width, height = size
    for angle in _ANGLES:
        along, up = cos(angle * pi / 180), sin(angle * pi / 180)
        x, y = point[0] + gap * along, point[1] + gap * up
        left = x - width * (1 - _side(along)) / 2
        bottom = y - height * (1 - _side(up)) / 2
        boxes.append((left, bottom, left + width, bottom + height))
    return boxes


def _side(share: float) -> int:
    """Return -1, 0 or 1: on which side of the point a name hangs."""
    return 0 if abs(share) < 0.1 else (1 if share > 0 else -1)


def _is_inside(box: Box, canvas: Box) -> bool:
    return (
        box[0] >= canvas[0] and box[1] >= canvas[1] and box[2] <= canvas[2] and box[3] <= canvas[3]
    )


def _covers(box: Box, others: NDArray[np.float64]) -> bool:
    left, bottom, right, top = others.T
    return bool(((box[0] < right) & (left < box[2]) & (box[1] < top) & (bottom < box[3])).any())


def _boxes(boxes: Iterable[Box]) -> NDArray[np.float64]:
    """Return boxes as an array, `[N, 4]`."""
    return np.array([*boxes], dtype=np.float64).reshape(-1, 4)
