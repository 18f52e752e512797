"""Tells a keyboard-wedge scanner (键盘口扫码器) from a person who types; pure.

Such a scanner types its code as a keyboard would, only faster than any hand, and ends it with Enter. Keys are held
back for a moment: what turns out to be a code goes nowhere else, everything else is given back key by key, in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, assert_never

from kiosk.core.scanned_code import MAX_CODE_BYTES

GAP_MS: Final = 35
"""At most so long between two keys of a scanner. Scanners take 1 to 20 ms a key; fast hands 60 and more."""
MIN_KEYS: Final = 6
"""Fewer fast keys are a hand that slipped."""


class Kind(Enum):
    """What a key event is to us."""

    CHARACTER = auto()
    ENTER = auto()
    MODIFIER = auto()
    """Shift and the like: already in the characters, so they go their way at once."""
    OTHER = auto()
    """Keys that no scanner sends, and keys that repeat because they are held down."""


@dataclass(frozen=True, slots=True)
class Key:
    """One press or release. `code` is the key's number; `source` is whatever gives the event back."""

    kind: Kind
    code: int
    pressed: bool = True
    text: str = field(default="", repr=False)
    source: object = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done now."""

    replay: tuple[Key, ...] = ()
    """Give these back, in this order."""
    scanned: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class Wedge:
    """The state of one keyboard. Times are milliseconds of the events' own clock."""

    _held: list[Key] = field(default_factory=list)
    _typed: list[str] = field(default_factory=list)
    _taken: set[int] = field(default_factory=set)
    """Keys that were part of a code and are still down: their releases go nowhere either."""
    _at: int | None = None
    """Of the last character, held or not."""
    _spoilt: bool = False
    """The beginning of this burst was given back already: it is no code any more."""
    _endless: bool = False
    """This burst is longer than any code; the rest of it goes nowhere."""

    @property
    def holding(self) -> bool:
        """Is `lapse` to be called, `GAP_MS` after the last key?"""
        return bool(self._held)

    def key(self, key: Key, at: int) -> Verdict:
        """A key event that came `at`."""
        if not key.pressed:
            return self._release(key)
        self._taken.discard(key.code)
        match key.kind:
            case Kind.MODIFIER:
                return Verdict((key,))
            case Kind.CHARACTER:
                return self._character(key, at)
            case Kind.ENTER:
                return self._enter(key, at)
            case Kind.OTHER:
                return Verdict((*self._over(), key))
            case _:
                assert_never(key.kind)

    def lapse(self) -> Verdict:
        """Nothing came for `GAP_MS`: it was a person."""
        return Verdict(self._give_back())

    def _character(self, key: Key, at: int) -> Verdict:
        before: tuple[Key, ...] = ()
        if not self._in_time(at):
            before = self._over()
        elif not self._held and not self._endless:
            self._spoilt = True  # we were too slow and gave its beginning back
        self._at = at
        self._held.append(key)
        self._typed.append(key.text)
        if self._endless or len(self._typed) > MAX_CODE_BYTES:
            self._endless = True
            self._swallow()
        return Verdict(before)

    def _enter(self, key: Key, at: int) -> Verdict:
        code = self._in_time(at) and not self._spoilt and len(self._typed) >= MIN_KEYS
        if not code and not (self._endless and self._in_time(at)):
            return Verdict((*self._over(), key))
        scanned = "".join(self._typed) if code else None
        self._held.append(key)
        self._swallow()
        self._over()
        return Verdict(scanned=scanned)

    def _release(self, key: Key) -> Verdict:
        if key.code in self._taken:
            self._taken.discard(key.code)
            return Verdict()
        if self._held and key.kind is not Kind.MODIFIER:
            self._held.append(key)
            return Verdict()
        return Verdict((key,))

    def _in_time(self, at: int) -> bool:
        return self._at is not None and at - self._at <= GAP_MS

    def _over(self) -> tuple[Key, ...]:
        """The burst has ended; what is still held of it was a person's."""
        self._at, self._spoilt, self._endless = None, False, False
        return self._give_back()

    def _give_back(self) -> tuple[Key, ...]:
        held = tuple(self._held)
        self._held.clear()
        self._typed.clear()
        return held

    def _swallow(self) -> None:
        for key in self._held:
            (self._taken.add if key.pressed else self._taken.discard)(key.code)
        self._held.clear()
        self._typed.clear()
