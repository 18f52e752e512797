"""A blocking client for sockets that answer one frame per request: screens and simulated hardware."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from kiosk.contract.frames import Frame, FrameReader, encode_frame


class RemoteError(RuntimeError):
    """The other side refused, or is not there."""


class Remote:
    """One connection per request: the other process may be killed and be back at any time."""

    def __init__(self, path: Path, *, timeout_s: float = 10.0) -> None:
        self._path = path
        self._timeout_s = timeout_s

    def do(self, verb: str, tail: bytes = b"", **arguments: Any) -> tuple[dict[str, Any], bytes]:
        """Head and tail of the answer; RemoteError if there is none or it says no."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(self._timeout_s)
                connection.connect(str(self._path))
                connection.sendall(encode_frame({"do": verb, **arguments}, tail))
                frame = _receive(connection)
        except OSError as error:
            raise RemoteError(f"{verb}: {error.strerror or error}") from None
        if not frame.head.get("ok"):
            raise RemoteError(f"{verb}: {frame.head.get('error', 'refused')}")
        return frame.head, frame.tail


def _receive(connection: socket.socket) -> Frame:
    reader = FrameReader()
    while data := connection.recv(1 << 20):
        for frame in reader.feed(data):
            return frame
    raise RemoteError("connection closed without an answer")
