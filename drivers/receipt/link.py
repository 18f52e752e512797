"""The line to the printer: a python-escpos printer holds it, bytes move on its file descriptor.

Why not python-escpos' own `_raw` and `_read` (3.1): `sendall` loses count of what was sent when it times out, the
serial port blocks without end while the printer waits for paper, `File` cannot read, and `_read` takes automatic
status for an answer. Here every step is bounded and counted.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
from dataclasses import dataclass
from typing import Any, assert_never
from urllib.parse import parse_qs, urlsplit

from escpos.exceptions import Error as EscposError
from escpos.printer import File, Network, Serial

CHUNK = 4096


class LinkLost(OSError):
    """The line is broken or was never there."""


@dataclass(frozen=True, slots=True)
class Tcp:
    """``tcp://host:port``; port 9100 if none is given."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class SerialPort:
    """``serial:/dev/…?baud=115200``."""

    path: str
    baud: int


@dataclass(frozen=True, slots=True)
class DeviceFile:
    """``file:/dev/usb/lp0``."""

    path: str


Address = Tcp | SerialPort | DeviceFile


def parse_address(text: str) -> Address:
    """ValueError if it is no address of a receipt printer."""
    parts = urlsplit(text)
    match parts.scheme:
        case "tcp" if parts.hostname:
            return Tcp(parts.hostname, parts.port or 9100)
        case "serial" if parts.path.startswith("/"):
            return SerialPort(parts.path, int(parse_qs(parts.query).get("baud", ["115200"])[0]))
        case "file" if parts.path.startswith("/"):
            return DeviceFile(parts.path)
        case _:
            raise ValueError("receipt printer address is tcp://host:port, serial:/path?baud=N or file:/path")


class Link:
    """One open line. Every method may raise LinkLost; then it is of no more use."""

    def __init__(self, address: Address, *, connect_s: float) -> None:
        self._printer: Any = _printer(address, connect_s)
        try:
            match address:
                case Tcp(host, port):  # python-escpos knows IPv4 only and leaks the socket of a vain attempt
                    self._printer.device = socket.create_connection((host, port), timeout=connect_s)
                case DeviceFile(path):  # python-escpos opens for writing only, and usblp opens only once
                    number = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
                    self._printer.device = os.fdopen(number, "r+b", buffering=0)
                case SerialPort():
                    self._printer.open()
                case _:
                    assert_never(address)
        except (EscposError, OSError, ValueError) as error:
            self._printer.device = False
            raise LinkLost(f"cannot open ({type(error).__name__})") from error
        self._number: int = self._printer.device.fileno()
        os.set_blocking(self._number, False)

    def exchange(self, data: memoryview | bytes, *, timeout_s: float) -> tuple[int, bytes]:
        """Send what the line takes of `data`, read what came; waits at most `timeout_s` for either."""
        poll = select.poll()
        poll.register(self._number, select.POLLIN | (select.POLLOUT if data else 0))
        try:
            ready = sum(event for _, event in poll.poll(timeout_s * 1000))
            sent = self._send(data) if data and ready & select.POLLOUT else 0
            received = self._receive() if ready & (select.POLLIN | select.POLLHUP | select.POLLERR) else b""
        except OSError as error:
            raise LinkLost(f"line broke ({type(error).__name__})") from error
        return sent, received

    def _send(self, data: memoryview | bytes) -> int:
        with contextlib.suppress(BlockingIOError):
            return os.write(self._number, data[:CHUNK])
        return 0

    def _receive(self) -> bytes:
        try:
            received = os.read(self._number, CHUNK)
        except BlockingIOError:
            return b""
        if not received:
            raise LinkLost("printer hung up")
        return received

    def abort(self) -> None:
        """Close at once and throw away what the printer has not taken: it must not come out for somebody else."""
        device = self._printer.device
        with contextlib.suppress(OSError):  # broken already
            if isinstance(device, socket.socket):
                device.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif hasattr(device, "reset_output_buffer"):
                device.reset_output_buffer()  # without it, closing waits until the printer has paper
        self._printer.device = False
        with contextlib.suppress(OSError):
            device.close()


def _printer(address: Address, connect_s: float) -> Any:
    match address:
        case Tcp(host, port):
            return Network(host, port, timeout=connect_s)
        case SerialPort(path, baud):
            return Serial(path, baud, timeout=connect_s, dsrdtr=False)
        case DeviceFile(path):
            return File(path)
        case _:
            assert_never(address)
