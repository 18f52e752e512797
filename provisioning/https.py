"""One HTTPS request with a total deadline, standard library only; proxies and environment are ignored.

A socket timeout bounds one read, not a peer that sends a byte a second; here a timer shuts the line when time is up.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

MAX_ANSWER = 256 * 1024


class Unreachable(OSError):
    """No usable answer in time; the message says why, in words of the system."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status and body."""

    status: int
    body: bytes


def unverified() -> ssl.SSLContext:
    """Trusts anybody: only for fetching a certificate whose hash is known from elsewhere."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def trusting(root_pem: str) -> ssl.SSLContext:
    """Trusts this root and nobody else; ssl.SSLError if it is no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=root_pem)
    return context


def ask(url: str, *, context: ssl.SSLContext, body: bytes | None = None, deadline_s: float = 20.0) -> HttpAnswer:
    """GET, or POST of a JSON body. Redirects are answers, not orders. Raises Unreachable."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    ends = time.monotonic() + deadline_s
    try:
        with _line(host, port, context, ends) as line:
            connection = http.client.HTTPConnection(host, port)
            connection.sock = line
            headers = {"Connection": "close", "Accept": "application/json"}
            if body is not None:
                headers["Content-Type"] = "application/json"
            connection.request("GET" if body is None else "POST", parts.path, body=body, headers=headers)
            answer = connection.getresponse()
            read = answer.read(MAX_ANSWER + 1)
    except (OSError, http.client.HTTPException) as error:
        late = time.monotonic() >= ends
        raise Unreachable("no answer in time" if late else str(error) or type(error).__name__) from None
    if len(read) > MAX_ANSWER:
        raise Unreachable("the answer is far too long")
    return HttpAnswer(answer.status, read)


@contextmanager
def _line(host: str, port: int, context: ssl.SSLContext, ends: float) -> Iterator[ssl.SSLSocket]:
    left = max(0.01, ends - time.monotonic())
    with socket.create_connection((host, port), timeout=left) as raw:
        # The guard is the same connection under another descriptor: shutting it wakes any read or handshake.
        guard = socket.socket(fileno=os.dup(raw.fileno()))
        timer = threading.Timer(max(0.01, ends - time.monotonic()), _shut, (guard,))
        timer.daemon = True
        timer.start()
        try:
            with context.wrap_socket(raw, server_hostname=host) as line:
                yield line
        finally:
            timer.cancel()
            timer.join()
            guard.close()


def _shut(line: socket.socket) -> None:
    with suppress(OSError):  # it is closed already, which is what was wanted
        line.shutdown(socket.SHUT_RDWR)
