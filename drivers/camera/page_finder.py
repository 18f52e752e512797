"""Finding the page that lies under the camera, by classical means; pure and deterministic.

Candidates come from two masks (unlike the tray, brighter than the rest) and from closed edges; the one whose four
sides are best supported by contrast wins and is then refined to sub-pixel lines (`refine`). A page that leaves the
picture gives no quad: half a page must not pass for a whole one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from drivers.camera.geometry import Quad, area, clockwise, is_page_like, margin
from drivers.camera.opencv import ColourImage, Floats, GreyImage, MatLike, cv2
from drivers.camera.refine import refine, side_contrast

WORK_PX = 400
"""Long side of the picture that candidates are searched in."""
_MIN_AREA = 0.012
"""Of the picture: an ID card on an A4 tray is 0.04."""
_MAX_AREA = 0.97
_MIN_SUPPORT = 0.55
"""Of the samples along every single side that must show a step."""
_SURE = 0.9
"""With every side seen this well, other ways of looking are not tried."""
_BORDER = 0.006
"""Of the long side: a corner nearer to the border than this is cut off."""
_CUT_AREA = 0.012
_CUT_RUN = 0.08
"""Of one border that something must cover before it counts as a page leaving the picture."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What lies there."""

    quad: Quad | None
    cut_off: bool = False
    """Something page-sized leaves the picture."""


def find_page(image: ColourImage) -> Finding:
    """Search a BGR picture of any size; the quad is in its pixels."""
    height, width = image.shape[:2]
    scale = min(1.0, WORK_PX / max(height, width))
    if min(height, width) * scale < 32:
        return Finding(None)
    size = (round(width * scale), round(height * scale))
    lab = _lab(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    unlike_tray = _unlike_border(lab)
    leaving = _leaving(unlike_tray)
    best = _best(lab, unlike_tray)
    if best is None:
        return Finding(None, cut_off=leaving is not None)
    if leaving is not None and _holds(leaving, best):
        return Finding(None, cut_off=True)
    quad = refine(lab, best, reach=5)
    if margin(quad, *size) < _BORDER * max(size):
        return Finding(None, cut_off=True)
    return Finding(quad * (width / size[0], height / size[1]))


def sharpen(image: ColourImage, quad: Quad) -> Quad:
    """The quad found in a smaller copy, refined in this full-size picture."""
    reach = max(3, round(1.6 * max(image.shape[:2]) / WORK_PX))
    return refine(_lab(image), quad, reach=reach)


def _lab(image: MatLike) -> Floats:
    """Slightly smoothed, in Lab: distances are those that an eye sees, times 2.55 in lightness."""
    return np.asarray(cv2.cvtColor(cv2.GaussianBlur(image, (3, 3), 0), cv2.COLOR_BGR2LAB), np.float32)


def _best(lab: Floats, unlike_tray: GreyImage) -> Quad | None:
    """The best supported candidate, or None if none is good enough."""
    frame = float(lab.shape[0] * lab.shape[1])
    best, best_score, sure = None, 0.0, False
    for mask_of in (lambda _lab: unlike_tray, _brighter, _closed_edges):
        for quad in _quads(mask_of(lab)):
            share = area(quad) / frame
            if not _MIN_AREA < share < _MAX_AREA or not is_page_like(quad):
                continue
            support = side_contrast(lab, quad)
            if support.min() < _MIN_SUPPORT:
                continue
            # A table printed on a page has good sides too: size decides between nested ones.
            score = float(support.mean()) * share**0.4
            if score > best_score:
                best, best_score = quad, score
                sure = float(support.min()) > _SURE
        if sure:
            break  # the usual case on a plain tray: no need to look further
    return best


def _quads(mask: GreyImage) -> Iterator[Quad]:
    """Four-cornered outlines of the blobs in a mask, largest first."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    smallest = _MIN_AREA * mask.size
    blobs = sorted((c for c in contours if cv2.contourArea(c) > smallest), key=cv2.contourArea, reverse=True)
    for blob in blobs[:4]:
        hull = cv2.convexHull(blob)
        around = cv2.arcLength(hull, closed=True)
        for tolerance in (0.01, 0.02, 0.035, 0.05, 0.08):
            corners = cv2.approxPolyDP(hull, tolerance * around, closed=True)
            if len(corners) == 4:
                yield clockwise(corners.reshape(4, 2).astype(np.float64) + 0.5)
            if len(corners) <= 4:
                break
        yield clockwise(cv2.boxPoints(cv2.minAreaRect(hull)).astype(np.float64) + 0.5)


def _unlike_border(lab: Floats) -> GreyImage:
    """What differs from the colour that most of the picture's rim has: 255 there."""
    rim = max(2, lab.shape[0] // 50)
    edge = np.concatenate([part.reshape(-1, 3) for part in (lab[:rim], lab[-rim:], lab[:, :rim], lab[:, -rim:])])
    light, red, yellow = cv2.split(lab - np.median(edge, axis=0))
    distance = cv2.magnitude(cv2.magnitude(light, red), yellow)
    return _split(np.clip(distance, 0, 255).astype(np.uint8), at_least=14)


def _brighter(lab: Floats) -> GreyImage:
    """Light paper on anything darker."""
    return _split(lab[:, :, 0].astype(np.uint8), at_least=0)


def _split(values: GreyImage, *, at_least: int) -> GreyImage:
    """Otsu's threshold, but never below `at_least`; gaps of print closed."""
    level, _ = cv2.threshold(values, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    _, mask = cv2.threshold(values, max(level, at_least), 255, cv2.THRESH_BINARY)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.uint8)


def _closed_edges(lab: Floats) -> GreyImage:
    """Outlines that close on themselves, filled; for pages that are hardly brighter than what they lie on."""
    light = lab[:, :, 0].astype(np.uint8)
    middle = float(np.median(light))
    edges = cv2.Canny(light, 0.33 * middle, max(40.0, 0.8 * middle), L2gradient=True)
    edges = cv2.dilate(edges, np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(edges, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = np.zeros(light.shape, np.uint8)
    cv2.drawContours(filled, contours, -1, 255, cv2.FILLED)
    return np.asarray(cv2.erode(filled, np.ones((3, 3), np.uint8)), np.uint8)


def _leaving(mask: GreyImage) -> GreyImage | None:
    """The blob that leaves the picture over a good part of one border, or None."""
    if not _reaches_border(mask):
        return None
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    for blob in range(1, count):
        if stats[blob, cv2.CC_STAT_AREA] < _CUT_AREA * mask.size:
            continue
        inside: GreyImage = np.asarray(labels == blob, np.uint8)
        if _reaches_border(inside):
            return inside
    return None


def _reaches_border(mask: GreyImage) -> bool:
    """Does it cover a good part of one border?"""
    return any(np.count_nonzero(run) > _CUT_RUN * run.size for run in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def _holds(blob: GreyImage, quad: Quad) -> bool:
    """Does this quad lie in that blob?"""
    shape = np.zeros_like(blob)
    cv2.fillConvexPoly(shape, np.round(quad - 0.5).astype(np.int32), 1)
    covered = int((shape & blob).sum())
    return covered > 0.6 * max(1, int(shape.sum()))
