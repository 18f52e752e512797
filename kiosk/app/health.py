"""What the serving terminal knows of its devices, for the hall's heartbeat."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

from kiosk.contract.sync import DeviceReport
from kiosk.core.devices import DeviceStatus
from kiosk.core.ports import StoreError
from kiosk.core.result import Result

PERIOD_S = 2.0
_TOGETHER_S = 0.2
"""What changes within this time is told together."""


class Watched(Protocol):
    """A driver host."""

    def status(self) -> DeviceStatus:
        """As last seen."""
        ...


class Heartbeats(Protocol):
    """The queue's client."""

    def report_devices(self, devices: tuple[DeviceReport, ...]) -> Result[None, StoreError]:
        """Device health for the next heartbeat."""
        ...


def as_report(status: DeviceStatus) -> DeviceReport:
    """For the hall: no identity, no detail."""
    return DeviceReport(
        kind=status.kind.value,
        state=status.state.value,
        media=status.media.value,
        paper=status.paper.value,
        toner=status.toner.value,
        fault=status.fault.value if status.fault else "",
    )


class HealthReporter:
    """Tells the queue, from its own thread, as long as the terminal serves."""

    def __init__(self, hosts: Sequence[Watched], heartbeats: Heartbeats, *, period_s: float = PERIOD_S) -> None:
        self._period_s = period_s
        self._hosts = hosts
        self._heartbeats = heartbeats
        self._stopping = threading.Event()
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """No more news."""
        self._stopping.set()
        self._wanted.set()
        self._thread.join()

    def hurry(self) -> None:
        """A device has changed: tell it soon. Returns at once, on any thread."""
        self._wanted.set()

    def tell(self) -> None:
        """Once. A queue that is down is the doctor's to find and nobody's to stumble over here."""
        self._heartbeats.report_devices(tuple(as_report(host.status()) for host in self._hosts))

    def _run(self) -> None:
        self.tell()
        while not self._stopping.is_set():
            self._wanted.wait(self._period_s)
            if not self._stopping.wait(_TOGETHER_S):
                self._wanted.clear()
                self.tell()
