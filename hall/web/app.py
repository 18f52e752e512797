"""The clerks' pages: cases as they arrive, one case, 12345 tickets, terminals; and the same as JSON.

On this machine's loopback only, behind a one-time sign-in link. No inline script or style, so the policy can be strict.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Form, Path, Request, UploadFile
from sqlalchemy import func, select
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from hall.desk import CaseRow, NotThere
from hall.hall import Hall
from hall.http import HallHere, add_problem_handlers, hall_of
from hall.licences.papers_printed import PrintedJob
from hall.problem import Refused
from hall.store.database import StoreBusy
from hall.store.schema import cases, corrections, submissions
from hall.store.vault import VaultError
from hall.terminals.help_desk import HelpCall
from hall.terminals.journal import JournalStanding
from hall.terminals.registry import TerminalHealth
from hall.web import words
from hall.web.pages import Pages
from hall.web.sign_in import SESSION_LIFE, enter, staff_name
from kiosk.contract.media import MediaError
from kiosk.contract.problems import ProblemCode

COOKIE = "hall_staff"
POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
router = APIRouter(prefix="/staff")


class _SignedOut(Exception):
    """A page was asked for without a session."""


def _api_staff(request: Request, hall: HallHere) -> str:
    try:
        return staff_name(hall, request.cookies.get(COOKIE, ""))
    except VaultError:
        raise Refused(ProblemCode.UNAUTHENTICATED) from None


def _page_staff(request: Request, hall: HallHere) -> str:
    try:
        return staff_name(hall, request.cookies.get(COOKIE, ""))
    except VaultError:
        raise _SignedOut from None


def _from_here(request: Request) -> bool:
    """Did one of our own pages send it? Another port of this machine is the same site to a cookie."""
    origin = request.headers.get("origin")
    return origin is None or origin == f"{request.url.scheme}://{request.headers.get('host', '')}"


def _signed_in(request: Request) -> bool:
    try:
        staff_name(hall_of(request), request.cookies.get(COOKIE, ""))
    except VaultError:
        return False
    return True


def _pages(request: Request) -> Pages:
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    return pages


ApiStaff = Annotated[str, Depends(_api_staff)]
PageStaff = Annotated[str, Depends(_page_staff)]
PagesHere = Annotated[Pages, Depends(_pages)]


@router.get("/enter/{token}")
def sign_in(hall: HallHere, token: str) -> Response:
    """Spend a sign-in link."""
    try:
        cookie = enter(hall, token)
    except VaultError:
        raise _SignedOut from None
    response = RedirectResponse("/staff/", status_code=303)
    response.set_cookie(
        COOKIE, cookie, max_age=int(SESSION_LIFE.total_seconds()), httponly=True, samesite="strict", path="/staff"
    )
    return response


# --- pages -----------------------------------------------------------------------------------------------------------


@router.get("/")
def cases_page(pages: PagesHere, staff: PageStaff) -> Response:
    """All cases, arriving live."""
    return HTMLResponse(pages.cases(staff, kind=None))


@router.get("/tickets")
def tickets_page(pages: PagesHere, staff: PageStaff) -> Response:
    """12345 tickets."""
    return HTMLResponse(pages.cases(staff, kind="consultation"))


@router.get("/live/cases")
def live_cases(pages: PagesHere, _: PageStaff) -> Response:
    """The list alone, for the page's script."""
    return HTMLResponse(pages.case_list(kind=None))


@router.get("/live/tickets")
def live_tickets(pages: PagesHere, _: PageStaff) -> Response:
    """The list alone."""
    return HTMLResponse(pages.case_list(kind="consultation"))


@router.get("/cases/{application_no}")
def case_page(pages: PagesHere, staff: PageStaff, application_no: str) -> Response:
    """One case: answers, papers, history and whether it is whole."""
    return HTMLResponse(pages.case(staff, application_no))


@router.get("/cases/{application_no}/papers/{material_id}")
def paper(hall: HallHere, staff: PageStaff, application_no: str, material_id: str) -> Response:
    """A material as a picture."""
    data, media_type = hall.desk.paper(application_no, material_id, actor=staff)
    return Response(data, media_type=media_type)


@router.get("/cases/{application_no}/corrections/{correction}/papers/{material_id}")
def correction_paper(
    hall: HallHere, staff: PageStaff, application_no: str, correction: str, material_id: str
) -> Response:
    """A material that came with a correction (补正), as a picture."""
    data, media_type = hall.desk.paper(application_no, material_id, actor=staff, correction=correction)
    return Response(data, media_type=media_type)


