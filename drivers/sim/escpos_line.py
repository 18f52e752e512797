"""The plug of the simulated thermal printer: a TCP port, a serial line or a device file, each with its own manners."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import socket
import tty
from pathlib import Path
from typing import Literal, Protocol

PathKind = Literal["tcp", "serial", "file"]
_READ = 4096


class Line(Protocol):
    """One plug. `plug` and `unplug` are the cable; a driver that comes and goes is seen in `serve`."""

    @property
    def address(self) -> str:
        """For a terminal's profile; known after the first `plug`."""
        ...

    @property
    def connected(self) -> bool:
        """Somebody can hear us."""
        ...

    def plug(self) -> None:
        """Be there."""
        ...

    def unplug(self) -> None:
        """Be gone; harmless when it is already."""
        ...

    def watched(self, *, room: int, standing: bool) -> dict[int, int]:
        """File descriptors and what to poll them for."""
        ...

    def serve(self, number: int, *, room: int) -> bytes | Literal["come", "gone"]:
        """Something happened on a descriptor: bytes, or a driver came or went."""
        ...

    def send(self, data: bytes) -> None:
        """Say something to whoever listens."""
        ...


class TcpLine:
    """An Ethernet interface with one connection at a time; a full printer makes its caller wait."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener: socket.socket | None = None
        self._peer: socket.socket | None = None

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self._port}"

    @property
    def connected(self) -> bool:
        return self._peer is not None

    def plug(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # A small window: a printer has kilobytes, and a driver must live with a line that backs up.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", self._port))
        listener.listen(4)
        listener.setblocking(False)
        self._port = listener.getsockname()[1]
        self._listener = listener

    def unplug(self) -> None:
        self._hang_up()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def watched(self, *, room: int, standing: bool) -> dict[int, int]:
        if self._peer is None:
            return {} if self._listener is None else {self._listener.fileno(): select.POLLIN}
        if room:
            return {self._peer.fileno(): select.POLLIN}
        # Full and standing still: nothing is read, but a driver that died makes place for the next one.
        return {self._peer.fileno(): select.POLLRDHUP} if standing else {}

    def serve(self, number: int, *, room: int) -> bytes | Literal["come", "gone"]:
        if self._peer is None and self._listener is not None and number == self._listener.fileno():
            with contextlib.suppress(BlockingIOError):  # the caller gave up between poll and accept
                self._peer, _ = self._listener.accept()
                self._peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return "come"
        elif self._peer is not None and number == self._peer.fileno():
            try:
                chunk = self._peer.recv(room)  # no room: only asked when the peer is gone
            except OSError:
                chunk = b""
            if not chunk:
                self._hang_up()
                return "gone"
            return chunk
        return b""

    def send(self, data: bytes) -> None:
        if self._peer is not None:
            with contextlib.suppress(OSError):  # nobody there to hear it: found at the next read
                self._peer.sendall(data)

    def _hang_up(self) -> None:
        if self._peer is not None:
            self._peer.close()
            self._peer = None


class PtyLine:
    """A pseudo-terminal behind a stable name. A serial line cannot make its caller wait and knows of no caller; a
    USB device file makes him wait, and does not know him either."""

    def __init__(self, name: Path, *, scheme: Literal["serial", "file"], options: str = "") -> None:
        self._name = name
        self._scheme = scheme
        self._options = options
        self._ours = self._theirs = -1

    @property
    def address(self) -> str:
        return f"{self._scheme}:{self._name}{self._options}"

    @property
    def connected(self) -> bool:
        return self._ours >= 0

    def plug(self) -> None:
        self._ours, self._theirs = pty.openpty()  # theirs stays open: a driver that goes does not hang up the line
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self._name.unlink(missing_ok=True)
        self._name.symlink_to(os.ttyname(self._theirs))

    def unplug(self) -> None:
        if self._ours >= 0:
            self._name.unlink(missing_ok=True)
            os.close(self._ours)
            os.close(self._theirs)
            self._ours = self._theirs = -1

    def watched(self, *, room: int, standing: bool) -> dict[int, int]:
        if self._ours < 0 or (self._scheme == "file" and not room):
            return {}
        return {self._ours: select.POLLIN}

    def serve(self, number: int, *, room: int) -> bytes | Literal["come", "gone"]:
        if number != self._ours:
            return b""
        with contextlib.suppress(BlockingIOError):
            return os.read(self._ours, _READ if self._scheme == "serial" else min(room, _READ))
        return b""

    def send(self, data: bytes) -> None:
        if self._ours >= 0:
            with contextlib.suppress(BlockingIOError):  # nobody reads: a wire forgets
                os.write(self._ours, data)


def plug(path: PathKind, *, folder: Path, port: int) -> Line:
    """The plug of that kind, not yet connected; ValueError for another word."""
    match path:
        case "tcp":
            return TcpLine(port)
        case "serial":
            return PtyLine(folder / "ttyPRINTER", scheme="serial", options="?baud=115200")
        case "file":
            return PtyLine(folder / "lp0", scheme="file")
        case _:
            raise ValueError("path is tcp, serial or file")
