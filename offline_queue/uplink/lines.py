"""Several connections to the hall at once, a thread and a client each; what they brought lies in one basket."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from offline_queue.hall_client import HallClient
from offline_queue.uplink.tcp import Flight

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """A call that is over, and what it brought."""

    line: int
    result: T


class Lines(Generic[T]):
    """Runs one call a line. Used by one thread; only `nudge` and `close` may come from others."""

    def __init__(self, clients: Sequence[HallClient]) -> None:
        """The clients are closed with the lines."""
        self._clients = tuple(clients)
        self._calls: tuple[queue.SimpleQueue[Callable[[HallClient], T] | None], ...] = tuple(
            queue.SimpleQueue() for _ in clients
        )
        self._busy: set[int] = set()
        self._basket: queue.SimpleQueue[Done[T] | None] = queue.SimpleQueue()
        self._threads: dict[int, threading.Thread] = {}

    @property
    def busy(self) -> int:
        """Calls under way."""
        return len(self._busy)

    def free(self, line: int) -> bool:
        """May this line be given a call?"""
        return line not in self._busy

    def flight(self, line: int) -> Flight | None:
        """What this line has on the way; None: unknown, or it is not open."""
        return self._clients[line].flight()

    def start(self, line: int, call: Callable[[HallClient], T]) -> None:
        """Make a call; what it brings comes out of `next`."""
        assert line not in self._busy
        self._busy.add(line)
        if line not in self._threads:
            thread = threading.Thread(target=self._serve, args=(line,), name=f"line-{line}", daemon=True)
            self._threads[line] = thread
            thread.start()
        self._calls[line].put(call)

    def next(self, *, seconds: float) -> Done[T] | None:
        """A call that is over, waiting so long for one; None: there is none, or somebody nudged."""
        try:
            done = self._basket.get(timeout=seconds) if seconds > 0 else self._basket.get_nowait()
        except queue.Empty:
            return None
        if done is not None:
            self._busy.discard(done.line)
        return done

    def nudge(self) -> None:
        """Whoever waits in `next` looks up."""
        self._basket.put(None)

    def close(self) -> None:
        """No more calls; those under way end by their own deadlines."""
        for line, calls in enumerate(self._calls):
            calls.put(None)
            if line not in self._threads:
                self._clients[line].close()

    def _serve(self, line: int) -> None:
        client = self._clients[line]
        try:
            while (call := self._calls[line].get()) is not None:
                self._basket.put(Done(line, call(client)))
        finally:
            client.close()
