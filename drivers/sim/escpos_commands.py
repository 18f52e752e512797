"""ESC/POS as a printer hears it: bytes → commands; pure.

Written from the command reference and not from the driver's codec, so that the two check each other.
"""

from __future__ import annotations

from dataclasses import dataclass

RECALL = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"


@dataclass(frozen=True, slots=True)
class Initialize:
    """ESC @."""


@dataclass(frozen=True, slots=True)
class Kanji:
    """FS & and FS . : GB 18030 text on or off."""

    on: bool


@dataclass(frozen=True, slots=True)
class Text:
    """Bytes to be set in type."""

    data: bytes


@dataclass(frozen=True, slots=True)
class NewLine:
    """LF."""


@dataclass(frozen=True, slots=True)
class Feed:
    """ESC d (lines of 30 dots) and ESC J (dots)."""

    dots: int


@dataclass(frozen=True, slots=True)
class Raster:
    """GS v 0: rows of dots, 1 is ink, most significant bit left."""

    row_bytes: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """GS V, with the feed before it."""

    feed: int


@dataclass(frozen=True, slots=True)
class StatusBack:
    """GS a n."""

    mask: int


@dataclass(frozen=True, slots=True)
class SendSensor:
    """GS r n: in its turn, not at once."""

    which: int


@dataclass(frozen=True, slots=True)
class SendInfo:
    """GS I n: in its turn."""

    which: int


@dataclass(frozen=True, slots=True)
class SendProof:
    """GS ( H fn 48."""

    token: bytes


@dataclass(frozen=True, slots=True)
class Ignored:
    """Known or not, nothing comes of it."""

    data: bytes


Command = (
    Initialize | Kanji | Text | NewLine | Feed | Raster | Cut | StatusBack | SendSensor | SendInfo | SendProof | Ignored
)

_ESC_LENGTHS = {0x40: 2, 0x32: 2, 0x0C: 2, 0x70: 5, 0x24: 4, 0x5C: 4, 0x63: 4}
_ESC_PLAIN = 3
_FS_LENGTHS = {0x26: 2, 0x2E: 2, 0x53: 4}
_GS_LENGTHS = {0x4C: 4, 0x57: 4, 0x50: 4, 0x24: 4, 0x5C: 4, 0x3A: 2, 0x5E: 5}
_DLE_LENGTHS = {0x04: 3, 0x05: 3}
_LINE_DOTS = 30


def next_command(data: bytes) -> tuple[Command, int] | None:
    """The first command and its length in bytes; None while it is not all there."""
    match data[:1]:
        case b"":
            return None
        case b"\x1b":
            return _escape(data)
        case b"\x1c":
            return _file_separator(data)
        case b"\x1d":
            return _group_separator(data)
        case b"\x10":
            return _data_link_escape(data)
        case b"\n":
            return NewLine(), 1
        case control if control < b" ":
            return Ignored(control), 1
        case _:
            end = next((at for at, byte in enumerate(data) if byte < 0x20), len(data))
            return Text(data[:end]), end


def _escape(data: bytes) -> tuple[Command, int] | None:
    if len(data) < 2:
        return None
    if data[1] == 0x2A:  # ESC * m nL nH
        if len(data) < 5:
            return None
        columns = data[3] | data[4] << 8
        return _whole(data, 5 + columns * (3 if data[2] >= 32 else 1))
    length = _ESC_LENGTHS.get(data[1], _ESC_PLAIN)
    if len(data) < length:
        return None
    match data[1]:
        case 0x40:
            return Initialize(), length
        case 0x64:
            return Feed(data[2] * _LINE_DOTS), length
        case 0x4A:
            return Feed(data[2]), length
        case _:
            return Ignored(data[:length]), length


def _file_separator(data: bytes) -> tuple[Command, int] | None:
    if len(data) < 2:
        return None
    if data[1] in (0x26, 0x2E):
        return Kanji(data[1] == 0x26), 2
    return _whole(data, _FS_LENGTHS.get(data[1], 3))


def _group_separator(data: bytes) -> tuple[Command, int] | None:
    if len(data) < 3:
        return None
    match data[1]:
        case 0x76:
            return _raster(data)
        case 0x56:
            if data[2] < 65:
                return Cut(0), 3
            return (Cut(data[3]), 4) if len(data) >= 4 else None
        case 0x61:
            return StatusBack(data[2]), 3
        case 0x72:
            return SendSensor(data[2]), 3
        case 0x49:
            return SendInfo(data[2]), 3
        case 0x28:
            return _extended(data)
        case other:
            return _whole(data, _GS_LENGTHS.get(other, 3))


def _raster(data: bytes) -> tuple[Command, int] | None:
    if len(data) < 8:
        return None
    row_bytes, rows = data[4] | data[5] << 8, data[6] | data[7] << 8
    end = 8 + row_bytes * rows
    return (Raster(row_bytes, data[8:end]), end) if len(data) >= end else None


def _extended(data: bytes) -> tuple[Command, int] | None:
    """GS ( x pL pH …: carries its own length."""
    if len(data) < 5:
        return None
    end = 5 + (data[3] | data[4] << 8)
    if len(data) < end:
        return None
    if data[2] == 0x48 and data[5:7] == b"\x30\x30":
        return SendProof(data[7:end]), end
    return Ignored(data[:end]), end


def _data_link_escape(data: bytes) -> tuple[Command, int] | None:
    """Real-time commands were obeyed when they came in; here they are only skipped."""
    if len(data) < 3:
        return None
    if data[1] == 0x14:
        return _whole(data, len(RECALL) if data[2] == 8 else 5)
    return _whole(data, _DLE_LENGTHS.get(data[1], 1))


def _whole(data: bytes, length: int) -> tuple[Command, int] | None:
    return (Ignored(data[:length]), length) if len(data) >= length else None


@dataclass(frozen=True, slots=True)
class AskStatus:
    """DLE EOT n."""

    which: int


@dataclass(frozen=True, slots=True)
class Forget:
    """DLE DC4 8: clear the buffers. `after`: bytes of the chunk that follow the command."""

    after: bytes


class RealTimeScanner:
    """Finds real-time commands in everything that comes in, pictures too, as the real interface does."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, chunk: bytes) -> list[AskStatus | Forget]:
        """Commands completed by `chunk`, in order."""
        found: list[AskStatus | Forget] = []
        old = len(self._tail)
        data = self._tail + chunk
        for start in range(len(data)):
            if data[start] != 0x10:
                continue
            if data[start + 1 : start + 2] == b"\x04" and start + 3 > old and data[start + 2 : start + 3] in _KINDS:
                found.append(AskStatus(data[start + 2]))
            elif data[start:].startswith(RECALL) and start + len(RECALL) > old:
                found.append(Forget(data[start + len(RECALL) :]))
        self._tail = data[-(len(RECALL) - 1) :]
        return found


_KINDS = (b"\x01", b"\x02", b"\x03", b"\x04", b"\x14")
