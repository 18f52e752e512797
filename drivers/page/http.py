"""One HTTP exchange that ends in time, whatever the printer does; the only place of the drivers that knows requests.

`requests` time-outs bound one read, not the answer: a printer that drips a byte a second would hold it for ever.
Here the deadline sits in the socket, for connecting, sending and every read together, with TLS or without.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_ import create_urllib3_context

from drivers.page.address import Tls

MAX_ANSWER = 1024 * 1024
_PIECE = 65536
Left = Callable[[], float]
"""Seconds left of the exchange; TimeoutError when there are none."""


class Unreachable(Exception):
    """No connection: the printer never saw the request."""


class Untrusted(Unreachable):
    """Somebody is there, but not whom the profile names: wrong certificate, or no TLS at all."""


class Broken(Exception):
    """The exchange began and did not end well: the printer may have acted on it."""


class _DeadlineSocket(socket.socket):
    """Every operation gets what is left of the whole exchange's time."""

    left: Left

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.left())
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(self.left())
        super().sendall(*args, **kwargs)


class _Exchange:
    """The deadline of one exchange, and how far its TLS came."""

    def __init__(self, left: Left) -> None:
        self.left = left
        self.trusted = False

    def plain(self, made: socket.socket) -> socket.socket:
        bounded = _DeadlineSocket(made.family, made.type, made.proto, made.detach())
        bounded.left = self.left
        return bounded

    def tls_context(self) -> ssl.SSLContext:
        exchange = self

        class DeadlineTlsSocket(ssl.SSLSocket):
            def do_handshake(self, block: bool = False) -> None:
                self.settimeout(exchange.left())
                super().do_handshake(block)

            def recv_into(self, *args: Any, **kwargs: Any) -> int:
                exchange.trusted = True  # nothing is read before the certificate was found good
                self.settimeout(exchange.left())
                return super().recv_into(*args, **kwargs)

            def sendall(self, *args: Any, **kwargs: Any) -> None:
                exchange.trusted = True
                self.settimeout(exchange.left())
                super().sendall(*args, **kwargs)

        context = create_urllib3_context()
        context.sslsocket_class = DeadlineTlsSocket
        return context


class _DeadlineAdapter(HTTPAdapter):
    """Hands out connections whose sockets know the deadline."""

    def __init__(self, exchange: _Exchange, tls: Tls | None) -> None:
        self._exchange = exchange
        self._tls = tls
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        exchange = self._exchange

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                self.timeout = exchange.left()
                return exchange.plain(super()._new_conn())

        class Secret(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                self.timeout = exchange.left()
                return super()._new_conn()

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecretPool(HTTPSConnectionPool):
            ConnectionCls = Secret

        if self._tls is None:
            self.poolmanager = PoolManager(num_pools=1)
        else:
            name = self._tls.name or None
            self.poolmanager = PoolManager(num_pools=1, ssl_context=exchange.tls_context(), assert_hostname=name)
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecretPool}


def post(
    url: str, body: bytes, *, within_s: float, tls: Tls | None = None, monotonic: Callable[[], float] = time.monotonic
) -> bytes:
    """POST an IPP request and get the answer's bytes; Unreachable or Broken, at the latest after `within_s`."""
    until = monotonic() + within_s

    def left() -> float:
        remaining = until - monotonic()
        if remaining <= 0:
            raise TimeoutError("deadline of the exchange")
        return remaining

    if tls is not None and tls.ca and not Path(tls.ca).is_file():
        raise Untrusted("the file of ca= is not there")
    exchange = _Exchange(left)
    headers = {"Content-Type": "application/ipp", "Accept-Encoding": "identity", "Connection": "close"}
    with requests.Session() as session:
        session.trust_env = False  # no proxy and no credentials of the environment between us and the printer
        session.verify = (tls.ca if tls else "") or True
        session.mount("https://" if tls else "http://", _DeadlineAdapter(exchange, tls))
        try:
            with session.post(url, data=body, headers=headers, stream=True, allow_redirects=False) as answer:
                if answer.status_code != requests.codes.ok:
                    raise Broken(f"HTTP status {answer.status_code}")
                return _read(answer)
        except (requests.ConnectTimeout, requests.exceptions.InvalidURL) as error:
            raise Unreachable(type(error).__name__) from error
        except requests.exceptions.SSLError as error:
            raise (Broken if exchange.trusted else Untrusted)("TLS") from error
        except requests.ConnectionError as error:
            if _never_connected(error):
                raise Unreachable("no connection") from error
            raise Broken(type(error).__name__) from error
        except (requests.RequestException, HTTPError, OSError) as error:
            raise Broken(type(error).__name__) from error


def _read(answer: requests.Response) -> bytes:
    body = b""
    with contextlib.closing(answer.raw):
        while chunk := answer.raw.read(_PIECE):
            body += chunk
            if len(body) > MAX_ANSWER:
                raise Broken("answer is too large")
    return body


def _never_connected(error: BaseException) -> bool:
    """Was it refused or did it time out before the first byte? Walks what requests and urllib3 wrapped."""
    seen: list[BaseException] = [error]
    for one in seen:
        if type(one).__name__ in ("NewConnectionError", "ConnectTimeoutError", "NameResolutionError"):
            return True
        wrapped = [getattr(one, "reason", None), one.__cause__, one.__context__, *one.args]
        seen += [inner for inner in wrapped if isinstance(inner, BaseException) and inner not in seen]
    return False