@router.get("/terminals")
def terminals_page(pages: PagesHere, staff: PageStaff) -> Response:
    """All terminals and how they are."""
    return HTMLResponse(pages.terminals(staff))


@router.get("/live/terminals")
def live_terminals(pages: PagesHere, _: PageStaff) -> Response:
    """The board alone."""
    return HTMLResponse(pages.terminal_board())


@router.get("/prints")
def prints_page(pages: PagesHere, staff: PageStaff) -> Response:
    """What terminals printed, on which sheets, and how it ended."""
    return HTMLResponse(pages.prints(staff))


@router.get("/live/prints")
def live_prints(pages: PagesHere, _: PageStaff) -> Response:
    """The list alone."""
    return HTMLResponse(pages.print_list())


@router.get("/media")
def media_page(pages: PagesHere, staff: PageStaff) -> Response:
    """Sticks of terminals without network."""
    return HTMLResponse(pages.media(staff))


@router.post("/media")
def hand_in(hall: HallHere, pages: PagesHere, staff: PageStaff, file: UploadFile) -> Response:
    """A media file → the receipts file; the same again gets the same receipts."""
    try:
        done = hall.media.take(file.file, actor=staff)
    except MediaError as error:
        return HTMLResponse(pages.media(staff, trouble=words.MEDIA_FAULTS[error.fault]), status_code=422)
    except StoreBusy:
        return HTMLResponse(pages.media(staff, trouble=words.MEDIA_BUSY), status_code=503)
    headers = {"Content-Disposition": f'attachment; filename="{done.name}"'}
    return Response(done.receipts, media_type="application/octet-stream", headers=headers)


@router.get("/refused")
def refused_page(pages: PagesHere, staff: PageStaff) -> Response:
    """What the hall refused and terminals have kept."""
    return HTMLResponse(pages.refused(staff))


@router.post("/refused/{submission_id}")
def ask_again(hall: HallHere, staff: PageStaff, submission_id: str, reason: Annotated[str, Form()]) -> Response:
    """The terminal is to send it again; why is written down."""
    try:
        asked = hall.second_chances.ask(submission_id, reason=reason, actor=staff)
    except ValueError:
        raise Refused(ProblemCode.MALFORMED, "a reason is wanted") from None
    if not asked:
        raise NotThere(submission_id)
    return RedirectResponse("/staff/refused", status_code=303)


# --- calls for help --------------------------------------------------------------------------------------------------


@router.get("/live/help")
def live_help(pages: PagesHere, _: PageStaff) -> Response:
    """Open calls, for every page's script."""
    return HTMLResponse(pages.help_calls())


@router.post("/terminals/{terminal_id}/help/{call}")
def acknowledge(
    hall: HallHere, staff: PageStaff, terminal_id: str, call: Annotated[int, Path(ge=-(2**52), le=2**52)]
) -> Response:
    """A clerk takes note of this call (named by its instant in ms); later ones he has not seen yet."""
    if not hall.help_desk.acknowledge(terminal_id, called_ms=call, actor=staff):
        raise NotThere(terminal_id)
    return RedirectResponse("/staff/terminals", status_code=303)


@router.post("/terminals/{terminal_id}/journal/{flag}")
def acknowledge_flag(
    hall: HallHere, staff: PageStaff, terminal_id: str, flag: Annotated[int, Path(ge=1, le=2**52)]
) -> Response:
    """A clerk takes note of what does not fit in a terminal's journal."""
    if not hall.journals.acknowledge(flag, terminal_id=terminal_id, actor=staff):
        raise NotThere(terminal_id)
    return RedirectResponse("/staff/terminals", status_code=303)


# --- the same for programs -------------------------------------------------------------------------------------------


@router.get("/api/cases")
def api_cases(hall: HallHere, _: ApiStaff) -> Response:
    """Cases, newest first; holders masked."""
    now = hall.clock.now()
    return JSONResponse([_case_json(row, (now - row.filed_at).total_seconds()) for row in hall.desk.cases()])


@router.get("/api/terminals")
def api_terminals(hall: HallHere, _: ApiStaff) -> Response:
    """Terminals with their last heartbeat."""
    calls = hall.help_desk.latest()
    journals = hall.journals.standings()
    now = hall.clock.now()
    board = [_terminal_json(health, calls.get(health.id), now) for health in hall.terminals.board()]
    return JSONResponse([{**shown, "journal": _journal_json(journals.get(shown["id"]))} for shown in board])


