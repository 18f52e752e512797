"""Reading a resident card through a reader with SAM_V: READ BINARY over a stream of 1,284 bytes; pure.

PC/SC part 3 §3.2.2 pseudo-APDU ``FF B0 offset offset Le``. The stream is ``01 00 | 04 00`` (lengths, big-endian), 256
bytes of text and 1,024 bytes of WLT photo. The profile is known from one public source (readinfo, PCSC_GetIDCard).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from kiosk.core.result import Err, Ok, Result

HEADER = bytes.fromhex("01000400")
TEXT_BYTES = 256
PHOTO_BYTES = 1024
STREAM_BYTES = len(HEADER) + TEXT_BYTES + PHOTO_BYTES
BLOCK_BYTES = 256
_SW_GOOD = 0x9000
_SW1_WRONG_LE = 0x6C


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of the stream."""

    offset: int
    length: int

    def command(self, le: int = 0) -> bytes:
        """The APDU; Le 0 means 256, as many as there are."""
        return bytes((0xFF, 0xB0, self.offset >> 8, self.offset & 0xFF, le))


PLAN = tuple(Block(at, min(BLOCK_BYTES, STREAM_BYTES - at)) for at in range(0, STREAM_BYTES, BLOCK_BYTES))


class Unreadable(StrEnum):
    """Why an answer is of no use."""

    TORN = "torn"
    """Too short or too long."""
    STATUS_WORD = "status_word"
    """The reader or the card refused."""
    HEADER = "header"
    """Not the stream of a resident card."""


@dataclass(frozen=True, slots=True)
class ReadError:
    """What was wrong, for technicians; nothing of the card's content."""

    why: Unreadable
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AskAgain:
    """ISO 7816-4 §5.6: the same command with this Le (SW 6Cxx)."""

    le: int


def parse_answer(block: Block, answer: bytes) -> Result[bytes | AskAgain, ReadError]:
    """The block's bytes out of a response APDU."""
    if len(answer) < 2:
        return Err(ReadError(Unreadable.TORN, "no status word"))
    data, sw = answer[:-2], int.from_bytes(answer[-2:], "big")
    if sw >> 8 == _SW1_WRONG_LE and not data:
        return Ok(AskAgain(sw & 0xFF))
    if sw != _SW_GOOD:
        return Err(ReadError(Unreadable.STATUS_WORD, f"SW {sw:04X} at {block.offset}"))
    if len(data) != block.length:
        return Err(ReadError(Unreadable.TORN, f"{len(data)} bytes at {block.offset}"))
    return Ok(data)


@dataclass(frozen=True, slots=True)
class CardBytes:
    """What a reader brings of a card."""

    text: bytes = field(repr=False)
    photo: bytes = field(repr=False)
    newest_address: bytes = field(default=b"", repr=False)
    """70 bytes, where the card has such a record and the reader can get it."""


def split_stream(stream: bytes) -> Result[CardBytes, ReadError]:
    """Text and photo of a whole stream."""
    if len(stream) != STREAM_BYTES:
        return Err(ReadError(Unreadable.TORN, f"{len(stream)} bytes in all"))
    if not stream.startswith(HEADER):
        return Err(ReadError(Unreadable.HEADER))
    text_ends = len(HEADER) + TEXT_BYTES
    return Ok(CardBytes(stream[len(HEADER) : text_ends], stream[text_ends:]))
