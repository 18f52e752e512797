"""Simulated hardware and a driver for each device, without a terminal around them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from drivers.host.host import DriverHost
from drivers.sim.bench import CONTROL_SOCKET, DEVICES
from drivers.sim.control import HardwareClient
from kiosk.app.processes import own_command, spawn, stop
from kiosk.app.wiring import DRIVER_NAMES
from kiosk.core.devices import DeviceEvent, DeviceKind

WAIT_S = 30.0


class BenchError(RuntimeError):
    """Something that is to be measured did not happen."""


class Heard:
    """A driver host, and when each of its events was heard."""

    def __init__(self, kind: DeviceKind, address: str) -> None:
        command = own_command("driver", DRIVER_NAMES[kind], "--address", address)
        self.host = DriverHost(command, kind, notice=lambda _notice: None)
        self._events: list[tuple[float, DeviceEvent]] = []
        self._news = threading.Condition()
        self.host.listen(self._hear)

    def _hear(self, event: DeviceEvent) -> None:
        with self._news:
            self._events.append((time.monotonic(), event))
            self._news.notify_all()

    def wait_for(self, accept: Callable[[DeviceEvent], bool], *, since: float) -> float:
        """When the first event after `since` that is accepted was heard (monotonic seconds)."""
        until = time.monotonic() + WAIT_S
        with self._news:
            while True:
                for at, event in self._events:
                    if at >= since and accept(event):
                        return at
                if not self._news.wait(until - time.monotonic()):
                    raise BenchError(f"{self.host.kind}: nothing was heard for {WAIT_S:g} s")

    def well(self) -> None:
        """Wait until it is."""
        until = time.monotonic() + WAIT_S
        while not self.host.status().well:
            if time.monotonic() > until:
                raise BenchError(f"{self.host.kind} is not well: {self.host.status()}")
            time.sleep(0.01)


class Workbench:
    """Simulated hardware in a process of its own, and a driver for each device."""

    def __init__(self, folder: Path, addresses: dict[str, str]) -> None:
        self.addresses = addresses
        self.hands = HardwareClient(folder / CONTROL_SOCKET)
        self.heard = {kind: Heard(kind, addresses[kind.value]) for kind in DEVICES}


@contextmanager
def workbench(folder: Path) -> Iterator[Workbench]:
    """Everything well; gone when the block ends."""
    with hardware(folder) as addresses:
        bench = Workbench(folder, addresses)
        try:
            for heard in bench.heard.values():
                heard.host.start()
            for heard in bench.heard.values():
                heard.well()
            yield bench
        finally:
            for heard in bench.heard.values():
                heard.host.stop()
            bench.hands.close()


@contextmanager
def hardware(folder: Path, *only: DeviceKind) -> Iterator[dict[str, str]]:
    """Simulators in a process of their own; their addresses."""
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "drivers.sim", "--dir", str(folder)]
    command += ["--only", ",".join(only)] if only else []
    with (folder / "stderr").open("wb") as log:
        process = spawn(command, stdout=subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline() or b"{}")
    finally:
        stop(process, grace_s=3.0)
        process.stdout.close()
