"""The line between a terminal and the hall: a TCP relay that can be cut, muted, or made to talk nonsense.

TLS passes through untouched when the line is up. For the modes that answer in the hall's name (`error_500`,
`garbage`) the relay ends TLS itself with the hall's server key, as a broken hall would.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from enum import StrEnum
from pathlib import Path

_GARBAGE = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{"verdicts": [\xff\xfe\x00'
_ERROR_500 = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\nContent-Length: 27\r\nConnection: close\r\n\r\n"
    b"<h1>something is wrong</h1>"
)


class LinkMode(StrEnum):
    """What the line does."""

    UP = "up"
    DOWN = "down"
    """Connections are refused at once and open ones are cut."""
    SILENT = "silent"
    """Accepts and never says a word."""
    ERROR_500 = "error_500"
    GARBAGE = "garbage"


class Link:
    """A relay on a free loopback port, in its own thread."""

    def __init__(self, *, target_port: int, certificate: Path, key: Path) -> None:
        self._target_port = target_port
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate, key)
        self._mode = LinkMode.UP
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._port = 0
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    def start(self) -> int:
        """Port to connect to instead of the hall's."""
        self._thread.start()
        self._ready.wait(5)
        return self._port

    @property
    def mode(self) -> LinkMode:
        """What the line does now."""
        return self._mode

    def set_mode(self, mode: LinkMode) -> None:
        """Change it; open connections are cut, as when a cable is pulled or plugged."""
        self._mode = mode
        self._loop.call_soon_threadsafe(self._cut)

    def retarget(self, port: int) -> None:
        """The hall listens on another port now."""
        self._target_port = port

    def stop(self) -> None:
        """Close everything."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._cut()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        # A cut line is the purpose of this class: whatever breaks below is a broken line, not an error.
        with contextlib.suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            match self._mode:
                case LinkMode.UP:
                    await self._relay(reader, writer)
                case LinkMode.DOWN:
                    writer.transport.abort()
                case LinkMode.SILENT:
                    await reader.read(-1)
                case LinkMode.ERROR_500:
                    await self._impersonate(reader, writer, _ERROR_500)
                case LinkMode.GARBAGE:
                    await self._impersonate(reader, writer, _GARBAGE)
        self._open.discard(writer)
        writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, downstream = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._open.add(downstream)
        try:
            await asyncio.gather(_pump(reader, downstream), _pump(upstream, writer))
        finally:
            self._open.discard(downstream)
            downstream.close()

    async def _impersonate(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
        await writer.start_tls(self._tls)
        await reader.read(65536)
        writer.write(answer)
        await writer.drain()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    sink.close()
