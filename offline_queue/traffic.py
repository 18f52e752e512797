"""Who may use the line just now: a citizen's question first, then what was just filed, the backlog, files (P53).

Whoever is not to go first stops between two pieces, so what is ahead of a question is a few kilobytes. Nobody waits
for ever: a line that is asked all day still drains. Thread-safe.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum

PIECE_BYTES = 8 * 1024
ASKING_LIMIT_S = 30.0
"""A question that nobody said the end of: the terminal's screen may be dead."""


class Rank(IntEnum):
    """The smaller goes first."""

    INTERACTIVE = 0
    """Just filed: a citizen waits for it to be delivered."""
    BACKLOG = 1
    BLOBS = 2


class Traffic:
    """Everything that is on the line, by rank."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._using = dict.fromkeys(Rank, 0)
        self._asking_until = 0.0

    def asking(self, seconds: float) -> None:
        """A citizen asks the hall something and has her answer within this time; 0: she has it."""
        with self._changed:
            self._asking_until = self._monotonic() + min(seconds, ASKING_LIMIT_S) if seconds > 0 else 0.0
            self._changed.notify_all()

    @contextmanager
    def using(self, rank: Rank) -> Iterator[None]:
        """For the time of one request."""
        with self._changed:
            self._using[rank] += 1
        try:
            yield
        finally:
            with self._changed:
                self._using[rank] -= 1
                self._changed.notify_all()

    def clear(self, rank: Rank) -> bool:
        """Does nothing go before this rank?"""
        with self._changed:
            return self._left(rank) is None

    def give_way(self, rank: Rank, *, seconds: float) -> float:
        """Return when nothing goes before this rank, or after this time; how long it was."""
        began = self._monotonic()
        with self._changed:
            while (left := self._left(rank)) is not None:
                rest = seconds - (self._monotonic() - began)
                if rest <= 0:
                    break
                self._changed.wait(min(rest, left))
        return self._monotonic() - began

    def _left(self, rank: Rank) -> float | None:
        """None: the way is free. Else when to look again without having been told (seconds)."""
        if any(self._using[other] for other in Rank if other < rank):
            return 3600.0
        left = self._asking_until - self._monotonic()
        return left if left > 0 and rank > Rank.INTERACTIVE else None


class YieldingBody:
    """A request's body that is sent piece by piece, and stops between two while something goes before it."""

    def __init__(self, content: bytes, *, rank: Rank, traffic: Traffic, patience_s: float = 10.0) -> None:
        """`patience_s`: all the waiting of this body together."""
        self._content = content
        self._rank = rank
        self._traffic = traffic
        self._patience = patience_s
        self._at = 0

    def __len__(self) -> int:
        return len(self._content)

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read():
            yield piece

    def read(self, size: int = -1) -> bytes:
        """The next piece; fewer bytes than asked for is no end."""
        if self._at > 0:  # the first piece opens the connection and says who we are
            self._patience -= self._traffic.give_way(self._rank, seconds=max(0.0, self._patience))
        end = self._at + (PIECE_BYTES if size < 0 else min(size, PIECE_BYTES))
        piece, self._at = self._content[self._at : end], min(end, len(self._content))
        return piece
