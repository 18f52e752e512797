"""The product's screen process with a probe in it: something moves all the time, and every frame's time is kept.

``hold`` is the peer: the call that a driver in a thread of this process would make, of a C library that keeps the
interpreter's lock.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtQml import QQmlComponent, QQmlEngine, qmlEngine
from PySide6.QtQuick import QQuickItem, QQuickWindow

from kiosk.app.ui import run_ui
from kiosk.devdock.screen_server import ScreenServer
from provisioning.profile import load_profile

_MOVING = b"""
import QtQuick
Rectangle {
    id: moving
    width: 120; height: 120; color: "#1f6feb"
    NumberAnimation on x { from: 0; to: 900; duration: 1500; loops: Animation.Infinite; running: moving.visible }
}
"""


class Probe(QObject):
    """Counts the time from frame to frame while a rectangle moves over the page."""

    def __init__(self, window: QQuickWindow) -> None:
        super().__init__()
        self._window = window
        self._times: list[float] = []
        self._item: QQuickItem | None = None
        window.frameSwapped.connect(self._swapped)

    @Slot()
    def _swapped(self) -> None:
        self._times.append(time.monotonic())

    def animate(self, head: dict[str, Any]) -> dict[str, Any]:
        """``{"on": true|false}``."""
        if self._item is None:
            component = QQmlComponent(_engine(self._window), self)
            component.setData(_MOVING, QUrl())
            item = component.create()
            if not isinstance(item, QQuickItem):
                raise ValueError(component.errorString())
            item.setParentItem(self._window.contentItem())
            self._item = item
        self._item.setVisible(bool(head["on"]))
        return {}

    def frames(self, _head: dict[str, Any]) -> dict[str, Any]:
        """Gaps between frames since the last call, milliseconds; the one that is open now counts too."""
        times, self._times = [*self._times, time.monotonic()], self._times[-1:]
        return {"gaps_ms": [(after - before) * 1000 for before, after in itertools.pairwise(times)]}

    def hold(self, head: dict[str, Any]) -> dict[str, Any]:
        """Keep the interpreter's lock for ``seconds`` in another thread, as a careless C library does."""
        microseconds = round(float(head["seconds"]) * 1e6)
        library = ctypes.PyDLL(None)  # PyDLL does not let the lock go; usleep(3) stands for any blocking call
        threading.Thread(target=library.usleep, args=(microseconds,), daemon=True).start()
        return {}


def _engine(window: QQuickWindow) -> QQmlEngine:
    engine = qmlEngine(window)
    if engine is None:
        raise ValueError("the window has no engine")
    return engine


def main(
    profile: Annotated[Path, typer.Option()],
    screen_socket: Annotated[Path, typer.Option()],
) -> None:
    """As `kiosk.devdock.terminal`, with the probe."""

    def attach(window: QQuickWindow, view_now: Callable[[], tuple[int, str]]) -> ScreenServer:
        probe = Probe(window)
        more = {"animate": probe.animate, "frames": probe.frames, "hold": probe.hold}
        return ScreenServer(window, screen_socket, view_name=view_now, more=more)

    raise typer.Exit(run_ui(load_profile(profile), kiosk=False, attach=attach))


if __name__ == "__main__":
    typer.run(main)
