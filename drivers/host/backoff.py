"""How long to wait before a driver is started again; pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubling delays with a cap. `after` gives the next delay and the state that follows it."""

    first_s: float = 0.1
    cap_s: float = 5.0
    quiet_s: float = 10.0
    """A process that lived this long starts the series anew."""
    next_s: float | None = None

    def after(self, lived_s: float) -> tuple[float, Backoff]:
        """The process lived `lived_s` seconds: wait this long, then go on with that state."""
        delay = self.first_s if self.next_s is None or lived_s >= self.quiet_s else self.next_s
        following = Backoff(self.first_s, self.cap_s, self.quiet_s, min(delay * 2, self.cap_s))
        return delay, following
