"""From the camera's JPEG to what a preview shows and to a captured page; pure."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.camera.flatten import flatten
from drivers.camera.jpeg import decode, decode_small, encode, encode_within, fit
from drivers.camera.opencv import ColourImage
from drivers.camera.page_finder import Finding, find_page, sharpen
from drivers.camera.quality import MEASURE_PX, Advice, Measures, advise, measure
from kiosk.core.ports import Shot

PREVIEW_BOX = (720, 960)
_PREVIEW_QUALITY = 72
_PAGE_QUALITY = 82
MAX_JPEG_BYTES = 1_500_000


@dataclass(frozen=True, slots=True)
class Look:
    """One preview picture, examined."""

    small: ColourImage
    finding: Finding
    measures: Measures

    def advice(self, *, still: bool) -> Advice:
        """What to tell the person."""
        return advise(self.finding, self.measures, still=still)


def look(raw: bytes) -> Look | None:
    """Examine a picture at preview size; None if it is none."""
    small = decode_small(raw, long_side=MEASURE_PX)
    if small is None:
        return None
    finding = find_page(small)
    return Look(small, finding, measure(small, finding.quad))


def preview_jpeg(small: ColourImage) -> bytes:
    """What the screen shows: at most 720 wide."""
    return encode(fit(small, PREVIEW_BOX), quality=_PREVIEW_QUALITY)


def take(raw: bytes, seen: Look, *, still: bool) -> Shot | None:
    """The page in this picture; None without one. `seen` is the look at the same bytes."""
    if seen.finding.quad is None:
        return None
    full = decode(raw)
    if full is None:
        return None
    scale = full.shape[1] / seen.small.shape[1]
    page = flatten(full, sharpen(full, seen.finding.quad * scale)).image
    original = raw if len(raw) <= MAX_JPEG_BYTES else encode_within(full, quality=90, max_bytes=MAX_JPEG_BYTES)
    return Shot(
        original_jpeg=original,
        page_jpeg=encode_within(page, quality=_PAGE_QUALITY, max_bytes=MAX_JPEG_BYTES),
        width=page.shape[1],
        height=page.shape[0],
        advice=seen.advice(still=still),
    )
