"""Lines for simulated serial devices: a pty behind a stable name, or a loopback port like a serial server's."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import tty
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol

_CHUNK = 4096
_FORBIDDEN = Path("/sys/kernel/uevent_seqnum")
"""A file of the kernel that nobody may open for writing, root neither: open(2) says EACCES."""


class Plugging(StrEnum):
    """How a line comes back."""

    FREE = "free"
    HELD = "held"
    """Another program is faster and has it."""
    FORBIDDEN = "forbidden"
    """The terminal's user may not open it: a udev rule is missing."""


class Port(Protocol):
    """One line, our end. Not thread safe."""

    @property
    def plugged(self) -> bool:
        """Is it there?"""
        ...

    def plug(self, how: Plugging = Plugging.FREE) -> str:
        """Be there; path or host and port."""
        ...

    def unplug(self) -> None:
        """Be gone; harmless when it is."""
        ...

    def numbers(self) -> list[int]:
        """File descriptors to wait for."""
        ...

    def receive(self, ready: Sequence[int]) -> bytes:
        """What came over those that are ready; empty: nothing, or nobody there."""
        ...

    def send(self, data: bytes) -> None:
        """To whoever listens."""
        ...


class PtyPort:
    """A pty. `name` is a symbolic link to it, as udev makes for real ports; it is another pty after each plugging."""

    def __init__(self, name: Path) -> None:
        self._name = name
        self._ours = self._theirs = -1

    @property
    def plugged(self) -> bool:
        """Is it there?"""
        return self._ours >= 0

    def plug(self, how: Plugging = Plugging.FREE) -> str:
        """A new pty under the old name."""
        self.unplug()
        # Their end stays open here too: a pty without anybody at its other end gives errors instead of silence.
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._ours)
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        if how is Plugging.HELD:
            fcntl.flock(self._theirs, fcntl.LOCK_EX)  # as every polite serial program does
        self._name.parent.mkdir(parents=True, exist_ok=True)
        self._name.symlink_to(_FORBIDDEN if how is Plugging.FORBIDDEN else os.ttyname(self._theirs))
        return str(self._name)

    def unplug(self) -> None:
        """Both ends and the name."""
        self._name.unlink(missing_ok=True)
        for number in (self._ours, self._theirs):
            if number >= 0:
                os.close(number)
        self._ours = self._theirs = -1

    def numbers(self) -> list[int]:
        """Our end."""
        return [self._ours] if self.plugged else []

    def receive(self, ready: Sequence[int]) -> bytes:
        """What was written to it."""
        if self._ours not in ready:
            return b""
        with contextlib.suppress(OSError):  # unplugged since
            return os.read(self._ours, _CHUNK)
        return b""

    def send(self, data: bytes) -> None:
        """Lost, if it was unplugged since, or if nobody reads and the line is full."""
        if self.plugged and data:
            with contextlib.suppress(OSError):
                os.write(self._ours, data)


class TcpPort:
    """A loopback port; one peer at a time, the newest."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._listener: socket.socket | None = None
        self._peer: socket.socket | None = None

    @property
    def plugged(self) -> bool:
        """Does it listen?"""
        return self._listener is not None

    def plug(self, how: Plugging = Plugging.FREE) -> str:
        """Listen, always on the same port."""
        if how is not Plugging.FREE:
            raise ValueError("a serial server is free for all")
        self.unplug()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        listener.listen(4)
        listener.setblocking(False)
        self._port = listener.getsockname()[1]
        self._listener = listener
        return f"//127.0.0.1:{self._port}"

    def unplug(self) -> None:
        """Hang up and listen no more."""
        for end in (self._peer, self._listener):
            if end is not None:
                end.close()
        self._peer = self._listener = None

    def numbers(self) -> list[int]:
        """Listener and peer."""
        return [end.fileno() for end in (self._listener, self._peer) if end is not None]

    def receive(self, ready: Sequence[int]) -> bytes:
        """What the peer sent; a new peer takes the place of the old one."""
        if self._listener is not None and self._listener.fileno() in ready:
            with contextlib.suppress(BlockingIOError):  # the caller gave up between select and accept
                peer, _ = self._listener.accept()
                if self._peer is not None:
                    self._peer.close()
                self._peer = peer
            return b""
        if self._peer is None or self._peer.fileno() not in ready:
            return b""
        with contextlib.suppress(OSError):
            if data := self._peer.recv(_CHUNK):
                return data
        self._peer.close()
        self._peer = None
        return b""

    def send(self, data: bytes) -> None:
        """Lost, if the peer is gone."""
        if self._peer is not None and data:
            with contextlib.suppress(OSError):
                self._peer.sendall(data)
