"""The language of SAM_V modules: frames, status codes, payloads; pure.

Request ``AA AA AA 96 69 | length u16 BE | command parameter data… | check``, answer the same with ``SW1 SW2 SW3`` for
command and parameter. The length counts from the command to the check byte, which is the XOR of all from length on.
Known from public descriptions that agree (softs.im "身份证阅读器通信协议"; open clients on GitHub), not from the
ministry's own paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import reduce
from operator import xor

from drivers.idcard.protocol import PHOTO_BYTES, TEXT_BYTES, CardBytes, ReadError, Unreadable
from kiosk.core.devices import Fault
from kiosk.core.result import Err, Ok, Result

PREAMBLE = bytes.fromhex("AAAAAA9669")
ADDRESS_BYTES = 70
_HEAD = len(PREAMBLE) + 2
_SHORTEST = 4
"""Three status bytes and the check."""
_LONGEST = 4096
GOOD = 0x90
NO_SUCH_ITEM = 0x91
FOUND = 0x9F
NOT_FOUND = 0x80
NOT_SELECTED = 0x81
_SAM_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Command:
    """What a module can be asked."""

    code: bytes
    """Command and parameter."""
    deadline_s: float
    """From the last byte asked to the last byte answered; a base record takes 1.4 s at 9600 baud alone."""

    def frame(self) -> bytes:
        """As it goes over the wire."""
        return encode(self.code)


STATUS = Command(bytes.fromhex("11FF"), 1.0)
SAM_ID = Command(bytes.fromhex("12FF"), 1.0)
FIND = Command(bytes.fromhex("2001"), 1.0)
SELECT = Command(bytes.fromhex("2002"), 1.0)
READ = Command(bytes.fromhex("3001"), 4.0)
READ_NEWEST_ADDRESS = Command(bytes.fromhex("3003"), 1.0)


@dataclass(frozen=True, slots=True)
class Meaning:
    """A status code in words, and the fault that it is."""

    words: str
    fault: Fault


MEANINGS: Mapping[int, Meaning] = {
    0x10: Meaning("module got a bad checksum", Fault.PROTOCOL),
    0x11: Meaning("module got a bad length", Fault.PROTOCOL),
    0x21: Meaning("module does not know the command", Fault.PROTOCOL),
    0x23: Meaning("command not allowed", Fault.PROTOCOL),
    0x24: Meaning("unknown error", Fault.HARDWARE),
    0x31: Meaning("card does not accept the module", Fault.CARD_REJECTED),
    0x32: Meaning("module does not accept the card", Fault.CARD_REJECTED),
    0x33: Meaning("content fails its check", Fault.CARD_REJECTED),
    0x37: Meaning("fingerprint fails its check", Fault.CARD_REJECTED),
    0x3F: Meaning("content has a wrong length", Fault.CARD_UNREADABLE),
    0x40: Meaning("unknown type of card", Fault.CARD_FOREIGN),
    0x41: Meaning("reading failed", Fault.CARD_UNREADABLE),
    0x47: Meaning("no random number", Fault.SAM_FAULT),
    0x60: Meaning("self-test failed", Fault.SAM_FAULT),
    0x66: Meaning("not authorised", Fault.SAM_FAULT),
    NOT_FOUND: Meaning("no card found", Fault.NO_CARD),
    NOT_SELECTED: Meaning("card not selected", Fault.NO_CARD),
    NO_SUCH_ITEM: Meaning("card has no such item", Fault.CARD_UNREADABLE),
}
OF_THE_LINE = frozenset({0x10, 0x11})
"""What we sent arrived damaged: ask again."""


def fault_of(status: int) -> tuple[Fault, str]:
    """Fault and words for technicians, for a status that was not hoped for."""
    meaning = MEANINGS.get(status, Meaning("unknown status", Fault.PROTOCOL))
    return meaning.fault, f"SAM_V {status:02X} {meaning.words}"


def encode(body: bytes) -> bytes:
    """A frame around command or status bytes and data."""
    counted = (len(body) + 1).to_bytes(2, "big") + body
    return PREAMBLE + counted + bytes((_check(counted),))


def _check(data: bytes) -> int:
    return reduce(xor, data, 0)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole frame from the module."""

    status: int
    """SW3 as long as SW1 and SW2 are 0, else all three bytes."""
    data: bytes = field(default=b"", repr=False)


class Damage(StrEnum):
    """A frame that cannot be used."""

    CHECKSUM = "checksum"
    LENGTH = "length"


class FrameSearch:
    """Finds answers in whatever a line brings: in pieces, after noise, after a torn frame."""

    def __init__(self) -> None:
        self._held = b""

    @property
    def torn(self) -> bool:
        """A frame has begun and has not ended."""
        return self._held.startswith(PREAMBLE)

    def feed(self, data: bytes) -> Iterator[Answer | Damage]:
        """What is whole by now. After damage the search goes on inside the damaged frame."""
        self._held += data
        while True:
            self._skip_noise()
            if len(self._held) < _HEAD:
                return
            length = int.from_bytes(self._held[len(PREAMBLE) : _HEAD], "big")
            if not _SHORTEST <= length <= _LONGEST:
                self._held = self._held[len(PREAMBLE) :]
                yield Damage.LENGTH
                continue
            end = _HEAD + length
            if len(self._held) < end:
                return
            counted = self._held[len(PREAMBLE) : end]
            if _check(counted):
                self._held = self._held[len(PREAMBLE) :]
                yield Damage.CHECKSUM
                continue
            self._held = self._held[end:]
            yield Answer(int.from_bytes(counted[2:5], "big"), counted[5:-1])

    def _skip_noise(self) -> None:
        start = self._held.find(PREAMBLE)
        if start < 0:  # its first bytes may be the last ones here
            start = len(self._held) - next(n for n in range(4, -1, -1) if self._held.endswith(PREAMBLE[:n]))
        self._held = self._held[start:]


def parse_base_record(data: bytes) -> Result[CardBytes, ReadError]:
    """Text and photo. Some modules send a fingerprint record of any length behind them, announced by a third length:
    it is never kept."""
    lengths = [int.from_bytes(data[at : at + 2], "big") for at in (0, 2, 4)]
    for count in (2, 3):
        if len(data) == 2 * count + sum(lengths[:count]) and lengths[:2] == [TEXT_BYTES, PHOTO_BYTES]:
            text = data[2 * count :]
            return Ok(CardBytes(text[:TEXT_BYTES], text[TEXT_BYTES : TEXT_BYTES + PHOTO_BYTES]))
    if lengths[:2] != [TEXT_BYTES, PHOTO_BYTES]:
        return Err(ReadError(Unreadable.HEADER))
    return Err(ReadError(Unreadable.TORN, f"{len(data)} bytes in all"))


def describe_sam(data: bytes) -> Result[str, ReadError]:
    """The module's number as it is printed on its case, like ``05.03-20120601-0012345678-0987654321``."""
    if len(data) != _SAM_ID_BYTES:
        return Err(ReadError(Unreadable.TORN, f"{len(data)} bytes of module number"))
    kind, region = (int.from_bytes(data[at : at + 2], "little") for at in (0, 2))
    day, serial, check = (int.from_bytes(data[at : at + 4], "little") for at in (4, 8, 12))
    return Ok(f"{kind:02}.{region:02}-{day:08}-{serial:010}-{check:010}")
