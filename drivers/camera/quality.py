"""Is this picture of a page good enough? Measures, and the advice that follows from them; pure.

All pictures are measured at the same size (`MEASURE_PX` long side), so that limits do not depend on the camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from drivers.camera.geometry import Quad
from drivers.camera.opencv import ColourImage, GreyImage, cv2
from drivers.camera.page_finder import Finding

MEASURE_PX = 800
"""Long side that `measure` expects, within a factor of about 1.5."""
_MIN_SIDE_PX = 16


class Advice(StrEnum):
    """What a person can do; the words of `PreviewFrame.advice`."""

    OK = "ok"
    NO_DOCUMENT = "no_document"
    CUT_OFF = "cut_off"
    BLURRED = "blurred"
    DARK = "dark"
    GLARE = "glare"
    HOLD_STILL = "hold_still"


@dataclass(frozen=True, slots=True)
class Limits:
    """Where good ends; measured on the simulated desk (tests/protocol/test_camera_quality.py)."""

    paper_brightness: float = 95.0
    """Grey level that the light parts of a page must reach."""
    frame_brightness: float = 34.0
    """Grey level that something in the picture must reach: an empty tray in light is above it."""
    black: float = 16.0
    """Below this nothing at all can be seen: a covered lens, or no light."""
    acutance: float = 0.36
    """Steepest grey step over local contrast: 1 for an edge within one pixel."""
    glare: float = 0.004
    """Share of the page that is burnt out."""
    paper_white: float = 246.0
    """With paper as bright as this, burnt-out parts cannot be told from paper."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured on a page (or, for `frame_brightness`, on the whole picture)."""

    frame_brightness: float
    paper_brightness: float = 0.0
    acutance: float | None = None
    """None where nothing on the page has enough contrast to tell."""
    glare: float = 0.0
    paper_level: float = 0.0


def measure(image: ColourImage, quad: Quad | None) -> Measures:
    """Measure a BGR picture of about `MEASURE_PX`; the quad is in its pixels."""
    frame = float(np.percentile(cv2.cvtColor(image[::4, ::4], cv2.COLOR_BGR2GRAY), 98))
    if quad is None:
        return Measures(frame)
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(quad.min(axis=0)).astype(int), 0, (width - 1, height - 1))
    right, bottom = np.clip(np.ceil(quad.max(axis=0)).astype(int), (left + 1, top + 1), (width, height))
    part = image[top:bottom, left:right]
    inside = np.zeros(part.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, np.round(quad - (left, top) - 0.5).astype(np.int32), 1)
    light = np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), np.uint8)
    levels = light[::3, ::3][inside[::3, ::3] > 0]
    if levels.size == 0:
        return Measures(frame)
    return Measures(
        frame_brightness=frame,
        paper_brightness=float(np.percentile(levels, 90)),
        acutance=_acutance(light, inside),
        glare=_burnt_out(part, inside),
        paper_level=float(np.median(levels)),
    )


def is_black(measures: Measures, *, limits: Limits | None = None) -> bool:
    """Is there nothing to be seen at all?"""
    return measures.frame_brightness < (limits or Limits()).black


def sharpness(image: ColourImage) -> float | None:
    """Acutance of a whole picture, for technicians; None where nothing in it has enough contrast to tell."""
    light = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    return _acutance(light, np.ones(light.shape, np.uint8))


def advise(finding: Finding, measures: Measures, *, still: bool, limits: Limits | None = None) -> Advice:
    """The one thing to say first."""
    limit = limits or Limits()
    if measures.frame_brightness < limit.frame_brightness:
        return Advice.DARK
    if finding.quad is None:
        return Advice.CUT_OFF if finding.cut_off else Advice.NO_DOCUMENT
    if measures.paper_brightness < limit.paper_brightness:
        return Advice.DARK
    if not still:
        return Advice.HOLD_STILL
    if measures.acutance is not None and measures.acutance < limit.acutance:
        return Advice.BLURRED
    if measures.glare > limit.glare and measures.paper_level < limit.paper_white:
        return Advice.GLARE
    return Advice.OK


def _acutance(light: GreyImage, inside: GreyImage) -> float | None:
    """Contrast-normalised acutance: the steepest step near an edge over the contrast there, typical of the page.

    Unlike the variance of the Laplacian it does not grow with noise or with the amount of print.
    """
    if min(light.shape) < _MIN_SIDE_PX:
        return None
    smooth = cv2.GaussianBlur(light, (3, 3), 0.6)  # keeps single-pixel noise from looking like an edge
    window = np.ones((9, 9), np.uint8)
    contrast = cv2.subtract(cv2.dilate(smooth, window), cv2.erode(smooth, window))
    across = cv2.absdiff(smooth[:, 1:], smooth[:, :-1])[:-1]
    down = cv2.absdiff(smooth[1:, :], smooth[:-1, :])[:, :-1]
    steepest = cv2.dilate(cv2.max(across, down), window)
    contrast = contrast[:-1, :-1][::2, ::2].astype(np.float32)
    steepest = steepest[::2, ::2].astype(np.float32)
    clear = (inside[:-1, :-1][::2, ::2] > 0) & (contrast > 40)
    if int(clear.sum()) < 60:
        return None
    return float(np.median(steepest[clear] / contrast[clear]))


def _burnt_out(part: ColourImage, inside: GreyImage) -> float:
    """Share of the page where all channels are at their end, specks not counted."""
    full = cv2.inRange(part, (250, 250, 250), (255, 255, 255))
    solid = cv2.bitwise_and(cv2.morphologyEx(full, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)), inside)
    return float(np.count_nonzero(solid)) / max(1, int(np.count_nonzero(inside)))
