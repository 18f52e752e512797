"""Two listeners in one process: terminals over mutual TLS, staff over plain HTTP on this machine only."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from cryptography import x509
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hall.admin import serve_admin
from hall.api.terminal import terminal_app
from hall.hall import Hall
from hall.http import PEER_SERIAL
from hall.layout import HallLayout
from hall.trust.keys import renew_server
from hall.trust.pki import serial_text
from hall.web.app import staff_app

_log = logging.getLogger("hall")


class MutualTlsProtocol(HttpToolsProtocol):
    """Tells the application who is on the other end of each connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        der = tls.getpeercert(binary_form=True) if tls is not None else None
        if der is None:
            return
        serial = serial_text(x509.load_der_x509_certificate(der).serial_number)
        inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await inner({**scope, PEER_SERIAL: serial}, receive, send)

        self.app = app

    def shutdown(self) -> None:
        """Idle connections are dropped: a closing TLS handshake would wait for terminals that do not listen."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()
        else:
            self.cycle.keep_alive = False


class _Server(uvicorn.Server):
    """Leaves signals to `serve`, which has two of these to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def tls_context(layout: HallLayout) -> ssl.SSLContext:
    """TLS 1.3; certificates of our own CA are asked for, and checked when shown. The rest is `terminal_of`'s work."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(layout.server_certificate)
    context.load_verify_locations(layout.root_certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


async def keep_certificate(hall: Hall, tls: ssl.SSLContext, *, every_s: float = 6 * 3600.0) -> None:
    """A hall that runs for a year: its own certificate is made anew in time, and new connections get it. For ever."""
    while True:
        await asyncio.sleep(every_s)
        if await asyncio.to_thread(renew_server, hall.layout, hall.settings, now=hall.clock.now()):
            tls.load_cert_chain(hall.layout.server_certificate)


def listen(port: int, host: str) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    listener = socket.create_server((host, port), backlog=512)
    listener.setblocking(False)
    return listener


KEEP_ALIVE_S = 75
"""Well over a terminal's heartbeat: a connection that is closed just as it is used again looks like a lost link."""


def _server(app: Any, **options: Any) -> _Server:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # addresses and tokens stay out of logs
        server_header=False,
        lifespan="off",
        loop="uvloop",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=KEEP_ALIVE_S,
        h11_max_incomplete_event_size=16 * 1024,
        **options,
    )
    return _Server(config)


async def serve(
    hall: Hall, *, host: str, port: int, staff_port: int, on_ready: Callable[[dict[str, Any]], None]
) -> None:
    """Until SIGTERM or SIGINT."""
    sockets = listen(port, host), listen(staff_port, "127.0.0.1")
    tls = tls_context(hall.layout)
    terminals = _server(terminal_app(hall), http=MutualTlsProtocol, ssl_context_factory=lambda *_: tls)
    staff = _server(staff_app(hall), http="httptools")
    loop = asyncio.get_running_loop()

    def end() -> None:
        terminals.should_exit = staff.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    admin = await serve_admin(hall)
    renewing = asyncio.create_task(keep_certificate(hall, tls))
    running = [
        asyncio.create_task(server.serve(sockets=[listener]))
        for server, listener in zip((terminals, staff), sockets, strict=True)
    ]
    while not (terminals.started and staff.started):
        if any(task.done() for task in running):
            break
        await asyncio.sleep(0.005)
    else:
        names = hall.settings.tls_names
        on_ready(
            {
                "terminal_url": f"https://{names[0]}:{sockets[0].getsockname()[1]}",
                "staff_url": f"http://127.0.0.1:{sockets[1].getsockname()[1]}",
            }
        )
    try:
        await asyncio.gather(*running)
    finally:
        end()
        renewing.cancel()
        admin.close()
        with contextlib.suppress(FileNotFoundError):
            hall.layout.admin_socket.unlink()


def run(hall: Hall, *, host: str, port: int, staff_port: int) -> None:
    """Serve, with the background jobs; prints one line of JSON when ready."""

    def ready(where: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(where) + "\n")
        sys.stdout.flush()

    hall.jobs.start()
    try:
        uvloop_run(serve(hall, host=host, port=port, staff_port=staff_port, on_ready=ready))
    finally:
        hall.jobs.stop()
        hall.close()


def uvloop_run(main: Any) -> None:
    """asyncio.run on uvloop."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)
