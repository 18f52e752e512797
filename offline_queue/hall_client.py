"""Every call of a terminal to the hall, as the contract has them; how one is made is `connection`'s business.

One thread at a time per client. Nothing is retried here: that is the sync worker's business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel

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
from offline_queue.keys.identity import Identity
from offline_queue.uplink.connection import CallLimits, Connection
from offline_queue.uplink.policy import CallError, Trouble
from offline_queue.uplink.replies import JSON, Piece, Reply, parsed, piece_of
from offline_queue.uplink.tcp import Flight
from offline_queue.uplink.traffic import Rank, Traffic, YieldingBody

M = TypeVar("M", bound=BaseModel)

_OCTETS = "application/octet-stream"
_OFFSET = re.compile("[0-9]{1,9}")


class HallClient:
    """Every call of a terminal to the hall."""

    def __init__(self, *, base_url: str, identity: Identity, limits: CallLimits | None = None) -> None:
        """Raises NotEnrolled if certificate, key and CA do not belong together. Connects at the first call."""
        self._identity = identity
        self._base = base_url
        self._limits = limits or CallLimits()
        self._connection = Connection(base_url=base_url, identity=identity, limits=self._limits)

    def another(self) -> HallClient:
        """The same hall over a connection of its own, for another thread."""
        return HallClient(base_url=self._base, identity=self._identity, limits=self._limits)

    def close(self) -> None:
        """Drop the connections."""
        self._connection.close()

    def flight(self) -> Flight | None:
        """What this connection has on the way; for other threads too."""
        return self._connection.flight()

    def prolong(self, seconds: float) -> None:
        """The call under way let others go first for so long."""
        self._connection.prolong(seconds)

    # --- submissions ------------------------------------------------------------------------------------------

    def announce(self, announce: Announce) -> Result[Verdicts, CallError]:
        """What is waiting here; one verdict an item."""
        return self._post("/v1/announce", announce, Verdicts, seconds=self._limits.call_s)

    def blob_offset(self, sha256: str) -> Result[int, CallError]:
        """How much of a blob the hall holds; 0 if it never heard of it."""
        reply = self._connection.call("HEAD", f"/v1/blobs/{sha256}", seconds=self._limits.call_s)
        if isinstance(reply, Err):
            return Ok(0) if reply.error.status == HTTPStatus.NOT_FOUND else reply
        offset = reply.value.headers.get("Upload-Offset", "")
        return Ok(int(offset)) if _OFFSET.fullmatch(offset) else Err(CallError(Trouble.GARBAGE))

    def put_chunk(
        self, sha256: str, *, offset: int, length: int, chunk: bytes | YieldingBody
    ) -> Result[BlobState, CallError]:
        """Send bytes of a blob of `length` bytes from `offset` on."""
        reply = self._connection.call(
            "PUT",
            f"/v1/blobs/{sha256}",
            body=chunk,
            headers={"Content-Type": _OCTETS, "Upload-Offset": str(offset), "Upload-Length": str(length)},
            seconds=self._limits.transfer_s,
        )
        return parsed(reply, BlobState)

    def submit(self, envelope: bytes) -> Result[Verdict, CallError]:
        """The envelope; a verdict whatever the status, as long as it is one."""
        reply = self._connection.call(
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
                self._connection.call("POST", "/v1/batches", body=yielding, headers=headers, seconds=seconds),
                BatchVerdicts,
            )

    # --- catalogue and health ---------------------------------------------------------------------------------

    def manifest(self) -> Result[BundleManifest, CallError]:
        """Which bundle is published."""
        return parsed(self._connection.call("GET", "/v1/bundle/manifest", seconds=self._limits.call_s), BundleManifest)

    def bundle_piece(self, number: int, *, have: int, offset: int, most: int, size: int) -> Result[Piece, CallError]:
        """Bytes from `offset` on of a bundle of `size` bytes, or of a delta to it from the one we `have`."""
        headers = {"Range": f"bytes={offset}-{offset + most - 1}"}
        if have:
            headers[HAVE_HEADER] = str(have)
        reply = self._connection.call(
            "GET", f"/v1/bundle/{number}", headers=headers, seconds=self._limits.transfer_s, limit=max(size, most)
        )
        if isinstance(reply, Err):
            return reply
        piece = piece_of(reply.value)
        return Ok(piece) if piece is not None else Err(CallError(Trouble.GARBAGE, reply.value.status))

    def bundle(self, number: int, *, size: int) -> Result[bytes, CallError]:
        """A bundle file of at most `size` bytes; not verified here."""
        reply = self._connection.call("GET", f"/v1/bundle/{number}", seconds=self._limits.transfer_s, limit=size)
        return Ok(reply.value.body) if isinstance(reply, Ok) else reply

    def heartbeat(self, heartbeat: Heartbeat) -> Result[HeartbeatAnswer, CallError]:
        """Health of this terminal, and its call for help."""
        return self._post("/v1/heartbeat", heartbeat, HeartbeatAnswer, seconds=self._limits.call_s)

    def journal(self, batch: JournalBatch, *, traffic: Traffic) -> Result[JournalMark, CallError]:
        """A piece of this terminal's journal, behind everything else; how far the hall has come with it."""
        content = batch.encode()
        seconds = self._limits.call_s + len(content) / self._limits.slowest_bps
        with traffic.sending(content, Rank.BLOBS, over=self) as body:
            reply = self._connection.call(
                "POST", "/v1/journal", body=body, headers={"Content-Type": JOURNAL_TYPE}, seconds=seconds
            )
        return parsed(reply, JournalMark)

    def renew(self, request: RenewRequest) -> Result[EnrolResponse, CallError]:
        """The next certificate, asked for with this one (证书续期); not verified here."""
        return self._post("/v1/renew", request, EnrolResponse, seconds=self._limits.call_s)

    def confirm_renewal(self) -> Result[None, CallError]:
        """This certificate works: the hall revokes the one before it."""
        reply = self._connection.call("POST", "/v1/renew/confirm", body=b"", seconds=self._limits.call_s)
        if isinstance(reply, Err):
            return reply
        return Ok(None) if reply.value.status == HTTPStatus.NO_CONTENT else Err(CallError(Trouble.GARBAGE))

    # --- one person -------------------------------------------------------------------------------------------

    def open_person(self, request: PersonSessionRequest) -> Result[PersonSession, CallError]:
        """A bearer token for the person whose card lies on the reader."""
        return self._post("/v1/me/session", request, PersonSession, seconds=self._limits.person_s)

    def applications(self, token: str) -> Result[Applications, CallError]:
        """That person's cases."""
        reply = self._connection.call(
            "GET", "/v1/me/applications", headers=_bearer(token), seconds=self._limits.person_s
        )
        return parsed(reply, Applications)

    def former_answers(self, token: str, application_no: str) -> Result[FormerAnswers, CallError]:
        """What that person answered in a case that wants a correction."""
        path = f"/v1/me/applications/{application_no}/answers"
        reply = self._connection.call("GET", path, headers=_bearer(token), seconds=self._limits.person_s)
        return parsed(reply, FormerAnswers)

    def licences(self, token: str) -> Result[Licences, CallError]:
        """That person's licences."""
        reply = self._connection.call("GET", "/v1/me/licences", headers=_bearer(token), seconds=self._limits.person_s)
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
        reply = self._connection.call(
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
        return parsed(
            self._connection.call("GET", path, headers=_bearer(token), seconds=self._limits.person_s), PrintJob
        )

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
        return self._connection.call(
            "POST",
            path,
            body=canonical_json(message),
            headers={**(headers or {}), "Content-Type": JSON},
            seconds=seconds,
        )


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


__all__ = ["CallLimits", "HallClient"]
