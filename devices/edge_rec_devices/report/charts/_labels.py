"""Names beside points, none over another: each takes the nearest free place around its point, or moves further out."""

from __future__ import annotations

__all__ = ["Box", "place"]

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Tried in this order: right, left, above, below, then the corners; then the same further away.
_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
_DISTANCES = (9, 16, 24, 33, 43, 54, 66, 80, 96, 114)


@dataclass(frozen=True)
class Box:
    """A rectangle in the units of the drawing, y upwards."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: Box) -> float:
        """Return the shared area."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(width, 0.0) * max(height, 0.0)

    def holds(self, x: float, y: float) -> bool:
        """Tell whether a point lies inside."""
        return self.left <= x <= self.right and self.bottom <= y <= self.top

    def outside(self, bounds: Box) -> float:
        """Return the area that lies outside ``bounds``."""
        return (self.right - self.left) * (self.top - self.bottom) - self.overlap(bounds)


def place(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    *,
    obstacles: Sequence[Box],
    faint: Sequence[Box] = (),
    bounds: Box,
) -> list[Box]:
    """Find a place for the name of each point.

    Args:
        points: Where the points are.
        sizes: Width and height of each name.
        obstacles: What must stay free, for example the points.
        faint: What may be crossed where nothing better is free, for example error bars.
        bounds: What no name should leave.

    Returns:
        One box a name. Where all places are taken, the one that hides least.
    """
    taken = list(obstacles)
    found = []
    for point, size in zip(points, sizes, strict=True):
        places = [(far, _beside(point, size, way, far)) for far, way in product(_DISTANCES, _DIRECTIONS)]
        costs = [
            far
            + 1000 * sum(box.overlap(other) for other in taken)
            + 0.5 * sum(box.overlap(other) for other in faint)
            + 1000 * box.outside(bounds)
            + 40 * _crossed(point, box, obstacles)
            for far, box in places
        ]
        best = min(range(len(places)), key=lambda index: (round(costs[index], 3), index))
        found.append(places[best][1])
        taken.append(places[best][1])
    return found


def _crossed(point: tuple[float, float], box: Box, obstacles: Sequence[Box]) -> int:
    """Count the obstacles that a line from a point to its name would run through, the point's own apart."""
    x, y = point
    end = min(max(x, box.left), box.right), min(max(y, box.bottom), box.top)
    steps = [(x + (end[0] - x) * step / 8, y + (end[1] - y) * step / 8) for step in range(1, 9)]
    others = [other for other in obstacles if not other.holds(x, y)]
    return sum(any(other.holds(*step) for step in steps) for other in others)


def _beside(point: tuple[float, float], size: tuple[float, float], way: tuple[int, int], far: float) -> Box:
    (x, y), (width, height), (across, up) = point, size, way
    reach = far / math.hypot(across, up)
    left = x + across * reach - width * (1 - across) / 2
    bottom = y + up * reach - height * (1 - up) / 2
    return Box(left, bottom, left + width, bottom + height)
