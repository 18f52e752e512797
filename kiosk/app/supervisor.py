"""Keeps a terminal's long-lived processes running: screen and sync.

A process that ends is started again at once; one that keeps ending is started ever more slowly, so that a broken
program does not burn the machine. On a terminal systemd does the same to this supervisor.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.app.processes import spawn, stop
from kiosk.app.raw_log import keep_small


@dataclass(frozen=True, slots=True)
class Delays:
    """Named times, seconds."""

    first_restart: float = 0.05
    longest_restart: float = 5.0
    healthy_after: float = 10.0
    """Ran this long: the next restart is a first one again."""
    stop_grace: float = 3.0
    poll: float = 0.02
    log_look: float = 5.0
    """Between looks at how much a program has written on stderr."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


def restart_delay(*, failures: int, delays: Delays) -> float:
    """Seconds to wait before the next start after so many short lives in a row."""
    return float(min(delays.longest_restart, delays.first_restart * 2 ** min(failures, 20)))


class Supervisor:
    """Runs programs until told to stop; one keeper thread per program spawns, waits and starts again."""

    def __init__(
        self,
        programs: tuple[Program, ...],
        *,
        log_dir: Path,
        delays: Delays | None = None,
        on_event: Callable[[str, str, int], None] = lambda name, what, number: None,
    ) -> None:
        self._delays = delays or Delays()
        self._log_dir = log_dir
        self._on_event = on_event
        self._stopping = threading.Event()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._keepers = [
            threading.Thread(target=self._keep, args=(program,), name=f"keep-{program.name}", daemon=True)
            for program in programs
        ]

    def start(self) -> None:
        """Start everything."""
        self._log_dir.mkdir(parents=True, exist_ok=True)
        for keeper in self._keepers:
            keeper.start()

    def stop(self) -> None:
        """End everything, last started first."""
        self._stopping.set()
        for keeper in reversed(self._keepers):
            keeper.join()

    def pid(self, name: str) -> int | None:
        """Process id now, or None while it is down."""
        process = self._processes.get(name)
        return process.pid if process is not None and process.poll() is None else None

    def wait(self) -> None:
        """Until `stop` is called."""
        self._stopping.wait()

    def _keep(self, program: Program) -> None:
        failures = 0
        path = self._log_dir / f"{program.name}.stderr"
        while not self._stopping.is_set():
            started = time.monotonic()
            keep_small(path)
            with path.open("ab") as log:
                process = spawn(program.command, env=program.env, stdout=log, stderr=log)
            self._processes[program.name] = process
            self._on_event(program.name, "started", process.pid)
            looked = started
            while process.poll() is None and not self._stopping.is_set():
                # Waiting with wait() would leave a stop request unheard until the child ends.
                self._stopping.wait(self._delays.poll)
                if time.monotonic() - looked >= self._delays.log_look:
                    looked = time.monotonic()
                    keep_small(path)
            if self._stopping.is_set():
                stop(process, grace_s=self._delays.stop_grace)
                return
            self._on_event(program.name, "ended", process.returncode)
            lived = time.monotonic() - started
            failures = 0 if lived >= self._delays.healthy_after else failures + 1
            self._stopping.wait(restart_delay(failures=failures, delays=self._delays))
