"""The clerks' pages: cases as they arrive, one case, 12345 tickets, terminals; and the same as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from sqlalchemy import func, select
from starlette.responses import JSONResponse, RedirectResponse, Response

from hall.api.http import HallHere, add_problem_handlers
from hall.hall import Hall
from hall.problem import Refused
from hall.staff import SESSION_LIFE, enter, staff_name
from hall.store.schema import cases, submissions
from hall.vault import VaultError
from kiosk.contract.problems import ProblemCode

COOKIE = "hall_staff"
router = APIRouter(prefix="/staff")


def _staff(request: Request, hall: HallHere) -> str:
    try:
        return staff_name(hall, request.cookies.get(COOKIE, ""))
    except VaultError:
        raise Refused(ProblemCode.UNAUTHENTICATED) from None


Staff = Annotated[str, Depends(_staff)]


@router.get("/enter/{token}")
def sign_in(hall: HallHere, token: str) -> Response:
    """Spend a sign-in link."""
    try:
        cookie = enter(hall, token)
    except VaultError:
        raise Refused(ProblemCode.UNAUTHENTICATED) from None
    response = RedirectResponse("/staff/", status_code=303)
    response.set_cookie(
        COOKIE, cookie, max_age=int(SESSION_LIFE.total_seconds()), httponly=True, samesite="strict", path="/staff"
    )
    return response


@router.get("/api/submissions")
def api_submissions(hall: HallHere, _: Staff) -> Response:
    """Every accepted submission with the number of its effects, for oracles that count."""
    effects = func.count(cases.c.application_no)
    with hall.store.read() as connection:
        rows = connection.execute(
            select(submissions.c.id, submissions.c.sha256, cases.c.application_no, cases.c.state, effects)
            .outerjoin(cases, cases.c.submission_id == submissions.c.id)
            .group_by(submissions.c.id)
            .order_by(submissions.c.received_at)
        ).all()
    found: list[dict[str, Any]] = [
        {"id": row[0], "sha256": row[1], "application_no": row[2], "state": row[3], "effects": row[4]} for row in rows
    ]
    return JSONResponse(found)


def staff_app(hall: Hall) -> FastAPI:
    """The application on the loopback port."""
    app = FastAPI(title="市民之窗 hall, staff", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.hall = hall
    add_problem_handlers(app)
    app.include_router(router)
    return app
