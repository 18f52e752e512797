"""The technician's desk (设备台): what the serving terminal knows of its devices, and self-tests, over a unix socket.

A receipt printer on a serial line or on TCP has one line, and the terminal holds it. A doctor that asked by itself
would hear nothing and call a good printer broken, or disturb a slip in the making: it asks at the desk instead. The
desk is open exactly as long as the terminal serves, so that it also tells whether one does.

Request ``{"ask": "status"}`` → ``{"records": [...]}``; ``{"ask": "self_test", "kind": …, "deep": …}`` →
``{"self_test": {...}}``; else ``{"refused": …}``. Frames of `kiosk.contract.frames`.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from drivers.host.codec import CodecError, take, take_enum
from drivers.host.record_codec import dump_record, dump_self_test, load_record, load_self_test
from kiosk.contract.frames import Frame, FrameError
from kiosk.core.devices import DeviceKind, DeviceRecord, SelfTest
from kiosk.core.views import AttractView, HomeView, OutOfServiceView, View
from offline_queue.ipc.local_socket import FrameSocket, connect
from offline_queue.ipc.server import QueueServer, ServerLimits

_PEER = struct.Struct("3i")
"""pid, uid, gid (unix(7), SO_PEERCRED)."""
_LIMITS = ServerLimits(request_s=5.0, stop_s=0.5)


class Refusal(StrEnum):
    """Why the desk has no answer."""

    NOT_SERVING = "not_serving"
    """No terminal serves on this data directory."""
    FORBIDDEN = "forbidden"
    """The desk is for the terminal's user and for root."""
    HANGS = "hangs"
    """A terminal is there and does not answer in time."""
    NONSENSE = "nonsense"
    """One side does not understand the other: two versions of the program?"""
    NO_SUCH_DEVICE = "no_such_device"
    IN_SESSION = "in_session"
    """A citizen is served; a deep self-test would get into her way."""


class DeskError(Exception):
    """The desk did not do what it was asked."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why.value)
        self.why = why


class Desked(Protocol):
    """A driver host, as the desk needs it."""

    def record(self) -> DeviceRecord:
        """Everything that is known."""
        ...

    def self_test(self, *, deep: bool) -> SelfTest:
        """Ask the device to prove itself; returns within its deadline."""
        ...


def someone_is_served(view: View) -> bool:
    """Is this a page that a deep self-test would spoil? Who only looks around, or whose card cannot be read, is not
    kept from anything by it."""
    match view:
        case AttractView() | OutOfServiceView() | HomeView(person=None):
            return False
        case _:
            return True


class DeviceDesk:
    """The desk in the process that serves."""

    def __init__(
        self, path: Path, hosts: Mapping[DeviceKind, Desked], *, in_session: Callable[[], bool] = lambda: False
    ) -> None:
        """`in_session` tells whether a citizen is served now; called on any thread."""
        self._path = path
        self._hosts = hosts
        self._in_session = in_session
        self._server: QueueServer | None = None

    def open(self) -> None:
        """Begin to answer; OSError when there is no place for the socket."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._server = QueueServer(self._path, self._answer, limits=_LIMITS, admit=_is_one_of_us)
        self._server.start()

    def close(self) -> None:
        """No more answers. Before the driver hosts stop, which ends a self-test that is still running."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def _answer(self, frame: Frame) -> tuple[dict[str, Any], bytes]:
        try:
            return self._do(frame.head), b""
        except CodecError:
            return _refused(Refusal.NONSENSE), b""

    def _do(self, head: dict[str, Any]) -> dict[str, Any]:
        match head.get("ask"):
            case "status":
                return {"records": [dump_record(host.record()) for host in self._hosts.values()]}
            case "self_test":
                host = self._hosts.get(take_enum(head, "kind", DeviceKind))
                deep = take(head, "deep", bool)
                if host is None:
                    return _refused(Refusal.NO_SUCH_DEVICE)
                if deep and self._in_session():
                    return _refused(Refusal.IN_SESSION)
                return {"self_test": dump_self_test(host.self_test(deep=deep))}
            case _:
                return _refused(Refusal.NONSENSE)


@dataclass(frozen=True, slots=True)
class DeskPatience:
    """How long a client waits, seconds."""

    status: float = 3.0
    self_test: float = 260.0
    """The longest print of a test page, and as long for its turn."""


class DeviceDeskClient:
    """Asks at the desk; a connection a question, so that a terminal may come and go. Safe on any thread."""

    def __init__(self, path: Path, *, patience: DeskPatience | None = None) -> None:
        """`path` is `DataLayout.desk_socket`."""
        self._path = path
        self._patience = patience or DeskPatience()

    def records(self) -> dict[DeviceKind, DeviceRecord]:
        """Every device of the profile; DeskError."""
        answer = self._ask({"ask": "status"}, self._patience.status)
        try:
            records = [load_record(raw) for raw in take(answer, "records", list) if isinstance(raw, dict)]
        except CodecError:
            raise DeskError(Refusal.NONSENSE) from None
        return {record.status.kind: record for record in records}

    def self_test(self, kind: DeviceKind, deep: bool) -> SelfTest:
        """Have a device prove itself; DeskError if it was not even tried."""
        answer = self._ask({"ask": "self_test", "kind": kind.value, "deep": deep}, self._patience.self_test)
        try:
            return load_self_test(take(answer, "self_test", dict))
        except CodecError:
            raise DeskError(Refusal.NONSENSE) from None

    def _ask(self, question: dict[str, Any], seconds: float) -> dict[str, Any]:
        try:
            frames = FrameSocket(connect(self._path, seconds=min(seconds, self._patience.status)))
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            raise DeskError(Refusal.NOT_SERVING) from None
        except PermissionError:
            raise DeskError(Refusal.FORBIDDEN) from None
        except OSError:  # it does not take connections any more
            raise DeskError(Refusal.HANGS) from None
        try:
            frames.send(question, seconds=self._patience.status)
            answer = frames.receive(seconds=seconds)
        except FrameError:
            raise DeskError(Refusal.NONSENSE) from None
        except TimeoutError:
            raise DeskError(Refusal.HANGS) from None
        except OSError:  # it ended over the question
            raise DeskError(Refusal.NOT_SERVING) from None
        finally:
            frames.close()
        if answer is None:
            raise DeskError(Refusal.NOT_SERVING)
        if "refused" in answer.head:
            raise DeskError(_refusal(answer.head["refused"]))
        return answer.head


def _refused(why: Refusal) -> dict[str, Any]:
    return {"refused": why.value}


def _refusal(told: object) -> Refusal:
    return next((why for why in Refusal if why.value == told), Refusal.NONSENSE)


def _is_one_of_us(connection: socket.socket) -> bool:
    """The terminal's own user, or root."""
    _pid, user, _group = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return user in (0, os.geteuid())
