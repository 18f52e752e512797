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
        self._errors: dict[str, str] = {}
        self._devices: tuple[DeviceReport, ...] = ()

    @property
    def link(self) -> Link:
        """Connection to the hall as last seen."""
        return self._link

    @property
    def last_error(self) -> str:
        """Code of the latest trouble that is not over; empty if there is none."""
        with self._lock:
            return next(reversed(self._errors.values()), "")

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

    def trouble(self, source: str, code: str) -> None:
        """Something goes wrong at `source`."""
        with self._lock:
            self._errors.pop(source, None)
            self._errors[source] = code

    def well(self, source: str) -> None:
        """Nothing is wrong at `source` any more."""
        with self._lock:
            self._errors.pop(source, None)

    def report_devices(self, devices: tuple[DeviceReport, ...]) -> None:
        """Device health for the next heartbeat."""
        self._devices = devices
