"""How much of what nobody waits for may be on the way at once: what the line holds, and hardly more.

A kernel sends what the line bears and finds that out by sending more; the rest waits in the router before the line, at
1 Mbit/s for half a second and longer, and what a citizen files waits behind it. So it is given no more than arrives in
the time there and back (bandwidth times delay), by the kernel's own measurement, and half as much again to find out
whether the line has become better. Not thread-safe.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from offline_queue.uplink.tcp import Flight

LEAST_BYTES = 24 * 1024
"""Little more than a new connection may send at once anyway."""
_MORE = 1.5
"""A line that could carry more shows it when it is given more, and while a lost packet is sent again the others go on.
What it cannot carry waits for half of its delay: with a quarter, a line with 5 % loss stood idle a third of the time.
"""
_REMEMBERED_S = 10.0
"""A line that has become worse is believed after this time."""


@dataclass(slots=True)
class Window:
    """For all connections over the same line together."""

    monotonic: Callable[[], float]
    _rates: deque[tuple[float, float]] = field(default_factory=deque)
    """When, and bytes a second; falling."""

    def full(self, flights: Iterable[Flight]) -> bool:
        """Is that enough for now? `flights`: of every connection with something on the way."""
        seen = tuple(flights)
        delays = [flight.shortest_s for flight in seen if flight.shortest_s > 0]
        rate = self._rate(max((flight.bytes_per_s for flight in seen), default=0.0))
        most = max(LEAST_BYTES, _MORE * rate * min(delays, default=0.0))
        return sum(flight.bytes for flight in seen) >= most

    def _rate(self, latest: float) -> float:
        """The best of the last seconds: a rate that was measured while nothing was to be sent says little."""
        now = self.monotonic()
        while self._rates and self._rates[-1][1] <= latest:
            self._rates.pop()
        self._rates.append((now, latest))
        while self._rates[0][0] < now - _REMEMBERED_S:
            self._rates.popleft()
        return self._rates[0][1]
