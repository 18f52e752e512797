"""A real pcscd of our own, on a socket of our own, beside any other.

pcscd takes no socket path, but takes a listening socket from systemd; so we play systemd.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROGRAM = Path("/usr/sbin/pcscd")
RUN = Path("/run/pcscd")
"""pcscd insists on this folder, even when it puts nothing into it."""
_ACTIVATE = Path(__file__).with_name("activate.py")
_STOP_S = 3.0


class PcscdError(RuntimeError):
    """pcscd cannot run here; the message says why."""


class PrivatePcscd:
    """One daemon. It dies with the thread that called `start`, so that one must last as long as the daemon."""

    def __init__(self, *, folder: Path, library: Path) -> None:
        self._config = folder / "reader.conf.d"
        self._log = folder / "pcscd.log"
        self._library = library
        self.socket_path = folder / "pcscd.comm"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """The process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self, readers: Mapping[str, Path]) -> None:
        """Serve these readers: device path by friendly name. PcscdError."""
        self.stop()
        if not PROGRAM.exists():
            raise PcscdError("pcscd is not installed")
        try:
            RUN.mkdir(exist_ok=True)
        except PermissionError:
            raise PcscdError(f"{RUN} is missing and only root can make it") from None
        self._configure(readers)
        # The daemon alone keeps the listener: when it dies, clients are refused instead of waiting for ever.
        with socket.socket(socket.AF_UNIX) as listener, self._log.open("ab") as log:
            listener.bind(str(self.socket_path))
            listener.listen(16)
            number = listener.fileno()
            launch = [sys.executable, "-I", str(_ACTIVATE), str(os.getpid()), str(number)]
            daemon = [str(PROGRAM), "--foreground", "--error", "--config", str(self._config)]
            self._process = subprocess.Popen(
                [*launch, *daemon], stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(number,)
            )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it; SIGKILL is the crash that drivers must survive. The socket is gone afterwards."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.socket_path.unlink(missing_ok=True)

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP and SIGCONT: a daemon that hangs, and wakes up."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _configure(self, readers: Mapping[str, Path]) -> None:
        self._config.mkdir(parents=True, exist_ok=True)
        for old in self._config.iterdir():
            old.unlink()
        for number, (name, device) in enumerate(readers.items()):
            (self._config / f"reader{number}").write_text(
                f'FRIENDLYNAME "{name}"\nDEVICENAME {device}\nLIBPATH {self._library}\nCHANNELID 0\n'
            )
