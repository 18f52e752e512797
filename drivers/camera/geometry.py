"""Quadrilaterals: the four corners of a page. Pure.

A quad is a float array of shape (4, 2): x, y in pixels, clockwise from top left, (0, 0) at the *outer* corner of the
first pixel. So scaling a picture scales its quads; OpenCV's own coordinates (pixel centres) are half a pixel less.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Quad = NDArray[np.float64]


def clockwise(points: NDArray[np.float64]) -> Quad:
    """The same four points, clockwise, beginning with the one nearest to the top left."""
    middle = points.mean(axis=0)
    turned = points[np.argsort(np.arctan2(points[:, 1] - middle[1], points[:, 0] - middle[0]))]
    first = int(np.argmin(turned.sum(axis=1)))
    return np.roll(turned, -first, axis=0)


def sides(quad: Quad) -> NDArray[np.float64]:
    """Lengths of top, right, bottom, left."""
    lengths: NDArray[np.float64] = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    return lengths


def area(quad: Quad) -> float:
    """Square pixels (shoelace formula); positive for a quad in our order."""
    x, y = quad[:, 0], quad[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def is_page_like(quad: Quad) -> bool:
    """Convex, with corners between 60° and 120° and opposite sides of like length: a page seen from above."""
    if not np.isfinite(quad).all() or sides(quad).min() < 8:
        return False
    ahead = np.roll(quad, -1, axis=0) - quad
    back = np.roll(quad, 1, axis=0) - quad
    turn = back[:, 1] * ahead[:, 0] - back[:, 0] * ahead[:, 1]
    cosine = (ahead * back).sum(axis=1) / (np.linalg.norm(ahead, axis=1) * np.linalg.norm(back, axis=1))
    if (turn <= 0).any() or (np.abs(cosine) > 0.5).any():
        return False
    top, right, bottom, left = sides(quad)
    return bool(0.6 < top / bottom < 1.67 and 0.6 < left / right < 1.67)


def normalised(quad: Quad, width: int, height: int) -> tuple[tuple[float, float], ...]:
    """As a preview carries it: 0..1 of width and height."""
    return tuple((float(x) / width, float(y) / height) for x, y in quad)


def margin(quad: Quad, width: int, height: int) -> float:
    """Distance in pixels of the outermost corner from the picture's border; negative outside."""
    return float(min(quad.min(), (width - quad[:, 0]).min(), (height - quad[:, 1]).min()))
