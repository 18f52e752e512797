"""`make run`: bring the street up and serve the dock's page until Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from kiosk.devdock.street import DEFAULT_TERMINALS, Street, StreetError
from kiosk.devdock.web.app import build_app

_console = Console(stderr=True)


def main(
    port: Annotated[int, typer.Option(help="Port of the dock's page; 0 takes a free one")] = 8600,
    root: Annotated[Path, typer.Option(help="Where the street keeps its state; emptied at start")] = Path(
        "build/street"
    ),
    terminals: Annotated[int, typer.Option(min=1, max=2)] = 2,
    window: Annotated[bool, typer.Option(help="Also a real window where there is a display")] = True,
) -> None:
    """The street on one machine: hall, terminals, all their hardware, and a page that holds it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    try:
        # Listening before anybody is told the address: the first visitor waits a moment instead of being refused.
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        _console.print(f"[red]端口 {port} 用不了 port {port}: {error.strerror}。试试 --port 0。[/red]")
        raise SystemExit(1) from None
    port = listener.getsockname()[1]
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    platform = "xcb" if window and display else "offscreen"
    street = Street(
        root.resolve(), terminals=DEFAULT_TERMINALS[:terminals], platform=platform, motion=True, on_progress=_progress
    )
    try:
        with street:
            address = f"http://127.0.0.1:{port}"
            _console.print(
                f"市民之窗在 [bold]{address}[/bold] 等您（{time.monotonic() - began:.1f} 秒）。Ctrl-C 结束一切。"
            )
            sys.stdout.write(address + "\n")
            sys.stdout.flush()
            config = uvicorn.Config(build_app(street, port=port), log_level="warning", timeout_graceful_shutdown=1)
            with contextlib.suppress(KeyboardInterrupt):
                uvicorn.Server(config).run(sockets=[listener])
            _console.print("正在收拾 stopping…")
    except StreetError as error:
        _console.print(f"[red]{error}[/red]")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _progress(text: str) -> None:
    _console.print(f"· {text}", highlight=False)


if __name__ == "__main__":
    typer.run(main)
