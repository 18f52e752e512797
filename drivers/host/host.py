"""The host's side of a driver process: start, watch, command, kill, start again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from drivers.host.adapter import Args, Reply
from drivers.host.backoff import Backoff
from drivers.host.process import Patience, WorkerProcess
from drivers.host.protocol import (
    Command,
    Event,
    FromWorker,
    Heartbeat,
    Hello,
    Nonsense,
    ProtocolError,
    Replied,
    encode_command,
)
from kiosk.contract.frames import FrameError
from kiosk.core.devices import DeviceError, DeviceEvent, DeviceKind, DeviceState, DeviceStatus, Fault, StatusChanged
from kiosk.core.ports import Listener
from kiosk.core.result import Err, Result

Outcome = Result[Reply, DeviceError]


class News(StrEnum):
    """What is worth a line in the log."""

    LOST = "lost"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Notice:
    """Told once when contact is lost, whatever the number of vain restarts, and once when it is back."""

    kind: DeviceKind
    news: News
    why: str = ""


@dataclass(slots=True)
class _Pending:
    """The command that the worker has now."""

    id: int
    done: threading.Event = field(default_factory=threading.Event)
    outcome: Outcome | None = None
    """None when done: contact was lost and nobody knows what became of it."""


class DriverHost:
    """One driver in its own process. Every method is safe from every thread.

    The process is killed when it is silent for a second or over a command's deadline, and is started again by
    itself; until its first status arrives the device is `lost(DRIVER_LOST)`.
    """

    def __init__(
        self,
        command: Sequence[str],
        kind: DeviceKind,
        *,
        notice: Callable[[Notice], None],
        patience: Patience | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """`command` starts the worker; ``--fd N`` is appended. `notice` is called from the host's thread."""
        self._command = tuple(command)
        self._kind = kind
        self._notice = notice
        self._patience = patience or Patience()
        self._backoff = backoff or Backoff()
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        """Guards what follows."""
        self._worker: WorkerProcess | None = None
        self._pending: _Pending | None = None
        self._status = DeviceStatus(kind, DeviceState.STARTING)
        self._listeners: tuple[Listener, ...] = ()
        self._lost = False
        self._commands = 0
        self._stopping = threading.Event()
        # The thread that starts a worker must outlive it: the kernel kills the worker when that thread ends.
        self._thread = threading.Thread(target=self._supervise, name=f"driver-{kind}", daemon=True)

    @property
    def kind(self) -> DeviceKind:
        """Which device."""
        return self._kind

    @property
    def pid(self) -> int | None:
        """Of the worker process that is alive now."""
        with self._lock:
            return self._worker.process.pid if self._worker else None

    def status(self) -> DeviceStatus:
        """As last seen; never blocks."""
        with self._lock:
            return self._status

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every event, from the host's thread."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def start(self) -> None:
        """Start the worker; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """SIGTERM, wait for the command in work, then SIGKILL. No worker is left when it returns."""
        with self._lock:
            self._stopping.set()
            worker = self._worker
        if worker is not None:
            worker.terminate()
        if self._thread.ident is None:
            return
        self._thread.join(self._patience.farewell_s)
        if worker is not None and self._thread.is_alive():
            worker.kill("farewell")
        self._thread.join()

    # --- commands ------------------------------------------------------------------------------------------------

    def call(
        self,
        verb: str,
        args: Args | None = None,
        blob: bytes = b"",
        *,
        deadline_s: float,
        if_unknown: Fault | None = None,
    ) -> Outcome:
        """Run one command to its end: at most `deadline_s` for its turn and as much for itself.

        DRIVER_LOST or TIMEOUT when the worker went away; `if_unknown` replaces both where the command had reached
        the worker, so that nobody knows what came of it (paper!).
        """
        if not self._turn.acquire(timeout=deadline_s):
            return Err(DeviceError(Fault.TIMEOUT, "busy with another command"))
        try:
            return self._ask(verb, args or {}, blob, deadline_s, if_unknown)
        finally:
            self._turn.release()

    def _ask(self, verb: str, args: Args, blob: bytes, deadline_s: float, if_unknown: Fault | None) -> Outcome:
        ends = time.monotonic() + deadline_s
        with self._lock:
            worker = self._worker
            if worker is None or worker.hello is None or self._stopping.is_set():
                return Err(DeviceError(Fault.DRIVER_LOST, "no driver process"))
            if verb not in worker.hello.capabilities:
                return Err(DeviceError(Fault.PROTOCOL, f"driver does not know {verb}"))
            self._commands += 1
            self._pending = pending = _Pending(self._commands)
        try:
            worker.send(encode_command(Command(pending.id, verb, args, blob)), deadline_s)
        except FrameError:
            self._forget(pending)
            return Err(DeviceError(Fault.PROTOCOL, "command is too large"))
        except OSError:  # not whole at the worker, so it did nothing; half a command makes the stream useless
            self._forget(pending)
            worker.kill(f"{verb}: cannot send")
            return Err(DeviceError(Fault.DRIVER_LOST, "command did not reach the driver"))
        if not pending.done.wait(max(0.0, ends - time.monotonic())) and self._forget(pending):
            worker.kill(f"{verb}: deadline")
            return Err(DeviceError(if_unknown or Fault.TIMEOUT, f"{verb} took longer than {deadline_s:g} s"))
        pending.done.wait()  # its end was heard at the last moment and is being written down
        return pending.outcome or Err(DeviceError(if_unknown or Fault.DRIVER_LOST, f"driver ended during {verb}"))

    def _forget(self, pending: _Pending) -> bool:
        """False if its end was heard already."""
        with self._lock:
            was_pending = self._pending is pending
            if was_pending:
                self._pending = None
            return was_pending

    # --- the host's thread ---------------------------------------------------------------------------------------

    def _supervise(self) -> None:
        backoff = self._backoff
        while True:
            started = time.monotonic()
            why = self._live_once()
            if self._stopping.is_set():
                return
            self._lose(why)
            delay, backoff = backoff.after(time.monotonic() - started)
            if self._stopping.wait(delay):
                return

    def _live_once(self) -> str:
        """One process from start to end; returns why it ended."""
        with self._lock:
            if self._stopping.is_set():
                return "stopped"
            try:
                self._worker = worker = WorkerProcess.spawn(self._command)
            except OSError as error:
                return f"cannot start: {error.strerror}"
        why = "host failed"
        try:
            why = worker.attend(self._kind, self._patience, self._hear)
        finally:
            with self._lock:
                self._worker = None
                pending, self._pending = self._pending, None
            if pending is not None:
                pending.done.set()
            why = worker.end(why, grace_s=self._patience.farewell_s if self._stopping.is_set() else 0.0)
        return why

    def _hear(self, message: FromWorker) -> None:
        match message:
            case Hello() | Heartbeat():
                pass
            case Event(event):
                self._tell(event)
            case Replied(number, result):
                with self._lock:
                    pending, self._pending = self._pending, None
                if pending is None or pending.id != number:
                    raise ProtocolError(Nonsense.MALFORMED, "reply to nothing")
                pending.outcome = result
                pending.done.set()

    def _tell(self, event: DeviceEvent) -> None:
        back = False
        with self._lock:
            if isinstance(event, StatusChanged):
                back, self._lost = self._lost, False
                self._status = event.status
            listeners = self._listeners
        if back:
            self._notice(Notice(self._kind, News.BACK))
        for listener in listeners:
            listener(event)

    def _lose(self, why: str) -> None:
        with self._lock:
            if self._lost:
                return
            self._lost = True
            self._status = self._status.lost(Fault.DRIVER_LOST, why)
            event, listeners = StatusChanged(self._status), self._listeners
        self._notice(Notice(self._kind, News.LOST, why))
        for listener in listeners:
            listener(event)
