"""One life of a driver's worker process, as the host holds it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from drivers.host.chatter import Ration, Say, listen_to
from drivers.host.lives import End, Reason, exited
from drivers.host.needs import Needs
from drivers.host.protocol import SELF_TEST, VERSION, FromWorker, Hello, Nonsense, ProtocolError, decode_from_worker
from kiosk.contract.frames import FrameError, FrameReader
from kiosk.core.devices import DeviceKind

_RECEIVE_BYTES = 256 * 1024
_PAGE_BYTES = os.sysconf("SC_PAGESIZE")
_MEMORY_LOOK_S = 0.5
_EXIT_S = 0.2
"""From the end of the stream to the end of the process, so that its own exit status is seen."""
_LAST_WORDS_S = 0.2
"""From the end of the process to the end of what it wrote; a child of its own may hold the pipe."""
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


class _Misfit(ValueError):
    """A worker in good order, and not the one that this host wants."""


def resident_bytes(pid: int) -> int:
    """Memory that a process holds now (proc(5), statm); 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):  # gone before, or while, we looked
        return 0


@dataclass(slots=True)
class WorkerProcess:
    """The process and our end of its socket. Reading belongs to one thread, sending to whoever has the turn."""

    process: subprocess.Popen[bytes]
    reading: socket.socket
    sending: socket.socket
    hello: Hello | None = None
    chatter: threading.Thread | None = None
    _why: list[str] = field(default_factory=list)

    @classmethod
    def spawn(cls, command: Sequence[str], *, say: Say, ration: Ration) -> WorkerProcess:
        """Start ``command --fd N``; OSError if it cannot be started. `say` gets what it writes on stderr.

        In a process group of its own: Ctrl-C at a terminal reaches the host only, which stops its workers in order.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            try:
                process = subprocess.Popen(
                    [*command, "--fd", str(number)],
                    stdin=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    pass_fds=(number,),
                    process_group=0,
                )
            except OSError:
                ours.close()
                raise
        assert process.stderr is not None
        chatter = listen_to(process.stderr, say, ration=ration, name=f"stderr-{process.pid}")
        return cls(process, ours, ours.dup(), chatter=chatter)

    @property
    def killed_over_command(self) -> bool:
        """The one who gave the command knows already."""
        return bool(self._why)

    def kill(self, why: str) -> None:
        """SIGKILL over a command; the first reason given is the one reported. Any thread, any number of times."""
        self._why.append(why)
        self.process.kill()

    def terminate(self) -> None:
        """SIGTERM: stop in order."""
        self.process.terminate()

    def attend(self, kind: DeviceKind, needs: Needs, patience: Patience, hear: Hear) -> End:
        """Read until contact ends; `hear` gets every message, Hello first. Returns why it ended."""
        reader = FrameReader()
        silent_at = time.monotonic() + patience.hello_s
        look_at = time.monotonic()
        try:
            while data := self._receive(silent_at):
                for frame in reader.feed(data):
                    message = decode_from_worker(frame)
                    self._check_order(message, kind, needs)
                    hear(message)
                now = time.monotonic()
                if self.hello is not None:
                    silent_at = now + patience.silence_s
                if now >= look_at:
                    look_at = now + _MEMORY_LOOK_S
                    if (resident := resident_bytes(self.process.pid)) > needs.memory:
                        return End(Reason.MEMORY, f"{resident >> 20} MiB, {needs.memory >> 20} allowed")
        except TimeoutError:
            return End(Reason.SILENT if self.hello else Reason.NO_HELLO)
        except _Misfit as error:
            return End(Reason.MISFIT, str(error))
        except (FrameError, ProtocolError) as error:
            return End(Reason.PROTOCOL, str(error))
        return End(Reason.ENDED)

    def _receive(self, silent_at: float) -> bytes:
        # What arrived in time but was not read in time (host asleep) still counts: recv looks before it waits.
        self.reading.settimeout(max(0.001, silent_at - time.monotonic()))
        try:
            return self.reading.recv(_RECEIVE_BYTES)
        except ConnectionResetError:
            return b""

    def _check_order(self, message: FromWorker, kind: DeviceKind, needs: Needs) -> None:
        match message:
            case Hello() if self.hello is not None:
                raise ProtocolError(Nonsense.MALFORMED, "unexpected hello")
            case Hello():
                _check_fit(message, kind, needs)
                self.hello = message
            case _ if self.hello is None:
                raise ProtocolError(Nonsense.MALFORMED, "hello expected")
            case _:
                pass

    def send(self, data: bytes, timeout_s: float) -> None:
        """All of it; OSError (TimeoutError among them) if the worker cannot have got it whole."""
        self.sending.settimeout(max(0.001, timeout_s))
        self.sending.sendall(data)

    def end(self, end: End, *, grace_s: float = 0.0) -> End:
        """Make sure that the process is gone, after at most `grace_s` more; the end with its exit status."""
        try:
            self.process.wait(max(grace_s, _EXIT_S) if end.reason is Reason.ENDED else grace_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
        status = self.process.wait()
        if self.chatter is not None:
            self.chatter.join(_LAST_WORDS_S)
        with contextlib.closing(self.reading), contextlib.closing(self.sending):
            return exited(End(Reason.COMMAND, self._why[0]) if self._why else end, status)


def _check_fit(hello: Hello, kind: DeviceKind, needs: Needs) -> None:
    if hello.version != VERSION:
        raise _Misfit(f"version {hello.version}, wanted {VERSION}")
    if hello.kind is not kind:
        raise _Misfit(f"for {hello.kind}, wanted for {kind}")
    if missing := (needs.verbs | {SELF_TEST}) - hello.capabilities:
        raise _Misfit(f"without {', '.join(sorted(missing))}")
