"""What every endpoint shares: bodies with limits, problem documents, the calling terminal."""

from __future__ import annotations

import logging
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from hall.hall import Hall
from hall.problem import Refused
from hall.store.database import StoreBusy
from kiosk.contract.problems import MEDIA_TYPE, Problem, ProblemCode

M = TypeVar("M", bound=BaseModel)
RETRY_AFTER_S = 5
SMALL_BODY = 64 * 1024
PEER_SERIAL = "hall.peer_serial"
"""Key in the ASGI scope: serial of the client certificate that TLS verified, or absent."""
_log = logging.getLogger("hall")


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body; Refused as soon as it is longer than `limit` bytes."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise Refused(ProblemCode.TOO_LARGE)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Refused(ProblemCode.TOO_LARGE)
    return bytes(body)


def read_model(model: type[M], body: bytes) -> M:
    """Strict JSON; Refused. Says how many faults, never what stood there."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Refused(ProblemCode.MALFORMED, f"{error.error_count()} faults") from None


def hall_of(request: Request) -> Hall:
    """The hall behind the application."""
    hall = request.app.state.hall
    assert isinstance(hall, Hall)
    return hall


def terminal_of(request: Request) -> str:
    """The calling terminal by its client certificate; Refused."""
    serial = request.scope.get(PEER_SERIAL)
    if not isinstance(serial, str):
        raise Refused(ProblemCode.UNAUTHENTICATED)
    return hall_of(request).terminals.authenticate(serial)


HallHere = Annotated[Hall, Depends(hall_of)]
Caller = Annotated[str, Depends(terminal_of)]


def json_body(model: type[M], *, limit: int = SMALL_BODY) -> Any:
    """A dependency that gives the parsed body."""

    async def parsed(request: Request) -> M:
        return read_model(model, await read_body(request, limit))

    return Depends(parsed)


def described(model: type[BaseModel]) -> dict[str, Any]:
    """OpenAPI of a body that is read by `json_body`."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": model.model_json_schema()}}}}


def answer(model: BaseModel, status: int = 200) -> Response:
    """A wire type as JSON."""
    return Response(model.model_dump_json(), status_code=status, media_type="application/json")


def problem(code: ProblemCode, status: int, title: str = "", headers: dict[str, str] | None = None) -> Response:
    """RFC 9457."""
    document = Problem.of(code, status, title)
    return Response(document.model_dump_json(), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def add_problem_handlers(app: FastAPI) -> None:
    """Every error leaves as a problem document."""

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> Response:
        return problem(error.code, error.status, error.title, error.headers)

    @app.exception_handler(StoreBusy)
    async def busy(_: Request, error: StoreBusy) -> Response:
        _log.warning("store is busy: %s", error)
        return problem(ProblemCode.BUSY, 503, headers={"Retry-After": str(RETRY_AFTER_S)})

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        code = ProblemCode.NOT_FOUND if error.status_code == 404 else ProblemCode.MALFORMED
        return problem(code, error.status_code, headers=dict(error.headers or {}))

    @app.exception_handler(ClientDisconnect)
    async def gone(_: Request, __: ClientDisconnect) -> Response:
        return problem(ProblemCode.MALFORMED, 400)

    @app.exception_handler(Exception)
    async def unexpected(_: Request, __: Exception) -> Response:
        return problem(ProblemCode.INTERNAL, 500)
