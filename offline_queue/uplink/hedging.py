"""When a batch goes over a second line too, because its answer is late (a hedged request: Dean and Barroso, The Tail at
Scale, CACM 56(2), 2013).

A short request that is lost has nothing behind it by which the kernel would notice: it waits for three times there and
back before it sends it again, and twice as long if that is lost too. So does the last batch of a backlog. The hall
takes a submission once however often it comes, so by then it has come over the other connection. Pure decisions on
the caller's clock.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

_LATE_LEAST_S = 0.05
_LATE_UNKNOWN_S = 1.0
"""Where nobody can tell how long it takes."""
_LATE = 1.25
"""Times there and back: whatever takes longer is held up, or lost."""
_BACKLOG_LATE = 1.75
"""Times what the last batches of the backlog took; it is larger, and so is what goes twice."""
_RECENT = 6


@dataclass(slots=True)
class _Sent:
    at: float
    late_s: float | None
    """None: as the backlog goes just now."""
    twin: int | None = None
    """The other line that it is on."""
    void: bool = False
    """The other one's answer was quicker."""


@dataclass(slots=True)
class Hedges:
    """Batches that are on their way, by their lines."""

    monotonic: Callable[[], float]
    _sent: dict[int, _Sent] = field(default_factory=dict)
    _took: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    """Seconds, the last batches of the backlog."""

    def fresh(self, line: int, *, shortest_s: float) -> None:
        """What was just filed goes; `shortest_s`: there and back on this line, 0 if unknown."""
        late_s = _LATE * shortest_s + _LATE_LEAST_S if shortest_s > 0 else _LATE_UNKNOWN_S
        self._sent[line] = _Sent(self.monotonic(), late_s)

    def backlog(self, line: int) -> None:
        """A batch of the backlog goes."""
        self._sent[line] = _Sent(self.monotonic(), None)

    def repeated(self, late: int, *, over: int) -> None:
        """The batch of line `late` goes over another one too: once is enough."""
        first = self._sent[late]
        first.twin = over
        self._sent[over] = _Sent(self.monotonic(), first.late_s, twin=late)

    def ended(self, line: int, *, answered: bool) -> bool:
        """A call is over; False: it went over two lines and the other's answer came first, so this one counts for
        nothing."""
        sent = self._sent.pop(line, None)
        if sent is None:
            return True
        if answered and sent.late_s is None and not sent.void:
            self._took.append(self.monotonic() - sent.at)
        twin = self._sent.get(sent.twin) if sent.twin is not None else None
        if twin is not None and twin.twin == line:
            twin.void |= answered
        return not sent.void

    def late(self, lines: Iterable[int]) -> int | None:
        """Of these the line whose batch should go once more, the one that is out for longest."""
        late = [line for line in lines if self._left(line) <= 0]
        return min(late, key=lambda line: self._sent[line].at, default=None)

    def until_late(self, lines: Iterable[int]) -> float:
        """Seconds until there may be a late one among these."""
        return max(0.0, min(map(self._left, lines), default=float("inf")))

    def _left(self, line: int) -> float:
        """Seconds until this one is late; infinite if it goes but once."""
        sent = self._sent.get(line)
        if sent is None or sent.twin is not None:
            return float("inf")
        late_s = self._backlog_late_s() if sent.late_s is None else sent.late_s
        return sent.at + late_s - self.monotonic()

    def _backlog_late_s(self) -> float:
        return _BACKLOG_LATE * statistics.median(self._took) + _LATE_LEAST_S if self._took else _LATE_UNKNOWN_S
