"""The open line to a scanner: bytes with a bounded wait, which another thread may cut short."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import termios
from typing import assert_never

import serial

from drivers.scanner.address import SerialPort, SerialServer
from drivers.scanner.status import fault_of
from kiosk.core.devices import Fault

_CHUNK = 4096
_CONNECT_S = 2.0
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 5), (socket.TCP_KEEPINTVL, 2), (socket.TCP_KEEPCNT, 2))
"""A scanner is silent for hours: without it nobody would notice that the serial server was switched off."""


class LineLost(OSError):
    """The line is broken, or cannot be opened."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault = fault
        self.detail = detail


class Line:
    """Opened by the constructor. Every method may raise LineLost; then only `close` is of use."""

    def __init__(self, address: SerialPort | SerialServer) -> None:
        self._device = _open(address)
        self._number: int = self._device.fileno()
        os.set_blocking(self._number, False)
        self._woken, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._number, select.POLLIN)
        self._poll.register(self._woken, select.POLLIN)

    def read(self, timeout_s: float | None) -> bytes:
        """What came; empty after `timeout_s` (None: without end) or when `wake` was called."""
        ready = dict(self._poll.poll(None if timeout_s is None else max(0.0, timeout_s) * 1000))
        if self._woken in ready:
            os.read(self._woken, 64)
        if self._number not in ready:
            return b""
        try:
            data = os.read(self._number, _CHUNK)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LineLost(Fault.UNREACHABLE, f"line broke ({_name(error.errno)})") from error
        if not data:
            raise LineLost(Fault.UNREACHABLE, "line hung up")
        return data

    def write(self, data: bytes) -> None:
        """Send a few bytes; a line that takes none loses them, as a serial line does."""
        try:
            os.write(self._number, data)
        except BlockingIOError:
            return
        except OSError as error:
            raise LineLost(Fault.UNREACHABLE, f"line broke ({_name(error.errno)})") from error

    def wake(self) -> None:
        """End the wait of `read`, from any thread."""
        with contextlib.suppress(OSError):  # closed just now, or woken a thousand times already
            os.write(self._waker, b"!")

    def close(self) -> None:
        """Give it back."""
        with contextlib.suppress(OSError):
            self._device.close()
        os.close(self._woken)
        os.close(self._waker)


def _open(address: SerialPort | SerialServer) -> serial.Serial | socket.socket:
    match address:
        case SerialPort(path, baud):
            return _open_port(path, baud)
        case SerialServer(host, port):
            try:
                link = socket.create_connection((host, port), timeout=_CONNECT_S)
            except OSError as error:
                raise LineLost(Fault.UNREACHABLE, f"cannot connect ({_name(error.errno)})") from error
            link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _KEEP_ALIVE:
                link.setsockopt(socket.IPPROTO_TCP, option, value)
            return link
        case _:
            assert_never(address)


def _open_port(path: str, baud: int) -> serial.Serial:
    """8N1, no flow control, for us alone."""
    try:
        return serial.Serial(path, baud, timeout=0, exclusive=True)
    except (OSError, termios.error) as error:
        number = error.errno if isinstance(error, OSError) else error.args[0]
        if number is None:  # pyserial drops the number of what went wrong while it set the port up: it is no tty
            number = errno.ENOTTY
        raise LineLost(fault_of(number), f"cannot open ({_name(number)})") from error


def _name(number: int | None) -> str:
    return errno.errorcode.get(number or 0, "no answer")
