"""What a driver host tells the log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from drivers.host.lives import End
from kiosk.core.devices import DeviceKind, Fault


class News(StrEnum):
    """What is worth a line in the log."""

    LOST = "lost"
    BROKEN = "broken"
    """Lost for a reason that will stay until somebody mends it."""
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Notice:
    """Told once when contact is lost, whatever the number of vain restarts, and once when it is back."""

    kind: DeviceKind
    news: News
    why: str = ""
    fault: Fault | None = None
    """What the device has by it; None when it is back."""
    end: End | None = None
