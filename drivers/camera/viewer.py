"""Looking at picture after picture: what lies there, has it come to rest, does the camera live? Pure.

A page that lies still is not searched for anew in every picture: that would be most of the work.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drivers.camera.geometry import Quad
from drivers.camera.jpeg import decode_small
from drivers.camera.opencv import ColourImage, GreyImage, cv2
from drivers.camera.page_finder import Finding, find_page
from drivers.camera.quality import MEASURE_PX, Advice, Measures, advise, is_black, measure

_THUMBNAIL = (72, 72)
_FLAT = 1.0
"""Standard deviation in grey levels; a covered lens may well give equal pictures and is dark, not frozen."""


@dataclass(frozen=True, slots=True)
class View:
    """One picture, examined."""

    small: ColourImage
    finding: Finding
    measures: Measures
    still: bool
    """Nothing has moved for some pictures."""
    frozen: bool
    """Exactly this picture has been coming for too long: the sensor hangs. A live one never sends the same twice."""

    @property
    def advice(self) -> Advice:
        """What to tell the person."""
        return advise(self.finding, self.measures, still=self.still)

    @property
    def black(self) -> bool:
        """Is there nothing to be seen at all?"""
        return is_black(self.measures)


@dataclass(slots=True, kw_only=True)
class Viewer:
    """One series of pictures. Holds the last one, so it must not outlive the person's visit."""

    freeze_s: float
    """So long may the same picture come."""
    settle: int = 3
    """So many pictures in a row must be alike to be still."""
    reuse: int = 4
    """For at most so many still pictures the page is not searched for again."""
    max_move: float = 0.006
    """Of the picture's diagonal, for any corner of the page."""
    max_change: float = 3.0
    """Mean difference of thumbnails in grey levels; sensor noise is far below."""
    max_spot: float = 6.0
    """Largest difference in any one spot of the thumbnail for a picture to count as unchanged."""
    _last: View | None = None
    _thumbnail: GreyImage | None = None
    _same_since: float = 0.0
    _rested: int = 0
    _reused: int = 0

    def see(self, raw: bytes, at: float) -> View | None:
        """Examine a camera's JPEG that arrived `at` (monotonic seconds); None if it is no picture."""
        small = decode_small(raw, long_side=MEASURE_PX)
        if small is None:
            return None
        thumbnail = _thumbnail(small)
        change = None if self._thumbnail is None else cv2.absdiff(thumbnail, self._thumbnail)
        finding, measures = self._examine(small, change)
        moved = self._moved(finding.quad, change, diagonal=float(np.hypot(*small.shape[:2])))
        self._rested = 0 if moved else self._rested + 1
        if self._last is None or not _suspiciously_equal(small, self._last.small):
            self._same_since = at
        view = View(
            small=small,
            finding=finding,
            measures=measures,
            still=self._rested >= self.settle,
            frozen=at - self._same_since > self.freeze_s,
        )
        self._last, self._thumbnail = view, thumbnail
        return view

    def _examine(self, small: ColourImage, change: object) -> tuple[Finding, Measures]:
        last = self._last
        calm = change is not None and self._rested >= self.settle and float(np.max(np.asarray(change))) <= self.max_spot
        if last is not None and calm and self._reused < self.reuse and last.small.shape == small.shape:
            self._reused += 1
            return last.finding, last.measures
        self._reused = 0
        finding = find_page(small)
        return finding, measure(small, finding.quad)

    def _moved(self, quad: Quad | None, change: object, *, diagonal: float) -> bool:
        before = None if self._last is None else self._last.finding.quad
        if change is None or (quad is None) != (before is None):
            return True
        if quad is not None and before is not None:
            move = float(np.linalg.norm(quad - before, axis=1).max())
            if move > self.max_move * diagonal:
                return True
        return float(np.mean(np.asarray(change))) > self.max_change


def _thumbnail(image: ColourImage) -> GreyImage:
    shrunk = cv2.resize(image, _THUMBNAIL, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(shrunk, cv2.COLOR_BGR2GRAY), np.uint8)


def _suspiciously_equal(one: ColourImage, other: ColourImage) -> bool:
    """The same picture, to the last grey level, and of something."""
    return np.array_equal(one, other) and float(one[::8, ::8].std()) > _FLAT
