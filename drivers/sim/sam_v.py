"""A simulated SAM_V module: frames in, frames out, with a card in its field and scripted faults; on a pty, behind a TCP
port, or called by a reader's escape command.

Written from the description of the wire, not from the driver: two readings of one description that must agree.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from drivers.sim.card_deck import CardKind, SimCard

_START = b"\xaa\xaa\xaa\x96\x69"
_OK, _FOUND, _NO_CARD, _NOT_SELECTED, _NO_ITEM, _READ_FAILED = 0x90, 0x9F, 0x80, 0x81, 0x91, 0x41
_BAD_CHECK, _BAD_LENGTH, _BAD_COMMAND = 0x10, 0x11, 0x21
_BITS_OF_A_BYTE = 10
_NOISE = bytes.fromhex("00FFAAAA96AA5500AAAAAA")


class SamFault(StrEnum):
    """What goes wrong in the module, on the line, or between module and card."""

    BAD_CHECKSUM = "bad_checksum"
    HALF_FRAME = "half_frame"
    MUTE = "mute"
    NOISE = "noise"
    """Before every answer; a driver must not mind."""
    BABBLE = "babble"
    """Nothing but noise, as at a wrong speed."""
    WRONG_LENGTH = "wrong_length"
    HUGE_LENGTH = "huge_length"
    STATUS = "status"
    """Another status than good: `sw` of Faults, to the commands `of`."""
    NO_FINGERPRINT_LENGTH = "fingerprint"
    """No fault at all: base records come with a fingerprint behind them."""
    SLOW = "slow"


class AfterRead(StrEnum):
    """What a module still answers about a card that it has read; nobody has seen them all."""

    KEEPS = "keeps"
    """Not found any more, yet selected and read again."""
    LETS_GO = "lets_go"
    """Not found, not selected, not read: until it is lifted."""
    FINDS = "finds"
    """Found again as if it were new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """A fault and its measure."""

    fault: SamFault | None = None
    sw: int = 0x60
    of: frozenset[int] = frozenset()
    """Commands (command and parameter as one number) that it befalls; empty: all."""
    times: int = 0
    """Only so many times; 0 is for ever."""
    delay_s: float = 0.3


@dataclass(slots=True)
class SamModule:
    """The module. `card` tells what lies in its field now."""

    card: Callable[[], SimCard | None]
    after_read: AfterRead = AfterRead.KEEPS
    number: bytes = struct.pack("<HHIII", 5, 3, 20120601, 12345678, 987654321)
    faults: Faults = Faults()
    _held: bytes = b""
    _in_field: SimCard | None = None
    _selected: bool = False
    _read: bool = False
    _struck: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def break_down(self, faults: Faults) -> None:
        """From now on."""
        with self._lock:
            self.faults, self._struck, self._held = faults, 0, b""

    def feed(self, data: bytes) -> bytes:
        """What comes back for these bytes; a request may come in pieces."""
        with self._lock:
            self._held += data
            answers = b""
            while True:
                start = self._held.find(_START)
                if start < 0:
                    self._held = self._held[-4:]
                    return answers
                self._held = self._held[start:]
                if len(self._held) < 7:
                    return answers
                (length,) = struct.unpack(">H", self._held[5:7])
                if not 3 <= length <= 64:
                    self._held = self._held[5:]
                    answers += _frame(bytes((0, 0, _BAD_LENGTH)))
                    continue
                if len(self._held) < 7 + length:
                    return answers
                counted, self._held = self._held[5 : 7 + length], self._held[7 + length :]
                answers += self._answer(counted)

    def _answer(self, counted: bytes) -> bytes:
        check = 0
        for byte in counted:
            check ^= byte
        if check:
            return _frame(bytes((0, 0, _BAD_CHECK)))
        command = int.from_bytes(counted[2:4], "big")
        faults = self._faults_now(command)
        if faults.fault is SamFault.STATUS:
            return _frame(bytes((0, 0, faults.sw)))
        status, data = self._obey(command, with_fingerprint=faults.fault is SamFault.NO_FINGERPRINT_LENGTH)
        return _spoil(_frame(bytes((0, 0, status)) + data), faults)

    def _faults_now(self, command: int) -> Faults:
        faults = self.faults
        if faults.fault is None or (faults.of and command not in faults.of):
            return Faults()
        self._struck += 1
        return faults if faults.times == 0 or self._struck <= faults.times else Faults()

    def _obey(self, command: int, *, with_fingerprint: bool) -> tuple[int, bytes]:
        card = self.card()
        if card is not None and card.kind is not CardKind.RESIDENT:
            card = None  # it has no type B, or none that this module speaks to
        if card is not self._in_field:
            self._in_field, self._selected, self._read = card, False, False
        match command:
            case 0x10FF | 0x11FF:
                return _OK, b""
            case 0x12FF:
                return _OK, self.number
            case 0x2001:
                if card is None or (self._read and self.after_read is not AfterRead.FINDS):
                    return _NO_CARD, b""
                return _FOUND, bytes(4)
            case 0x2002:
                if card is None or (self._read and self.after_read is AfterRead.LETS_GO):
                    return _NOT_SELECTED, b""
                self._selected = True
                return _OK, bytes(8)
            case 0x3001 | 0x3010 | 0x3003 if card is None or not self._selected:
                return _READ_FAILED, b""
            case 0x3001 | 0x3010:
                assert card is not None
                return self._base(card, with_fingerprint=with_fingerprint or command == 0x3010)
            case 0x3003:
                assert card is not None
                if self._read and self.after_read is AfterRead.LETS_GO:
                    self._selected = False
                return (_OK, card.newest_address) if card.newest_address else (_NO_ITEM, b"")
            case _:
                return _BAD_COMMAND, b""

    def _base(self, card: SimCard, *, with_fingerprint: bool) -> tuple[int, bytes]:
        content = card.read_by_module()
        if content is None:
            self._selected = False
            return _READ_FAILED, b""
        self._read = True
        text, photo = content
        if with_fingerprint:
            return _OK, struct.pack(">HHH", len(text), len(photo), 512) + text + photo + bytes(512)
        return _OK, struct.pack(">HH", len(text), len(photo)) + text + photo


