"""The terminals' interface (/v1 over mutual TLS): enrolment, bundle, submissions, a citizen's own matters, paper."""

from __future__ import annotations

import math
import re
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Path, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from hall.hall import Hall
from hall.http import (
    PEER_SERIAL,
    RETRY_AFTER_S,
    Caller,
    HallHere,
    add_problem_handlers,
    answer,
    described,
    json_body,
    problem,
    read_body,
)
from hall.intake.submissions import MAX_ANNOUNCED
from hall.problem import STATUS, Refused
from hall.store.blobs import BlobRefused
from kiosk.contract.batch import MAX_BATCH_BYTES, PENDING_HEADER, SLOT_HEADER, BatchError, split_batch
from kiosk.contract.bundle_delta import HAVE_HEADER, SINCE_HEADER
from kiosk.contract.enrolment import EnrolRequest, RenewRequest
from kiosk.contract.envelope import MAX_ENVELOPE_BYTES
from kiosk.contract.journal import MAX_BATCH_BYTES as MAX_JOURNAL_BYTES
from kiosk.contract.journal import JournalMark
from kiosk.contract.person import (
    Applications,
    IssueRequest,
    Licences,
    PersonSessionRequest,
    PrintJobRequest,
    PrintOutcome,
)
from kiosk.contract.problems import ProblemCode
from kiosk.contract.sync import Announce, BatchVerdicts, BlobState, Heartbeat, HeartbeatAnswer, Verdict, Verdicts

router = APIRouter(prefix="/v1")
_RANGE = re.compile(r"bytes=([0-9]{1,9})-([0-9]{1,9})", re.ASCII)
Sha = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
_VERDICT_STATUS = {"accepted": 201, "duplicate": 200, "wanted": 202, "conflict": 409, "rejected": 422, "retry": 503}


