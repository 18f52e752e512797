"""One exchange with the hall over HTTPS with mutual TLS: the only module that knows the HTTP library.

The environment is never asked (proxies, CA bundles), nothing is redirected, every exchange has one deadline for all of
it, every answer a size, and nothing is tried twice here: that is the sync worker's business. One thread at a time.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NewConnectionError

from kiosk.core.result import Err, Ok, Result
from offline_queue.keys.identity import Identity, NotEnrolled
from offline_queue.keys.trust_clock import BUILT, is_dead
from offline_queue.uplink.deadline_tls import DeadlineContext
from offline_queue.uplink.policy import CallError, Trouble
from offline_queue.uplink.replies import JSON, Reply, media_type, problem_of
from offline_queue.uplink.tcp import Flight, line_options
from offline_queue.uplink.traffic import YieldingBody

_PIECE = 64 * 1024
_NOT_YET_VALID, _EXPIRED = 9, 10
"""X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED (openssl/x509_vfy.h)."""


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Deadlines in seconds for whole calls, sizes in bytes."""

    connect_s: float = 5.0
    call_s: float = 20.0
    person_s: float = 6.0
    """Somebody stands and waits."""
    document_s: float = 25.0
    """The hall makes a document while somebody waits."""
    transfer_s: float = 120.0
    """A chunk or a bundle over a poor line."""
    slowest_bps: float = 2048.0
    """Bytes a second: a batch that goes slower than this is cut and tried smaller."""
    json_bytes: int = 1024 * 1024
    document_bytes: int = 32 * 1024 * 1024


class Connection:
    """To one hall, with this terminal's certificate; opened at the first call, and anew with a new certificate."""

    def __init__(self, *, base_url: str, identity: Identity, limits: CallLimits) -> None:
        """Raises NotEnrolled if certificate, key and CA do not belong together."""
        self._identity = identity
        self._base = base_url.rstrip("/")
        self._limits = limits
        self._context = _tls(identity)
        self._generation = _generation(identity)
        self._session = _Session()
        self._session.trust_env = False
        self._session.verify = str(identity.ca)
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({"User-Agent": "citizens-window", "Accept-Encoding": "identity"})
        self._session.mount("https://", _Adapter(self._context))

    def close(self) -> None:
        """Drop it."""
        self._session.close()

    def flight(self) -> Flight | None:
        """What is on the way; for other threads too."""
        return self._context.flight()

    def prolong(self, seconds: float) -> None:
        """The call under way let others go first for so long."""
        self._context.prolong(seconds)

    def call(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        body: bytes | YieldingBody | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int | None = None,
        verdicts: tuple[int, ...] = (),
    ) -> Result[Reply, CallError]:
        """One exchange. `verdicts`: statuses of 400 or more whose body may be a message all the same."""
        self._follow_renewal()
        self._context.start(seconds)
        try:
            with self._session.request(
                method,
                self._base + path,
                data=body,
                headers=dict(headers or {}),
                timeout=(min(seconds, self._limits.connect_s), seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                content = _read(response, limit=self._limits.json_bytes if limit is None else limit)
                status, answered = response.status_code, response.headers
        except requests.RequestException as error:
            trouble = Trouble.TIMEOUT if self._context.expired() else _trouble(error)
            return Err(CallError(trouble, sent=not _never_connected(error)))
        except TimeoutError:
            return Err(CallError(Trouble.TIMEOUT, sent=True))
        except HTTPError:
            return Err(CallError(Trouble.GARBAGE, sent=True))
        if content is None:
            return Err(CallError(Trouble.TOO_LARGE, status))
        if "Content-Encoding" in answered:
            return Err(CallError(Trouble.GARBAGE, status))
        if status < HTTPStatus.OK or HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return Err(CallError(Trouble.REDIRECT, status))
        if status >= HTTPStatus.BAD_REQUEST and not (status in verdicts and media_type(answered) == JSON):
            return Err(problem_of(status, answered, content))
        return Ok(Reply(status, answered, content))

    def _follow_renewal(self) -> None:
        """The certificate on disk was replaced, perhaps by another process: connections of the old one go."""
        generation = _generation(self._identity)
        if generation is None or generation == self._generation:
            return
        try:
            context = _tls(self._identity)
        except NotEnrolled:
            return  # in the middle of being replaced; the old one is good for this call
        self._context, self._generation = context, generation
        self._session.close()
        self._session.mount("https://", _Adapter(context))


def _generation(identity: Identity) -> tuple[int, int, bool] | None:
    """Which certificate lies on the disk, and whether the clock can be used to judge others; None: there is none."""
    try:
        seen = identity.tls_certificate.stat()
    except OSError:
        return None
    return seen.st_ino, seen.st_mtime_ns, is_dead(datetime.now(UTC))


class _Session(requests.Session):
    """Takes no look at a redirect: the library reads one to its end, and takes its address apart, though told not to
    follow."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _Adapter(HTTPAdapter):
    """Uses our TLS context and never tries anything twice."""

    def __init__(self, context: DeadlineContext) -> None:
        self._context = context
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context, socket_options=line_options())


def _tls(identity: Identity) -> DeadlineContext:
    context = DeadlineContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(cafile=str(Path(identity.ca)))
        context.load_cert_chain(str(identity.tls_certificate), str(identity.tls_key))
        if is_dead(datetime.now(UTC)):
            context.without_clock(BUILT)
    except (OSError, ssl.SSLError):
        raise NotEnrolled("certificate, key and CA do not fit") from None
    return context


def _read(response: requests.Response, *, limit: int) -> bytes | None:
    """The body, or None if it is longer than `limit`."""
    content = bytearray()
    for piece in response.iter_content(_PIECE):
        content += piece
        if len(content) > limit:
            return None
    return bytes(content)


def _never_connected(error: requests.RequestException) -> bool:
    """Not even a connection, so nothing of the request was heard by anybody."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)


def _is_about_time(error: BaseException | None) -> bool:
    """Did verification fail because the hall's certificate is not valid yet, or no more, by our clock?"""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return getattr(error, "verify_code", 0) in (_NOT_YET_VALID, _EXPIRED)
        inner = [arg for arg in error.args if isinstance(arg, BaseException)]
        error = getattr(error, "reason", None) or (inner[0] if inner else None) or error.__cause__
        if not isinstance(error, BaseException):
            return False
    return False


def _trouble(error: requests.RequestException) -> Trouble:
    if isinstance(error, requests.exceptions.SSLError):
        return Trouble.CLOCK if _is_about_time(error) else Trouble.TLS
    if isinstance(error, requests.exceptions.Timeout):
        return Trouble.TIMEOUT
    if isinstance(error, requests.exceptions.ContentDecodingError | requests.exceptions.InvalidHeader):
        return Trouble.GARBAGE
    return Trouble.UNREACHABLE
