"""Bytes to and from a SAM_V module: serial line, TCP, or escape commands of a PC/SC reader. What they mean: `sam_v`."""

from __future__ import annotations

import contextlib
import errno
import socket
import termios
import time
from contextlib import AbstractContextManager
from typing import Protocol, assert_never

import serial

from drivers.idcard.address import EscapeAddress, SerialAddress, SocketAddress
from drivers.idcard.sam_v import OF_THE_LINE, Answer, Command, FrameSearch
from drivers.pcsc.card import PcscFailure
from drivers.pcsc.reader import ConnectedReader, connected_reader
from kiosk.core.devices import DeviceError, Fault

CONNECT_S = 2.0
GAP_S = 0.25
"""A frame that has begun and stands still for so long is torn; at 9600 baud a byte takes 1 ms."""
TRIES = 3
"""Of a question whose answer came damaged; asking again does no harm."""
_NOISE = "noise"
_CHUNK = 4096
_FAULTS = {
    errno.EACCES: Fault.PERMISSION,
    errno.EPERM: Fault.PERMISSION,
    errno.EBUSY: Fault.IN_USE,
    errno.EAGAIN: Fault.IN_USE,  # another process has the lock on the line
}


class WireFailure(Exception):
    """The module cannot be talked to."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(fault)
        self.error = DeviceError(fault, detail)


class Wire(Protocol):
    """An open way to a module; every method raises WireFailure."""

    def forget(self) -> None:
        """Drop whatever came unasked."""
        ...

    def send(self, data: bytes) -> None:
        """All of it."""
        ...

    def receive(self, wait_s: float) -> bytes:
        """What has come, after at most so long; empty: nothing."""
        ...

    def close(self) -> None:
        """Give it back; never raises."""
        ...


def open_wire(address: SerialAddress | SocketAddress | EscapeAddress, *, escape: int = 1) -> Wire:
    """WireFailure. `escape` is the function number of the reader's profile."""
    match address:
        case SerialAddress():
            return _SerialWire(address)
        case SocketAddress():
            return _SocketWire(address)
        case EscapeAddress():
            return _EscapeWire(address, escape)
        case _:
            assert_never(address)


def ask(wire: Wire, command: Command) -> Answer:
    """One command and its answer, asked again when either was damaged on the way; WireFailure."""
    trouble = ""
    for _ in range(TRIES):
        answer, damage = _ask_once(wire, command)
        if answer is not None and answer.status not in OF_THE_LINE:
            return answer
        if answer is None and not damage:
            raise WireFailure(Fault.TIMEOUT, "module does not answer")
        if damage is _NOISE:  # not one frame in all that time: it speaks at another speed
            break
        trouble = damage or "module got a damaged frame"
    raise WireFailure(Fault.PROTOCOL, trouble or _NOISE)


def _ask_once(wire: Wire, command: Command) -> tuple[Answer | None, str]:
    """The answer, or what is wrong with it; neither: silence."""
    wire.forget()
    wire.send(command.frame())
    search, ends, heard = FrameSearch(), time.monotonic() + command.deadline_s, False
    while (left := ends - time.monotonic()) > 0:
        data = wire.receive(min(left, GAP_S) if search.torn else left)
        heard = heard or bool(data)
        if search.torn and not data:
            break
        for found in search.feed(data):
            if isinstance(found, Answer):
                return found, ""
            return None, f"answer with a bad {found}"
    if search.torn:
        return None, "half an answer"
    return None, _NOISE if heard else ""


class _SerialWire:
    def __init__(self, address: SerialAddress) -> None:
        try:
            self._port = serial.Serial(address.path, address.baud, timeout=0, write_timeout=CONNECT_S, exclusive=True)
        except (OSError, serial.SerialException) as error:
            raise _failure(error) from None

    def forget(self) -> None:
        with _translated():
            self._port.reset_input_buffer()

    def send(self, data: bytes) -> None:
        with _translated():
            self._port.write(data)

    def receive(self, wait_s: float) -> bytes:
        with _translated():
            self._port.timeout = wait_s
            first: bytes = self._port.read(1)  # waits; the rest is what is there by then
            self._port.timeout = 0
            return first + self._port.read(_CHUNK) if first else b""

    def close(self) -> None:
        with contextlib.suppress(OSError, serial.SerialException):  # unplugged
            self._port.close()


class _SocketWire:
    def __init__(self, address: SocketAddress) -> None:
        with _translated():
            self._socket = socket.create_connection((address.host, address.port), CONNECT_S)

    def forget(self) -> None:
        with _translated():
            self._socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while self._socket.recv(_CHUNK):
                    pass
                raise ConnectionResetError("hung up")

    def send(self, data: bytes) -> None:
        with _translated():
            self._socket.settimeout(CONNECT_S)
            self._socket.sendall(data)

    def receive(self, wait_s: float) -> bytes:
        with _translated():
            self._socket.settimeout(max(0.001, wait_s))
            try:
                data = self._socket.recv(_CHUNK)
            except TimeoutError:
                return b""
            if not data:
                raise ConnectionResetError("hung up")
            return data

    def close(self) -> None:
        self._socket.close()


class _EscapeWire:
    """The reader is held without a card (SCARD_SHARE_DIRECT); each command is one exchange."""

    def __init__(self, address: EscapeAddress, function: int) -> None:
        self._function = function
        self._answer = b""
        self._held: AbstractContextManager[ConnectedReader] = connected_reader(address.pcsc)
        with _translated():
            self._reader = self._held.__enter__()

    def forget(self) -> None:
        self._answer = b""

    def send(self, data: bytes) -> None:
        with _translated():
            self._answer = self._reader.escape(self._function, data)

    def receive(self, wait_s: float) -> bytes:
        if not self._answer:
            time.sleep(wait_s)
        answer, self._answer = self._answer, b""
        return answer

    def close(self) -> None:
        self._held.__exit__(None, None, None)


class _translated(contextlib.AbstractContextManager[None]):
    """Whatever a library raises becomes WireFailure."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        match error:
            case PcscFailure():
                raise WireFailure(error.error.fault, error.error.detail) from None
            case OSError():  # serial.SerialException is one
                raise _failure(error) from None
            case termios.error(args=(int() as number, *_)):  # pyserial lets it through when the line is gone
                raise _failure(OSError(number, "")) from None
            case _:
                pass


def _failure(error: OSError) -> WireFailure:
    """By its number; pyserial keeps it for some and forgets it for others."""
    number = error.errno or getattr(error.__cause__ or error.__context__, "errno", None)
    return WireFailure(_FAULTS.get(number or 0, Fault.UNREACHABLE), errno.errorcode.get(number or 0, ""))
