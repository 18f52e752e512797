"""From a port's fault to the sentence that the citizen hears. Pure tables; every fault of a port has its row."""

from __future__ import annotations

from typing import assert_never

from kiosk.core.devices import Fault
from kiosk.core.ports import HallFault, StoreFault
from kiosk.core.views import Notice, NoticeCode

_CARD_TROUBLE = frozenset({Fault.CARD_REMOVED, Fault.CARD_MUTE, Fault.CARD_UNREADABLE, Fault.NO_CARD})
"""Lay it down once more; everything else is the reader's own trouble, or another card's."""
OTHER_CARDS = frozenset({Fault.CARD_FOREIGN, Fault.CARD_BANK, Fault.CARD_TRANSIT, Fault.CARD_SOCIAL})
PAPER_WANTED = frozenset({Fault.PAPER_OUT, Fault.COVER_OPEN})
"""Somebody refills: the slip waits and comes by itself."""


def card_notice(fault: Fault) -> Notice:
    """Why the identity card was not read."""
    if fault in OTHER_CARDS:
        return Notice(NoticeCode.CARD_FOREIGN, (("card", fault.value),))
    if fault is Fault.CARD_REJECTED:
        return Notice(NoticeCode.CARD_REJECTED)
    return Notice(NoticeCode.CARD_READ_FAILED if fault in _CARD_TROUBLE else NoticeCode.READER_DOWN)


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
        case StoreFault.STORE_DOWN | StoreFault.CONFLICT | StoreFault.BROKEN | StoreFault.NO_SHEET | StoreFault.LIMIT:
            return NoticeCode.STORE_DOWN
        case _:
            assert_never(fault)


def ledger_notice(fault: StoreFault) -> NoticeCode:
    """Why a page is not printed: it could not be written down first."""
    match fault:
        case StoreFault.NO_SHEET:
            return NoticeCode.SHEETS_OUT
        case StoreFault.LIMIT:
            return NoticeCode.REPRINT_LIMIT
        case StoreFault.CONFLICT:
            return NoticeCode.PAGE_UNPROVEN
        case StoreFault.DISK_FULL | StoreFault.STORE_DOWN | StoreFault.BROKEN:
            return NoticeCode.PAGE_NOT_STARTED
        case _:
            assert_never(fault)
