"""What a worker says on stderr: heard by the host, cut to size, never more than a little a minute.

C libraries of devices write there what nobody asked for (a decoder, a line for each broken frame). The pipe is always
read, so that no worker waits for its own noise.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

Say = Callable[[str], None]
_LINE_BYTES = 400


@dataclass(slots=True)
class Ration:
    """At most `lines` lines in `window_s` seconds; what is over is counted."""

    lines: int = 20
    window_s: float = 60.0
    _since: float = float("-inf")
    _said: int = 0
    _dropped: int = 0

    def take(self, now: float) -> tuple[bool, int]:
        """May one more line be said now, and how many were dropped before it?"""
        dropped = 0
        if now - self._since >= self.window_s:
            dropped, self._since, self._said = self.rest(), now, 0
        if self._said >= self.lines:
            self._dropped += 1
            return False, 0
        self._said += 1
        return True, dropped

    def rest(self) -> int:
        """How many were dropped since that was told last."""
        dropped, self._dropped = self._dropped, 0
        return dropped


def listen_to(stderr: IO[bytes], say: Say, *, ration: Ration, name: str) -> threading.Thread:
    """Read until the worker and all its children have closed it; `say` is called from the thread returned."""
    thread = threading.Thread(target=_relay, args=(stderr, say, ration), name=name, daemon=True)
    thread.start()
    return thread


def _relay(stderr: IO[bytes], say: Say, ration: Ration) -> None:
    with stderr:
        starts_line = True
        while piece := stderr.readline(_LINE_BYTES):
            words = piece.decode("utf-8", "replace").rstrip()
            if starts_line and words:
                may, dropped = ration.take(time.monotonic())
                if dropped:
                    say(f"… {dropped} lines dropped")
                if may:
                    say(words)
            starts_line = piece.endswith(b"\n")
        if dropped := ration.rest():
            say(f"… {dropped} lines dropped")
