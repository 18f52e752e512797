"""Cards for the simulated contact slot: a file system behind T=0, with the status words that real cards give, and
scripted faults. Cards of other people's systems are there too: bank, transit, and a resident card.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from drivers.sim.ifd.reader import Answer, Code
from drivers.social_card.protocol import SSSE, Sw
from drivers.social_card.records import EF06, Items, Tag, encode_card
from kiosk.core.id_card import IdCard
from kiosk.core.social_card import SocialCard

REGION = "440699"
"""Assigned to nobody."""


class SlotCard(StrEnum):
    """What somebody pushes into the slot."""

    SOCIAL = "social"
    BANK = "bank"
    TRANSIT = "transit"
    RESIDENT = "resident"
    """As a reader with both interfaces shows it."""
    UNKNOWN = "unknown"
    """Some card that answers to no name we know."""
    MUTE = "mute"
    """The wrong way round, or dead: no answer to reset."""


class Reads(StrEnum):
    """How a card lets its items be read; cards differ by generation and by maker."""

    BOTH = "both"
    TAG = "tag"
    NUMBER = "number"


class SlotFault(StrEnum):
    """What goes wrong with the card."""

    TORN = "torn"
    """Items are cut short."""
    WRONG_LENGTH = "wrong_length"
    """Items say that they are longer than they are."""
    WRONG_TAG = "wrong_tag"
    """Another item comes than was asked for."""
    GARBAGE_NAME = "garbage_name"
    """The name is no text."""
    BAD_DATE = "bad_date"
    """The birth date is not BCD."""
    BAD_NUMBER = "bad_number"
    """A digit of the citizen's number is wrong."""
    SW = "sw"
    """READ RECORD gives this status word."""
    BLOCKED = "blocked"
    """SELECT of the environment gives this status word."""
    NO_FILE = "no_file"
    """EF06 is missing."""
    ENDLESS = "endless"
    """There is always more to fetch."""
    SILENT = "silent"
    """An answer without status word."""
    PULLED = "pulled"
    """It leaves the slot while it is read."""
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault and its measure."""

    fault: SlotFault
    sw: int = Sw.INVALIDATED
    """SW, BLOCKED."""
    after: int = 4
    """PULLED: items that are still read."""
    delay_s: float = 0.3
    """SLOW: for each answer."""
    times: int = 0
    """Only for the first so many times that the card is connected to; 0 is for ever."""


ATRS: Mapping[SlotCard, bytes] = {
    # ISO 7816-3: 3B, thirteen historical bytes, T=0; of the form that social security and bank cards have
    SlotCard.SOCIAL: bytes.fromhex("3B6D0000008154440699860000000000FF"),
    SlotCard.BANK: bytes.fromhex("3B6D00000080318065B0893501F183"),
    SlotCard.TRANSIT: bytes.fromhex("3B6900000153594E5448000000"),
    # pcsc-tools smartcard_list.txt: "Resident Identity Card"
    SlotCard.RESIDENT: bytes.fromhex("3B888001D10386050080800058"),
    SlotCard.UNKNOWN: bytes.fromhex("3B6300004B4B4B"),
    SlotCard.MUTE: b"",
}
_NAMES: Mapping[SlotCard, tuple[bytes, ...]] = {
    SlotCard.SOCIAL: (SSSE, b"1PAY.SYS.DDF01"),  # 加载金融功能: a bank's application lies beside it
    SlotCard.BANK: (b"1PAY.SYS.DDF01", bytes.fromhex("A000000333010101")),
    SlotCard.TRANSIT: (bytes.fromhex("A000000632010105"), b"1PAY.SYS.DDF01"),
    SlotCard.RESIDENT: (),
    SlotCard.UNKNOWN: (),
    SlotCard.MUTE: (),
}


def social_card_of(holder: IdCard) -> SocialCard:
    """The 社保卡 that this person would have; issued by nobody."""
    digits = "".join(character for character in holder.id_number if character.isdigit())
    return SocialCard(
        name=holder.name,
        id_number=holder.id_number,
        card_number=f"S{digits[-8:]}",
        sex=holder.sex,
        nation=holder.nation,
        birth=holder.birth,
        region=REGION,
        issued=date(2016, 9, 1),
        valid_to=date(2036, 9, 1),
        standard="3.00",
    )


@dataclass(slots=True)
class ContactCard:
    """One card. `pull` takes it out of the slot; called from the reader's thread."""

    kind: SlotCard
    files: dict[int, Items] = field(repr=False, default_factory=dict)
    reads: Reads = Reads.BOTH
    trouble: Trouble | None = None
    pull: Callable[[], None] = lambda: None
    noticed: threading.Event = field(default_factory=threading.Event)
    """Somebody has reset it: the service knows that it is there."""
    _application: bytes = b""
    _file: int = 0
    _waiting: bytes = field(repr=False, default=b"")
    _connected: int = 0
    _items_read: int = 0

    def power_up(self) -> bytes:
        """Answer to reset; everything selected is forgotten."""
        self._forget()
        self.noticed.set()
        return ATRS[self.kind]

    def transmit(self, apdu: bytes) -> Answer:
        """One command of T=0."""
        if len(apdu) < 5:
            return _status(Sw.WRONG_LENGTH)
        trouble = self._trouble_now()
        match trouble.fault if trouble else None:
            case SlotFault.SLOW if trouble:
                time.sleep(trouble.delay_s)
            case SlotFault.ENDLESS:
                return Answer(Code.DONE, b"\x61\x10")
            case SlotFault.SILENT:
                return Answer(Code.DONE, b"\x90")
            case SlotFault.PULLED if trouble and self._items_read >= trouble.after:
                self.pull()
                return Answer(Code.GONE)
            case _:
                pass
        if self.kind is SlotCard.RESIDENT or apdu[0] != 0x00:
            return _status(Sw.NO_CLASS)
        match apdu[1]:
            case 0xA4:
                return self._select(apdu)
            case 0xB2:
                return self._read(apdu, trouble)
            case 0xC0:
                return self._fetch(apdu[4])
            case _:
                return _status(Sw.NO_INSTRUCTION)

    def _forget(self) -> None:
        self._application, self._file, self._waiting = b"", 0, b""
        self._items_read = 0

    def _trouble_now(self) -> Trouble | None:
        if self.trouble is None or 0 < self.trouble.times < self._connected:
            return None
        return self.trouble

    def _select(self, apdu: bytes) -> Answer:
        target = apdu[5:]
        if len(target) != apdu[4]:
            return _status(Sw.WRONG_LENGTH)
        match apdu[2]:
            case 0x04:
                return self._select_application(target)
            case 0x00 | 0x02:
                return self._select_file(int.from_bytes(target, "big"))
            case _:
                return _status(Sw.WRONG_P1P2)

    def _select_application(self, name: bytes) -> Answer:
        if name == SSSE and self.kind is SlotCard.SOCIAL:
            self._connected += 1
            self._items_read = 0
            trouble = self._trouble_now()
            if trouble is not None and trouble.fault is SlotFault.BLOCKED:
                return _status(trouble.sw)
        if name not in _NAMES[self.kind]:
            return _status(Sw.NO_FILE)
        self._application, self._file = name, 0
        control = b"\x84" + bytes((len(name),)) + name
        return self._have_waiting(b"\x6f" + bytes((len(control),)) + control)

    def _select_file(self, file: int) -> Answer:
        trouble = self._trouble_now()
        missing = trouble is not None and trouble.fault is SlotFault.NO_FILE and file == EF06
        if self._application != SSSE or file not in self.files or missing:
            return _status(Sw.NO_FILE)
        self._file = file
        return _status(Sw.GOOD)

    def _read(self, apdu: bytes, trouble: Trouble | None) -> Answer:
        if not self._file:
            return _status(Sw.CONDITIONS)
        if trouble is not None and trouble.fault is SlotFault.SW:
            return _status(trouble.sw)
        items = self.files[self._file]
        match apdu[3]:
            case 0x00 if self.reads is not Reads.NUMBER:
                tag = apdu[2]
            case 0x04 if self.reads is not Reads.TAG:
                tag = list(items)[apdu[2] - 1] if 0 < apdu[2] <= len(items) else 0
            case _:
                return _status(Sw.WRONG_P1P2)
        if tag not in items:
            return _status(Sw.NO_RECORD)
        record = _spoiled(tag, items[tag], trouble)
        if apdu[4] != len(record):
            return Answer(Code.DONE, bytes((0x6C, len(record))))
        self._items_read += 1
        return Answer(Code.DONE, record + _status(Sw.GOOD).data)

    def _have_waiting(self, data: bytes) -> Answer:
        self._waiting = data
        return Answer(Code.DONE, bytes((0x61, len(data))))

    def _fetch(self, length: int) -> Answer:
        if not self._waiting:
            return _status(Sw.CONDITIONS)
        if length != len(self._waiting):
            return Answer(Code.DONE, bytes((0x6C, len(self._waiting))))
        data, self._waiting = self._waiting, b""
        return Answer(Code.DONE, data + _status(Sw.GOOD).data)


