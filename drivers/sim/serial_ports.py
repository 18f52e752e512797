"""Lines for simulated serial devices: a pty behind a stable name, or a loopback port like a serial server's."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import tty
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

_CHUNK = 4096


class Port(Protocol):
    """One line, our end. Not thread safe."""

    @property
    def plugged(self) -> bool:
        """Is it there?"""
        ...

    def plug(self, *, held: bool = False) -> str:
        """Be there; path or host and port. `held`: another program has it."""
        ...

    def release(self) -> None:
        """The other program is gone."""
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
        self._ours = self._theirs = self._held = -1

    @property
    def plugged(self) -> bool:
        """Is it there?"""
        return self._ours >= 0

    def plug(self, *, held: bool = False) -> str:
        """A new pty under the old name."""
        self.unplug()
        # Their end stays open here too: a pty without anybody at its other end gives errors instead of silence.
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._ours)
        tty.setraw(self._theirs)
        path = os.ttyname(self._theirs)
        if held:
            self._held = os.open(path, os.O_RDWR | os.O_NOCTTY)
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._name.parent.mkdir(parents=True, exist_ok=True)
        self._name.symlink_to(path)
        return str(self._name)

    def release(self) -> None:
        """The other program is gone."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def unplug(self) -> None:
        """Both ends and the name."""
        self._name.unlink(missing_ok=True)
        self.release()
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
        """Lost, if it was unplugged since."""
        if self.plugged:
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

    def plug(self, *, held: bool = False) -> str:
        """Listen, always on the same port."""
        if held:
            raise ValueError("a serial server is never held")
        self.unplug()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        listener.listen(4)
        listener.setblocking(False)
        self._port = listener.getsockname()[1]
        self._listener = listener
        return f"//127.0.0.1:{self._port}"

    def release(self) -> None:
        """Nobody holds it."""

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
        if self._peer is not None:
            with contextlib.suppress(OSError):
                self._peer.sendall(data)
