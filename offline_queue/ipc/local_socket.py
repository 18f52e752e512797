"""A unix socket by path, and whole frames over it with a deadline.

A socket's address holds 107 bytes and a data directory may be deeper, so both ends go through a directory descriptor.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kiosk.contract.frames import Frame, FrameError, FrameReader, encode_frame

_PIECE = 256 * 1024
_BACKLOG = 32


@contextmanager
def _short(path: Path) -> Iterator[str]:
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


def listen(path: Path) -> socket.socket:
    """A listening socket under `path`, for this user only. A socket left by a dead owner is replaced."""
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(path) as address:
            server.bind(address)
        path.chmod(0o600)
        server.listen(_BACKLOG)
    except OSError:
        server.close()
        raise
    return server


def connect(path: Path, *, seconds: float) -> socket.socket:
    """A connection; OSError if nobody listens."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        client.settimeout(seconds)
        with _short(path) as address:
            client.connect(address)
    except OSError:
        client.close()
        raise
    return client


class FrameSocket:
    """Whole frames over one connection. Every call has a total deadline, however slowly the peer dribbles."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reader = FrameReader()
        self._ready: list[Frame] = []

    def send(self, head: dict[str, Any], tail: bytes = b"", *, seconds: float) -> None:
        """Send one frame; FrameError if it is too large, OSError (TimeoutError) if the peer does not take it."""
        rest = memoryview(encode_frame(head, tail))
        end = time.monotonic() + seconds
        while rest:
            self._until(end)
            rest = rest[self._connection.send(rest[:_PIECE]) :]

    def receive(self, *, seconds: float) -> Frame | None:
        """The next frame, or None at the end of the connection; FrameError on nonsense, OSError when it breaks."""
        end = time.monotonic() + seconds
        while not self._ready:
            self._until(end)
            data = self._connection.recv(_PIECE)
            if not data:
                return None
            self._ready = self._reader.feed(data)
        return self._ready.pop(0)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _until(self, end: float) -> None:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline passed")
        self._connection.settimeout(left)


__all__ = ["FrameError", "FrameSocket", "connect", "listen"]
