"""What holds for a scanned code (扫码), whatever scanner read it and however it came in; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_CODE_BYTES = 2953
"""The most that a QR code holds in byte mode: version 40, level L (ISO/IEC 18004, table 7)."""
HELD_S = 0.8
"""The same code again within this time: it is still held under the scanner."""
WEDGE = "wedge:"
"""Address of a scanner that types like a keyboard: the screens listen to it, and it has no driver process."""
_SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")
"""Symbology identifier, which many scanners can be set to send first (ISO/IEC 15424)."""


def without_symbology(text: str) -> str:
    """What the code says, without the scanner's word for its kind (``]Q1`` for QR)."""
    return _SYMBOLOGY.sub("", text, count=1) if _SYMBOLOGY.match(text) else text


@dataclass(slots=True)
class HeldCode:
    """Tells a code that is held under the scanner from one that is shown anew. Remembers no code, only its hash."""

    held_s: float = HELD_S
    _last: int | None = None
    _at: float = 0.0

    def fresh(self, text: str, at: float) -> bool:
        """Is this code new, `at` monotonic seconds? Every repetition keeps it held."""
        mark = hash(text)
        held = mark == self._last and at - self._at < self.held_s
        self._last, self._at = mark, at
        return not held