def social_card(card: SocialCard, *, reads: Reads, trouble: Trouble | None, pull: Callable[[], None]) -> ContactCard:
    """A 社保卡 with these data; cards of version 1 have no NAME_MORE."""
    files = encode_card(card)
    if card.standard.startswith("1"):
        del files[EF06][Tag.NAME_MORE]
    return ContactCard(SlotCard.SOCIAL, files, reads, trouble, pull)


def _status(sw: int) -> Answer:
    return Answer(Code.DONE, sw.to_bytes(2, "big"))


def _spoiled(tag: int, value: bytes, trouble: Trouble | None) -> bytes:
    """The record of this item, as this card gives it."""
    record = bytes((tag, len(value))) + value
    match trouble.fault if trouble else None, tag:
        case SlotFault.TORN, _:
            return record[: len(record) // 2]
        case SlotFault.WRONG_LENGTH, _:
            return bytes((tag, len(value) + 1)) + value
        case SlotFault.WRONG_TAG, _:
            return bytes((tag ^ 0x40, len(value))) + value
        case SlotFault.GARBAGE_NAME, Tag.NAME:
            return record[:2] + random.Random(440699).randbytes(len(value) - 4) + b"\xff\x00\x80\x1b"  # noqa: S311
        case SlotFault.BAD_DATE, Tag.BIRTH:
            return record[:2] + b"\x19\x9a\x13\x32"
        case SlotFault.BAD_NUMBER, Tag.PERSON_NUMBER:
            return record[:-2] + bytes(((record[-2] - 0x2F) % 10 + 0x30, record[-1]))
        case _:
            return record
