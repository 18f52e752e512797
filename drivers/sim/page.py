"""An A4 printer on IPP (A4 激光打印机): takes PDFs over HTTP, keeps each as a file, shows it as a picture.

Verbs: `set` (paper full|low|out, media NAME in the tray, sheets_left N, toner full|low|out, toner_percent N;
jam, door, cover, tray_out, output_full, hot, broken, paused, abort_next, errors_next, busy, accepting, duplexer,
counts, mute, garbage, gone: true|false; says [reason, …]; slow_ms N a page, lag_ms N an answer), `power_cycle`,
`list`, `get` (n, optional `as`: pdf|png, `page`, `dpi`), `tear`, `status`.
"""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from drivers.sim.ipp_machine import BLOCKS, SIZES, Engine, preview_png
from drivers.sim.ipp_service import IppService

_ONCE = ("abort_next", "errors_next")
_MANNERS = ("busy", "accepting", "duplexer", "counts")
_LINE = ("mute", "garbage", "gone")
_BOOLEANS = (*BLOCKS, *_ONCE, *_MANNERS, *_LINE)
_NUMBERS = ("sheets_left", "toner_percent", "slow_ms", "lag_ms")
_LEVELS = ("full", "low", "out")
_MAX_BODY = 64 * 1024 * 1024
_GARBAGE = b"\x01\x01\x00\x00<html>not ipp</html>"


class PagePrinterSim:
    """One printer; lives on when the driver dies."""

    def __init__(self, *, dir: Path, port: int = 0) -> None:  # noqa: A002 - the common word of all simulators
        self._port = port
        self._engine = Engine(dir)
        self._service = IppService(self._engine, lambda: self._port)
        self._mute = self._garbage = False
        self._lag_s = 0.0
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._unmuted = threading.Event()
        self._unmuted.set()

    def start(self) -> str:
        """Listen; the address for a terminal's profile."""
        self._engine.start()
        self._listen()
        return f"ipp://127.0.0.1:{self._port}/ipp/print"

    def stop(self) -> None:
        """End every thread and socket."""
        self._unmuted.set()
        self._unlisten()
        self._engine.stop()

    def handle(self, verb: str, args: dict[str, Any], tail: bytes) -> tuple[dict[str, Any], bytes]:
        """One verb; ValueError, KeyError or TypeError when it makes no sense."""
        match verb:
            case "set":
                self._set(args)
                return self._describe(), b""
            case "list":
                with self._engine.lock:
                    jobs = [job for job in self._engine.papers.values() if job.printed]
                    return {"papers": [job.describe() for job in jobs]}, b""
            case "get":
                return self._get(args)
            case "tear":
                with self._engine.lock:
                    return {"taken": self._engine.tear()}, b""
            case "power_cycle":
                with self._engine.lock:
                    self._engine.power_cycle()
                return self._describe(), b""
            case "status":
                return self._describe(), b""
            case _:
                raise ValueError(f"no verb {verb!r}")

    def _get(self, args: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        with self._engine.lock:
            job = self._engine.papers[int(args["n"])]
            described, pdf = job.describe(), job.pdf
        if pdf is None:
            raise KeyError(args["n"])
        match args.get("as", "pdf"):
            case "pdf":
                return described, pdf.read_bytes()
            case "png":
                page, dpi = int(args.get("page", 1)), int(args.get("dpi", 96))
                return described, preview_png(pdf, page=page, dots_per_inch=dpi)
            case _:
                raise ValueError("as is pdf or png")

    def _set(self, args: dict[str, Any]) -> None:
        _check(args)
        engine, service = self._engine, self._service
        with engine.lock:
            for name in args.keys() & {"paper", "media", "toner", "toner_percent", "sheets_left", "says", *_ONCE}:
                setattr(engine, name, args[name])
            engine.blocks |= {name: args[name] for name in args.keys() & BLOCKS.keys()}
            for name in args.keys() & set(_MANNERS):
                setattr(service, name, args[name])
            engine.page_s = args.get("slow_ms", engine.page_s * 1000) / 1000
            engine.lock.notify_all()
        self._lag_s = args.get("lag_ms", self._lag_s * 1000) / 1000
        self._garbage = args.get("garbage", self._garbage)
        self._mute = args.get("mute", self._mute)
        (self._unmuted.clear if self._mute else self._unmuted.set)()
        if args.get("gone") is True:
            self._unlisten()
        elif args.get("gone") is False and self._server is None:
            self._listen()

    def _describe(self) -> dict[str, Any]:
        engine, service = self._engine, self._service
        with engine.lock:
            return {
                "paper": engine.paper,
                "media": engine.media,
                "sheets_left": engine.sheets_left,
                "toner": engine.toner,
                "toner_percent": engine.toner_percent,
                **engine.blocks,
                **{name: getattr(engine, name) for name in _ONCE},
                **{name: getattr(service, name) for name in _MANNERS},
                "mute": self._mute,
                "garbage": self._garbage,
                "gone": self._server is None,
                "says": list(engine.says),
                "slow_ms": round(engine.page_s * 1000),
                "lag_ms": round(self._lag_s * 1000),
                "state": engine.state,
                "impressions": engine.impressions,
            }

    # --- the line ------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        server = _Server(("127.0.0.1", self._port), _handler(self._answer))
        self._port = server.server_address[1]
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="page-sim-http", daemon=True
        )
        self._thread.start()

    def _unlisten(self) -> None:
        server, self._server = self._server, None
        if server is not None and self._thread is not None:
            server.shutdown()
            self._thread.join()
            server.hang_up()
            server.server_close()

    def _answer(self, body: bytes, *, whole: bool) -> bytes:
        answer = self._service.answer(body, whole=whole)
        time.sleep(self._lag_s)
        self._unmuted.wait()
        return _GARBAGE if self._garbage else answer


