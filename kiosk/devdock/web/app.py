"""The dock's web application. Loopback only; refuses requests that another web page sends (host and origin checked)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Body, FastAPI, HTTPException, Request, Response, UploadFile, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.middleware.base import RequestResponseEndpoint

from drivers.sim.documents import SampleDocument
from kiosk.app.device_desk import DeskError
from kiosk.core.devices import DeviceKind
from kiosk.devdock import hands
from kiosk.devdock.device_rows import desk_of, device_rows
from kiosk.devdock.link import LinkMode
from kiosk.devdock.remote import RemoteError
from kiosk.devdock.street import Street, StreetError, Terminal
from kiosk.devdock.web.cabinet import build_router

_STATIC = Path(__file__).parent / "static"
_FRAME_S = 0.08
_MAX_PHOTO = 12 * 1024 * 1024
PROCESSES = ("ui", "sync", "hall", "idcard", "camera", "receipt", "page", "social_card", "scanner", "site_io")


class CardOrder(BaseModel):
    """Put this person's card; nothing: lift it."""

    model_config = ConfigDict(extra="forbid")
    person: str | None = None


class DocumentOrder(BaseModel):
    """Lay this paper under the camera; nothing: take it away."""

    model_config = ConfigDict(extra="forbid")
    document: SampleDocument | None = None


class LinkOrder(BaseModel):
    """What the line to the hall does."""

    model_config = ConfigDict(extra="forbid")
    mode: LinkMode


class KillOrder(BaseModel):
    """kill -9."""

    model_config = ConfigDict(extra="forbid")
    process: Literal["ui", "sync", "hall", "idcard", "camera", "receipt", "page", "social_card", "scanner", "site_io"]


class TestOrder(BaseModel):
    """A device is to prove itself (自检)."""

    model_config = ConfigDict(extra="forbid")
    device: DeviceKind
    deep: bool = False


