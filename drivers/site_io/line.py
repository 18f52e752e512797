"""The line to an I/O board: bytes with bounded waits, a serial port (pyserial opens it) or a serial server's socket."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Callable
from typing import assert_never

import serial

from drivers.site_io.address import Address, SerialPort, SerialServer
from drivers.site_io.protocol import MOST_BYTES, silence_s
from kiosk.core.devices import DeviceError, Fault

_PAUSE_S = 0.05
"""A frame that stops for so long has ended: USB adapters deliver in lumps of 16 ms."""
_NETWORK_PAUSE_S = 0.15
_NETWORK_BAUD = 9600
"""What a serial server is taken to speak on its far side."""
_FAULTS = {
    errno.EACCES: Fault.PERMISSION,
    errno.EPERM: Fault.PERMISSION,
    errno.EAGAIN: Fault.IN_USE,  # somebody has locked it
    errno.EBUSY: Fault.IN_USE,
}


class BoardTrouble(Exception):
    """What keeps us from the board; ends this contact with it."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.error = DeviceError(fault, detail)


class LineLost(BoardTrouble):
    """There is no line, or no longer."""


def fault_of(number: int | None) -> Fault:
    """By error number: what keeps a line from being opened."""
    return _FAULTS.get(number or 0, Fault.UNREACHABLE)


class Line:
    """One open line. Every method may raise LineLost; then it is of no more use."""

    def __init__(self, number: int, hang_up: Callable[[], None], *, baud: int, pause_s: float) -> None:
        """`number`: file descriptor, made non-blocking here."""
        os.set_blocking(number, False)
        self._number = number
        self._hang_up = hang_up
        self.baud = baud
        self.pause_s = pause_s

    def send(self, data: bytes, *, timeout_s: float) -> None:
        """All of it."""
        ends = time.monotonic() + timeout_s
        while data:
            if not self._ready(select.POLLOUT, ends - time.monotonic()):
                raise LineLost(Fault.UNREACHABLE, "line takes no more bytes")
            try:
                data = data[os.write(self._number, data) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise _broken(error) from error

    def receive(self, *, timeout_s: float) -> bytes:
        """What comes first; empty when nothing comes in time."""
        if not self._ready(select.POLLIN, timeout_s):
            return b""
        try:
            data = os.read(self._number, MOST_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise _broken(error) from error
        if not data:
            raise LineLost(Fault.UNREACHABLE, "line hung up")
        return data

    def wait_for_silence(self, *, most_s: float) -> None:
        """Throw away what comes until nothing came for the time that frames are apart. A line that never falls
        silent is not waited for longer than `most_s`."""
        ends = time.monotonic() + most_s
        while self.receive(timeout_s=silence_s(self.baud)) and time.monotonic() < ends:
            pass

    def close(self) -> None:
        """Hang up."""
        self._hang_up()

    def _ready(self, event: int, timeout_s: float) -> bool:
        poll = select.poll()
        poll.register(self._number, event)
        return bool(poll.poll(max(0.0, timeout_s) * 1000))


def open_line(address: Address, *, connect_s: float) -> Line:
    """LineLost with the reason: UNREACHABLE, PERMISSION or IN_USE."""
    try:
        match address:
            case SerialPort(path, baud, parity):
                port = serial.Serial(path, baud, parity=parity, timeout=0, exclusive=True)
                return Line(port.fileno(), port.close, baud=baud, pause_s=_PAUSE_S)
            case SerialServer(host, number):
                peer = socket.create_connection((host, number), timeout=connect_s)
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return Line(peer.fileno(), peer.close, baud=_NETWORK_BAUD, pause_s=_NETWORK_PAUSE_S)
            case _:
                assert_never(address)
    except (serial.SerialException, OSError) as error:
        raise LineLost(fault_of(error.errno), f"cannot open ({_name(error)})") from error


def _broken(error: OSError) -> LineLost:
    return LineLost(Fault.UNREACHABLE, f"line broke ({_name(error)})")


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, type(error).__name__)