@router.get("/api/submissions")
def api_submissions(hall: HallHere, _: ApiStaff) -> Response:
    """Every accepted submission with the number of its effects, for oracles that count; a correction has the state of
    the case that it corrects."""
    corrected = cases.alias()
    with hall.store.read() as connection:
        rows = connection.execute(
            select(
                submissions.c.id,
                submissions.c.sha256,
                func.coalesce(cases.c.application_no, corrections.c.application_no).label("application_no"),
                func.coalesce(cases.c.state, corrected.c.state).label("state"),
                corrections.c.case_no.label("corrects"),
                (func.count(cases.c.application_no) + func.count(corrections.c.application_no)).label("effects"),
            )
            .outerjoin(cases, cases.c.submission_id == submissions.c.id)
            .outerjoin(corrections, corrections.c.submission_id == submissions.c.id)
            .outerjoin(corrected, corrected.c.application_no == corrections.c.case_no)
            .group_by(submissions.c.id)
            .order_by(submissions.c.received_at)
        ).all()
    return JSONResponse([dict(row._mapping) for row in rows])


@router.get("/api/print-jobs")
def api_print_jobs(hall: HallHere, _: ApiStaff) -> Response:
    """Print jobs with their papers, newest first."""
    return JSONResponse([_job_json(job) for job in hall.papers_printed.jobs()])


@router.get("/api/bundle")
def api_bundle(hall: HallHere, _: ApiStaff) -> Response:
    """The newest bundle file."""
    manifest = hall.catalogue.manifest()
    raw = hall.catalogue.raw(manifest.number) if manifest else None
    if raw is None:
        raise Refused(ProblemCode.NOT_FOUND)
    return Response(raw, media_type="application/octet-stream")


def _case_json(row: CaseRow, age_s: float) -> dict[str, Any]:
    instants = {"filed_at": row.filed_at, "received_at": row.received_at, "due_at": row.due_at}
    return {
        **asdict(row),
        **{name: at.isoformat() if at else None for name, at in instants.items()},
        "age_s": round(age_s),
    }


def _job_json(job: PrintedJob) -> dict[str, Any]:
    papers = [{**asdict(paper), "at": paper.at.isoformat()} for paper in job.papers]
    return {**asdict(job), "created_at": job.created_at.isoformat(), "papers": papers, "serials": job.serials}


def _terminal_json(health: TerminalHealth, call: HelpCall | None, now: datetime) -> dict[str, Any]:
    return {
        "id": health.id,
        "name": health.name,
        "site": health.site,
        "state": health.state,
        "successor": health.successor,
        "level": health.promise(now).value,
        "oldest_unsent_s": health.oldest_unsent_s(now),
        "heard_at": health.heard_at.isoformat() if health.heard_at else None,
        "heartbeat": health.heartbeat.model_dump(mode="json") if health.heartbeat else None,
        "help": call
        and {
            "call": call.called_ms,
            "since": call.since.isoformat(),
            "acknowledged_at": call.acknowledged_at.isoformat() if call.acknowledged_at else None,
            "acknowledged_by": call.acknowledged_by,
        },
    }


def _journal_json(standing: JournalStanding | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    flags = [
        {"id": flag.id, "kind": flag.kind, "seq": flag.seq, "reason": flag.reason, "at": flag.at.isoformat()}
        for flag in standing.flags
    ]
    return {
        "seq": standing.seq,
        "signed_seq": standing.signed_seq,
        "heard_at": standing.heard_at.isoformat(),
        "flags": flags,
    }


def staff_app(hall: Hall) -> FastAPI:
    """The application on the loopback port."""
    app = FastAPI(title="市民之窗 hall, staff", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.hall = hall
    app.state.pages = Pages(hall)
    add_problem_handlers(app)
    # A page elsewhere may resolve its own name to this machine; it does not get in by that name.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])

    @app.middleware("http")
    async def headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.method != "POST":
            response = await call_next(request)
        elif not _from_here(request):
            response = Response(status_code=403)
        elif not _signed_in(request):
            # Before anything of its body is read: nobody's uploads are kept.
            response = HTMLResponse(_pages(request).signed_out(), status_code=401)
        else:
            response = await call_next(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    @app.exception_handler(_SignedOut)
    async def signed_out(request: Request, _: _SignedOut) -> Response:
        return HTMLResponse(_pages(request).signed_out(), status_code=401)

    @app.exception_handler(NotThere)
    async def not_there(request: Request, _: NotThere) -> Response:
        return HTMLResponse(_pages(request).not_there(), status_code=404)

    app.include_router(router)
    app.mount("/static", StaticFiles(directory=FilePath(__file__).with_name("static")), name="static")
    return app