def _frame(body: bytes) -> bytes:
    counted = struct.pack(">H", len(body) + 1) + body
    check = 0
    for byte in counted:
        check ^= byte
    return _START + counted + bytes((check,))


def _spoil(frame: bytes, faults: Faults) -> bytes:
    match faults.fault:
        case SamFault.BAD_CHECKSUM:
            return frame[:-1] + bytes((frame[-1] ^ 0x5A,))
        case SamFault.HALF_FRAME:
            return frame[: len(frame) // 2]
        case SamFault.MUTE:
            return b""
        case SamFault.NOISE:
            return _NOISE + frame
        case SamFault.BABBLE:
            return _NOISE * 3
        case SamFault.WRONG_LENGTH:
            return frame[:5] + struct.pack(">H", len(frame) - 5) + frame[7:]
        case SamFault.HUGE_LENGTH:
            return frame[:5] + b"\xff\xff" + frame[7:]
        case SamFault.SLOW:
            time.sleep(faults.delay_s)
            return frame
        case _:
            return frame


class _Line:
    """A thread that carries bytes between one file descriptor and the module, as fast as the line is."""

    def __init__(self, module: SamModule, baud: int) -> None:
        self._module = module
        self._byte_s = _BITS_OF_A_BYTE / baud if baud else 0.0
        self._stop_reading, self._stop_writing = os.pipe()

    def stop(self) -> None:
        """From another thread."""
        os.write(self._stop_writing, b".")

    def serve(self, number: int) -> bool:
        """Until the peer is gone (True) or it is told to stop (False)."""
        while True:
            ready = select.select([number, self._stop_reading], [], [])[0]
            if self._stop_reading in ready:
                return False
            try:
                data = os.read(number, 4096)
                if not data:
                    return True
                answer = self._module.feed(data)
                for at in range(0, len(answer), 64):
                    piece = answer[at : at + 64]
                    time.sleep(self._byte_s * len(piece))
                    os.write(number, piece)
            except OSError:
                return True


class PtyModule:
    """The module on a pseudo terminal; unplugged, its path is gone, as that of a USB adapter."""

    def __init__(self, module: SamModule, *, path: Path, baud: int = 0) -> None:
        """`path`: a link to the terminal, stable over plugging; `baud` paces the answers, 0 does not."""
        self.path = path
        self._module = module
        self._baud = baud
        self._line: _Line | None = None
        self._thread: threading.Thread | None = None
        self._ends: tuple[int, int] | None = None

    def plug(self) -> None:
        """Appear."""
        if self._ends is not None:
            return
        master, slave = os.openpty()
        tty.setraw(master)
        tty.setraw(slave)
        self._ends = master, slave  # kept open on both sides, else the first close of a driver ends it
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(slave))
        self._line = _Line(self._module, self._baud)
        self._thread = threading.Thread(target=self._line.serve, args=(master,), name="sam-pty", daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Vanish."""
        if self._ends is None or self._line is None or self._thread is None:
            return
        self.path.unlink(missing_ok=True)
        self._line.stop()
        self._thread.join()
        for number in self._ends:
            os.close(number)
        self._ends = None


class TcpModule:
    """The module behind a serial device server; one client at a time, as those have it."""

    def __init__(self, module: SamModule, *, port: int = 0) -> None:
        self._module = module
        self._port = port
        self._listener: socket.socket | None = None
        self._line = _Line(module, 0)
        self._thread: threading.Thread | None = None
        self._peer: socket.socket | None = None

    def start(self) -> int:
        """The port."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), name="sam-tcp", daemon=True)
        self._thread.start()
        return int(self._listener.getsockname()[1])

    def hang_up(self) -> None:
        """The network breaks once."""
        if self._peer is not None:
            with contextlib.suppress(OSError):
                self._peer.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """No more."""
        if self._listener is None or self._thread is None:
            return
        self._line.stop()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._peer = peer
                if not self._line.serve(peer.fileno()):
                    return
