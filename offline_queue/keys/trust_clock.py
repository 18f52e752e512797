"""What time it is, when this machine's clock cannot be trusted: dead (1970), or wrong by hours or years.

Order and pauses never depend on it (they go by row and by the monotonic clock), and the hall stamps the legal time. The
wall clock counts for certificates, for the day in an application number, and for what a technician sees. Here it is
held against the hall's word, which came over a line whose far end was authenticated, and against a floor: no terminal
runs before its software was built, its certificate began, or its catalogue was published.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from kiosk.core.clock import Clock

BUILT = datetime(2026, 11, 1, tzinfo=UTC)
"""No later than this release was made; moved on with each release."""
TOLERANCE = timedelta(minutes=2)
"""What nobody need bother about."""
_END = datetime(2100, 1, 1, tzinfo=UTC)
"""Years have two digits in application numbers."""
_MOST_S = 100 * 366 * 86400.0


class ClockState(StrEnum):
    """What is to be thought of the wall clock."""

    GOOD = "good"
    UNCHECKED = "unchecked"
    """Not absurd; the hall has not been heard since the start."""
    DEAD = "dead"
    """Before the floor: its battery is empty, or somebody set it back."""
    SLOW = "slow"
    FAST = "fast"


def clock_state(now: datetime, *, floor: datetime = BUILT, skew_s: float | None = None) -> ClockState:
    """`skew_s`: seconds by which the clock is behind the hall's; None: not known."""
    if now < floor:
        return ClockState.DEAD
    if skew_s is None:
        return ClockState.UNCHECKED
    if abs(skew_s) <= TOLERANCE.total_seconds():
        return ClockState.GOOD
    return ClockState.SLOW if skew_s > 0 else ClockState.FAST


def is_dead(now: datetime, *, floor: datetime = BUILT) -> bool:
    """Shows this clock a time that cannot be?"""
    return now < floor


@dataclass(frozen=True, slots=True)
class _Word:
    """The hall's time, and the monotonic clock when it came."""

    said: datetime
    at: float


class TrustClock:
    """A `Clock` that believes the hall more than the machine. Thread-safe."""

    def __init__(self, clock: Clock, *, floor: datetime = BUILT) -> None:
        self._clock = clock
        self._floor = floor
        self._lock = threading.Lock()
        self._word: _Word | None = None

    def heard(self, said: datetime, *, asked: float) -> None:
        """The hall's time, in an answer to what was asked at this moment of the monotonic clock; none if absurd."""
        if said >= _END:
            return
        now = self._clock.monotonic()
        # It was on its way for half of the exchange, as far as anybody can tell.
        with self._lock:
            self._word = _Word(said + timedelta(seconds=max(0.0, now - asked) / 2), now)

    def skew_s(self) -> float | None:
        """Seconds by which the wall clock is behind the hall's (negative: ahead); None before the hall was heard."""
        with self._lock:
            word = self._word
        if word is None:
            return None
        passed = min(max(0.0, self._clock.monotonic() - word.at), _MOST_S)
        return (word.said - self._clock.now()).total_seconds() + passed

    def state(self) -> ClockState:
        """Of the wall clock."""
        return clock_state(self._clock.now(), floor=self._floor, skew_s=self.skew_s())

    def now(self) -> datetime:
        """The wall clock where it is right, else the hall's time; before that was heard no earlier than the floor."""
        wall, skew = self._clock.now(), self.skew_s()
        if skew is None:
            return max(wall, self._floor)
        return wall if abs(skew) <= TOLERANCE.total_seconds() else wall + timedelta(seconds=skew)

    def monotonic(self) -> float:
        """As it is."""
        return self._clock.monotonic()
