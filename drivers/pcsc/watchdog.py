"""Notices that a service hangs: it takes the question and never answers. A call into it cannot be cancelled, so one
thread asks and another looks at the clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import smartcard.scard as pcsc

from drivers.pcsc.names import list_readers

INTERVAL_S = 0.7
PATIENCE_S = 1.5
"""Longer than anything that a healthy service does between two answers."""


class Watchdog:
    """Asks again and again; `tell(True)` when no answer came in time, `tell(False)` when one came after all."""

    def __init__(
        self,
        ask: Callable[[], None],
        tell: Callable[[bool], None],
        *,
        interval_s: float = INTERVAL_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`ask` may block for ever; what it learns does not matter. `tell` is called from the watching thread."""
        self._ask = ask
        self._tell = tell
        self._interval_s = interval_s
        self._patience_s = patience_s
        self._stopping = threading.Event()
        self._answered = threading.Condition()
        self._answers = 0

    def start(self) -> None:
        """Begin."""
        for job in (self._keep_asking, self._watch):
            threading.Thread(target=job, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """End; a question that hangs is left to the end of the process."""
        self._stopping.set()

    def _keep_asking(self) -> None:
        while not self._stopping.is_set():
            self._ask()
            with self._answered:
                self._answers += 1
                self._answered.notify()
            self._stopping.wait(self._interval_s)

    def _watch(self) -> None:
        hung = False
        while not self._stopping.is_set():
            answered = self._wait_for_answer()
            if answered == hung and not self._stopping.is_set():
                hung = not answered
                self._tell(hung)

    def _wait_for_answer(self) -> bool:
        ends = time.monotonic() + self._interval_s + self._patience_s
        with self._answered:
            before = self._answers
            while self._answers == before:
                left = ends - time.monotonic()
                if left <= 0:
                    return False
                self._answered.wait(left)
        return True


def pcscd_watchdog(tell: Callable[[bool], None]) -> Watchdog:
    """Asks pcscd for its readers, over a context of its own."""
    return Watchdog(_Pulse().ask, tell)


class _Pulse:
    def __init__(self) -> None:
        self._context: Any = None

    def ask(self) -> None:
        """Right or wrong, an answer is a sign of life."""
        if self._context is None:
            code, context = pcsc.SCardEstablishContext(pcsc.SCARD_SCOPE_USER)
            if code:
                return
            self._context = context
        code, _names = list_readers(self._context)
        if code:
            pcsc.SCardReleaseContext(self._context)
            self._context = None
