"""What is sent to an ESC/POS printer (Epson ESC/POS command reference); pure. Its answers: `drivers.receipt.answers`.

`GS v 0` strips, `GS V` cut, `GS ( H` process id, `GS r` sensors in turn, `GS I` identity, `DLE EOT` and `GS a` status,
`DLE DC4` 8 recall.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterator
from enum import IntEnum

from PIL import Image, ImageChops

from drivers.receipt.answers import TOKEN_BYTES
from drivers.receipt.models import Model, Proving

STRIP_ROWS = 24
INITIALIZE = b"\x1b@"
STATUS_BACK_ON = b"\x1da\xff"
"""GS a: send status at every change, also while the printer waits for paper and takes no data."""
STATUS_BACK_OFF = b"\x1da\x00"
FEED_AND_CUT = b"\x1dVB\x00"
"""GS V 66 0: feed to the cutter and cut."""
FEED_TO_BAR = b"\x1bJ\xa0"
"""ESC J: 160 dots, 20 mm, bring the last line out under the tear bar."""
ASK_SENSOR = b"\x1dr\x01"
"""GS r 1: paper sensors, answered when its turn comes."""
RECALL = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
"""DLE DC4 8: forget everything received but not printed."""
_REAL_TIME = (0x04, 0x05, 0x14)
_LETTERS = bytes(byte for byte in sorted(TOKEN_BYTES) if chr(byte).isalpha())


class StatusKind(IntEnum):
    """n of DLE EOT n."""

    PRINTER = 1
    OFFLINE_CAUSE = 2
    ERROR_CAUSE = 3
    PAPER = 4
    FULL = 20
    """Printers with a presenter only."""


ROUND = (StatusKind.PRINTER, StatusKind.OFFLINE_CAUSE, StatusKind.ERROR_CAUSE, StatusKind.PAPER)
"""What every printer is asked, in this order."""


class InfoKind(IntEnum):
    """n of GS I n, in the order of asking."""

    NAME = 67
    FIRMWARE = 65
    SERIAL = 68


def resync(model: Model) -> bytes:
    """Fills a strip that an earlier connection left half sent with white; outside a strip NUL does nothing."""
    return bytes(STRIP_ROWS * model.row_bytes + 8)


def ask_status(kind: StatusKind) -> bytes:
    """DLE EOT n: answered at once, even while printing."""
    return bytes((0x10, 0x04, kind))


def ask_info(kind: InfoKind) -> bytes:
    """GS I n: answered in its turn."""
    return bytes((0x1D, 0x49, kind))


def ask_proof(token: bytes) -> bytes:
    """GS ( H fn 48: the printer returns `token` when everything before it is on paper; 4 bytes of TOKEN_BYTES."""
    if len(token) != 4 or not TOKEN_BYTES.issuperset(token):
        raise ValueError("process id is 4 characters without bit 4")
    return b"\x1d(H\x06\x00\x30\x30" + token


def random_token() -> bytes:
    """A process id that no earlier slip is likely to have had, also before a restart."""
    return bytes(secrets.choice(_LETTERS) for _ in range(4))


def defuse(data: bytes) -> bytes:
    """The same picture without real-time commands in it.

    Printers look for DLE EOT, DLE ENQ and DLE DC4 in everything they receive, dots too; one dot more (0x10 → 0x18)
    keeps a picture from asking for status or clearing the buffer.
    """
    for second in _REAL_TIME:
        data = data.replace(bytes((0x10, second)), bytes((0x18, second)))
    return data


def strips(image: Image.Image) -> Iterator[bytes]:
    """GS v 0 commands for a mode "1" picture whose width is a multiple of 8, `STRIP_ROWS` rows each; 0 is ink.

    White at the right is not sent: on a serial line it is what takes the time.
    """
    if image.mode != "1" or image.width % 8:
        raise ValueError("picture must be 1-bit and a multiple of 8 dots wide")
    dots, row_bytes = ImageChops.invert(image).tobytes(), image.width // 8
    rows = [dots[start : start + row_bytes] for start in range(0, len(dots), row_bytes)]
    for start in range(0, len(rows), STRIP_ROWS):
        strip = rows[start : start + STRIP_ROWS]
        inked = max(1, *(len(row.rstrip(b"\x00")) for row in strip))
        data = defuse(b"".join(row[:inked] for row in strip))
        yield b"\x1dv0\x00" + struct.pack("<HH", inked, len(strip)) + data


def slip(image: Image.Image, token: bytes, *, model: Model, after_break: bool) -> list[bytes]:
    """Everything for one slip, in pieces between which other commands may be sent.

    `after_break`: an earlier connection may have left half a slip in the printer; it is ended and cut off, so that no
    citizen gets another's lines on her paper.
    """
    ending = FEED_AND_CUT if model.cutter else FEED_TO_BAR
    head = [resync(model), INITIALIZE + ending] if after_break else [INITIALIZE]
    if model.status_back:
        head.append(STATUS_BACK_ON)
    proof = [ask_proof(token)] if model.proving is Proving.PROCESS_ID else []
    return [*head, *strips(image), ending, *proof]