def _citizen(request: Request, hall: HallHere, terminal: Caller) -> str:
    """The person behind the bearer token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(ProblemCode.PERSON_SESSION_EXPIRED, headers={"WWW-Authenticate": "Bearer"})
    return hall.me.person(token.strip(), terminal_id=terminal)


Citizen = Annotated[str, Depends(_citizen)]

# --- enrolment -------------------------------------------------------------------------------------------------------


@router.get("/ca")
def ca(hall: HallHere) -> Response:
    """The hall's root certificate, PEM; trusted by nobody until its key hash matches a ticket's."""
    return Response(hall.keys.root_pem(), media_type="application/x-pem-file")


@router.post("/enrol", openapi_extra=described(EnrolRequest))
def enrol(hall: HallHere, body: Annotated[EnrolRequest, json_body(EnrolRequest)]) -> Response:
    """EnrolRequest → EnrolResponse."""
    return Response(hall.terminals.enrol(body), media_type="application/json")


@router.post("/renew", openapi_extra=described(RenewRequest))
def renew(
    request: Request, hall: HallHere, terminal: Caller, body: Annotated[RenewRequest, json_body(RenewRequest)]
) -> Response:
    """RenewRequest → EnrolResponse; asked with the certificate that is to be replaced."""
    serial = request.scope[PEER_SERIAL]
    return Response(hall.renewals.renew(body, terminal_id=terminal, serial=serial), media_type="application/json")


@router.post("/renew/confirm")
def confirm_renewal(request: Request, hall: HallHere, terminal: Caller) -> Response:
    """Called with the new certificate → 204; from then on the old one is refused."""
    hall.renewals.confirm(terminal_id=terminal, serial=request.scope[PEER_SERIAL])
    return Response(status_code=204)


# --- submissions -----------------------------------------------------------------------------------------------------


@router.post("/announce", openapi_extra=described(Announce))
def announce(hall: HallHere, _: Caller, body: Annotated[Announce, json_body(Announce)]) -> Response:
    """Announce → Verdicts."""
    if len(body.items) > MAX_ANNOUNCED:
        raise Refused(ProblemCode.TOO_LARGE)
    return answer(Verdicts(verdicts=hall.intake.announce(body.items), hall_time=hall.clock.now()))


def _blob_answer(state: BlobState, status: int, *, length: int | None = None) -> Response:
    response = answer(state, status)
    response.headers["Upload-Offset"] = str(state.offset)
    if state.complete or length is not None:
        response.headers["Upload-Length"] = str(state.offset if state.complete else length)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.head("/blobs/{sha256}")
def blob_state(hall: HallHere, terminal: Caller, sha256: Sha) -> Response:
    """How much is here: Upload-Offset; with Upload-Length when it is whole."""
    return _blob_answer(hall.blobs.state(sha256, terminal_id=terminal), 200)


@router.put("/blobs/{sha256}")
async def put_blob(request: Request, hall: HallHere, terminal: Caller, sha256: Sha) -> Response:
    """Bytes from Upload-Offset on; 201 when whole, 202 when more is wanted."""
    offset, length = _whole(request, "upload-offset"), _whole(request, "upload-length")
    try:
        state = await hall.blobs.append(
            sha256, terminal_id=terminal, offset=offset, length=length, chunks=request.stream()
        )
    except BlobRefused as refused:
        held = hall.blobs.state(sha256, terminal_id=terminal)
        headers = {"Upload-Offset": str(held.offset)}
        if refused.code is ProblemCode.BUSY:
            headers["Retry-After"] = str(RETRY_AFTER_S)
        return problem(refused.code, STATUS[refused.code], headers=headers)
    return _blob_answer(state, 201 if state.complete else 202, length=length)


def _whole(request: Request, header: str) -> int:
    text = request.headers.get(header, "")
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise Refused(ProblemCode.MALFORMED, f"{header} is missing")
    return int(text)


@router.post("/submissions")
async def submit(request: Request, hall: HallHere, terminal: Caller) -> Response:
    """Envelope → Verdict: 201 accepted, 200 the same again, 202 materials wanted, 409 other bytes, 422 rejected."""
    raw = await read_body(request, MAX_ENVELOPE_BYTES)
    verdict: Verdict = await run_in_threadpool(hall.intake.submit, raw, terminal_id=terminal)
    return answer(verdict, _VERDICT_STATUS[verdict.status])


@router.post("/batches")
async def batch(request: Request, hall: HallHere, terminal: Caller) -> Response:
    """Envelopes (CWS/1) → BatchVerdicts: one verdict each, all that is accepted in one commit."""
    try:
        envelopes = split_batch(await read_body(request, MAX_BATCH_BYTES))
    except BatchError as error:
        raise Refused(ProblemCode.MALFORMED, str(error)) from None
    if (wait := _turn(request, hall, terminal)) > 0:
        headers = {"Retry-After": str(math.ceil(wait)), SLOT_HEADER: f"{wait:.3f}"}
        return problem(ProblemCode.BUSY, STATUS[ProblemCode.BUSY], headers=headers)
    verdicts = await run_in_threadpool(hall.intake.submit_batch, envelopes, terminal_id=terminal)
    told = BatchVerdicts(verdicts=verdicts, hall_time=hall.clock.now())
    # A line is slow both ways: what is not said is its default.
    return Response(told.model_dump_json(exclude_defaults=True), media_type="application/json")


def _turn(request: Request, hall: Hall, terminal: str) -> float:
    """Seconds that a backlog must wait; what was just filed does not say how much waits, and goes on."""
    text = request.headers.get(PENDING_HEADER, "")
    if not text:
        return 0.0
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Refused(ProblemCode.MALFORMED, f"{PENDING_HEADER} is no number")
    return hall.leases.wait(terminal, pending=int(text))


# --- bundle and health -----------------------------------------------------------------------------------------------


@router.get("/bundle/manifest")
def manifest(hall: HallHere, _: Caller) -> Response:
    """BundleManifest of the newest bundle."""
    found = hall.catalogue.manifest()
    if found is None:
        raise Refused(ProblemCode.NOT_FOUND)
    return answer(found)


@router.get("/bundle/{number}")
def bundle(request: Request, hall: HallHere, _: Caller, number: Annotated[int, Path(ge=1, le=2**31)]) -> Response:
    """The signed bundle file, or a delta to it from the bundle that the terminal has; in ranges if it asks so."""
    raw = hall.catalogue.raw(number)
    if raw is None:
        raise Refused(ProblemCode.NOT_FOUND)
    headers = {"Cache-Control": "private, max-age=31536000, immutable", "Accept-Ranges": "bytes", "Vary": HAVE_HEADER}
    have = request.headers.get(HAVE_HEADER, "")
    if have.isascii() and have.isdigit() and len(have) < 10:
        delta = hall.catalogue.delta(int(have), number)
        if delta is not None and len(delta) < len(raw):
            raw, headers[SINCE_HEADER] = delta, str(int(have))
    part = _RANGE.fullmatch(request.headers.get("range", ""))
    if part is None:
        return Response(raw, media_type="application/octet-stream", headers=headers)
    first, last = int(part[1]), min(int(part[2]), len(raw) - 1)
    if first > last:
        return problem(ProblemCode.OFFSET_MISMATCH, 416, headers={"Content-Range": f"bytes */{len(raw)}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{len(raw)}"
    return Response(raw[first : last + 1], 206, media_type="application/octet-stream", headers=headers)


@router.post("/heartbeat", openapi_extra=described(Heartbeat))
def heartbeat(hall: HallHere, terminal: Caller, body: Annotated[Heartbeat, json_body(Heartbeat)]) -> Response:
    """Heartbeat → HeartbeatAnswer."""
    if body.terminal_id != terminal:
        raise Refused(ProblemCode.FORBIDDEN)
    hall.terminals.heard(body)
    told = HeartbeatAnswer(
        help_acknowledged_at=hall.help_desk.heard(body),
        hall_time=hall.clock.now(),
        # Only where something is parked: the answer to every other heartbeat costs no look.
        send_again=hall.second_chances.of(terminal) if body.parked else (),
        returned=() if body.returns_heard is None else hall.returns.after(body.returns_heard, terminal_id=terminal),
    )
    return answer(told)


@router.post("/journal")
async def journal(request: Request, hall: HallHere, terminal: Caller) -> Response:
    """JournalBatch (application/cbor) → JournalMark."""
    raw = await read_body(request, MAX_JOURNAL_BYTES)
    mark: JournalMark = await run_in_threadpool(hall.journals.heard, raw, terminal_id=terminal)
    return answer(mark)


# --- a citizen's own matters -----------------------------------------------------------------------------------------


@router.post("/me/session", openapi_extra=described(PersonSessionRequest))
def open_session(
    hall: HallHere, terminal: Caller, body: Annotated[PersonSessionRequest, json_body(PersonSessionRequest)]
) -> Response:
    """PersonSessionRequest → PersonSession."""
    return answer(hall.me.open(body, terminal_id=terminal))


@router.get("/me/applications")
def applications(hall: HallHere, person: Citizen) -> Response:
    """Applications."""
    return answer(Applications(applications=hall.me.applications(person)))


@router.get("/me/applications/{application_no}/answers")
def former_answers(hall: HallHere, terminal: Caller, person: Citizen, application_no: str) -> Response:
    """FormerAnswers."""
    return answer(hall.me.former_answers(application_no, person=person, terminal_id=terminal))


@router.get("/me/licences")
def licences(hall: HallHere, person: Citizen) -> Response:
    """Licences."""
    return answer(Licences(licences=hall.me.licences(person)))


@router.post("/me/certificates", openapi_extra=described(IssueRequest))
def issue(
    hall: HallHere, terminal: Caller, person: Citizen, body: Annotated[IssueRequest, json_body(IssueRequest)]
) -> Response:
    """IssueRequest → PrintJob."""
    return answer(hall.me.issue(body, person=person, terminal_id=terminal))


@router.post("/me/print-jobs", openapi_extra=described(PrintJobRequest))
def print_job(
    hall: HallHere, terminal: Caller, person: Citizen, body: Annotated[PrintJobRequest, json_body(PrintJobRequest)]
) -> Response:
    """PrintJobRequest → PrintJob."""
    return answer(hall.me.print_licence(body, person=person, terminal_id=terminal))


@router.get("/me/print-jobs/{job_id}")
def known_job(hall: HallHere, terminal: Caller, person: Citizen, job_id: str) -> Response:
    """PrintJob as it was made."""
    return answer(hall.me.job(job_id, person=person, terminal_id=terminal))


@router.get("/print-jobs/{job_id}/document")
def document(hall: HallHere, terminal: Caller, job_id: str) -> Response:
    """The PDF."""
    pdf = hall.me.document(job_id, terminal_id=terminal)
    return Response(pdf, media_type="application/pdf", headers={"Cache-Control": "no-store"})


@router.post("/print-jobs/{job_id}/outcome", openapi_extra=described(PrintOutcome))
def outcome(
    hall: HallHere, terminal: Caller, job_id: str, body: Annotated[PrintOutcome, json_body(PrintOutcome)]
) -> Response:
    """PrintOutcome → 204; the terminal's own word, told until it is answered."""
    hall.papers_printed.heard(job_id, body, terminal_id=terminal)
    return Response(status_code=204)


def terminal_app(hall: Hall) -> FastAPI:
    """The application behind mutual TLS."""
    app = FastAPI(title="市民之窗 hall", version="1", docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json")
    app.state.hall = hall
    add_problem_handlers(app)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, __: RequestValidationError) -> Response:
        return problem(ProblemCode.MALFORMED, 400)

    @app.exception_handler(ClientDisconnect)
    async def gone(_: Request, __: ClientDisconnect) -> Response:
        return problem(ProblemCode.MALFORMED, 400)

    app.include_router(router)
    return app
