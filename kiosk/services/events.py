"""What the services tell the log. Personal data is impossible by type: values are codes, numbers and yes/no."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from kiosk.core.devices import DeviceKind, DeviceState, Fault
from kiosk.core.ports import HallFault, Link, ReceiptState, StoreFault
from kiosk.core.views import NoticeCode


class EventName(StrEnum):
    """Everything that can happen here, by name."""

    TERMINAL_STARTED = "terminal.started"
    TERMINAL_STOPPED = "terminal.stopped"
    SESSION_STARTED = "session.started"
    SESSION_ENDED = "session.ended"
    CARD_READ = "card.read"
    CARD_REFUSED = "card.refused"
    CARD_GONE = "card.gone"
    CARD_RETURNED = "card.returned"
    ITEM_BEGUN = "item.begun"
    MATERIAL_CAPTURED = "material.captured"
    MATERIAL_REUSED = "material.reused"
    FILING_SUBMITTED = "filing.submitted"
    FILING_STORED = "filing.stored"
    FILING_DELAYED = "filing.delayed"
    FILING_REFUSED = "filing.refused"
    FILING_RECOVERED = "filing.recovered"
    RECEIPT_MARK_FAILED = "receipt.mark_failed"
    RECEIPT_PRINTED = "receipt.printed"
    RECEIPT_FAILED = "receipt.failed"
    PAGE_PRINTED = "page.printed"
    PAGE_FAILED = "page.failed"
    PAGE_REPORT_FAILED = "page.report_failed"
    HALL_FAILED = "hall.failed"
    WINDOW_SLIP = "window.slip"
    HELP_CALLED = "help.called"
    DEVICE_CHANGED = "device.changed"
    LINK_CHANGED = "link.changed"
    LATE_RESULT_DROPPED = "result.late_dropped"


class EndReason(StrEnum):
    """Why a session ended."""

    FINISHED = "finished"
    IDLE = "idle"
    CARD = "card"
    SWAPPED = "swapped"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ItemRef:
    """An item code from the public catalogue; the only free text that an event may carry."""

    code: str


Value = (
    int
    | bool
    | DeviceKind
    | DeviceState
    | Fault
    | HallFault
    | Link
    | NoticeCode
    | ReceiptState
    | StoreFault
    | EndReason
    | ItemRef
    | None
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    name: EventName
    values: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def of(cls, name: EventName, **values: Value) -> Event:
        """With its values."""
        return cls(name, tuple(values.items()))


EventSink = Callable[[Event], None]
