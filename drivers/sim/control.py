"""The control socket of simulated hardware: what a hand does to a device, as frames of `kiosk.contract.frames`.

Request head ``{"do": "camera.put", ...arguments}`` with an optional tail; reply head ``{"ok": true, ...}`` or
``{"ok": false, "error": "..."}`` with an optional tail. The part before the first dot names the simulator.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from kiosk.contract.frames import Frame, FrameError, FrameReader, encode_frame

Reply = tuple[dict[str, Any], bytes]
Handler = Callable[[str, dict[str, Any], bytes], Reply]

CLIENT_TIMEOUT_S = 30.0


class SimDevice(Protocol):
    """One simulated device: a real address outside, verbs inside."""

    def start(self) -> str:
        """Begin to answer; the address for a terminal's profile."""
        ...

    def handle(self, verb: str, args: dict[str, Any], tail: bytes) -> Reply:
        """Do one verb (without the device's prefix); ValueError, KeyError or TypeError when it makes no sense."""
        ...

    def stop(self) -> None:
        """End every thread and socket; harmless when it never started."""
        ...


class HardwareError(Exception):
    """The simulated hardware refused, or does not answer."""


class ControlServer:
    """Serves one handler on a unix socket, a thread for each connection."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self._path = path
        self._handler = handler
        self._listener: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Listen; a dead socket file of an earlier run is replaced."""
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self._path))
        self._path.chmod(0o600)
        listener.listen(16)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="control", daemon=True).start()

    def stop(self) -> None:
        """Close the listener and every connection."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        _hang_up(listener)
        with self._lock:
            connections = tuple(self._connections)
        for connection in connections:
            _hang_up(connection)
        self._path.unlink(missing_ok=True)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed by stop()
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name="control-peer", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        reader = FrameReader()
        try:
            while data := connection.recv(65536):
                for frame in reader.feed(data):
                    connection.sendall(self._answer(frame))
        except (OSError, FrameError):
            pass  # the peer went away or talks nonsense: this connection is over, the others go on
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _answer(self, frame: Frame) -> bytes:
        args = dict(frame.head)
        verb = args.pop("do", None)
        try:
            if not isinstance(verb, str):
                raise ValueError('a request needs "do"')
            head, tail = self._handler(verb, args, frame.tail)
            return encode_frame({"ok": True, **head}, tail)
        except (ValueError, KeyError, TypeError, OSError) as error:
            return encode_frame({"ok": False, "error": f"{type(error).__name__}: {error}"})


class HardwareClient:
    """Blocking client of a control socket; one request at a time, any number of clients, any thread."""

    def __init__(self, path: Path, *, timeout_s: float = CLIENT_TIMEOUT_S) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def do(self, verb: str, tail: bytes = b"", **args: Any) -> Reply:
        """One verb; the reply's head (without `ok`) and tail. HardwareError if it was refused or nobody is there."""
        with self._lock:
            try:
                frame = self._exchange(encode_frame({**args, "do": verb}, tail))
            except (OSError, FrameError) as error:
                self._drop()
                raise HardwareError(f"simulated hardware does not answer: {error}") from error
        head = dict(frame.head)
        if not head.pop("ok", False):
            raise HardwareError(f"{verb}: {head.get('error', 'refused')}")
        return head, frame.tail

    def close(self) -> None:
        """Hang up; the next `do` connects again."""
        with self._lock:
            self._drop()

    def __enter__(self) -> HardwareClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _exchange(self, request: bytes) -> Frame:
        connection = self._connect()
        connection.sendall(request)
        reader = FrameReader()
        while data := connection.recv(65536):
            for frame in reader.feed(data):
                return frame
        raise ConnectionResetError("hung up")

    def _connect(self) -> socket.socket:
        if self._socket is None:
            fresh = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            fresh.settimeout(self._timeout_s)
            try:
                fresh.connect(str(self._path))
            except OSError:
                fresh.close()
                raise
            self._socket = fresh
        return self._socket

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def route(devices: Mapping[str, SimDevice]) -> Handler:
    """A handler that gives ``card.put`` to the device named `card`; `status` asks all of them.

    Verbs of one device run one at a time, so that a simulator need not guard itself against two hands.
    """
    locks = {name: threading.Lock() for name in devices}

    def handle(verb: str, args: dict[str, Any], tail: bytes) -> Reply:
        if verb == "status":
            return {name: _ask(name, "status", {}, b"")[0] for name in devices}, b""
        name, dot, rest = verb.partition(".")
        if not dot or name not in devices:
            raise ValueError(f"no device for verb {verb!r}")
        return _ask(name, rest, args, tail)

    def _ask(name: str, verb: str, args: dict[str, Any], tail: bytes) -> Reply:
        with locks[name]:
            return devices[name].handle(verb, args, tail)

    return handle


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):  # never connected, or the peer was faster
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
