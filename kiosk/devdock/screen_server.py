"""Lets the dock see and touch a terminal's screen: pictures, accessibility tree, touches, over a unix socket.

Runs inside the screen process of a *simulated* terminal only; the product has nothing like it. Touches go in as real
touch events, so whatever works here works under a finger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QBuffer, QIODevice, QObject, Qt, Slot
from PySide6.QtGui import QImage
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtQuick import QQuickWindow

from kiosk.contract.frames import Frame, FrameError, FrameReader, encode_frame
from screens import inspect

Verb = Callable[[dict[str, Any]], dict[str, Any]]
"""From a request's head to the answer's."""


class ScreenServer(QObject):
    """Answers one frame per request. Verbs: `grab`, `tree`, `touch`, `tap`, `state`, and those of `more`."""

    def __init__(
        self,
        window: QQuickWindow,
        path: Path,
        *,
        view_name: Callable[[], tuple[int, str]],
        more: Mapping[str, Verb] | None = None,
    ) -> None:
        super().__init__()
        self._window = window
        self._more = more or {}
        self._view_name = view_name
        self._frames_drawn = 0
        self._readers: dict[QLocalSocket, FrameReader] = {}
        window.frameSwapped.connect(self._count)
        self._server = QLocalServer(self)
        path.unlink(missing_ok=True)
        if not self._server.listen(str(path)):
            raise OSError(self._server.errorString())
        self._server.newConnection.connect(self._accept)

    @Slot()
    def _count(self) -> None:
        self._frames_drawn += 1

    @Slot()
    def _accept(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            self._readers[socket] = FrameReader()
            socket.readyRead.connect(self._readable)
            socket.disconnected.connect(self._gone)

    @Slot()
    def _gone(self) -> None:
        socket = self.sender()
        if isinstance(socket, QLocalSocket):
            self._readers.pop(socket, None)
            socket.deleteLater()

    @Slot()
    def _readable(self) -> None:
        socket = self.sender()
        if not isinstance(socket, QLocalSocket) or socket not in self._readers:
            return
        try:
            requests = self._readers[socket].feed(bytes(socket.readAll().data()))
        except FrameError:
            socket.abort()
            return
        for request in requests:
            socket.write(self._answer(request))

    def _answer(self, request: Frame) -> bytes:
        head = request.head
        match head.get("do"):
            case "grab":
                image = inspect.grab(self._window)
                return encode_frame(
                    self._state(), _encode(image, str(head.get("kind", "png")), int(head.get("width", 0)))
                )
            case "tree":
                nodes = [_told(node) for node in inspect.tree(self._window)]
                return encode_frame({**self._state(), "nodes": nodes})
            case "tap":
                return encode_frame(self._tap(head.get("node"), round(head["x"]), round(head["y"])))
            case "touch":
                if head.get("phase") not in ("press", "move", "release"):
                    return encode_frame({"ok": False, "error": "phase is press, move or release"})
                inspect.touch(self._window, round(head["x"]), round(head["y"]), head["phase"])
                return encode_frame(self._state())
            case "state":
                return encode_frame(self._state())
            case str() as verb if verb in self._more:
                return encode_frame({**self._state(), **self._more[verb](head)})
            case other:
                return encode_frame({"ok": False, "error": f"unknown verb {other!r}"})

    def _tap(self, node: Any, x: int, y: int) -> dict[str, Any]:
        """Touches that thing if it is still as it was seen (a node of `tree`): a page that changes while the finger
        comes down is not touched. The state before the touch, and whether it was `tapped`."""
        there = node in [_told(now) for now in inspect.tree(self._window)]
        before = self._state()
        if there:
            inspect.tap(self._window, x, y)
        return {**before, "tapped": there}

    def _state(self) -> dict[str, Any]:
        sequence, view = self._view_name()
        size = self._window.size()
        return {
            "ok": True,
            "view": view,
            "sequence": sequence,
            "frames": self._frames_drawn,
            "width": size.width(),
            "height": size.height(),
        }


def _told(node: inspect.Node) -> dict[str, Any]:
    return {
        "role": node.role,
        "name": node.name,
        "value": node.value,
        "rect": [node.rect.x, node.rect.y, node.rect.width, node.rect.height],
        "states": sorted(node.states),
    }


def _encode(image: QImage, kind: str, width: int) -> bytes:
    if width and width != image.width():
        image = image.scaledToWidth(width, Qt.TransformationMode.SmoothTransformation)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "JPEG" if kind == "jpeg" else "PNG", 80 if kind == "jpeg" else -1)  # type: ignore[call-overload]
    return bytes(buffer.data().data())
