"""From a photographed page to a flat, evenly lit one; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from drivers.camera.geometry import Quad, sides
from drivers.camera.opencv import ColourImage, GreyImage, cv2

_A4_RATIO = 297 / 210
_CARD_RATIO = 85.6 / 53.98
"""ISO/IEC 7810 ID-1."""
_TOLERANCE = 0.09
"""A measured ratio this near (as a share) to a known one is taken for it."""
_CARD_MAX_SHARE = 0.35
"""A card-shaped thing that fills more of the picture than this is no card."""
_LONG_SIDE_PX = 2339
"""A4 at 200 dpi; pages of no known shape get the same long side."""
_TRIM_PX = 3.0
"""Cut away all round: the very rim shows slivers of the tray."""
_PAPER_WHITE = 250.0
"""Grey level that paper gets."""


class PageShape(Enum):
    """Size of a flattened page: (long side, short side) in pixels."""

    A4 = (_LONG_SIDE_PX, 1654)
    """200 dpi."""
    CARD = (1011, 638)
    """300 dpi."""


@dataclass(frozen=True, slots=True)
class FlatPage:
    """A page cut out of its picture: BGR, upright as it lay."""

    image: ColourImage
    shape: PageShape | None
    """None for a page of no known format."""


def flatten(image: ColourImage, quad: Quad) -> FlatPage:
    """Cut the page out of the full-size picture, straighten it, even out the light."""
    shape = shape_of(quad, frame_area=image.shape[0] * image.shape[1])
    width, height = _size(quad, shape)
    low, right, bottom = -_TRIM_PX, width + _TRIM_PX, height + _TRIM_PX
    target = np.array(((low, low), (right, low), (right, bottom), (low, bottom)), np.float32) - 0.5
    warp = cv2.getPerspectiveTransform((quad - 0.5).astype(np.float32), target)
    flat = cv2.warpPerspective(image, warp, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    page = np.asarray(flat, np.uint8)
    if shape is not PageShape.CARD and is_paper(page):
        page = even_out(page)
    return FlatPage(crisp(page), shape)


def shape_of(quad: Quad, *, frame_area: float) -> PageShape | None:
    """A4 or an ID-1 card by the ratio of its sides, or None.

    The two are 12 % apart; a document camera looks almost straight down, so that side lengths are enough.
    """
    top, right, bottom, left = sides(quad)
    across, down = (top + bottom) / 2, (left + right) / 2
    ratio = max(across, down) / min(across, down)
    share = across * down / frame_area
    errors = {
        PageShape.A4: abs(ratio / _A4_RATIO - 1),
        PageShape.CARD: abs(ratio / _CARD_RATIO - 1) if share < _CARD_MAX_SHARE else 1.0,
    }
    nearest = min(errors, key=lambda shape: errors[shape])
    return nearest if errors[nearest] < _TOLERANCE else None


def is_paper(page: ColourImage) -> bool:
    """Mostly light and hardly coloured: print on paper, not a photo or a coloured card."""
    small = cv2.resize(page, (64, 64), interpolation=cv2.INTER_AREA)
    saturation, value = cv2.split(cv2.cvtColor(small, cv2.COLOR_BGR2HSV))[1:]
    light = float(np.percentile(value, 75))
    return light > 60 and float(((saturation < 60) & (value > 0.6 * light)).mean()) > 0.6


def even_out(page: ColourImage) -> ColourImage:
    """Remove shading and the lamp's colour: divide each channel by the paper's own brightness there.

    The paper's brightness is a dilated (print vanishes) and median-filtered copy at one eighth of the size.
    """
    height, width = page.shape[:2]
    small = cv2.resize(page, (max(1, width // 8), max(1, height // 8)), interpolation=cv2.INTER_AREA)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((7, 7), np.uint8)), 21)
    paper = cv2.GaussianBlur(paper, (0, 0), 5)
    paper = cv2.resize(np.maximum(paper, 24), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.divide(page, paper, scale=_PAPER_WHITE), np.uint8)


def crisp(page: ColourImage) -> ColourImage:
    """A light unsharp mask against the softness of resampling."""
    soft = cv2.GaussianBlur(page, (0, 0), 1.6)
    return np.asarray(cv2.addWeighted(page, 1.5, soft, -0.5, 0.0), np.uint8)


def grey(image: ColourImage) -> GreyImage:
    """Luma."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def _size(quad: Quad, shape: PageShape | None) -> tuple[int, int]:
    """Width and height of the flat page, the way it lies."""
    top, right, bottom, left = sides(quad)
    across, down = (top + bottom) / 2, (left + right) / 2
    if shape is not None:
        long_side, short_side = shape.value
    else:
        long_side = _LONG_SIDE_PX
        short_side = max(16, round(long_side * min(across, down) / max(across, down)))
    return (long_side, short_side) if across > down else (short_side, long_side)
