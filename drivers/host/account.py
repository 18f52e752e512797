"""What a host knows of its device and of the driver behind it: status, what failed, the last self-test."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from drivers.host.process import resident_bytes
from drivers.host.protocol import Hello
from kiosk.core.devices import (
    DeviceError,
    DeviceKind,
    DeviceRecord,
    DeviceState,
    DeviceStatus,
    DriverProcess,
    Fault,
    LastError,
    SelfTest,
)

_AWAY = (DeviceState.STARTING, DeviceState.OFFLINE, DeviceState.UNKNOWN)
"""From these a device comes when it is online."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a new status means."""

    back: bool
    """The driver was lost until now."""
    comes: bool
    """The device was away until now."""


class Account:
    """Safe on any thread; no method blocks."""

    def __init__(self, kind: DeviceKind, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        """Guards what follows."""
        self._status = DeviceStatus(kind, DeviceState.STARTING)
        self._lost: Fault | None = None
        self._useful = False
        self._starts = 0
        self._hello: Hello | None = None
        self._last_error: LastError | None = None
        self._self_test: SelfTest | None = None

    def status(self) -> DeviceStatus:
        """As last seen."""
        with self._lock:
            return self._status

    def record(self, pid: int | None) -> DeviceRecord:
        """Everything, with the process that is alive now."""
        resident = resident_bytes(pid) if pid else 0
        with self._lock:
            driver = DriverProcess(
                pid=pid,
                version=self._hello.version if self._hello else 0,
                capabilities=self._hello.capabilities if self._hello else frozenset(),
                restarts=max(0, self._starts - 1),
                resident_bytes=resident,
            )
            return DeviceRecord(self._status, driver, self._last_error, self._self_test)

    def started(self) -> None:
        """A new process."""
        with self._lock:
            self._starts += 1
            self._useful = False

    def greeted(self, hello: Hello) -> None:
        """It said what it is."""
        with self._lock:
            self._hello = hello

    @property
    def useful(self) -> bool:
        """The last process has told its device's status."""
        with self._lock:
            return self._useful

    def told(self, status: DeviceStatus) -> Change:
        """The driver says how its device is."""
        with self._lock:
            new = self._status.state in _AWAY or self._self_test is None
            comes = status.state is DeviceState.ONLINE and new
            change = Change(back=self._lost is not None, comes=comes)
            self._status, self._lost, self._useful = status, None, True
            return change

    def lost(self, fault: Fault, why: str) -> DeviceStatus | None:
        """The driver is gone; the status that follows, None if that is known already."""
        with self._lock:
            if self._lost is fault:
                return None
            self._lost = fault
            self._status = self._status.lost(fault, why)
            return self._status

    def failed(self, error: DeviceError, *, during: str) -> None:
        """A command failed, or the driver was lost between commands (`serve`)."""
        last = LastError(error.fault, self._now(), during, error.detail)
        with self._lock:
            self._last_error = last

    def tested(self, test: SelfTest) -> None:
        """The device was asked to prove itself."""
        with self._lock:
            self._self_test = test
