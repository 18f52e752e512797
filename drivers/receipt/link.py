"""The line to the printer: a socket, a serial port (pyserial opens it) or usblp's device file.

Bytes move on its file descriptor, where every step is bounded and counted: a write that times out knows what it has
sent, and a printer that waits for paper blocks nobody. Why no ESC/POS library holds the line: docs/adr/0007.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import socket
import stat
import struct
import termios
import time
from dataclasses import dataclass
from typing import Protocol, assert_never
from urllib.parse import parse_qs, urlsplit

import serial

from drivers.receipt.models import by_id
from kiosk.core.devices import Fault

CHUNK = 4096
_SERIAL_AHEAD = 512
"""Bytes that the kernel may hold for a serial line: what it has is sent even after the printer said stop."""
_TCP_AHEAD = 16 * 1024
_STALE = 64 * 1024
_FAULTS = {
    errno.EBUSY: Fault.IN_USE,  # usblp and ttys with TIOCEXCL have one opener
    errno.EAGAIN: Fault.IN_USE,  # locked by another program
    errno.EACCES: Fault.PERMISSION,
    errno.EPERM: Fault.PERMISSION,
    errno.EISDIR: Fault.MISCONFIGURED,
    errno.ENOTTY: Fault.MISCONFIGURED,
    errno.ENOTDIR: Fault.MISCONFIGURED,
    errno.EINVAL: Fault.MISCONFIGURED,
}


class LinkLost(OSError):
    """The line is broken or was never there."""

    def __init__(self, message: str, fault: Fault = Fault.UNREACHABLE) -> None:
        super().__init__(message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Tcp:
    """``tcp://host:port``; port 9100 if none is given."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class SerialPort:
    """``serial:/dev/…?baud=115200``; ``&flow=rtscts`` where the printer's DTR is wired to our CTS."""

    path: str
    baud: int
    rtscts: bool = False


@dataclass(frozen=True, slots=True)
class DeviceFile:
    """``file:/dev/usb/lp0`` (usblp)."""

    path: str


Address = Tcp | SerialPort | DeviceFile


def parse_address(text: str) -> Address:
    """ValueError if it is no address of a receipt printer. All of them take ``?model=``."""
    parts = urlsplit(text)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if "model" in options:
        by_id(options.pop("model"))
    match parts.scheme:
        case "tcp" if parts.hostname and not options:
            return Tcp(parts.hostname, parts.port or 9100)
        case "file" if parts.path.startswith("/") and not options:
            return DeviceFile(parts.path)
        case "serial" if parts.path.startswith("/"):
            baud, flow = options.pop("baud", "115200"), options.pop("flow", "xonxoff")
            if flow in ("xonxoff", "rtscts") and not options:
                return SerialPort(parts.path, int(baud), flow == "rtscts")
        case _:
            pass
    raise ValueError("receipt printer address is tcp://host:port, serial:/path?baud=N&flow=rtscts or file:/path")


def wanted_model(text: str) -> str | None:
    """What an address says of the model."""
    return parse_qs(urlsplit(text).query).get("model", [None])[-1]


class _Device(Protocol):
    """What the standard library's sockets and files and pyserial's ports have in common."""

    def fileno(self) -> int: ...

    def close(self) -> None: ...


