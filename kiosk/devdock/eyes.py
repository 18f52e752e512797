"""Looks at a serving terminal's desk all the time, once for all who watch its devices."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kiosk.app.device_desk import DeskError, DeviceDeskClient
from kiosk.core.devices import DeviceKind, DeviceRecord

_LOOK_S = 0.025
_ANY_S = 10.0

Condition = Callable[[DeviceRecord], bool]


class Blind(RuntimeError):
    """The terminal does not tell of a device."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What the terminal knew at a moment."""

    at: float
    records: dict[DeviceKind, DeviceRecord]


class Eyes:
    """Every look is complete: what a device had at that moment is not pieced together."""

    def __init__(self, desk: DeviceDeskClient) -> None:
        self._desk = desk
        self._look = _Look(0.0, {})
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="eyes", daemon=True)

    @contextmanager
    def open(self) -> Iterator[Eyes]:
        """Open for the time of the block."""
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()

    def record(self, kind: DeviceKind) -> DeviceRecord:
        """The newest that is known; Blind if the terminal does not tell of it."""
        self.wait_for(kind, lambda _record: True, since=time.monotonic(), until=time.monotonic() + _ANY_S)
        with self._changed:
            if kind not in self._look.records:
                raise Blind(f"the terminal does not tell of {kind}")
            return self._look.records[kind]

    def wait_for(self, kind: DeviceKind, condition: Condition, *, since: float, until: float) -> float | None:
        """When a look begun after `since` met the condition; None if none did before `until` (both monotonic)."""
        with self._changed:
            while True:
                look = self._look
                if look.at > since and kind in look.records and condition(look.records[kind]):
                    return look.at
                if not self._changed.wait(until - time.monotonic()) and time.monotonic() >= until:
                    return None

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_S):
            at = time.monotonic()
            try:
                look = _Look(at, self._desk.records())
            except DeskError:
                look = _Look(at, {})  # the terminal itself is away; who waits for it says so in the end
            with self._changed:
                self._look = look
                self._changed.notify_all()
