"""What the sync worker and the terminal let each other know. Thread-safe.

Link and last error one way, device health and calls for help the other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal

from kiosk.contract.problems import ProblemCode
from kiosk.contract.sync import DeviceReport
from kiosk.core.clock import Clock, SystemClock
from kiosk.core.devices import DeviceState, Level, MediaState
from kiosk.core.ports import Link
from offline_queue.keys.trust_clock import TrustClock
from offline_queue.uplink.help_line import HelpLine
from offline_queue.uplink.traffic import Traffic

REPORT_FRESH_S = 15.0
"""A terminal that serves reports every two seconds. Older news of a device is no news."""
PAPERS_FRESH_S = 180.0
"""It tells again every minute of papers that nobody took."""
MouthName = Literal["receipt", "page"]


FRESH_S = 120.0
"""So long somebody may stand there and wait to hear that it has arrived."""
_MOST_FRESH = 64


class SyncState:
    """Shared between the sync worker and the socket."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic, clock: Clock | None = None) -> None:
        self.help = HelpLine()
        self.traffic = Traffic(monotonic=monotonic)
        self.clock = TrustClock(clock or SystemClock())
        """What the hall says of the time."""
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._link = Link.UNKNOWN
        self._errors: dict[str, str] = {}
        self._devices: tuple[DeviceReport, ...] = ()
        self._devices_at = 0.0
        self._papers_left: tuple[MouthName, ...] = ()
        self._papers_left_at = 0.0
        self._filed: dict[str, float] = {}

    def just_filed(self, submission_id: str) -> None:
        """Somebody waits for this one."""
        with self._lock:
            self._filed[submission_id] = self._monotonic()
            for old in list(self._filed)[:-_MOST_FRESH]:
                del self._filed[old]

    def fresh(self) -> tuple[str, ...]:
        """What was filed a moment ago and is not done with, in the order of filing."""
        since = self._monotonic() - FRESH_S
        with self._lock:
            self._filed = {name: at for name, at in self._filed.items() if at >= since}
            return tuple(self._filed)

    def done_with(self, submission_id: str) -> None:
        """Nobody waits for this one any more: it has arrived, or cannot for now."""
        with self._lock:
            self._filed.pop(submission_id, None)

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
    def revoked(self) -> bool:
        """The hall says that another terminal took this one's place: what is filed here could go nowhere."""
        with self._lock:
            return ProblemCode.REVOKED.value in self._errors.values()

    @property
    def devices(self) -> tuple[DeviceReport, ...]:
        """As last reported by the terminal; unknown once it has fallen silent: the screen may be dead."""
        with self._lock:
            devices, age = self._devices, self._monotonic() - self._devices_at
        return devices if age <= REPORT_FRESH_S else tuple(map(_unknown, devices))

    @property
    def papers_left(self) -> tuple[MouthName, ...]:
        """Mouths with a paper that nobody took, as last told by a terminal that serves."""
        with self._lock:
            fresh = self._monotonic() - self._papers_left_at <= PAPERS_FRESH_S
            return self._papers_left if fresh else ()

    def report_papers_left(self, papers: tuple[MouthName, ...]) -> None:
        """For the next heartbeat."""
        with self._lock:
            self._papers_left = papers
            self._papers_left_at = self._monotonic()

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
        with self._lock:
            self._devices = devices
            self._devices_at = self._monotonic()


def _unknown(report: DeviceReport) -> DeviceReport:
    """The same device, of which nothing is known any more; what it does not have it still has not."""

    def level(known: str) -> str:
        return known if known == Level.NONE else Level.UNKNOWN.value

    return DeviceReport(
        kind=report.kind,
        state=DeviceState.UNKNOWN.value,
        media=report.media if report.media == MediaState.NONE else MediaState.UNKNOWN.value,
        paper=level(report.paper),
        toner=level(report.toner),
    )
