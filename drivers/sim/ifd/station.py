"""A reader on its own pcscd, as one piece of hardware: plugged in, unplugged, its service killed, frozen, restarted."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from drivers.sim.ifd.build import build_driver
from drivers.sim.ifd.pcscd import PrivatePcscd
from drivers.sim.ifd.reader import VirtualReader

BUILD_DIR = Path(__file__).parents[3] / "build" / "ifd"


class Station:
    """One reader. Its service dies with the process that started it."""

    VERBS = frozenset({"plug", "unplug", "kill_daemon", "restart_daemon", "freeze_daemon", "thaw_daemon"})

    def __init__(self, *, folder: Path, reader_name: str, build_dir: Path = BUILD_DIR) -> None:
        self._folder = folder
        self._name = reader_name
        self._build_dir = build_dir
        self._daemon: PrivatePcscd | None = None
        self.reader = VirtualReader(folder / "card.sock")
        self.plugged = True
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
            case _:
                raise ValueError(f"no such verb {verb!r}")

    def _start_daemon(self) -> None:
        if self._daemon is not None:
            self._daemon.start({self._name: self.reader.path} if self.plugged else {})

    def _keep(self, job: Callable[[], None]) -> None:
        self._keeper.submit(job).result()