def _check(args: dict[str, Any]) -> None:
    """ValueError or TypeError, before anything is changed."""
    unknown = args.keys() - {*_BOOLEANS, *_NUMBERS, "paper", "media", "toner", "says"}
    if unknown:
        raise ValueError(f"nothing to set: {', '.join(sorted(unknown))}")
    if any(type(args[name]) is not bool for name in _BOOLEANS if name in args):
        raise TypeError("a fault is true or false")
    for name in args.keys() & set(_NUMBERS):
        if args[name] is None and name in ("sheets_left", "toner_percent"):
            continue
        if type(args[name]) is not int or args[name] < 0:
            raise TypeError("a number is expected")
    if args.get("paper", "full") not in _LEVELS or args.get("toner", "full") not in _LEVELS:
        raise ValueError("paper and toner are full, low or out")
    if args.get("media", SIZES[0]) not in SIZES:
        raise ValueError(f"paper is one of {', '.join(SIZES)}")
    says = args.get("says", [])
    if not isinstance(says, list) or not all(isinstance(word, str) for word in says):
        raise TypeError("says is a list of words")


class _Server(ThreadingHTTPServer):
    """Knows its connections, so that pulling the cable breaks them."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A driver that was killed or a cable that was pulled is nothing to report."""

    def hang_up(self) -> None:
        """Break what is open."""
        for sock in tuple(self._open):
            super().shutdown_request(sock)


def _handler(answer: Any) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            if self.headers.get("Expect", "").lower() == "100-continue":
                self.send_response_only(100)
                self.end_headers()
            body, whole = self._body()
            told = answer(body, whole=whole)
            self.send_response(200)
            self.send_header("Content-Type", "application/ipp")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def _body(self) -> tuple[bytes, bool]:
            """The body, and whether it came in whole."""
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                length = min(int(self.headers.get("Content-Length", 0)), _MAX_BODY)
                body = self.rfile.read(length)
                return body, len(body) == length
            pieces: list[bytes] = []
            while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces), True

        def log_message(self, *_: Any) -> None:
            """Job names are nobody's business on stderr."""

    return Handler