class Link:
    """One open line. Every method may raise LinkLost; then it is of no more use."""

    def __init__(self, address: Address, *, connect_s: float) -> None:
        self._address = address
        try:
            self._device = _open(address, connect_s)
        except (OSError, ValueError) as error:
            raise _lost("cannot open", error) from error
        self._number = self._device.fileno()
        try:
            self._prepare()
        except OSError as error:
            self.abort()
            raise _lost("cannot open", error) from error

    def _prepare(self) -> None:
        os.set_blocking(self._number, False)
        if isinstance(self._device, socket.socket):
            # What waits in the kernel cannot be overtaken by a question: little, so that answers come soon.
            self._device.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _TCP_AHEAD)
            self._device.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return
        fcntl.flock(self._number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with contextlib.suppress(BlockingIOError):  # what was said to somebody else
            for _ in range(_STALE // CHUNK):
                if not os.read(self._number, CHUNK):
                    break

    def exchange(self, data: memoryview | bytes, *, timeout_s: float) -> tuple[int, bytes]:
        """Send what the line takes of `data`, read what came; waits at most `timeout_s` for either."""
        try:
            room, timeout_s = self._room(timeout_s) if data else (0, timeout_s)
            poll = select.poll()
            poll.register(self._number, select.POLLIN | (select.POLLOUT if room else 0))
            ready = sum(event for _, event in poll.poll(timeout_s * 1000))
            sent = self._send(data[:room]) if room and ready & select.POLLOUT else 0
            received = self._receive() if ready & (select.POLLIN | select.POLLHUP | select.POLLERR) else b""
        except OSError as error:
            raise _lost("line broke", error) from error
        return sent, received

    def _room(self, timeout_s: float) -> tuple[int, float]:
        """Bytes that may be given to the kernel now, and how long to wait at most until it is worth asking again."""
        if not isinstance(self._address, SerialPort):
            return CHUNK, timeout_s
        waiting = struct.unpack("i", fcntl.ioctl(self._number, termios.TIOCOUTQ, bytes(4)))[0]
        half_empty_s = _SERIAL_AHEAD / 2 * 10 / self._address.baud
        return max(0, _SERIAL_AHEAD - waiting), timeout_s if waiting == 0 else min(timeout_s, half_empty_s)

    def _send(self, data: memoryview | bytes) -> int:
        with contextlib.suppress(BlockingIOError):
            return os.write(self._number, data)
        return 0

    def _receive(self) -> bytes:
        try:
            received = os.read(self._number, CHUNK)
        except BlockingIOError:
            return b""
        if received:
            return received
        if isinstance(self._address, DeviceFile):
            time.sleep(0.005)  # usblp hands on empty packets of printers that have nothing to say
            return b""
        raise LinkLost("printer hung up")

    def abort(self) -> None:
        """Close at once and throw away what the printer has not taken: it must not come out for somebody else."""
        with contextlib.suppress(OSError):  # broken already
            if isinstance(self._device, socket.socket):
                self._device.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif os.isatty(self._number):
                # without it, closing a serial line waits until the printer has paper
                _flush_output(self._number)
        with contextlib.suppress(OSError):
            self._device.close()


def _open(address: Address, connect_s: float) -> _Device:
    match address:
        case Tcp(host, port):
            return socket.create_connection((host, port), timeout=connect_s)
        case DeviceFile(path):
            number = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
            if stat.S_ISREG(os.fstat(number).st_mode):
                os.close(number)
                raise OSError(errno.ENOTTY, "an ordinary file")
            return os.fdopen(number, "r+b", buffering=0)
        case SerialPort(path, baud, rtscts):
            # Without xonxoff: the kernel would take those bytes out of answers too.
            return serial.Serial(path, baud, rtscts=rtscts)
        case _:
            assert_never(address)


def _flush_output(number: int) -> None:
    with contextlib.suppress(termios.error):  # the line is gone
        termios.tcflush(number, termios.TCOFLUSH)


def _lost(what: str, error: BaseException) -> LinkLost:
    """LinkLost with the fault of the system's error, which pyserial may hide behind its own."""
    cause: BaseException | None = error
    number = 0
    while cause is not None and not number:
        first = cause.args[0] if cause.args else None  # termios.error has no errno
        number = getattr(cause, "errno", None) or (first if isinstance(first, int) else 0)
        cause = cause.__cause__ or cause.__context__
    fault = _FAULTS.get(number, Fault.UNREACHABLE) if what == "cannot open" else Fault.UNREACHABLE
    return LinkLost(f"{what} ({errno.errorcode.get(number, type(error).__name__)})", fault)
