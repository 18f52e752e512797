"""The hall over HTTPS with mutual TLS: the only module that knows the HTTP library. One thread at a time per client.

The environment is never asked (proxies, CA bundles), nothing is redirected, every call has one deadline for all of it,
every answer a size, and nothing is retried here: that is the sync worker's business.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import requests
from pydantic import BaseModel
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError

from kiosk.contract.batch import MEDIA_TYPE as BATCH_TYPE
from kiosk.contract.batch import PENDING_HEADER, join_batch
from kiosk.contract.bundle_delta import HAVE_HEADER
from kiosk.contract.enrolment import EnrolResponse, RenewRequest
from kiosk.contract.journal import MEDIA_TYPE as JOURNAL_TYPE
from kiosk.contract.journal import JournalBatch, JournalMark
from kiosk.contract.person import (
    Applications,
    FormerAnswers,
    IssueRequest,
    Licences,
    PersonSession,
    PersonSessionRequest,
    PrintJob,
    PrintJobRequest,
    PrintOutcome,
)
from kiosk.contract.sync import (
    Announce,
    BatchVerdicts,
    BlobState,
    BundleManifest,
    Heartbeat,
    HeartbeatAnswer,
    Verdict,
    Verdicts,
)
from kiosk.contract.wire import canonical_json
from kiosk.core.result import Err, Ok, Result
from offline_queue.deadline_tls import DeadlineContext
from offline_queue.identity import Identity, NotEnrolled
from offline_queue.policy import CallError, Trouble
from offline_queue.replies import JSON, Piece, Reply, media_type, parsed, piece_of, problem_of
from offline_queue.tcp import Flight, line_options
from offline_queue.traffic import Rank, Traffic, YieldingBody
from offline_queue.trust_clock import BUILT, is_dead

M = TypeVar("M", bound=BaseModel)

_OCTETS = "application/octet-stream"
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


class HallClient:
    """Every call of a terminal to the hall."""

    def __init__(self, *, base_url: str, identity: Identity, limits: CallLimits | None = None) -> None:
        """Raises NotEnrolled if certificate, key and CA do not belong together. Connects at the first call."""
        self._identity = identity
        self._base = base_url.rstrip("/")
        self._limits = limits or CallLimits()
        self._context = _tls(identity)
        self._generation = _generation(identity)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(identity.ca)
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({"User-Agent": "citizens-window", "Accept-Encoding": "identity"})
        self._session.mount("https://", _Adapter(self._context))

    def another(self) -> HallClient:
        """The same hall over a connection of its own, for another thread."""
        return HallClient(base_url=self._base, identity=self._identity, limits=self._limits)

    def close(self) -> None:
        """Drop the connections."""
        self._session.close()

    def flight(self) -> Flight | None:
        """What this connection has on the way; for other threads too."""
        return self._context.flight()

    def prolong(self, seconds: float) -> None:
        """The call under way let others go first for so long."""
        self._context.prolong(seconds)

    # --- submissions ------------------------------------------------------------------------------------------

    def announce(self, announce: Announce) -> Result[Verdicts, CallError]:
        """What is waiting here; one verdict an item."""
        return self._post("/v1/announce", announce, Verdicts, seconds=self._limits.call_s)

    def blob_offset(self, sha256: str) -> Result[int, CallError]:
        """How much of a blob the hall holds; 0 if it never heard of it."""
        reply = self._call("HEAD", f"/v1/blobs/{sha256}", seconds=self._limits.call_s)
        if isinstance(reply, Err):
            return Ok(0) if reply.error.status == HTTPStatus.NOT_FOUND else reply
        offset = reply.value.headers.get("Upload-Offset", "")
        return Ok(int(offset)) if offset.isascii() and offset.isdigit() else Err(CallError(Trouble.GARBAGE))

    def put_chunk(
        self, sha256: str, *, offset: int, length: int, chunk: bytes | YieldingBody
    ) -> Result[BlobState, CallError]:
        """Send bytes of a blob of `length` bytes from `offset` on."""
        reply = self._call(
            "PUT",
            f"/v1/blobs/{sha256}",
            body=chunk,
            headers={"Content-Type": _OCTETS, "Upload-Offset": str(offset), "Upload-Length": str(length)},
            seconds=self._limits.transfer_s,
        )
        return parsed(reply, BlobState)

    def submit(self, envelope: bytes) -> Result[Verdict, CallError]:
        """The envelope; a verdict whatever the status, as long as it is one."""
        reply = self._call(
            "POST",
            "/v1/submissions",
            body=envelope,
            headers={"Content-Type": _OCTETS},
            seconds=self._limits.transfer_s,
            verdicts=(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
        )
        return parsed(reply, Verdict)

    def batch(
        self, envelopes: Sequence[bytes], *, rank: Rank, traffic: Traffic, pending: int | None = None
    ) -> Result[BatchVerdicts, CallError]:
        """Many envelopes at once; one verdict each. `pending`: a backlog, which the hall may put off."""
        body = join_batch(envelopes)
        headers = {"Content-Type": BATCH_TYPE}
        if pending is not None:
            headers[PENDING_HEADER] = str(pending)
        seconds = self._limits.call_s + len(body) / self._limits.slowest_bps
        with traffic.sending(body, rank, over=self) as yielding:
            return parsed(
                self._call("POST", "/v1/batches", body=yielding, headers=headers, seconds=seconds), BatchVerdicts
            )

    # --- catalogue and health ---------------------------------------------------------------------------------

    def manifest(self) -> Result[BundleManifest, CallError]:
        """Which bundle is published."""
        return parsed(self._call("GET", "/v1/bundle/manifest", seconds=self._limits.call_s), BundleManifest)

    def bundle_piece(self, number: int, *, have: int, offset: int, most: int, size: int) -> Result[Piece, CallError]:
        """Bytes from `offset` on of a bundle of `size` bytes, or of a delta to it from the one we `have`."""
        headers = {"Range": f"bytes={offset}-{offset + most - 1}"}
        if have:
            headers[HAVE_HEADER] = str(have)
        reply = self._call(
            "GET", f"/v1/bundle/{number}", headers=headers, seconds=self._limits.transfer_s, limit=max(size, most)
        )
        if isinstance(reply, Err):
            return reply
        piece = piece_of(reply.value)
        return Ok(piece) if piece is not None else Err(CallError(Trouble.GARBAGE, reply.value.status))

    def bundle(self, number: int, *, size: int) -> Result[bytes, CallError]:
        """A bundle file of at most `size` bytes; not verified here."""
        reply = self._call("GET", f"/v1/bundle/{number}", seconds=self._limits.transfer_s, limit=size)
        return Ok(reply.value.body) if isinstance(reply, Ok) else reply

    def heartbeat(self, heartbeat: Heartbeat) -> Result[HeartbeatAnswer, CallError]:
        """Health of this terminal, and its call for help."""
        return self._post("/v1/heartbeat", heartbeat, HeartbeatAnswer, seconds=self._limits.call_s)

    def journal(self, batch: JournalBatch, *, traffic: Traffic) -> Result[JournalMark, CallError]:
        """A piece of this terminal's journal, behind everything else; how far the hall has come with it."""
        content = batch.encode()
        seconds = self._limits.call_s + len(content) / self._limits.slowest_bps
        with traffic.sending(content, Rank.BLOBS, over=self) as body:
            reply = self._call(
                "POST", "/v1/journal", body=body, headers={"Content-Type": JOURNAL_TYPE}, seconds=seconds
            )
        return parsed(reply, JournalMark)

    def renew(self, request: RenewRequest) -> Result[EnrolResponse, CallError]:
        """The next certificate, asked for with this one (证书续期); not verified here."""
        return self._post("/v1/renew", request, EnrolResponse, seconds=self._limits.call_s)

    def confirm_renewal(self) -> Result[None, CallError]:
        """This certificate works: the hall revokes the one before it."""
        reply = self._call("POST", "/v1/renew/confirm", body=b"", seconds=self._limits.call_s)
        if isinstance(reply, Err):
            return reply
        return Ok(None) if reply.value.status == HTTPStatus.NO_CONTENT else Err(CallError(Trouble.GARBAGE))

    # --- one person -------------------------------------------------------------------------------------------

    def open_person(self, request: PersonSessionRequest) -> Result[PersonSession, CallError]:
        """A bearer token for the person whose card lies on the reader."""
        return self._post("/v1/me/session", request, PersonSession, seconds=self._limits.person_s)

    def applications(self, token: str) -> Result[Applications, CallError]:
        """That person's cases."""
        reply = self._call("GET", "/v1/me/applications", headers=_bearer(token), seconds=self._limits.person_s)
        return parsed(reply, Applications)

    def former_answers(self, token: str, application_no: str) -> Result[FormerAnswers, CallError]:
        """What that person answered in a case that wants a correction."""
        path = f"/v1/me/applications/{application_no}/answers"
        reply = self._call("GET", path, headers=_bearer(token), seconds=self._limits.person_s)
        return parsed(reply, FormerAnswers)

    def licences(self, token: str) -> Result[Licences, CallError]:
        """That person's licences."""
        reply = self._call("GET", "/v1/me/licences", headers=_bearer(token), seconds=self._limits.person_s)
        return parsed(reply, Licences)

    def issue(self, token: str, request: IssueRequest) -> Result[PrintJob, CallError]:
        """Have a certificate made now."""
        return self._post(
            "/v1/me/certificates", request, PrintJob, headers=_bearer(token), seconds=self._limits.document_s
        )

    def print_job(self, token: str, request: PrintJobRequest) -> Result[PrintJob, CallError]:
        """Have a licence made ready for paper."""
        return self._post(
            "/v1/me/print-jobs", request, PrintJob, headers=_bearer(token), seconds=self._limits.document_s
        )

    def document(self, token: str, job: PrintJob) -> Result[bytes, CallError]:
        """The PDF of a print job; not verified here."""
        reply = self._call(
            "GET",
            f"/v1/print-jobs/{quote(job.id, safe='')}/document",
            headers=_bearer(token),
            seconds=self._limits.document_s,
            limit=min(job.size, self._limits.document_bytes),
        )
        return Ok(reply.value.body) if isinstance(reply, Ok) else reply

    def known_job(self, token: str, job_id: str) -> Result[PrintJob, CallError]:
        """A print job of that person at this terminal, as it was made."""
        path = f"/v1/me/print-jobs/{quote(job_id, safe='')}"
        return parsed(self._call("GET", path, headers=_bearer(token), seconds=self._limits.person_s), PrintJob)

    # --- paper ------------------------------------------------------------------------------------------------

    def print_outcome(self, job_id: str, outcome: PrintOutcome) -> Result[None, CallError]:
        """What became of a paper; the terminal's own word, whoever it was for."""
        return self._tell(f"/v1/print-jobs/{quote(job_id, safe='')}/outcome", outcome, seconds=self._limits.call_s)

    # --- HTTP -------------------------------------------------------------------------------------------------

    def _post(
        self, path: str, message: BaseModel, model: type[M], *, seconds: float, headers: Mapping[str, str] | None = None
    ) -> Result[M, CallError]:
        return parsed(self._send(path, message, seconds=seconds, headers=headers), model)

    def _tell(
        self, path: str, message: BaseModel, *, seconds: float, headers: Mapping[str, str] | None = None
    ) -> Result[None, CallError]:
        reply = self._send(path, message, seconds=seconds, headers=headers)
        if isinstance(reply, Err):
            return reply
        return Ok(None) if reply.value.status == HTTPStatus.NO_CONTENT else Err(CallError(Trouble.GARBAGE))

    def _send(
        self, path: str, message: BaseModel, *, seconds: float, headers: Mapping[str, str] | None
    ) -> Result[Reply, CallError]:
        return self._call(
            "POST",
            path,
            body=canonical_json(message),
            headers={**(headers or {}), "Content-Type": JSON},
            seconds=seconds,
        )

    def _call(
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


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


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
