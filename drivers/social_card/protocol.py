"""Commands and answers of a contact card with T=0; pure.

ISO/IEC 7816-3 §10 (T=0: 61xx, 6Cxx), 7816-4 (status words), LD/T 32.5-2015 (社会保障卡规范, 命令). A command is what
the reader sends: five bytes, or five bytes and data, never both data and Le.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

Transmit = Callable[[bytes], bytes]
"""Sends one command; the response with its status word."""

SSSE = "sx1.sh.社会保障".encode("gbk")
"""Name of the social security environment (社会保障系统环境)."""
MOST_TURNS = 16
"""Answers to one command that only ask for another; a card that goes on like that is broken."""
MOST_BYTES = 1024
"""Longer than anything that is read here."""
_HEADER_BYTES = 5


class Sw(IntEnum):
    """Status words that mean something to us."""

    GOOD = 0x9000
    CORRUPTED = 0x6281
    """Data came, and part of it may be wrong."""
    INVALIDATED = 0x6283
    """The selected application is invalidated (应用临时锁定)."""
    WRONG_LENGTH = 0x6700
    COMMAND_INCOMPATIBLE = 0x6981
    NOT_ALLOWED = 0x6982
    AUTH_BLOCKED = 0x6983
    CONDITIONS = 0x6985
    CARD_BLOCKED = 0x6A81
    """卡片锁定, by the card standard; elsewhere "function not supported"."""
    NO_FILE = 0x6A82
    NO_RECORD = 0x6A83
    WRONG_P1P2 = 0x6A86
    NO_DATA = 0x6A88
    WRONG_OFFSET = 0x6B00
    NO_INSTRUCTION = 0x6D00
    NO_CLASS = 0x6E00
    APPLICATION_BLOCKED = 0x9303
    """应用永久锁定."""


class Flaw(StrEnum):
    """Why an answer is of no use, whatever was asked."""

    NO_STATUS = "no_status"
    """Shorter than a status word."""
    ENDLESS = "endless"
    """It names another length, or more to come, time and again."""
    TOO_LONG = "too_long"


class BrokenAnswer(Exception):
    """An answer that no card gives; says nothing of what is on the card."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class Response:
    """All data of a command, and its last status word."""

    data: bytes = field(repr=False)
    sw: int

    @property
    def good(self) -> bool:
        """Done as asked."""
        return self.sw == Sw.GOOD


def select_application(name: bytes) -> bytes:
    """SELECT by name (P1 04)."""
    return bytes((0x00, 0xA4, 0x04, 0x00, len(name))) + name


def select_file(identifier: int, *, p1: int = 0x02) -> bytes:
    """SELECT an elementary file by its identifier: below the current one (P1 02), or anywhere (P1 00)."""
    return bytes((0x00, 0xA4, p1, 0x00, 0x02)) + identifier.to_bytes(2, "big")


def read_by_tag(tag: int) -> bytes:
    """READ RECORD of the data item with this tag (数据项标志); Le 0: the card names the length."""
    return bytes((0x00, 0xB2, tag, 0x00, 0x00))


def read_by_number(number: int) -> bytes:
    """READ RECORD of the data item at this place, counted from 1 (数据项序号)."""
    return bytes((0x00, 0xB2, number, 0x04, 0x00))


def exchange(transmit: Transmit, command: bytes) -> Response:
    """One command to its end: waiting data is fetched, a wrong length is asked again; BrokenAnswer."""
    gathered = b""
    asked = command
    for _ in range(MOST_TURNS):
        answer = transmit(asked)
        if len(answer) < 2:
            raise BrokenAnswer(Flaw.NO_STATUS)
        data, (sw1, sw2) = answer[:-2], answer[-2:]
        gathered += data
        if len(gathered) > MOST_BYTES:
            raise BrokenAnswer(Flaw.TOO_LONG)
        match sw1:
            case 0x61:  # sw2 bytes wait to be fetched
                asked = bytes((command[0], 0xC0, 0x00, 0x00, sw2))
            case 0x6C if len(asked) == _HEADER_BYTES:  # sw2 is the length to ask for
                asked = asked[:-1] + bytes((sw2,))
            case _:
                return Response(gathered, sw1 << 8 | sw2)
    raise BrokenAnswer(Flaw.ENDLESS)
