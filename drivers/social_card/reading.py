"""Reading a 社保卡 from its first command to its last; pure but for the `transmit` it is given.

Other cards are told apart by the names that they answer to, so that a citizen hears what is in the slot.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from drivers.social_card.protocol import (
    SSSE,
    BrokenAnswer,
    Response,
    Sw,
    Transmit,
    exchange,
    read_by_number,
    read_by_tag,
    select_application,
    select_file,
)
from drivers.social_card.records import EF05, EF06, OPTIONAL, WANTED, Items, decode_card, parse_item
from kiosk.core.devices import DeviceError, Fault
from kiosk.core.result import Err, Ok, Result
from kiosk.core.social_card import SocialCard

WITHIN_S = 8.0
"""For all of it; shorter than the host's deadline, so that a slow card is an answer and not a killed driver."""
MOST_ITEMS = 16
"""In one file."""

OTHERS: tuple[tuple[Fault, bytes], ...] = (
    # Transit first: some of these answer to a payment system's name too. T-Union (交通联合, JT/T 978) and the cards
    # of 住房城乡建设部; Shenzhen, Lingnan (岭南通) and Wuhan have names of their own.
    (Fault.CARD_TRANSIT, bytes.fromhex("A000000632010105")),
    (Fault.CARD_TRANSIT, bytes.fromhex("A00000000386980701")),
    (Fault.CARD_TRANSIT, b"PAY.SZT"),
    (Fault.CARD_TRANSIT, b"PAY.APPY"),
    (Fault.CARD_TRANSIT, b"AP1.WHCTC"),
    # EMV book 1 §12.2 and book B: payment system environments, contact and contactless; then debit of PBOC (JR/T 0025)
    (Fault.CARD_BANK, b"1PAY.SYS.DDF01"),
    (Fault.CARD_BANK, b"2PAY.SYS.DDF01"),
    (Fault.CARD_BANK, bytes.fromhex("A000000333010101")),
)
_BLOCKED = frozenset({Sw.INVALIDATED, Sw.CARD_BLOCKED, Sw.APPLICATION_BLOCKED, Sw.AUTH_BLOCKED, Sw.CONDITIONS})
_ABSENT = frozenset({Sw.NO_RECORD, Sw.NO_DATA})
_OTHER_WAY = frozenset({Sw.WRONG_P1P2, Sw.WRONG_OFFSET, Sw.CARD_BLOCKED, Sw.COMMAND_INCOMPATIBLE, Sw.WRONG_LENGTH})
"""The card does not know READ RECORD by tag."""


class _Failed(Exception):
    """Internal: leaves a reading at its first trouble."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(fault)
        self.error = DeviceError(fault, detail)


def read_card(
    transmit: Transmit, *, within_s: float = WITHIN_S, monotonic: Callable[[], float] = time.monotonic
) -> Result[SocialCard, DeviceError]:
    """The card that `transmit` speaks to. What `transmit` raises goes through."""
    ends = monotonic() + within_s

    def hurried(command: bytes) -> bytes:
        if monotonic() >= ends:
            raise _Failed(Fault.TIMEOUT, "card is too slow")
        return transmit(command)

    try:
        _enter(hurried)
        items = _read_file(hurried, EF05) | _read_file(hurried, EF06)
    except _Failed as failed:
        return Err(failed.error)
    except BrokenAnswer as broken:
        return Err(DeviceError(Fault.CARD_UNREADABLE, f"answer: {broken}"))
    match decode_card(items):
        case Ok() as good:
            return good
        case Err(wrong):
            return Err(DeviceError(Fault.CARD_UNREADABLE, f"item: {wrong.item}"))


def _enter(transmit: Transmit) -> None:
    """Into the social security environment, or find out whose card it is instead."""
    entered = exchange(transmit, select_application(SSSE))
    if entered.good:
        return
    if entered.sw in _BLOCKED:
        raise _Failed(Fault.CARD_UNREADABLE, f"application blocked: SW {entered.sw:04X}")
    for fault, name in OTHERS:
        # Blocked or not, it answers to this name: that is whose card it is.
        if exchange(transmit, select_application(name)).sw in (Sw.GOOD, Sw.INVALIDATED):
            raise _Failed(fault, "no social security environment")
    raise _Failed(Fault.CARD_FOREIGN, f"no known application: SW {entered.sw:04X}")


def _read_file(transmit: Transmit, file: int) -> Items:
    selected = exchange(transmit, select_file(file))
    if not selected.good:  # some cards find it only without the hint that it lies below
        selected = exchange(transmit, select_file(file, p1=0x00))
    _demand(selected, f"EF{file & 0xFF:02X}")
    items = _read_by_tag(transmit, file)
    return _read_by_number(transmit, file) if items is None else items


def _read_by_tag(transmit: Transmit, file: int) -> Items | None:
    """None: this card reads by number only."""
    items: Items = {}
    for tag in WANTED[file]:
        response = exchange(transmit, read_by_tag(tag))
        if not items and response.sw in _OTHER_WAY | _ABSENT:
            return None
        if tag in OPTIONAL and response.sw in _ABSENT:
            continue
        items[tag] = _item(response, file, expected=tag)
    return items


def _read_by_number(transmit: Transmit, file: int) -> Items:
    items: Items = {}
    for number in range(1, MOST_ITEMS + 1):
        response = exchange(transmit, read_by_number(number))
        if response.sw in _ABSENT:
            break
        _demand(response, f"EF{file & 0xFF:02X} item {number}")
        match parse_item(response.data):
            case Ok((tag, value)):
                items[tag] = value
            case Err(wrong):
                raise _Failed(Fault.CARD_UNREADABLE, f"EF{file & 0xFF:02X} item {number}: {wrong.item}")
    return items


def _item(response: Response, file: int, *, expected: int) -> bytes:
    where = f"EF{file & 0xFF:02X} tag {expected:02X}"
    _demand(response, where)
    match parse_item(response.data):
        case Ok((tag, value)) if tag == expected:
            return value
        case Ok():
            raise _Failed(Fault.CARD_UNREADABLE, f"{where}: another item came")
        case Err(wrong):
            raise _Failed(Fault.CARD_UNREADABLE, f"{where}: {wrong.item}")


def _demand(response: Response, where: str) -> None:
    if not response.good:
        raise _Failed(Fault.CARD_UNREADABLE, f"{where}: SW {response.sw:04X}")
