"""ESC/POS as far as raster receipts with proof need it (Epson ESC/POS command reference); pure.

Out: `GS v 0` strips, `GS V` cut, `GS ( H` process id, `DLE EOT` and `GS a` status, `DLE DC4` 8 recall.
In: one byte stream in which real-time status (1 byte), automatic status back (4 bytes) and blocks are mixed;
`Demultiplexer` tells them apart by their fixed bits.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from PIL import Image, ImageChops

ROW_BYTES = 72
"""576 dots."""
STRIP_ROWS = 24
INITIALIZE = b"\x1b@"
STATUS_BACK_ON = b"\x1da\xff"
"""GS a: send status at every change, also while the printer waits for paper and takes no data."""
FEED_AND_CUT = b"\x1dVB\x00"
"""GS V 66 0: feed to the cutter and cut."""
RECALL = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
"""DLE DC4 8: forget everything received but not printed."""
RESYNC = bytes(STRIP_ROWS * ROW_BYTES + 8)
"""Fills a strip that an earlier connection left half sent with white; outside a strip NUL does nothing."""
_REAL_TIME = (0x04, 0x05, 0x14)


class StatusKind(IntEnum):
    """n of DLE EOT n."""

    PRINTER = 1
    OFFLINE_CAUSE = 2
    ERROR_CAUSE = 3
    PAPER = 4


def ask_status(kind: StatusKind) -> bytes:
    """DLE EOT n: answered at once, even while printing."""
    return bytes((0x10, 0x04, kind))


def ask_proof(token: bytes) -> bytes:
    """GS ( H fn 48: the printer returns `token` when everything before it is on paper; 4 bytes 0x20..0x7E."""
    if len(token) != 4 or not all(0x20 <= byte <= 0x7E for byte in token):
        raise ValueError("process id is 4 printable characters")
    return b"\x1d(H\x06\x00\x30\x30" + token


def defuse(data: bytes) -> bytes:
    """The same picture without real-time commands in it.

    Printers look for DLE EOT, DLE ENQ and DLE DC4 in everything they receive, dots too; one dot more (0x10 → 0x18)
    keeps a picture from asking for status or clearing the buffer.
    """
    for second in _REAL_TIME:
        data = data.replace(bytes((0x10, second)), bytes((0x18, second)))
    return data


def strips(image: Image.Image) -> Iterator[bytes]:
    """GS v 0 commands for a mode "1" picture 576 dots wide, `STRIP_ROWS` rows each; 0 is ink."""
    if image.mode != "1" or image.width != ROW_BYTES * 8:
        raise ValueError("picture must be 1-bit and 576 dots wide")
    dots = defuse(ImageChops.invert(image).tobytes())
    size = STRIP_ROWS * ROW_BYTES
    for start in range(0, len(dots), size):
        strip = dots[start : start + size]
        yield b"\x1dv0\x00" + struct.pack("<HH", ROW_BYTES, len(strip) // ROW_BYTES) + strip


def slip(image: Image.Image, token: bytes, *, after_break: bool) -> bytes:
    """Everything for one slip. `after_break`: an earlier connection may have left half a slip in the printer; it is
    ended and cut off, so that no citizen gets another's lines on her paper."""
    head = RESYNC + INITIALIZE + FEED_AND_CUT if after_break else INITIALIZE
    body = b"".join(itertools.chain(strips(image)))
    return head + STATUS_BACK_ON + body + FEED_AND_CUT + ask_proof(token)


# --- what the printer says ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RealTimeStatus:
    """Answer to DLE EOT; which of the four only the asker knows."""

    bits: int


@dataclass(frozen=True, slots=True)
class StatusBack:
    """Automatic status back: four bytes, unasked."""

    bits: bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything before this process id is on paper."""

    token: bytes


@dataclass(frozen=True, slots=True)
class Recalled:
    """The buffer was cleared."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes that are no answer."""

    data: bytes


Answer = RealTimeStatus | StatusBack | Proof | Recalled | Noise

_BLOCK = 0x37
_FLOW = (0x11, 0x13)
_RECALLED = b"\x37\x25\x00"
_PROOF_LENGTH = 7


@dataclass(slots=True)
class Demultiplexer:
    """Byte stream → typed answers. Any bytes in any pieces; resynchronises after nonsense, never raises."""

    _pending: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[Answer]:
        """Answers completed by `data`."""
        answers: list[Answer] = []
        for byte in data:
            self._pending.append(byte)
            while self._pending:
                step = _parse(bytes(self._pending))
                if step is None:
                    break
                answer, used = step
                del self._pending[:used]
                if answer is not None:
                    answers.append(answer)
        return answers


def _parse(data: bytes) -> tuple[Answer | None, int] | None:
    """The first answer in `data` and how many bytes it took; None: more is needed."""
    first = data[0]
    if first in _FLOW:
        return None, 1
    if first & 0x93 == 0x12:
        return RealTimeStatus(first), 1
    if first & 0x93 == 0x10:
        return _parse_status_back(data)
    if first == _BLOCK:
        return _parse_block(data)
    return Noise(data[:1]), 1


def _parse_status_back(data: bytes) -> tuple[Answer | None, int] | None:
    if any(byte & 0x90 for byte in data[1:4]):
        return Noise(data[:1]), 1
    return (StatusBack(data[:4]), 4) if len(data) >= 4 else None


def _parse_block(data: bytes) -> tuple[Answer | None, int] | None:
    if _RECALLED.startswith(data):
        return (Recalled(), 3) if data == _RECALLED else None
    if data[1] != 0x22 or any(not 0x20 <= byte <= 0x7E for byte in data[2:6]) or data[6:7] not in (b"", b"\x00"):
        return Noise(data[:1]), 1
    return (Proof(data[2:6]), _PROOF_LENGTH) if len(data) >= _PROOF_LENGTH else None
