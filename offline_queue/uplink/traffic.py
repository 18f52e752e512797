"""Who may use the line just now: a citizen's question first, then what was just filed, the backlog, files (P53).

Whoever is not to go first stops between two pieces, so what is ahead of a question is a few kilobytes. As long as
somebody stands at the terminal, what nobody waits for is written by one connection at a time: several that write at
once each try how much the line bears, and what is too much waits in the router before it, with a citizen's filing
behind it. When nobody is there a few may: a line that is tried out carries more. But not all: written side by side they
would all be done, and wait for their answers, at the same time. Nobody waits for ever: a line that is asked all day
still drains. Thread-safe.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Protocol

from offline_queue.uplink.tcp import Flight
from offline_queue.uplink.window import Window

PIECE_BYTES = 4 * 1024
"""One of these and what the kernel has not sent yet (`tcp`) is all that can be ahead of a citizen on our side."""
WRITERS = 3
"""So many bodies that nobody waits for are written at once when nobody is there."""
PATIENCE_S = 10.0
"""All the waiting of one body together."""
HERE_S = 270.0
"""A citizen who asked or filed something may file again: so long a session stays open without a touch (大字版)."""
ASKING_LIMIT_S = 30.0
"""A question that nobody said the end of: the terminal's screen may be dead."""
_FULL_S = 1.0
"""So long a full line is believed to be full; then the kernel is asked by writing."""
_LOOK_S = 0.008
"""A line of 1 Mbit/s has carried a kilobyte."""


class Rank(IntEnum):
    """The smaller goes first."""

    INTERACTIVE = 0
    """Just filed: a citizen waits for it to be delivered."""
    BACKLOG = 1
    BLOBS = 2


class Line(Protocol):
    """The connection that a body goes over."""

    def flight(self) -> Flight | None:
        """What it has on the way; None: unknown."""

    def prolong(self, seconds: float) -> None:
        """We let others go first for so long; that is not the other end's fault."""


class Traffic:
    """Everything that is on the line, by rank."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._using = dict.fromkeys(Rank, 0)
        self._asking_until = 0.0
        self._here_until = float("-inf")
        self._writing: list[YieldingBody] = []
        """Bodies that nobody waits for, as they began; the first ones of the smallest rank are on the line."""
        self._lines: list[Line] = []
        """Of those, and of those that wait for their answers."""
        self._window = Window(monotonic)

    def somebody_is_here(self) -> None:
        """A citizen uses the terminal just now."""
        with self._changed:
            self._here_until = self._monotonic() + HERE_S

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

    @contextmanager
    def sending(self, content: bytes, rank: Rank, *, over: Line) -> Iterator[YieldingBody]:
        """A body of this rank, for the time of its request."""
        body = YieldingBody(content, rank=rank, traffic=self, waited=over.prolong)
        held = [] if rank is Rank.INTERACTIVE else [over]
        with self.using(rank):
            self._lines += held
            try:
                yield body
            finally:
                for line in held:
                    self._lines.remove(line)
                self.written(body)

    def clear(self, rank: Rank) -> bool:
        """Does nothing go before this rank?"""
        with self._changed:
            return self._left(rank) is None

    def give_way(self, rank: Rank, *, seconds: float) -> float:
        """Return when nothing goes before this rank, or after this time; how long it was."""
        with self._changed:
            return self._wait(lambda: self._left(rank), seconds)

    def turn(self, body: YieldingBody, *, seconds: float) -> float:
        """`give_way`; while somebody is here also to bodies like this one that began before, until the line has room.

        Returns how long we gave way. From then on it is this body's turn until it is `written`.
        """
        with self._changed:
            if body.rank is Rank.INTERACTIVE:
                return 0.0
            if body not in self._writing:
                self._writing.append(body)
            waited = self._wait(lambda: self._left(body.rank, body), seconds)
            end = self._monotonic() + _FULL_S
            while self._full() and self._monotonic() < end:
                self._changed.wait(_LOOK_S)
                waited += self._wait(lambda: self._left(body.rank, body), seconds - waited)
            return waited

    def _here(self) -> bool:
        return self._monotonic() < self._here_until

    def _full(self) -> bool:
        if not self._here():
            return False
        flights = (line.flight() for line in self._lines)
        return self._window.full(flight for flight in flights if flight is not None)

    def written(self, body: YieldingBody) -> None:
        """The kernel has all of it, or its request is over: the next one's turn. May be said twice."""
        with self._changed:
            if body in self._writing:
                self._writing.remove(body)
                self._changed.notify_all()

    def _wait(self, left: Callable[[], float | None], seconds: float) -> float:
        began = self._monotonic()
        while (again := left()) is not None:
            rest = seconds - (self._monotonic() - began)
            if rest <= 0:
                break
            self._changed.wait(min(rest, again))
        return self._monotonic() - began

    def _left(self, rank: Rank, body: YieldingBody | None = None) -> float | None:
        """None: the way is free. Else when to look again without having been told (seconds)."""
        if body is not None and body not in self._on_the_line():
            return self._here_until - self._monotonic() if self._here() else 3600.0
        if any(self._using[other] for other in Rank if other < rank):
            return 3600.0
        left = self._asking_until - self._monotonic()
        return left if left > 0 and rank > Rank.INTERACTIVE else None

    def _on_the_line(self) -> list[YieldingBody]:
        """Those that are written now."""
        return sorted(self._writing, key=lambda body: body.rank)[: 1 if self._here() else WRITERS]


class YieldingBody:
    """A request's body that is sent piece by piece, and stops between two while something goes before it."""

    def __init__(
        self,
        content: bytes,
        *,
        rank: Rank,
        traffic: Traffic,
        patience_s: float = PATIENCE_S,
        waited: Callable[[float], None] = lambda _: None,
    ) -> None:
        """`patience_s`: all the waiting of this body together; then it goes on beside the others."""
        self._content = content
        self.rank = rank
        self._traffic = traffic
        self._patience = patience_s
        self._waited = waited
        self._at = 0

    def __len__(self) -> int:
        return len(self._content)

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read():
            yield piece

    def read(self, size: int = -1) -> bytes:
        """The next piece; fewer bytes than asked for is no end. The connection is open when the first one is read."""
        if self._at == len(self._content):
            self._traffic.written(self)
            return b""
        seconds = self._traffic.turn(self, seconds=max(0.0, self._patience))
        self._patience -= seconds
        self._waited(seconds)
        end = self._at + (PIECE_BYTES if size < 0 else min(size, PIECE_BYTES))
        piece, self._at = self._content[self._at : end], min(end, len(self._content))
        return piece
