"""Turns after an outage (错峰): a whole city has a backlog at the same moment, and each terminal is told when to begin.

Whoever asks is booked once, with all that waits there, behind those that asked before; it costs one small request that
is put off, not twenty that are refused. What was just filed is never put off. In memory: a hall that starts anew
books anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

SMALL = 64
"""One batch is over before a turn could be given."""
SOON_S = 2.0
"""A shorter wait is none: requests that come a little close are what queues are for."""
MOST = 200_000
"""No terminal holds more; who says so books no more."""
HOLD_S = 60.0
"""A turn lasts as long as its terminal comes again within this time."""


@dataclass(slots=True)
class _Lease:
    start: float
    until: float


class Leases:
    """Who may hand a backlog in now. Thread-safe."""

    def __init__(self, *, items_per_s: float, monotonic: Callable[[], float]) -> None:
        """`items_per_s`: submissions that this hall takes from backlogs in a second, all terminals together."""
        self._rate = items_per_s
        self._monotonic = monotonic
        self._free_at = 0.0
        self._leases: dict[str, _Lease] = {}
        self._lock = threading.Lock()

    def wait(self, terminal_id: str, *, pending: int) -> float:
        """Seconds until this terminal's turn; 0: now. `pending`: submissions that wait there."""
        now = self._monotonic()
        with self._lock:
            lease = self._leases.get(terminal_id)
            if lease is not None and now > lease.until:
                del self._leases[terminal_id]
                lease = None
            if lease is None:
                if pending <= SMALL:
                    return 0.0
                lease = self._book(terminal_id, pending, now)
            if lease.start - now > SOON_S:
                return lease.start - now
            lease.until = now + HOLD_S
            return 0.0

    def _book(self, terminal_id: str, pending: int, now: float) -> _Lease:
        start = max(now, self._free_at)
        self._free_at = start + min(pending, MOST) / self._rate
        self._leases[terminal_id] = lease = _Lease(start, start + HOLD_S)
        return lease
