"""One life of a driver's worker process, as the host holds it."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from drivers.host.protocol import VERSION, FromWorker, Hello, Nonsense, ProtocolError, decode_from_worker
from kiosk.contract.frames import FrameError, FrameReader
from kiosk.core.devices import DeviceKind

_RECEIVE_BYTES = 256 * 1024
ENDED = "process ended"
_EXIT_S = 0.2
"""From the end of the stream to the end of the process, so that its own exit status is seen."""
Hear: TypeAlias = Callable[[FromWorker], None]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the host waits for a worker, seconds."""

    hello_s: float = 10.0
    """From start to Hello: covers the driver's imports on a cold disk."""
    silence_s: float = 1.0
    """Since the last sign of life."""
    farewell_s: float = 3.0
    """From SIGTERM to SIGKILL: the command in work may end."""


@dataclass(slots=True)
class WorkerProcess:
    """The process and our end of its socket. Reading belongs to one thread, sending to whoever has the turn."""

    process: subprocess.Popen[bytes]
    reading: socket.socket
    sending: socket.socket
    hello: Hello | None = None
    _why: list[str] = field(default_factory=list)

    @classmethod
    def spawn(cls, command: Sequence[str]) -> WorkerProcess:
        """Start ``command --fd N``; OSError if it cannot be started.

        In a process group of its own: Ctrl-C at a terminal reaches the host only, which stops its workers in order.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            try:
                process = subprocess.Popen(
                    [*command, "--fd", str(number)],
                    stdin=subprocess.DEVNULL,
                    pass_fds=(number,),
                    process_group=0,
                )
            except OSError:
                ours.close()
                raise
        return cls(process, ours, ours.dup())

    def kill(self, why: str) -> None:
        """SIGKILL; the first reason given is the one reported. Any thread, any number of times."""
        self._why.append(why)
        self.process.kill()

    def terminate(self) -> None:
        """SIGTERM: stop in order."""
        self.process.terminate()

    def attend(self, kind: DeviceKind, patience: Patience, hear: Hear) -> str:
        """Read until contact ends; `hear` gets every message, Hello first. Returns why it ended."""
        reader = FrameReader()
        silent_at = time.monotonic() + patience.hello_s
        try:
            while data := self._receive(silent_at):
                for frame in reader.feed(data):
                    message = decode_from_worker(frame)
                    self._check_order(message, kind)
                    hear(message)
                if self.hello is not None:
                    silent_at = time.monotonic() + patience.silence_s
        except TimeoutError:
            return "no heartbeat" if self.hello else "no hello"
        except (FrameError, ProtocolError) as error:
            return f"protocol: {error}"
        return ENDED

    def _receive(self, silent_at: float) -> bytes:
        # What arrived in time but was not read in time (host asleep) still counts: recv looks before it waits.
        self.reading.settimeout(max(0.001, silent_at - time.monotonic()))
        try:
            return self.reading.recv(_RECEIVE_BYTES)
        except ConnectionResetError:
            return b""

    def _check_order(self, message: FromWorker, kind: DeviceKind) -> None:
        match message:
            case Hello(version, its_kind) if self.hello is None and version == VERSION and its_kind is kind:
                self.hello = message
            case Hello():
                raise ProtocolError(Nonsense.MALFORMED, "unexpected hello")
            case _ if self.hello is None:
                raise ProtocolError(Nonsense.MALFORMED, "hello expected")
            case _:
                pass

    def send(self, data: bytes, timeout_s: float) -> None:
        """All of it; OSError (TimeoutError among them) if the worker cannot have got it whole."""
        self.sending.settimeout(max(0.001, timeout_s))
        self.sending.sendall(data)

    def end(self, why: str, *, grace_s: float = 0.0) -> str:
        """Make sure that the process is gone, after at most `grace_s` more; returns why, with the exit status."""
        try:
            self.process.wait(max(grace_s, _EXIT_S) if why == ENDED else grace_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
        status = self.process.wait()
        self.reading.close()
        self.sending.close()
        return f"{self._why[0] if self._why else why} (exit {status})"
