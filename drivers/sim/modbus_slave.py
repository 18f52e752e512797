"""A Modbus RTU slave, as bytes: requests out of a stream, answers to them, faults on request."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from drivers.site_io.protocol import ExceptionCode, intact, pack_bits, seal, unpack_bits

COILS, DISCRETES, HOLDINGS = "coil", "discrete", "holding"
_READS = {1: COILS, 2: DISCRETES, 3: HOLDINGS}
_SHORTEST = 8
_WRITE_COILS, _WRITE_REGISTERS = 0x0F, 0x10
_MOST_BYTES = 256
_BABBLE_BYTES = 24


class SlaveFault(StrEnum):
    """What goes wrong with answers."""

    MUTE = "mute"
    BAD_CRC = "bad_crc"
    EXCEPTION = "exception"
    BUSY_ONCE = "busy_once"
    """Every second question is told to come back."""
    GARBAGE = "garbage"
    """Other bytes than an answer."""
    NOISE = "noise"
    """Other bytes, and then the answer: a line that picks something up. A good master lives with it."""
    TORN = "torn"
    """Half of it."""
    WRONG_UNIT = "wrong_unit"
    """Somebody else answers."""
    WRONG_FUNCTION = "wrong_function"
    """To another question."""
    SHORT_COUNT = "short_count"
    """Intact, and holds less than was asked for."""
    BABBLE = "babble"
    """Nothing answers, and noise comes all the time; see `Slave.babble`."""
    STUCK = "stuck"
    """Writes are confirmed and change nothing."""


@dataclass(slots=True)
class Memory:
    """Tables by name; addresses that are not there are illegal."""

    tables: dict[str, dict[int, int]] = field(default_factory=lambda: {COILS: {}, DISCRETES: {}, HOLDINGS: {}})

    def read(self, table: str, first: int, count: int) -> tuple[int, ...] | None:
        """None: illegal address."""
        row = self.tables[table]
        values = tuple(row.get(address, -1) for address in range(first, first + count))
        return None if -1 in values else values

    def write(self, table: str, first: int, values: tuple[int, ...]) -> bool:
        """False: illegal address, and nothing is changed."""
        row = self.tables[table]
        addresses = range(first, first + len(values))
        if any(address not in row for address in addresses):
            return False
        row |= dict(zip(addresses, values, strict=True))
        return True


@dataclass(slots=True)
class Slave:
    """One unit. `feed` with what comes over the line; what it returns goes back."""

    unit: int
    memory: Memory
    fault: SlaveFault | None = None
    exception: int = ExceptionCode.DEVICE_FAILURE
    wrote: Callable[[], None] = lambda: None
    """Called after each write."""
    questions: int = 0
    """That were addressed to this unit and intact."""
    _stream: bytes = b""
    _babbled: int = 0

    def silence(self) -> None:
        """The line was quiet: what did not become a frame never will."""
        self._stream = b""

    def feed(self, data: bytes) -> bytes:
        """Answers to the frames that are complete now."""
        self._stream += data
        answers = b""
        while (length := _length(self._stream)) is not None and len(self._stream) >= length:
            frame, self._stream = self._stream[:length], self._stream[length:]
            if not intact(frame):  # where the next frame begins, only silence tells
                self._stream = b""
            elif frame[0] == self.unit:
                self.questions += 1
                answers += self._spoil(frame, self._answer(frame))
        if len(self._stream) > _MOST_BYTES:
            self._stream = b""
        return answers

    def babble(self) -> bytes:
        """What comes over the line without being asked for."""
        if self.fault is not SlaveFault.BABBLE:
            return b""
        self._babbled += 1
        return _noise(_BABBLE_BYTES, self._babbled)

    def _answer(self, frame: bytes) -> bytes:
        function, first, second = frame[1], int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
        match function:
            case 1 | 2 | 3:
                return self._read(function, first, second)
            case 5 if second in (0x0000, 0xFF00):
                return self._write(frame, COILS, first, (int(second != 0),))
            case 6:
                return self._write(frame, HOLDINGS, first, (second,))
            case 0x0F if 0 < second <= 8 * frame[6]:
                return self._write(frame, COILS, first, unpack_bits(frame[7:-2], second))
            case 0x10 if 2 * second == frame[6]:
                words = tuple(int.from_bytes(frame[at : at + 2], "big") for at in range(7, len(frame) - 2, 2))
                return self._write(frame, HOLDINGS, first, words)
            case 5 | 0x0F | 0x10:
                return self._refuse(function, ExceptionCode.ILLEGAL_DATA_VALUE)
            case _:
                return self._refuse(function, ExceptionCode.ILLEGAL_FUNCTION)

    def _read(self, function: int, first: int, count: int) -> bytes:
        if not 0 < count <= (125 if function == 3 else 2000):
            return self._refuse(function, ExceptionCode.ILLEGAL_DATA_VALUE)
        values = self.memory.read(_READS[function], first, count)
        if values is None:
            return self._refuse(function, ExceptionCode.ILLEGAL_DATA_ADDRESS)
        data = b"".join(value.to_bytes(2, "big") for value in values) if function == 3 else pack_bits(values)
        return seal(bytes((self.unit, function, len(data))) + data)

    def _write(self, frame: bytes, table: str, first: int, values: tuple[int, ...]) -> bytes:
        if self.fault is not SlaveFault.STUCK and not self.memory.write(table, first, values):
            return self._refuse(frame[1], ExceptionCode.ILLEGAL_DATA_ADDRESS)
        self.wrote()
        return seal(frame[:6])

    def _refuse(self, function: int, code: int) -> bytes:
        return seal(bytes((self.unit, function | 0x80, code)))

    def _spoil(self, frame: bytes, answer: bytes) -> bytes:
        """The answer as it leaves this slave."""
        match self.fault:
            case SlaveFault.MUTE | SlaveFault.BABBLE:
                return b""
            case SlaveFault.BAD_CRC:
                return answer[:-1] + bytes((answer[-1] ^ 0xFF,))
            case SlaveFault.EXCEPTION:
                return self._refuse(frame[1], self.exception)
            case SlaveFault.BUSY_ONCE if self.questions % 2:
                return self._refuse(frame[1], ExceptionCode.DEVICE_BUSY)
            case SlaveFault.GARBAGE:
                return _noise(len(answer) + 3, self.questions)
            case SlaveFault.NOISE:
                return _noise(4, self.questions) + answer
            case SlaveFault.TORN:
                return answer[: len(answer) // 2]
            case SlaveFault.SHORT_COUNT if frame[1] in _READS:
                data = answer[3:-3]
                return seal(answer[:2] + bytes((len(data),)) + data)
            case SlaveFault.WRONG_UNIT:
                return seal(bytes((self.unit % 247 + 1,)) + answer[1:-2])
            case SlaveFault.WRONG_FUNCTION:
                return seal(answer[:1] + bytes((answer[1] ^ 0x10,)) + answer[2:-2])
            case _:
                return answer


def _length(stream: bytes) -> int | None:
    """Of the frame that begins the stream; None: not to be told yet."""
    if len(stream) < _SHORTEST:
        return None
    return 9 + stream[6] if stream[1] in (_WRITE_COILS, _WRITE_REGISTERS) else _SHORTEST


def _noise(count: int, seed: int) -> bytes:
    """Hostile bytes, the same for the same seed; never the unit's address, so that it is no frame by chance."""
    return bytes(byte | 0x80 for byte in random.Random(seed).randbytes(count))  # noqa: S311 - not for secrets
