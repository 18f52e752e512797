"""TLS sockets with one deadline for a whole exchange.

A read timeout starts anew with every byte, so a peer that drips one byte a second holds a caller for ever. Here each
handshake, read and write gets only what is left until the context's deadline.
"""

from __future__ import annotations

import ssl
import time
from typing import Any

from typing_extensions import Buffer


class DeadlineSocket(ssl.SSLSocket):
    """Waits no longer than its context's deadline."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands in the time that is left."""
        self._limit()
        super().do_handshake(block)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002 - the standard library's name
        """Read in the time that is left; `recv` and `recv_into` come here."""
        self._limit()
        return super().read(len, buffer)

    def send(self, data: Buffer, flags: int = 0) -> int:
        """Write in the time that is left; `sendall` comes here."""
        self._limit()
        return super().send(data, flags)

    def _limit(self) -> None:
        context = self.context
        if isinstance(context, DeadlineContext):
            self.settimeout(context.left())


class DeadlineContext(ssl.SSLContext):
    """A client context: TLS 1.3, one CA, our certificate. For one exchange at a time."""

    sslsocket_class = DeadlineSocket
    _end: float = 0.0

    def start(self, seconds: float) -> None:
        """The exchange that begins now may take this long."""
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left; TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline passed")
        return left

    def expired(self) -> bool:
        """Is the time over?"""
        return time.monotonic() >= self._end
