"""Modbus RTU, master's side; pure.

MODBUS Application Protocol Specification V1.1b3 (functions 01 02 03 05 06 0F, §6 and §7) and MODBUS over Serial Line
V1.02 (§2.5.1 framing, §6.2.2 CRC). A frame is unit, function, data, CRC (low byte first). An answer has no number of
its own, so only its shape says that it belongs to what was asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

MOST_BYTES = 256
"""Of a frame."""
_EXCEPTION = 0x80
_BITS_PER_CHARACTER = 11
_SILENCE_CHARACTERS = 3.5
_LEAST_SILENCE_S = 0.00175
"""Above 19,200 baud (Serial Line §2.5.1.1)."""


class Function(IntEnum):
    """What is used here."""

    READ_COILS = 0x01
    READ_DISCRETE_INPUTS = 0x02
    READ_HOLDING_REGISTERS = 0x03
    WRITE_COIL = 0x05
    WRITE_REGISTER = 0x06
    WRITE_COILS = 0x0F


class ExceptionCode(IntEnum):
    """Why a slave refused (Application Protocol §7)."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_DATA_ADDRESS = 2
    ILLEGAL_DATA_VALUE = 3
    DEVICE_FAILURE = 4
    ACKNOWLEDGE = 5
    DEVICE_BUSY = 6
    MEMORY_PARITY_ERROR = 8
    GATEWAY_PATH_UNAVAILABLE = 10
    GATEWAY_TARGET_FAILED = 11


_READ_BITS = frozenset({Function.READ_COILS, Function.READ_DISCRETE_INPUTS})
_READS = _READ_BITS | {Function.READ_HOLDING_REGISTERS}


class Flaw(StrEnum):
    """What is wrong with bytes that are no answer."""

    SILENCE = "no answer"
    """There are none."""
    TORN = "torn answer"
    """It begins like the answer and ends too early."""
    CHECKSUM = "wrong checksum"
    """As long as the answer, and its CRC does not fit."""
    OTHER = "other frame"
    """Intact, and the answer to something else."""
    NOISE = "noise"
    """Nothing in it begins like the answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question. `count` bits or registers from `address` on; `values` of a write, one for each."""

    unit: int
    function: Function
    address: int
    count: int = 1
    values: tuple[int, ...] = ()

    def frame(self) -> bytes:
        """As it goes over the line."""
        head = bytes((self.unit, self.function)) + self.address.to_bytes(2, "big")
        match self.function:
            case Function.WRITE_COIL:
                body = b"\xff\x00" if self.values[0] else b"\x00\x00"
            case Function.WRITE_REGISTER:
                body = self.values[0].to_bytes(2, "big")
            case Function.WRITE_COILS:
                packed = pack_bits(self.values)
                body = len(self.values).to_bytes(2, "big") + bytes((len(packed),)) + packed
            case _:
                body = self.count.to_bytes(2, "big")
        return seal(head + body)

    @property
    def answer_bytes(self) -> int:
        """Length of the good answer's frame."""
        if self.function in _READ_BITS:
            return 5 + (self.count + 7) // 8
        if self.function in _READS:
            return 5 + 2 * self.count
        return 8


@dataclass(frozen=True, slots=True)
class Answer:
    """What the slave said: bits or registers of a read, nothing of a write."""

    values: tuple[int, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Refused:
    """An exception response."""

    code: int

    @property
    def transient(self) -> bool:
        """Ask again in a moment."""
        return self.code in (ExceptionCode.ACKNOWLEDGE, ExceptionCode.DEVICE_BUSY)

    def __str__(self) -> str:
        name = next((known.name.lower() for known in ExceptionCode if known == self.code), "unknown")
        return f"exception {self.code} ({name.replace('_', ' ')})"


def crc16(data: bytes) -> int:
    """Reflected polynomial A001, start FFFF (Serial Line §6.2.2)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def seal(frame: bytes) -> bytes:
    """The frame with its CRC."""
    return frame + crc16(frame).to_bytes(2, "little")


def intact(frame: bytes) -> bool:
    """Does the CRC at its end fit?"""
    return len(frame) >= 4 and crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little")


def pack_bits(values: tuple[int, ...]) -> bytes:
    """Eight to a byte, the first in the lowest bit."""
    return bytes(
        sum(1 << place for place, value in enumerate(values[at : at + 8]) if value) for at in range(0, len(values), 8)
    )


def unpack_bits(data: bytes, count: int) -> tuple[int, ...]:
    """The first `count` bits."""
    return tuple(data[place // 8] >> place % 8 & 1 for place in range(count))


def find_answer(request: Request, received: bytes) -> Answer | Refused | None:
    """The answer to this request in what came so far, with noise before it perhaps; None: not (yet) there."""
    for start in range(len(received)):
        for length in (request.answer_bytes, 5):
            frame = received[start : start + length]
            if len(frame) == length and intact(frame) and (found := _understand(request, frame)) is not None:
                return found
    return None


def judge(request: Request, received: bytes) -> Flaw:
    """Why these bytes, all that came, are no answer."""
    if not received:
        return Flaw.SILENCE
    if intact(received):
        return Flaw.OTHER
    start = received.find(bytes((request.unit, request.function)))
    if start < 0:
        return Flaw.NOISE
    return Flaw.TORN if len(received) - start < request.answer_bytes else Flaw.CHECKSUM


def silence_s(baud: int) -> float:
    """How long the line must be quiet between two frames."""
    return max(_SILENCE_CHARACTERS * _BITS_PER_CHARACTER / baud, _LEAST_SILENCE_S)


def transfer_s(count: int, baud: int) -> float:
    """How long so many bytes are under way."""
    return count * _BITS_PER_CHARACTER / baud


def _understand(request: Request, frame: bytes) -> Answer | Refused | None:
    """An intact frame as the answer to this request; None if it is something else."""
    if frame[0] != request.unit:
        return None
    if len(frame) == 5 and frame[1] == request.function | _EXCEPTION:
        return Refused(frame[2])
    if frame[1] != request.function or len(frame) != request.answer_bytes:
        return None
    if request.function not in _READS:  # the echo of what was asked: address, and value or count
        return Answer() if frame[2:6] == request.frame()[2:6] else None
    data = frame[3:-2]
    if frame[2] != len(data):
        return None
    if request.function in _READ_BITS:
        return Answer(unpack_bits(data, request.count))
    return Answer(tuple(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)))
