"""The screen process: services, drivers and the Qt event loop, put together and taken apart in order."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtQuick import QQuickWindow

from kiosk.app.crash import end_on_the_unexpected
from kiosk.app.device_desk import DeviceDesk, someone_is_served
from kiosk.app.health import HealthReporter
from kiosk.app.logs import log_event, set_up_logs
from kiosk.app.wiring import BundleSource, build_ports, clock, device_hosts, terminal_settings
from kiosk.core.devices import CodeScanned, DeviceEvent, PreviewFrame, StatusChanged
from kiosk.core.intents import Intent
from kiosk.core.scanned_code import WEDGE
from kiosk.core.views import Snapshot
from kiosk.services.terminal import Terminal
from offline_queue.client import QueueClient
from offline_queue.keys.identity import NotEnrolled
from provisioning.profile import Machine
from screens.application import create_application
from screens.bridge import Screens
from screens.settings import ScreenSettings

_log = logging.getLogger("kiosk.ui")
_SIGNAL_POLL_MS = 200

Attach = Callable[[QQuickWindow, Callable[[], tuple[int, str]]], object]
"""Called once with the window and a function that names the view now; what it returns lives as long as the window."""


def pinyin_table() -> Path:
    """Where set-up or the bundle put the keyboard's table."""
    inside = Path(getattr(sys, "_MEIPASS", Path(__file__).resolve().parents[2] / "build"))
    return inside / "keyboard" / "pinyin.sqlite"


def run_ui(machine: Machine, *, kiosk: bool, attach: Attach | None = None) -> int:
    """Until SIGTERM; returns the exit status."""
    profile = machine.profile
    logs = Path(machine.layout.logs)
    set_up_logs(logs, "ui")
    end_on_the_unexpected(logs, "ui")
    hosts = device_hosts(profile)
    try:
        ports = build_ports(machine, hosts)
        bundle = BundleSource(machine)
    except NotEnrolled as error:
        _log.error("not enrolled: %s", error)
        return 3

    app = create_application()
    latest: list[Snapshot] = []

    def show(snapshot: Snapshot) -> None:
        latest[:] = [snapshot]
        screens.show(snapshot)

    def on_device(event: DeviceEvent) -> None:
        if isinstance(event, PreviewFrame):
            screens.preview(event)
        else:
            terminal.device_event(event)
        if isinstance(event, StatusChanged):
            health.hurry()

    terminal = Terminal(
        ports=ports,
        bundle=bundle,
        settings=terminal_settings(profile),
        clock=clock(),
        on_snapshot=show,
        on_event=partial(log_event, _log),
    )

    def dispatch(intent: Intent) -> None:
        terminal.dispatch(intent)

    screens = Screens(
        dispatch,
        ScreenSettings(
            pinyin=pinyin_table(),
            width=profile.screen.width,
            height=profile.screen.height,
            motion=profile.screen.motion,
            kiosk=kiosk,
        ),
        on_code=(lambda text: on_device(CodeScanned(text))) if profile.devices.scanner == WEDGE else None,
    )
    health = HealthReporter(tuple(hosts.values()), QueueClient(Path(machine.layout.queue_socket)))
    desk = DeviceDesk(
        Path(machine.layout.desk_socket), hosts, in_session=lambda: bool(latest) and someone_is_served(latest[0].view)
    )
    _open(desk)  # before any driver starts: whoever finds the desk closed may start drivers of his own
    for host in hosts.values():
        host.listen(on_device)
        host.start()
    terminal.start()
    health.start()

    def view_now() -> tuple[int, str]:
        return (latest[0].sequence, latest[0].view.name) if latest else (0, "")

    attached = attach(screens.window, view_now) if attach is not None else None
    _quit_on_signals(app)
    try:
        return app.exec()
    finally:
        # First nobody can touch, then nobody decides, then the hands let go, last the glass.
        del attached
        desk.close()
        health.stop()
        terminal.stop()
        for host in hosts.values():
            host.stop()
        screens.close()


def _open(desk: DeviceDesk) -> None:
    try:
        desk.open()
    except OSError as error:  # a disk that takes no more names: citizens are served all the same
        _log.error("no desk for technicians: %s", error.strerror)


def _quit_on_signals(app: QGuiApplication) -> None:
    """Python runs signal handlers only between bytecodes: a timer gives it the chance inside Qt's loop.

    Not `quit()`: that asks the windows first, and a kiosk's window does not let itself be closed.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: app.exit(0))
    timer = QTimer(app)
    timer.timeout.connect(lambda: None)
    timer.start(_SIGNAL_POLL_MS)
