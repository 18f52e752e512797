"""The connections kept for what was just filed: open before it is, and a second one for when an answer is late.

To open one takes two times there and back, more than the filing itself. And a short request that is lost has nothing
behind it by which the kernel would notice: it waits for three times there and back before it sends it again. The hall
takes a submission once however often it comes, so by then it has come over the other connection. Pure decisions on
the caller's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

WARM_S = 45.0
"""So long a connection may lie idle; the hall closes it after 75 s, some routers on the way sooner."""
_LATE_LEAST_S = 0.05
_LATE_UNKNOWN_S = 1.0
"""Where the kernel does not tell how long it takes there and back."""
_LATE = 1.25
"""Times there and back: whatever takes longer is held up, or lost."""


@dataclass(slots=True)
class _Sent:
    at: float
    late_s: float
    again: bool = False


@dataclass(slots=True)
class Express:
    """What these lines were used for, by their numbers."""

    lines: tuple[int, ...]
    monotonic: Callable[[], float]
    _used: dict[int, float] = field(default_factory=dict)
    _sent: dict[int, _Sent] = field(default_factory=dict)

    def sent(self, line: int, *, shortest_s: float, again: bool = False) -> None:
        """A batch; `shortest_s`: there and back on this line, 0 if unknown. `again`: the same is on another one."""
        late = _LATE * shortest_s + _LATE_LEAST_S if shortest_s > 0 else _LATE_UNKNOWN_S
        self._sent[line] = _Sent(self.monotonic(), late, again)

    def used(self, line: int) -> bool:
        """A call over it has ended; True if it was a batch that went over another one too."""
        self._used[line] = self.monotonic()
        sent = self._sent.pop(line, None)
        return sent is not None and sent.again

    def cold(self, free: Iterable[int]) -> int | None:
        """One of these that should be used lest it be closed, or opened."""
        now = self.monotonic()
        return next((line for line in free if now - self._used.get(line, -WARM_S) >= WARM_S), None)

    def warm_for(self) -> float:
        """Seconds until one is cold."""
        now = self.monotonic()
        return max(0.0, min(self._used.get(line, -WARM_S) for line in self.lines) + WARM_S - now)

    def late(self) -> int | None:
        """The line whose batch should go once more; `repeated` says that it does."""
        now = self.monotonic()
        return next(
            (line for line, sent in self._sent.items() if not sent.again and now - sent.at >= sent.late_s), None
        )

    def repeated(self, line: int) -> None:
        """Once is enough."""
        self._sent[line].again = True

    def until_late(self) -> float:
        """Seconds until there may be a late one."""
        now = self.monotonic()
        waits = (sent.at + sent.late_s - now for sent in self._sent.values() if not sent.again)
        return max(0.0, min(waits, default=3600.0))
