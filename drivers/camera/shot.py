"""From the camera's JPEG to a captured page, and to what a preview shows; pure."""

from __future__ import annotations

from drivers.camera.flatten import flatten
from drivers.camera.jpeg import decode, encode, encode_within, fit
from drivers.camera.opencv import ColourImage
from drivers.camera.page_finder import sharpen
from drivers.camera.viewer import View
from kiosk.core.ports import Shot

PREVIEW_BOX = (720, 960)
_PREVIEW_QUALITY = 72
_PAGE_QUALITY = 82
MAX_JPEG_BYTES = 1_500_000


def preview_jpeg(small: ColourImage) -> bytes:
    """What the screen shows: at most 720 wide."""
    return encode(fit(small, PREVIEW_BOX), quality=_PREVIEW_QUALITY)


def take(raw: bytes, view: View) -> Shot | None:
    """The page in this picture; None without one. `view` is the view of the same bytes."""
    if view.finding.quad is None:
        return None
    full = decode(raw)
    if full is None:
        return None
    rough = view.finding.quad * (full.shape[1] / view.small.shape[1], full.shape[0] / view.small.shape[0])
    page = flatten(full, sharpen(full, rough)).image
    original = raw if len(raw) <= MAX_JPEG_BYTES else encode_within(full, quality=90, max_bytes=MAX_JPEG_BYTES)
    return Shot(
        original_jpeg=original,
        page_jpeg=encode_within(page, quality=_PAGE_QUALITY, max_bytes=MAX_JPEG_BYTES),
        width=page.shape[1],
        height=page.shape[0],
        advice=view.advice,
    )
