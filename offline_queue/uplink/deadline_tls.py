"""TLS sockets with one deadline for a whole exchange.

A read timeout starts anew with every byte, so a peer that drips one byte a second holds a caller for ever. Here each
handshake, read and write gets only what is left until the context's deadline.
"""

from __future__ import annotations

import errno
import ssl
import time
import weakref
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from typing_extensions import Buffer

from offline_queue.uplink.tcp import Flight, flight_of

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME (openssl/x509_vfy.h)."""


class DeadlineSocket(ssl.SSLSocket):
    """Waits no longer than its context's deadline."""

    def getpeername(self) -> Any:
        """The standard library forgets to close a socket whose peer hung up before the handshake, as it learns by this
        call; so it is closed here."""
        try:
            return super().getpeername()
        except OSError:
            if self.version() is not None:
                raise
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, "hung up before the handshake") from None

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands in the time that is left."""
        self._limit()
        super().do_handshake(block)
        context = self.context
        if isinstance(context, DeadlineContext):
            if context.floor is not None:
                context.floor_reached(self.getpeercert() or {})
            context.connected = weakref.ref(self)

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
    floor: datetime | None = None
    connected: weakref.ref[DeadlineSocket] | None = None
    """The connection that was opened last."""

    def flight(self) -> Flight | None:
        """What the connection has on the way; None: there is none, or nobody knows."""
        connection = self.connected() if self.connected is not None else None
        return None if connection is None else flight_of(connection)

    def without_clock(self, floor: datetime) -> None:
        """The machine's clock is dead: certificates are not held against it, but must be good after `floor`.

        Whoever answers still has to hold a key under our one CA.
        """
        self.verify_flags = ssl.VerifyFlags(self.verify_flags | _NO_CHECK_TIME)
        self.floor = floor

    def floor_reached(self, peer: Mapping[str, Any]) -> None:
        """SSLCertVerificationError for a certificate that had ended before the floor."""
        ends = ssl.cert_time_to_seconds(str(peer.get("notAfter", "Jan  1 00:00:00 1970 GMT")))
        if self.floor is not None and ends < self.floor.timestamp():
            raise ssl.SSLCertVerificationError("certificate ended before this software was built")

    def start(self, seconds: float) -> None:
        """The exchange that begins now may take this long."""
        self._end = time.monotonic() + seconds

    def prolong(self, seconds: float) -> None:
        """We let others go first for so long; that is not the other end's fault."""
        self._end += seconds

    def left(self) -> float:
        """Seconds left; TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline passed")
        return left

    def expired(self) -> bool:
        """Is the time over?"""
        return time.monotonic() >= self._end
