"""The screen process of a simulated terminal: the product's own, with a socket for the dock's eye and finger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from PySide6.QtQuick import QQuickWindow

from kiosk.app.ui import run_ui
from kiosk.devdock.screen_server import ScreenServer
from provisioning.profile import load_profile


def main(
    profile: Annotated[Path, typer.Option()],
    screen_socket: Annotated[Path, typer.Option()],
) -> None:
    """Serve, and let the dock look and touch."""

    def attach(window: QQuickWindow, view_now: Callable[[], tuple[int, str]]) -> ScreenServer:
        return ScreenServer(window, screen_socket, view_name=view_now)

    raise typer.Exit(run_ui(load_profile(profile), kiosk=False, attach=attach))


if __name__ == "__main__":
    typer.run(main)
