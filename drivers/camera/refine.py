"""Moving the sides of a rough quad onto the true edges of a page; pure.

Across each side, profiles are sampled along its normal; one line per side is searched jointly over the offsets of
both ends (so that print near the edge, which lines up with no side, cannot pull it), then fitted through sub-pixel
peaks with a Huber norm; neighbouring lines meet in the corners.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drivers.camera.geometry import Quad, is_page_like
from drivers.camera.opencv import Floats, cv2

_SAMPLES = 64
_ENDS = 0.06
"""Share of a side left out at either end: corners are rounded, bent or held by fingers."""
_CLIP = 40.0
"""Lab steps above this count alike: a pale edge of full length beats a short black line."""
_STEP = 7.0
"""A Lab difference that is an edge and no noise."""


def refine(lab: Floats, quad: Quad, *, reach: int) -> Quad:
    """The quad with each side on the strongest straight edge within `reach` pixels; the rough one where that fails."""
    lines = []
    for start, end in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        lines.append(_fit_side(lab, start, end, reach))
    corners = [_meet(lines[side - 1], lines[side]) for side in range(4)]
    if any(corner is None for corner in corners):
        return quad
    refined = np.array(corners, dtype=np.float64)
    moved = np.linalg.norm(refined - quad, axis=1).max()
    return refined if is_page_like(refined) and moved < 4 * reach + 2 else quad


def side_contrast(lab: Floats, quad: Quad) -> NDArray[np.float64]:
    """Share of samples along each side, within two pixels of it, that show a step: top, right, bottom, left."""
    shares = []
    for start, end in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        steps = _steps(lab, start, end, reach=3)
        shares.append(float((steps.max(axis=1) > _STEP).mean()))
    return np.array(shares)


def _steps(lab: Floats, start: NDArray[np.float64], end: NDArray[np.float64], reach: int) -> Floats:
    """Lab differences across a side, shape (_SAMPLES, 2 * reach + 1); column `reach` lies on the side."""
    along = np.linspace(_ENDS, 1 - _ENDS, _SAMPLES)[:, None]
    normal = _normal(start, end)
    offsets = np.arange(-reach - 1, reach + 2)[None, :]
    x = start[0] + (end[0] - start[0]) * along + normal[0] * offsets - 0.5
    y = start[1] + (end[1] - start[1]) * along + normal[1] * offsets - 0.5
    profile = cv2.remap(
        lab, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    steps = np.linalg.norm(profile[:, 2:] - profile[:, :-2], axis=2)
    return np.asarray(np.minimum(steps, _CLIP), np.float32)


def _fit_side(
    lab: Floats, start: NDArray[np.float64], end: NDArray[np.float64], reach: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A point on the side's true line, and the line's direction."""
    steps = _steps(lab, start, end, reach)
    along = np.linspace(_ENDS, 1 - _ENDS, _SAMPLES)
    offset = _joint_search(steps, along, reach)
    rows = np.arange(_SAMPLES)
    # Centroid of the step around the line found: sub-pixel, and blind to edges further off.
    window = np.clip(np.round(offset).astype(int)[:, None] + reach + np.arange(-2, 3)[None, :], 0, 2 * reach)
    weights = steps[rows[:, None], window].astype(np.float64) ** 2
    seen = weights.sum(axis=1) > _STEP**2
    if seen.sum() < _SAMPLES // 4:
        return start, end - start
    peaks = ((window - reach) * weights).sum(axis=1)[seen] / weights.sum(axis=1)[seen]
    points = start + (end - start) * along[seen, None] + _normal(start, end) * peaks[:, None]
    vx, vy, x, y = cv2.fitLine(points.astype(np.float32), cv2.DIST_HUBER, 0, 0.001, 0.001).ravel()
    return np.array((x, y), np.float64), np.array((vx, vy), np.float64)


def _joint_search(steps: Floats, along: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Offset at each sample of the straight line that gathers most contrast."""
    ends = np.arange(-reach, reach + 1)
    first, last = (grid.ravel() for grid in np.meshgrid(ends, ends, indexing="ij"))
    lines = first[:, None] * (1 - along)[None, :] + last[:, None] * along[None, :]
    columns = np.round(lines).astype(int) + reach
    gathered = steps[np.arange(_SAMPLES)[None, :], columns].sum(axis=1)
    # Among equals the one nearest to where the side was thought to be.
    best = int(np.argmax(gathered - 0.01 * (np.abs(first) + np.abs(last))))
    chosen: NDArray[np.float64] = lines[best]
    return chosen


def _normal(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vector across a side, to the left of its direction."""
    dx, dy = end - start
    return np.array((-dy, dx)) / max(1e-9, float(np.hypot(dx, dy)))


def _meet(
    one: tuple[NDArray[np.float64], NDArray[np.float64]], other: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> NDArray[np.float64] | None:
    """Where two lines cross, or None if they hardly do."""
    (p, u), (q, v) = one, other
    cross = u[0] * v[1] - u[1] * v[0]
    if abs(cross) < 0.1 * float(np.hypot(*u) * np.hypot(*v)):
        return None
    gap = q - p
    crossing: NDArray[np.float64] = p + u * ((gap[0] * v[1] - gap[1] * v[0]) / cross)
    return crossing
