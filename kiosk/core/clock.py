"""Time as a dependency: wall time for records, monotonic time for deadlines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

CHINA = timezone(timedelta(hours=8), "CST")
"""China Standard Time; there is no summer time."""


class Clock(Protocol):
    """Wall and monotonic time."""

    def now(self) -> datetime:
        """Aware wall time, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Aware wall time, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """CLOCK_MONOTONIC seconds."""
        import time

        return time.monotonic()
