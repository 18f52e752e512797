"""The other end of `ifdsim.c`: a card reader with its slot, served over a unix socket."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Protocol

_COMMAND = struct.Struct(">cH")
_ANSWER = struct.Struct(">BH")


class Code(IntEnum):
    """How a command to the card ended, as `ifdsim.c` numbers it."""

    DONE = 0
    COMMUNICATION_ERROR = 1
    TIMEOUT = 2
    GONE = 3
    MUTE = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """From card or reader."""

    code: Code
    data: bytes = b""


class Card(Protocol):
    """What lies in the slot."""

    def power_up(self) -> bytes:
        """Answer to reset; empty from a card that is mute."""
        ...

    def transmit(self, apdu: bytes) -> Answer:
        """Answer to one command."""
        ...


Escape = Callable[[int, bytes], Answer]
"""What a reader does with an escape command: control code and data."""


def no_escape(_code: int, _data: bytes) -> Answer:
    """A reader that knows none."""
    return Answer(Code.COMMUNICATION_ERROR)


class VirtualReader:
    """Listens where the IFD handler of any number of pcscd, one after another, dials in.

    `escape` takes its escape commands; `attributes` are what it says of itself, by PC/SC tag; `cut` is a broken cable:
    the service keeps the reader in its list and gets no answer; `shy`: cards in it are not shown to the service.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.escape: Escape = no_escape
        self.attributes: dict[int, bytes] = {}
        self.cut = False
        self.shy = False
        self._lock = threading.Lock()
        self._card: Card | None = None
        self._connections: set[socket.socket] = set()
        self._watchers: set[socket.socket] = set()
        self._listener: socket.socket | None = None

    def start(self) -> None:
        """Listen."""
        self.path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(16)
        threading.Thread(target=self._accept, args=(self._listener,), name="ifd", daemon=True).start()

    def stop(self) -> None:
        """Hang up on everybody."""
        listener, self._listener = self._listener, None
        if listener is not None:
            _hang_up(listener)
            self.path.unlink(missing_ok=True)
        with self._lock:
            connections = tuple(self._connections)
        for connection in connections:
            _hang_up(connection)

    @property
    def card(self) -> Card | None:
        """What lies there."""
        with self._lock:
            return self._card

    def insert(self, card: Card) -> None:
        """Lay a card on the reader; one that lies there is taken away at the same moment (fast swap)."""
        with self._lock:
            swapped = self._card is not None
            self._card = card
            self._announce(b"\0\1" if swapped else b"\1")

    def lift(self) -> None:
        """Take the card away."""
        with self._lock:
            if self._card is not None:
                self._card = None
                self._announce(b"\0")

    def _announce(self, presence: bytes) -> None:
        if self.shy:
            return
        for watcher in self._watchers:
            with contextlib.suppress(OSError):  # that pcscd is gone; its thread forgets the connection
                watcher.sendall(presence)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed by stop()
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name="ifd-peer", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            match _receive(connection, 1):
                case b"P":
                    self._watch(connection)
                case b"C":
                    self._obey(connection)
        except OSError:
            pass  # pcscd was killed; the next one dials in anew
        finally:
            with self._lock:
                self._connections.discard(connection)
                self._watchers.discard(connection)
            connection.close()

    def _watch(self, connection: socket.socket) -> None:
        with self._lock:
            connection.sendall(b"\0" if self._card is None or self.shy else b"\1")
            self._watchers.add(connection)
        while connection.recv(1):
            pass

    def _obey(self, connection: socket.socket) -> None:
        while head := _receive(connection, _COMMAND.size):
            op, length = _COMMAND.unpack(head)
            data = _receive(connection, length)
            if self.cut:
                return
            answer = self._answer(op, data)
            connection.sendall(_ANSWER.pack(answer.code, len(answer.data)) + answer.data)

    def _answer(self, op: bytes, data: bytes) -> Answer:
        card = self.card
        match op:
            case b"D":
                return Answer(Code.DONE)
            case b"X":
                return self.escape(int.from_bytes(data[:4], "big"), data[4:])
            case b"A":
                value = self.attributes.get(int.from_bytes(data[:4], "big"))
                return Answer(Code.COMMUNICATION_ERROR) if value is None else Answer(Code.DONE, value)
            case _ if card is None:
                return Answer(Code.GONE)
            case b"U":
                atr = card.power_up()
                return Answer(Code.DONE, atr) if atr else Answer(Code.MUTE)
            case _:
                answer = card.transmit(data)
                # Pulled while it was answering: nothing of the answer arrives.
                return answer if self.card is card else Answer(Code.GONE)


def _receive(connection: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes, or nothing at the end of the stream."""
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            return b""
        data += more
    return data


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the peer was faster
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
