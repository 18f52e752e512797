"""What the sync worker lets others know: link, last error, device reports for the heartbeat. Thread-safe."""

from __future__ import annotations

import threading

from kiosk.contract.sync import DeviceReport
from kiosk.core.ports import Link


class SyncState:
    """Shared between the sync worker and the socket."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._link = Link.UNKNOWN
        self._last_error = ""
        self._devices: tuple[DeviceReport, ...] = ()

    @property
    def link(self) -> Link:
        """Connection to the hall as last seen."""
        return self._link

    @property
    def last_error(self) -> str:
        """Code of the last trouble; empty after the last thing went well."""
        return self._last_error

    @property
    def devices(self) -> tuple[DeviceReport, ...]:
        """As last reported by the terminal."""
        return self._devices

    def see_link(self, link: Link) -> bool:
        """Note the link; True if it changed."""
        with self._lock:
            changed = link is not self._link
            self._link = link
            return changed

    def note_error(self, code: str) -> None:
        """Remember the last trouble; empty for none."""
        self._last_error = code

    def report_devices(self, devices: tuple[DeviceReport, ...]) -> None:
        """Device health for the next heartbeat."""
        self._devices = devices
