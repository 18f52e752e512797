"""Cards for the simulated reader, answering as bytes do: the FF B0 profile of SAM_V readers, and cards that are
none of it, with scripted faults.
"""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from drivers.sim.ifd.reader import Answer, Code

TEXT_BYTES = 256
PHOTO_BYTES = 1024
_HEADER = struct.pack(">HH", TEXT_BYTES, PHOTO_BYTES)
_WRONG_INSTRUCTION = bytes.fromhex("6D00")
_NOT_THERE = bytes.fromhex("6A82")
_WRONG_OFFSET = bytes.fromhex("6B00")
_GOOD = bytes.fromhex("9000")


class CardKind(StrEnum):
    """What somebody lays on the reader."""

    RESIDENT = "resident"
    """A resident card on a reader with SAM_V: text and photo."""
    FOREIGN_BANK = "foreign_bank"
    """A bank card whose answer to reset tells it."""
    BANK_ASKED = "bank_asked"
    """A bank card known by its payment directory only."""
    TRANSIT_STORAGE = "transit_storage"
    """A storage card (MIFARE Classic), as most older transit cards are."""
    TRANSIT_ASKED = "transit_asked"
    """A transit card with a processor, known by its payment directory only."""
    SOCIAL = "social"
    """社保卡 with a contactless side."""
    UNKNOWN = "unknown"
    """It answers to no name that we know."""
    PLAIN_TYPE_B = "plain_type_b"
    """A resident card as an ordinary contactless reader sees it."""
    MUTE = "mute"
    """Upside down, bent or dead: no answer to reset."""


class CardFault(StrEnum):
    """What goes wrong with it."""

    TORN = "torn"
    """Answers are cut short."""
    BAD_HEADER = "bad_header"
    GARBAGE_TEXT = "garbage_text"
    PULLED_MID_READ = "pulled_mid_read"
    SLOW = "slow"
    SW_ERROR = "sw_error"


_JAVA_CARD = bytes.fromhex("3B8F80010031C173C8211064474D31360090008D")
"""A chip that banks, cities and 人社 all use: it tells nothing (smartcard_list.txt has it as a bank card)."""
ATRS = {
    # pcsc-tools smartcard_list.txt: "Chinese ID Card" and "Resident Identity Card"
    CardKind.RESIDENT: bytes.fromhex("3B8F8001804F0CA00000030607FFB00000000020"),
    CardKind.PLAIN_TYPE_B: bytes.fromhex("3B888001D10386050080800058"),
    # of the form that contact cards with T=0 have (ISO 7816-3)
    CardKind.FOREIGN_BANK: bytes.fromhex("3B6D00000080318065B0893501F183"),
    CardKind.TRANSIT_STORAGE: bytes.fromhex("3B8F8001804F0CA000000306030001000000006A"),
    CardKind.BANK_ASKED: _JAVA_CARD,
    CardKind.TRANSIT_ASKED: _JAVA_CARD,
    CardKind.SOCIAL: _JAVA_CARD,
    CardKind.UNKNOWN: _JAVA_CARD,
    CardKind.MUTE: b"",
}
_PPSE = b"2PAY.SYS.DDF01"
_SOCIAL_NAME = "sx1.sh.社会保障".encode("gbk")


def _directory(application: str) -> bytes:
    """FCI of a payment directory with one application (EMV Book 1 §12)."""
    aid = bytes.fromhex(application)
    entry = _tlv(b"\x61", _tlv(b"\x4f", aid) + _tlv(b"\x87", b"\x01"))
    return _tlv(b"\x6f", _tlv(b"\x84", _PPSE) + _tlv(b"\xa5", _tlv(b"\xbf\x0c", entry)))


def _tlv(tag: bytes, value: bytes) -> bytes:
    return tag + bytes((len(value),)) + value


