"""One HTTP exchange that ends in time, whatever the printer does; the only place of the drivers that knows requests.

`requests` time-outs bound one read, not the answer: a printer that drips a byte a second would hold it for ever.
Here the deadline sits in the socket, for connecting, sending and every read together.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, PoolManager
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError

MAX_ANSWER = 1024 * 1024


class Unreachable(Exception):
    """No connection: the printer never saw the request."""


class Broken(Exception):
    """The exchange began and did not end well: the printer may have acted on it."""


class _DeadlineSocket(socket.socket):
    """Every operation gets what is left of the whole exchange's time."""

    deadline: Callable[[], float]

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.deadline())
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(self.deadline())
        super().sendall(*args, **kwargs)


class _DeadlineAdapter(HTTPAdapter):
    """Hands out connections whose sockets know the deadline."""

    def __init__(self, left: Callable[[], float]) -> None:
        self._left = left
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        left = self._left

        class Connection(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                self.timeout = left()
                plain = super()._new_conn()
                bounded = _DeadlineSocket(plain.family, plain.type, plain.proto, plain.detach())
                bounded.deadline = left
                return bounded

        class Pool(HTTPConnectionPool):
            ConnectionCls = Connection

        manager = PoolManager(num_pools=1)
        manager.pool_classes_by_scheme = {"http": Pool}
        self.poolmanager = manager


def post(url: str, body: bytes, *, within_s: float, monotonic: Callable[[], float] = time.monotonic) -> bytes:
    """POST an IPP request and get the answer's bytes; Unreachable or Broken, at the latest after `within_s`."""
    until = monotonic() + within_s

    def left() -> float:
        remaining = until - monotonic()
        if remaining <= 0:
            raise TimeoutError("deadline of the exchange")
        return remaining

    headers = {"Content-Type": "application/ipp", "Accept-Encoding": "identity", "Connection": "close"}
    with requests.Session() as session:
        session.trust_env = False  # no proxy and no credentials of the environment between us and the printer
        session.mount("http://", _DeadlineAdapter(left))
        try:
            with session.post(url, data=body, headers=headers, stream=True, allow_redirects=False) as answer:
                if answer.status_code != requests.codes.ok:
                    raise Broken(f"HTTP status {answer.status_code}")
                return _read(answer)
        except (requests.ConnectTimeout, requests.exceptions.InvalidURL) as error:
            raise Unreachable(type(error).__name__) from error
        except requests.ConnectionError as error:
            if _never_connected(error):
                raise Unreachable("no connection") from error
            raise Broken(type(error).__name__) from error
        except (requests.RequestException, HTTPError, OSError) as error:
            raise Broken(type(error).__name__) from error


def _read(answer: requests.Response) -> bytes:
    body = b""
    with contextlib.closing(answer.raw):
        while chunk := answer.raw.read(65536):
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
