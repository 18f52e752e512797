"""Which connections are open before they are needed: to open one takes two times there and back, more than what is
then sent over it. Pure decisions on the caller's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

WARM_S = 45.0
"""So long a connection may lie idle; the hall closes it after 75 s, some routers on the way sooner."""


@dataclass(slots=True)
class Warmth:
    """When lines were used last, by their numbers."""

    monotonic: Callable[[], float]
    _used: dict[int, float] = field(default_factory=dict)

    def used(self, line: int) -> None:
        """A call over it has ended."""
        self._used[line] = self.monotonic()

    def cold(self, free: Iterable[int]) -> int | None:
        """One of these that should be used lest it be closed, or opened."""
        return next((line for line in free if self._idle_s(line) >= WARM_S), None)

    def warm_for(self, lines: Iterable[int]) -> float:
        """Seconds until one of these is cold."""
        return max(0.0, WARM_S - max(map(self._idle_s, lines)))

    def _idle_s(self, line: int) -> float:
        return self.monotonic() - self._used.get(line, float("-inf"))