_APPLICATIONS = {
    CardKind.BANK_ASKED: {_PPSE: _directory("A000000333010101")},
    CardKind.TRANSIT_ASKED: {_PPSE: _directory("A000000632010105")},
    CardKind.SOCIAL: {_SOCIAL_NAME: _tlv(b"\x6f", _tlv(b"\x84", _SOCIAL_NAME)), _PPSE: _directory("A000000333010101")},
}
"""What SELECT by name finds. A 社保卡 is a bank card too."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault and its measure."""

    fault: CardFault
    after: int = 512
    """PULLED_MID_READ: bytes of the stream that still arrive."""
    delay_s: float = 0.3
    """SLOW: for each answer."""
    sw: bytes = bytes.fromhex("6982")
    """SW_ERROR: this instead of 9000."""
    times: int = 0
    """Only for the first so many readings; 0 is for ever."""


@dataclass(slots=True)
class SimCard:
    """One card. `pull` takes it off the reader; called from the reader's thread."""

    kind: CardKind
    text_block: bytes = field(repr=False, default=b" \0" * (TEXT_BYTES // 2))
    photo: bytes = field(repr=False, default=bytes(PHOTO_BYTES))
    newest_address: bytes = field(repr=False, default=b"")
    """70 bytes, of a card that got a new address."""
    trouble: Trouble | None = None
    pull: Callable[[], None] = lambda: None
    _readings: int = 0

    def __post_init__(self) -> None:
        if len(self.text_block) != TEXT_BYTES or len(self.photo) != PHOTO_BYTES:
            raise ValueError(f"text is {TEXT_BYTES} bytes and photo is {PHOTO_BYTES}")

    def power_up(self) -> bytes:
        """Answer to reset."""
        return ATRS[self.kind]

    def transmit(self, apdu: bytes) -> Answer:
        """READ BINARY FF B0 offset_hi offset_lo Le, SELECT by name; anything else is a wrong instruction."""
        if apdu[:4] == b"\x00\xa4\x04\x00" and len(apdu) > 5:
            found = _APPLICATIONS.get(self.kind, {}).get(apdu[5 : 5 + apdu[4]])
            return Answer(Code.DONE, found + _GOOD if found else _NOT_THERE)
        if self.kind is not CardKind.RESIDENT or len(apdu) != 5 or apdu[:2] != b"\xff\xb0":
            return Answer(Code.DONE, _WRONG_INSTRUCTION)
        offset = int.from_bytes(apdu[2:4], "big")
        if offset == 0:
            self._readings += 1
        return self._read(offset, apdu[4] or 256)

    def read_by_module(self) -> tuple[bytes, bytes] | None:
        """Text and photo as a SAM_V module gets them; None: the reading failed."""
        self._readings += 1
        trouble = self._trouble_now()
        match trouble.fault if trouble else None:
            case None | CardFault.SLOW:
                return self.text_block, self.photo
            case CardFault.GARBAGE_TEXT:
                return _garbage(), self.photo
            case CardFault.PULLED_MID_READ:
                self.pull()
                return None
            case _:
                return None

    def _read(self, offset: int, length: int) -> Answer:
        trouble = self._trouble_now()
        fault = trouble.fault if trouble else None
        header = b"\xff\xff\xff\xff" if fault is CardFault.BAD_HEADER else _HEADER
        text = _garbage() if fault is CardFault.GARBAGE_TEXT else self.text_block
        stream = header + text + self.photo
        data = stream[offset : offset + length]
        if not data:
            return Answer(Code.DONE, _WRONG_OFFSET)
        if trouble is None:
            return Answer(Code.DONE, data + _GOOD)
        match trouble.fault:
            case CardFault.TORN:
                return Answer(Code.DONE, data[: len(data) // 2] + _GOOD)
            case CardFault.SW_ERROR:
                return Answer(Code.DONE, trouble.sw)
            case CardFault.SLOW:
                time.sleep(trouble.delay_s)
            case CardFault.PULLED_MID_READ if offset + length > trouble.after:
                self.pull()
                return Answer(Code.GONE)
            case _:
                pass
        return Answer(Code.DONE, data + _GOOD)

    def _trouble_now(self) -> Trouble | None:
        if self.trouble is None or 0 < self.trouble.times < self._readings:
            return None
        return self.trouble


def _garbage() -> bytes:
    """The same hostile bytes every time: lone surrogates and control characters among them."""
    return random.Random(440699).randbytes(TEXT_BYTES - 8) + b"\x00\xd8" * 4  # noqa: S311 - not for secrets
