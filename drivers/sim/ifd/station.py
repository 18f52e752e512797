"""A reader on its own pcscd, as one piece of hardware: plugged in, unplugged, its service killed, frozen, restarted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from drivers.sim.ifd.build import build_driver
from drivers.sim.ifd.pcscd import PrivatePcscd
from drivers.sim.ifd.reader import VirtualReader

BUILD_DIR = Path(__file__).parents[3] / "build" / "ifd"
_HOLDER = Path(__file__).with_name("holder.py")


class Station:
    """One reader. Its service dies with the process that started it."""

    VERBS = frozenset(
        {"plug", "unplug", "kill_daemon", "restart_daemon", "freeze_daemon", "thaw_daemon"}
        | {"hold", "release", "cut", "mend"}
    )
    """`hold`: another program keeps the card in the reader for itself; `cut`: the reader's cable breaks."""

    def __init__(self, *, folder: Path, reader_name: str, build_dir: Path = BUILD_DIR) -> None:
        self._folder = folder
        self._name = reader_name
        self._build_dir = build_dir
        self._daemon: PrivatePcscd | None = None
        self.reader = VirtualReader(folder / "card.sock")
        self.plugged = True
        self._holder: subprocess.Popen[str] | None = None
        # pcscd dies with the thread that started it, so all of its life is this one thread's business.
        self._keeper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pcscd-keeper")

    @property
    def running(self) -> bool:
        """Is the service there?"""
        return self._daemon is not None and self._daemon.running

    def start(self) -> str:
        """Compile the handler if need be, start reader and daemon; the address of the reader."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._daemon = PrivatePcscd(folder=self._folder, library=build_driver(self._build_dir))
        self.reader.start()
        self._keep(self._start_daemon)
        return f"pcsc:{quote(str(self._daemon.socket_path))}?reader={quote(self._name)}"

    def stop(self) -> None:
        """End the daemon and the reader."""
        self._release()
        if self._daemon is not None:
            self._keep(self._daemon.stop)
        self._keeper.shutdown()
        self.reader.stop()

    def do(self, verb: str) -> None:
        """One of VERBS; ValueError."""
        daemon = self._daemon
        if daemon is None:
            raise ValueError("not started")
        match verb:
            case "plug" | "unplug":
                # pcscd reads its list of serial readers only when it starts
                self.plugged = verb == "plug"
                self._keep(self._start_daemon)
            case "kill_daemon":
                self._keep(lambda: daemon.stop(signal.SIGKILL))
            case "restart_daemon":
                self._keep(self._start_daemon)
            case "freeze_daemon":
                daemon.signal(signal.SIGSTOP)
            case "thaw_daemon":
                daemon.signal(signal.SIGCONT)
            case "hold":
                self._hold(daemon.socket_path)
            case "release":
                self._release()
            case "cut" | "mend":
                self.reader.cut = verb == "cut"
            case _:
                raise ValueError(f"no such verb {verb!r}")

    def _hold(self, service: Path) -> None:
        """A process of its own: a program talks to one service for life."""
        self._release()
        holder = [sys.executable, str(_HOLDER), self._name]
        self._holder = subprocess.Popen(
            holder,
            env={**os.environ, "PCSCLITE_CSOCK_NAME": str(service)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None
        if (said := self._holder.stdout.readline().strip()) != "held":
            self._release()
            raise ValueError(f"nobody can hold the reader: {said}")

    def _release(self) -> None:
        holder, self._holder = self._holder, None
        if holder is not None:
            with holder:  # closes its standard input, which is its sign to end
                pass

    def _start_daemon(self) -> None:
        if self._daemon is not None:
            self._daemon.start({self._name: self.reader.path} if self.plugged else {})

    def _keep(self, job: Callable[[], None]) -> None:
        self._keeper.submit(job).result()
