"""A camera whose sensor hangs may send its last picture for ever; a live one never sends the same twice. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drivers.camera.opencv import ColourImage

_FLAT = 1.0
"""Standard deviation in grey levels; a covered lens may well give equal pictures and is dark, not frozen."""


def suspiciously_equal(one: ColourImage, other: ColourImage) -> bool:
    """Are these the same picture, to the last grey level, and of something?"""
    return np.array_equal(one, other) and float(one[::8, ::8].std()) > _FLAT


@dataclass(slots=True)
class FreezeWatch:
    """Fed with every picture examined."""

    limit_s: float
    _last: ColourImage | None = None
    _since: float = 0.0

    def frozen(self, image: ColourImage, now: float) -> bool:
        """Has exactly this picture been coming for `limit_s`?"""
        if self._last is None or not suspiciously_equal(self._last, image):
            self._last, self._since = image, now
            return False
        return now - self._since > self.limit_s