def build_app(street: Street, *, port: int) -> FastAPI:
    """The application over a running street."""
    app = FastAPI(title="市民之窗 dock", docs_url=None, redoc_url=None, openapi_url=None)
    own_hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")

    @app.middleware("http")
    async def only_ourselves(request: Request, call_next: RequestResponseEndpoint) -> Response:
        origin = request.headers.get("origin", "")
        if request.headers.get("host") not in own_hosts or (origin and origin.split("//")[-1] not in own_hosts):
            return JSONResponse({"detail": "this page serves only its own machine"}, status_code=403)
        return await call_next(request)

    @app.exception_handler(RemoteError)
    async def not_there(_request: Request, error: Exception) -> Response:
        return JSONResponse({"detail": str(error)}, status_code=503)

    def terminal_of(name: str) -> Terminal:
        if name not in street.terminals:
            raise HTTPException(404, f"no terminal {name}")
        return street.terminals[name]

    app.include_router(build_router(terminal_of, street.persons))

    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(_STATIC / "dock.html")

    @app.get("/api/street")
    def describe() -> dict[str, Any]:
        return {
            "persons": [{"key": person.key, "label": person.label} for person in street.persons.values()],
            "other_cards": [{"key": key, "label": label} for key, label in hands.OTHER_CARDS.items()],
            "documents": [{"key": key, "label": label} for key, label in hands.DOCUMENT_LABELS.items()],
            "terminals": [
                {
                    "id": terminal.spec.id,
                    "site": terminal.spec.site_name,
                    "name": terminal.spec.terminal_name,
                    "width": terminal.spec.width,
                    "height": terminal.spec.height,
                }
                for terminal in street.terminals.values()
            ],
        }

    @app.get("/api/terminals/{name}")
    def state(name: str) -> dict[str, Any]:
        terminal = terminal_of(name)
        hardware, _ = terminal.hardware.do("status")
        return {
            "view": terminal.view(),
            "link": terminal.link.mode if terminal.link else "",
            "processes": {process: _pid(street, terminal, process) for process in PROCESSES},
            "devices": device_rows(terminal),
            "hardware": {key: value for key, value in hardware.items() if key != "ok"},
            "papers": {kind: terminal.hardware.do(f"{kind}.list")[0]["papers"] for kind in ("receipt", "page")},
            "events": street.events[-12:],
        }

    @app.post("/api/terminals/{name}/card")
    def card(name: str, order: CardOrder) -> dict[str, Any]:
        terminal = terminal_of(name)
        if order.person is None:
            hands.lift_card(terminal)
            return {}
        if order.person not in street.persons:
            raise HTTPException(404, "no such person")
        hands.put_card(terminal, street.persons[order.person])
        return {}

    @app.post("/api/terminals/{name}/document")
    def document(name: str, order: DocumentOrder) -> dict[str, Any]:
        terminal = terminal_of(name)
        if order.document is None:
            hands.clear_document(terminal)
        else:
            hands.put_document(terminal, order.document, street.persons["chen"])
        return {}

    @app.post("/api/terminals/{name}/photo")
    async def photo(name: str, file: UploadFile) -> dict[str, Any]:
        data = await file.read(_MAX_PHOTO + 1)
        if len(data) > _MAX_PHOTO:
            raise HTTPException(413, "at most 12 MiB")
        await run_in_threadpool(terminal_of(name).hardware.do, "camera.put", data)
        return {}

    @app.post("/api/terminals/{name}/hardware")
    def hardware(name: str, order: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        verb = str(order.pop("do", ""))
        head, _ = terminal_of(name).hardware.do(verb, **order)
        return head

    @app.post("/api/terminals/{name}/link")
    def link(name: str, order: LinkOrder) -> dict[str, Any]:
        line = terminal_of(name).link
        if line is not None:
            line.set_mode(order.mode)
        return {}

    @app.post("/api/terminals/{name}/kill")
    def kill(name: str, order: KillOrder) -> dict[str, Any]:
        return {"pid": street.kill(terminal_of(name), order.process)}

    @app.post("/api/terminals/{name}/self_test")
    def self_test(name: str, order: TestOrder) -> dict[str, Any]:
        try:
            test = desk_of(terminal_of(name)).self_test(order.device, deep=order.deep)
        except DeskError as error:
            raise HTTPException(409, f"没有自检 not tested: {error.why}") from None
        return {"passed": test.passed}

    @app.get("/api/terminals/{name}/papers/{kind}/{number}.png")
    def paper(name: str, kind: Literal["receipt", "page"], number: int) -> Response:
        png = hands.look_at(terminal_of(name), kind, number, as_png=True)
        return Response(png, media_type="image/png", headers={"Cache-Control": "no-store"})

    @app.get("/hall")
    def hall() -> RedirectResponse:
        try:
            return RedirectResponse(street.hall.staff_link(), status_code=303)
        except StreetError as error:
            raise HTTPException(503, str(error)) from None

    @app.websocket("/api/terminals/{name}/screen")
    async def screen(socket: WebSocket, name: str) -> None:
        if socket.headers.get("host") not in own_hosts or name not in street.terminals:
            await socket.close(1008)
            return
        await socket.accept()
        terminal = street.terminals[name]
        show = asyncio.create_task(_show(socket, terminal))
        try:
            while True:
                touch = await socket.receive_json()
                await _touch(terminal, touch)
        except (WebSocketDisconnect, ValueError, KeyError):
            return
        finally:
            show.cancel()

    return app


def _pid(street: Street, terminal: Terminal, process: str) -> int | None:
    return street.hall_pid() if process == "hall" else terminal.pid(process)


def _picture(terminal: Terminal) -> bytes:
    _, jpeg = terminal.screen.do("grab", kind="jpeg", width=720)
    return jpeg


async def _touch(terminal: Terminal, touch: dict[str, Any]) -> None:
    try:
        await run_in_threadpool(
            terminal.screen.do, "touch", x=float(touch["x"]), y=float(touch["y"]), phase=str(touch["phase"])
        )
    except RemoteError:
        return  # the screen is down at this moment; the page shows that already


async def _show(socket: WebSocket, terminal: Terminal) -> None:
    """Send a picture whenever the screen has drawn something new; an empty message while it is dark."""
    last: tuple[int, int] | None = None
    dark = False
    while True:
        try:
            head, _ = await run_in_threadpool(terminal.screen.do, "state")
            mark = (int(head["frames"]), int(head["sequence"]))
            if mark != last or dark:
                await socket.send_bytes(await run_in_threadpool(_picture, terminal))
                last, dark = mark, False
        except RemoteError:
            if not dark:
                await socket.send_bytes(b"")
                dark = True
        await asyncio.sleep(_FRAME_S)
