"""What is said to a SAM_V module, in turn. Raises WireFailure, and Refused when the answer is not the one hoped for."""

from __future__ import annotations

from dataclasses import replace

from drivers.idcard.protocol import CardBytes
from drivers.idcard.sam_v import (
    ADDRESS_BYTES,
    GOOD,
    NOT_FOUND,
    NOT_SELECTED,
    READ,
    READ_NEWEST_ADDRESS,
    SAM_ID,
    STATUS,
    describe_sam,
    fault_of,
    parse_base_record,
)
from drivers.idcard.wire import Wire, ask
from kiosk.core.devices import DeviceError, Fault
from kiosk.core.result import Err, Ok


class Refused(Exception):
    """The module said no."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(fault)
        self.error = DeviceError(fault, detail)


def demand(status: int, wanted: int) -> None:
    """Refused by the status, if it is not the wanted one."""
    if status != wanted:
        raise Refused(*fault_of(status))


def introduce(wire: Wire) -> str:
    """Is it well (its own status), and who is it?"""
    demand(ask(wire, STATUS).status, GOOD)
    number = ask(wire, SAM_ID)
    demand(number.status, GOOD)
    match describe_sam(number.data):
        case Ok(name):
            return f"SAM_V {name}"
        case Err(error):
            raise Refused(Fault.PROTOCOL, f"{error.why} {error.detail}")


def read_selected(wire: Wire) -> CardBytes:
    """Text, photo and newest address of the card that is selected."""
    record = ask(wire, READ)
    if record.status in (NOT_FOUND, NOT_SELECTED):
        raise Refused(Fault.CARD_REMOVED, fault_of(record.status)[1])
    demand(record.status, GOOD)
    match parse_base_record(record.data):
        case Err(error):
            raise Refused(Fault.CARD_UNREADABLE, f"{error.why} {error.detail}".rstrip())
        case Ok(card):
            newest = ask(wire, READ_NEWEST_ADDRESS)
            if newest.status == GOOD and len(newest.data) == ADDRESS_BYTES:
                return replace(card, newest_address=newest.data)
            return card  # no such item, or a module that does not know the question
