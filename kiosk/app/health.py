"""What the serving terminal knows of its devices, for the hall's heartbeat and for the doctor.

A receipt printer on a serial line or on TCP has one line, and the terminal holds it. A doctor that asked by itself
would hear nothing and call a good printer broken, or disturb a slip in the making: it asks the terminal instead.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from drivers.host.codec import CodecError, dump_status, load_status
from kiosk.contract.sync import DeviceReport
from kiosk.core.devices import DeviceKind, DeviceStatus
from kiosk.core.ports import StoreError
from kiosk.core.profile import DataLayout
from kiosk.core.result import Result

PERIOD_S = 2.0
_TOGETHER_S = 0.2
"""What changes within this time is told together."""
_RETRY_S = 0.05
FRESH_S = 3 * PERIOD_S
"""Older news means that the terminal hangs."""


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


@dataclass(frozen=True, slots=True)
class Serving:
    """A terminal that serves, and its devices as it saw them `age_s` seconds ago."""

    devices: Mapping[DeviceKind, DeviceStatus]
    age_s: float

    @property
    def fresh(self) -> bool:
        """It does not hang."""
        return 0 <= self.age_s <= FRESH_S


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
    """Tells both, from its own thread, as long as the terminal serves."""

    def __init__(
        self,
        layout: DataLayout,
        hosts: Sequence[Watched],
        heartbeats: Heartbeats,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        period_s: float = PERIOD_S,
    ) -> None:
        self._period_s = period_s
        self._hosts = hosts
        self._heartbeats = heartbeats
        self._monotonic = monotonic
        self._news = _news_file(layout)
        self._lock_path = _lock_file(layout)
        self._lock: int | None = None
        self._stopping = threading.Event()
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)

    def start(self) -> None:
        """Begin. A lock says from now on that the terminal serves; the kernel takes it back from a dead one."""
        self._lock_path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._thread.start()

    def stop(self) -> None:
        """No more news."""
        self._stopping.set()
        self._wanted.set()
        self._thread.join()
        if self._lock is not None:
            os.close(self._lock)

    def hurry(self) -> None:
        """A device has changed: tell it soon. Returns at once, on any thread."""
        self._wanted.set()

    def tell(self) -> None:
        """Once. A queue that is down, or a full disk, is the doctor's to find and nobody's to stumble over here."""
        statuses = tuple(host.status() for host in self._hosts)
        self._heartbeats.report_devices(tuple(as_report(status) for status in statuses))
        news = {"at": self._monotonic(), "devices": [dump_status(status) for status in statuses]}
        fresh = self._news.with_suffix(".tmp")
        try:
            fresh.write_text(json.dumps(news), encoding="utf-8")
            fresh.replace(self._news)
        except OSError:
            return

    def _run(self) -> None:
        self.tell()  # before the lock: whoever finds it held finds news
        while not self._locked() and not self._stopping.wait(_RETRY_S):
            pass
        while not self._stopping.is_set():
            self._wanted.wait(self._period_s)
            if not self._stopping.wait(_TOGETHER_S):
                self._wanted.clear()
                self.tell()

    def _locked(self) -> bool:
        """A doctor that is looking right now, or a predecessor that is just dying, holds it for a moment."""
        assert self._lock is not None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def who_serves(layout: DataLayout, *, monotonic: Callable[[], float] = time.monotonic) -> Serving | None:
    """The terminal that serves on this data directory, or None; OSError if we may not look."""
    try:
        lock = os.open(_lock_file(layout), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_news(_news_file(layout), monotonic())
    finally:
        os.close(lock)
    return None


def _read_news(path: Path, now: float) -> Serving:
    """As stale as can be if it cannot be read."""
    try:
        news = json.loads(path.read_bytes())
        statuses = [load_status(raw) for raw in news["devices"]]
        return Serving({status.kind: status for status in statuses}, now - float(news["at"]))
    except (OSError, ValueError, KeyError, TypeError, CodecError):
        return Serving({}, float("inf"))


def _lock_file(layout: DataLayout) -> Path:
    return Path(layout.run) / "serving.lock"


def _news_file(layout: DataLayout) -> Path:
    return Path(layout.run) / "devices.json"
