"""What an ESC/POS printer says: one byte stream in which answers of several kinds are mixed; pure.

Told apart by their fixed bits (Epson ESC/POS command reference, "transmission status"): real-time status 0xx1xx10,
automatic status back 0xx1xx00 and three bytes, flow control 0x11 and 0x13, GS r 0000xxxx, blocks by their header up to
a NUL. Automatic status and real-time status may break into a block, flow control into anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TOKEN_BYTES = frozenset(byte for byte in range(0x20, 0x7F) if not byte & 0x10)
"""Bytes for our process ids: without bit 4, so that no byte of another kind of answer can be taken for one."""


@dataclass(frozen=True, slots=True)
class RealTimeStatus:
    """Answer to DLE EOT 1..4; which of the four only the asker knows."""

    bits: int


@dataclass(frozen=True, slots=True)
class FullStatus:
    """Answer to DLE EOT 20 of printers with a presenter: paper, user, recoverable, unrecoverable."""

    bits: bytes

    @property
    def in_mouth(self) -> bool:
        """A slip waits to be taken."""
        return bool(self.bits[0] & 0x20)


@dataclass(frozen=True, slots=True)
class StatusBack:
    """Automatic status back: four bytes, unasked."""

    bits: bytes


@dataclass(frozen=True, slots=True)
class Sensor:
    """Answer to GS r 1, given in its turn: everything sent before it has been worked off."""

    bits: int


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything before this process id is on paper (GS ( H)."""

    token: bytes


@dataclass(frozen=True, slots=True)
class Info:
    """Answer to GS I 65..68."""

    text: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """The buffer was cleared."""


@dataclass(frozen=True, slots=True)
class Flow:
    """XON or XOFF."""

    go: bool


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes that are no answer."""

    data: bytes


Answer = RealTimeStatus | FullStatus | StatusBack | Sensor | Proof | Info | Recalled | Flow | Noise

_XON, _XOFF = 0x11, 0x13
_SENSOR = frozenset({0x00, 0x03, 0x0C, 0x0F})
_BLOCK, _INFO = 0x37, 0x5F
_PROOF_MARK, _RECALL_MARK = 0x22, 0x25
_PROOF_LENGTH = 7
_LONGEST_INFO = 82
_STATUS_BACK_LENGTH = 4
_FULL_MARK = b"\x10\x0f"
_FULL_LENGTH = 6


def _is_real_time(byte: int) -> bool:
    return byte & 0x93 == 0x12


def _is_status_back(byte: int) -> bool:
    return byte & 0x93 == 0x10


@dataclass(slots=True)
class Demultiplexer:
    """Byte stream → typed answers. Any bytes in any pieces; resynchronises after nonsense, never raises."""

    full_status: bool = False
    """The printer knows DLE EOT 20. Its answer begins like a status back, which such a printer must not send."""
    info_asked: bool = False
    """Only then does the header of an information block mean one."""
    _status: bytearray = field(default_factory=bytearray)
    """A status of several bytes that has begun."""
    _block: bytearray = field(default_factory=bytearray)
    """A block that has begun."""

    def feed(self, data: bytes) -> list[Answer]:
        """Answers completed by `data`."""
        answers: list[Answer] = []
        for byte in data:
            self._take(byte, answers)
        return answers

    def _take(self, byte: int, answers: list[Answer]) -> None:
        if self._status:
            self._continue_status(byte, answers)
        elif byte in (_XON, _XOFF):
            answers.append(Flow(byte == _XON))
        elif self._block:
            self._continue_block(byte, answers)
        else:
            self._begin(byte, answers)

    def _begin(self, byte: int, answers: list[Answer]) -> None:
        if _is_real_time(byte):
            answers.append(RealTimeStatus(byte))
        elif _is_status_back(byte):
            self._status.append(byte)
        elif byte == _BLOCK or (byte == _INFO and self.info_asked):
            self._block.append(byte)
        elif byte in _SENSOR:
            answers.append(Sensor(byte))
        else:
            answers.append(Noise(bytes((byte,))))

    def _continue_status(self, byte: int, answers: list[Answer]) -> None:
        full = self.full_status and (self._status + bytes((byte,))).startswith(_FULL_MARK)
        if not full and byte in (_XON, _XOFF):
            answers.append(Flow(byte == _XON))
        elif full or not byte & 0x90:
            self._status.append(byte)
            if len(self._status) == (_FULL_LENGTH if full else _STATUS_BACK_LENGTH):
                bits = bytes(self._status)
                answers.append(FullStatus(bits[2:]) if full else StatusBack(bits))
                self._status.clear()
        else:
            answers.append(Noise(bytes(self._status)))
            self._status.clear()
            self._take(byte, answers)

    def _continue_block(self, byte: int, answers: list[Answer]) -> None:
        if self._belongs(byte):
            self._block.append(byte)
            if byte == 0:
                answers.append(self._finish_block())
        elif _is_real_time(byte):
            answers.append(RealTimeStatus(byte))
        elif _is_status_back(byte):
            self._status.append(byte)
        else:
            answers.append(Noise(bytes(self._block)))
            self._block.clear()
            self._begin(byte, answers)

    def _belongs(self, byte: int) -> bool:
        """Can this be the next byte of the block that has begun?"""
        at = len(self._block)
        if self._block[0] == _INFO:
            return byte == 0 or (0x20 <= byte <= 0x7E and at < _LONGEST_INFO)
        if at == 1:
            return byte in (_PROOF_MARK, _RECALL_MARK)
        if self._block[1] == _RECALL_MARK or at == _PROOF_LENGTH - 1:
            return byte == 0
        return byte in TOKEN_BYTES

    def _finish_block(self) -> Answer:
        block = bytes(self._block)
        self._block.clear()
        if block[0] == _INFO:
            self.info_asked = False
            return Info(block[1:-1].decode("ascii").strip())
        return Recalled() if block[1] == _RECALL_MARK else Proof(block[2:-1])
