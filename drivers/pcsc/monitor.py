"""Watches one PC/SC reader for ever: cards, the reader itself, and pcscd, which may die and come back.

pyscard's own monitor ends for good when pcscd restarts; this one tries again every 0.3 s. A pcscd that hangs answers
nothing, not even that it hangs: a watchdog asks it something small all the time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import smartcard.scard as pcsc

from drivers.pcsc.address import PcscAddress
from drivers.pcsc.names import list_readers, unsigned
from drivers.pcsc.status import Code, Flag, Sight
from drivers.pcsc.watchdog import pcscd_watchdog

RETRY_S = 0.3
_CANCEL_AGAIN_S = 0.05
_UNAWARE = 0
__all__ = ["Monitor", "list_readers", "unsigned"]
_LOOK_AGAIN_MS = 500
"""That another program takes a card for itself, or gives it back, is no news to pcscd: one has to look."""
_ANY_READER = "\\\\?PnP?\\Notification"
"""Pseudo reader whose state changes when a reader comes or goes."""


class Monitor:
    """Threads that call `see` with every new sight, one at a time."""

    def __init__(self, address: PcscAddress, see: Callable[[Sight], None], *, retry_s: float = RETRY_S) -> None:
        self._address = address
        self._see = see
        self._retry_s = retry_s
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._context: Any = None
        self._thread = threading.Thread(target=self._run, name="pcsc-monitor", daemon=True)
        self._telling = threading.Lock()
        """Guards what follows, and the order of sights."""
        self._last = Sight()
        self._hung = False
        self._watchdog = pcscd_watchdog(self._feel)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()
        self._watchdog.start()

    def stop(self) -> None:
        """End the thread. A cancel that comes just before the wait begins is lost, so it is repeated. A pcscd that
        hangs cannot be made to let go: then the thread is left to the end of the process."""
        self._stopping.set()
        self._watchdog.stop()
        while self._thread.is_alive():
            with self._telling:
                if self._hung:
                    return
            with self._lock:
                if self._context is not None:
                    pcsc.SCardCancel(self._context)
            self._thread.join(_CANCEL_AGAIN_S)

    def _tell(self, sight: Sight) -> None:
        """From the monitor's thread: whatever it sees, it sees because pcscd answered."""
        with self._telling:
            self._last, self._hung = sight, False
            self._see(sight)

    def _feel(self, hung: bool) -> None:
        with self._telling:
            if hung != self._hung:
                self._hung = hung
                self._see(replace(self._last, hung=hung))

    def _run(self) -> None:
        while not self._stopping.is_set():
            error = self._one_contact()
            if self._stopping.is_set():
                return
            self._tell(Sight(error=error))
            self._stopping.wait(self._retry_s)

    def _one_contact(self) -> int:
        """Watch until contact with pcscd breaks; why it did."""
        code, context = pcsc.SCardEstablishContext(pcsc.SCARD_SCOPE_USER)
        if code:
            return unsigned(code)
        with self._lock:
            self._context = context
        try:
            return self._watch(context)
        finally:
            with self._lock:
                self._context = None
                pcsc.SCardReleaseContext(context)

    def _watch(self, context: Any) -> int:
        reader, state = "", _UNAWARE
        while not self._stopping.is_set():
            code, names = list_readers(context)
            if code:
                return code
            chosen = self._address.choose(names)
            if chosen != reader:
                reader, state = chosen, _UNAWARE
            if not reader:
                self._tell(Sight())
            code, seen = self._wait(context, reader, state)
            match code:
                case Code.SUCCESS:
                    if reader:
                        state = seen
                        self._tell(Sight(reader=reader, state=state))
                case Code.TIMEOUT:
                    state = _UNAWARE
                case Code.UNKNOWN_READER | Code.READER_UNAVAILABLE:
                    pass  # it went while we asked; look again who is there
                case _:
                    return code
        return Code.CANCELLED

    def _wait(self, context: Any, reader: str, state: int) -> tuple[int, int]:
        """Until something differs from `state`, or any reader comes or goes, or it is time to look again."""
        asked = [(_ANY_READER, _UNAWARE)]
        if reader:
            asked.insert(0, (reader, state))
        patience = _LOOK_AGAIN_MS if state & Flag.PRESENT else pcsc.INFINITE
        code, states = pcsc.SCardGetStatusChange(context, patience, asked)
        # int: the complement of a Flag would lose the count in the upper bits
        seen = states[0][1] & ~int(Flag.CHANGED) if states else _UNAWARE
        return unsigned(code), seen
