"""From the bytes of a scanner's line to codes; pure.

A code ends with CR, LF or both. Until the first such end was seen, silence ends a code too: many scanners leave the
factory without a suffix. Afterwards what stays without an end is torn, and half a code is no code.
A code that itself holds line breaks (a visiting card) arrives as several: the line tells no difference.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from kiosk.core.result import Err, Ok, Result
from kiosk.core.scanned_code import MAX_CODE_BYTES, without_symbology

_SPARE_BYTES = 64
"""For what comes before the code and is taken away: NULs, a symbology identifier, a byte order mark."""
_GROUP_SEPARATOR = "\x1d"
"""FNC1 inside a GS1 code: the one control character that is part of a code (GS1 General Specifications, 7.8)."""
_NO_TEXT = frozenset({"Cc", "Cs", "Co", "Cn"})
"""Unicode categories: controls, surrogates, private use, unassigned."""


class Refusal(StrEnum):
    """Why a line is no code."""

    CONTROL = "control characters"
    ENCODING = "neither UTF-8 nor GB 18030"
    LENGTH = "longer than any code"
    TORN = "without an end"


Line = Result[bytes, Refusal]


@dataclass(slots=True)
class Splitter:
    """Bytes into lines, with the time of their arrival in monotonic seconds. Empty lines are nothing."""

    pause_s: float = 0.3
    """Silence that ends a code as long as no line end was ever seen; at 1200 baud a byte takes 8 ms."""
    torn_s: float = 1.0
    """Silence after which a code without its end is given up."""
    _pending: bytearray = field(default_factory=bytearray)
    _overlong: bool = False
    _ends_seen: bool = False
    _at: float = 0.0

    @property
    def due(self) -> float | None:
        """When `feed` should be called though nothing came; None: not before something comes."""
        if not self._pending and not self._overlong:
            return None
        return self._at + (self.torn_s if self._ends_seen else self.pause_s)

    def feed(self, data: bytes, at: float) -> list[Line]:
        """The lines that are complete now."""
        lines = self._silence(at)
        if data:
            self._at = at
        for piece in data.splitlines(keepends=True):  # of bytes: at CR, LF and CR LF only
            text = piece.rstrip(b"\r\n")
            self._take(text)
            if len(text) < len(piece):
                self._ends_seen = True
                lines += self._end()
        return lines

    def _silence(self, at: float) -> list[Line]:
        if (due := self.due) is None or at < due:
            return []
        if not self._ends_seen:
            return self._end()
        self._pending.clear()
        self._overlong = False
        return [Err(Refusal.TORN)]

    def _take(self, data: bytes) -> None:
        self._pending += data
        if len(self._pending) > MAX_CODE_BYTES + _SPARE_BYTES:
            self._pending.clear()
            self._overlong = True

    def _end(self) -> list[Line]:
        line, overlong = bytes(self._pending), self._overlong
        self._pending.clear()
        self._overlong = False
        if overlong:
            return [Err(Refusal.LENGTH)]
        return [Ok(line)] if line else []


def decode(line: bytes) -> Result[str, Refusal]:
    """What a line says, exactly; empty if it says nothing. Nothing is ever replaced or left out."""
    for encoding in ("utf-8", "gb18030"):
        try:
            text = line.lstrip(b"\0").decode(encoding)
        except UnicodeDecodeError:
            continue
        return _code(text, encoding)
    return Err(Refusal.ENCODING)


def _code(line: str, encoding: str) -> Result[str, Refusal]:
    text = without_symbology(line).removeprefix("\ufeff")
    if any(unicodedata.category(one) in _NO_TEXT and one != _GROUP_SEPARATOR for one in text):
        return Err(Refusal.CONTROL)
    if len(text.encode(encoding)) > MAX_CODE_BYTES:
        return Err(Refusal.LENGTH)
    return Ok(text if text.strip() else "")
