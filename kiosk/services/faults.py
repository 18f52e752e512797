"""From a port's fault to the sentence that the citizen hears. Pure tables; every fault of a port has its row."""

from __future__ import annotations

from typing import assert_never

from kiosk.core.devices import Fault
from kiosk.core.ports import HallFault, StoreFault
from kiosk.core.views import NoticeCode

_READER_GONE = frozenset(
    {Fault.DRIVER_LOST, Fault.UNREACHABLE, Fault.SERVICE_DOWN, Fault.NO_READER, Fault.PROTOCOL, Fault.TIMEOUT}
)
PAPER_WANTED = frozenset({Fault.PAPER_OUT, Fault.COVER_OPEN})
"""Somebody refills: the slip waits and comes by itself."""


def card_notice(fault: Fault) -> NoticeCode:
    """Why the card was not read."""
    if fault is Fault.CARD_FOREIGN:
        return NoticeCode.CARD_FOREIGN
    if fault in _READER_GONE:
        return NoticeCode.READER_DOWN
    return NoticeCode.CARD_READ_FAILED


def hall_notice(fault: HallFault) -> NoticeCode:
    """Why the hall gave no answer."""
    match fault:
        case HallFault.UNREACHABLE | HallFault.BUSY | HallFault.GARBAGE:
            return NoticeCode.HALL_UNREACHABLE
        case HallFault.REFUSED:
            return NoticeCode.HALL_REFUSED
        case HallFault.NOT_ELIGIBLE:
            return NoticeCode.NOT_ELIGIBLE
        case _:
            assert_never(fault)


def store_notice(fault: StoreFault) -> NoticeCode:
    """Why the queue did not take the filing."""
    match fault:
        case StoreFault.DISK_FULL:
            return NoticeCode.DISK_FULL
        case StoreFault.STORE_DOWN | StoreFault.CONFLICT | StoreFault.BROKEN:
            return NoticeCode.STORE_DOWN
        case _:
            assert_never(fault)
