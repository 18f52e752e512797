"""The host's side of a driver process: start, watch, command, kill, start again."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from drivers.host.account import Account
from drivers.host.adapter import Args, Reply
from drivers.host.backoff import Backoff
from drivers.host.chatter import Ration, Say
from drivers.host.greeter import Greeter
from drivers.host.lives import End, Lives, Reason
from drivers.host.needs import NEEDS, Needs
from drivers.host.notices import News, Notice
from drivers.host.process import Patience, WorkerProcess
from drivers.host.protocol import (
    SELF_TEST,
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
from kiosk.core.devices import (
    DeviceError,
    DeviceEvent,
    DeviceKind,
    DeviceRecord,
    DeviceStatus,
    Fault,
    SelfTest,
    StatusChanged,
)
from kiosk.core.ports import Listener
from kiosk.core.result import Err, Ok, Result

__all__ = ["DriverHost", "News", "Notice", "Outcome"]

Outcome = Result[Reply, DeviceError]

_BUSY = DeviceError(Fault.TIMEOUT, "busy with another command")


def _to_stderr(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Pending:
    """The command that the worker has now."""

    id: int
    done: threading.Event = field(default_factory=threading.Event)
    outcome: Outcome | None = None
    """None when done: contact was lost and nobody knows what became of it."""


class DriverHost:
    """One driver in its own process. Every method is safe from every thread.

    The process is killed when it is silent for a second, over a command's deadline or over its memory, and is started
    again by itself; until its first status arrives the device is lost: DRIVER_LOST, or DRIVER_BROKEN or MISCONFIGURED
    where trying again soon is in vain (`drivers.host.lives`). A device that comes is asked for a quick self-test.
    """

    def __init__(
        self,
        command: Sequence[str],
        kind: DeviceKind,
        *,
        notice: Callable[[Notice], None],
        patience: Patience | None = None,
        backoff: Backoff | None = None,
        lives: Lives | None = None,
        needs: Needs | None = None,
        say: Say = _to_stderr,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """`command` starts the worker; ``--fd N`` is appended. `notice` is called from the host's thread, `say` with
        what the worker writes on stderr, from another."""
        self._command = tuple(command)
        self._kind = kind
        self._notice = notice
        self._patience = patience or Patience()
        self._lives = lives or Lives(backoff or Backoff())
        self._needs = needs or NEEDS[kind]
        self._say = say
        self._ration = Ration()
        self._now = now
        self._account = Account(kind, now=now)
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        """Guards what follows."""
        self._worker: WorkerProcess | None = None
        self._pending: _Pending | None = None
        self._listeners: tuple[Listener, ...] = ()
        self._commands = 0
        self._stopping = threading.Event()
        # The thread that starts a worker must outlive it: the kernel kills the worker when that thread ends.
        self._thread = threading.Thread(target=self._supervise, name=f"driver-{kind}", daemon=True)
        self._greeter = Greeter(lambda: self.self_test(deep=False), name=f"greeter-{kind}")

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
        return self._account.status()

    def record(self) -> DeviceRecord:
        """Everything that is known, for technicians; never blocks."""
        return self._account.record(self.pid)

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every event, from the host's thread."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def start(self) -> None:
        """Start the worker; returns at once."""
        self._greeter.start()
        self._thread.start()

    def stop(self) -> None:
        """SIGTERM, wait for the command in work, then SIGKILL. No worker is left when it returns."""
        with self._lock:
            self._stopping.set()
            worker = self._worker
        if worker is not None:
            worker.terminate()
        if self._thread.ident is not None:
            self._thread.join(self._patience.farewell_s)
            if worker is not None and self._thread.is_alive():
                worker.kill("farewell")
            self._thread.join()
        self._greeter.stop()

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
            return Err(_BUSY)
        try:
            outcome = self._ask(verb, args or {}, blob, deadline_s, if_unknown)
        finally:
            self._turn.release()
        if isinstance(outcome, Err):
            self._account.failed(outcome.error, during=verb)
        return outcome

    def self_test(self, *, deep: bool) -> SelfTest:
        """Ask the device to prove itself (自检) and keep the result; at most its deadline for its turn and as much
        for itself. One that never had its turn is not kept."""
        deadline_s = self._needs.deep_test_s if deep else self._needs.quick_test_s
        at = self._now()
        if not self._turn.acquire(timeout=deadline_s):
            return SelfTest(False, deep, 0.0, at, _BUSY.fault, _BUSY.detail)
        try:
            began = time.monotonic()
            outcome = self._ask(SELF_TEST, {"deep": deep}, b"", deadline_s, None)
            seconds = round(time.monotonic() - began, 3)
        finally:
            self._turn.release()
        match outcome:
            case Ok(reply):
                test = SelfTest(True, deep, seconds, at, detail=str(reply.values.get("found", "")))
            case Err(error):
                test = SelfTest(False, deep, seconds, at, error.fault, error.detail)
        self._account.tested(test)
        return test

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
        lives = self._lives
        while True:
            started = time.monotonic()
            end, over_command = self._live_once()
            if self._stopping.is_set():
                return
            lived_s = time.monotonic() - started
            judgement, lives = lives.after(end, lived_s=lived_s, useful=self._account.useful)
            if not over_command:  # of a loss over a command the one who gave it keeps account
                self._account.failed(DeviceError(judgement.fault, str(end)), during="serve")
            self._lose(judgement.fault, end)
            if self._stopping.wait(judgement.wait_s):
                return

    def _live_once(self) -> tuple[End, bool]:
        """One process from start to end; why it ended, and whether that was over a command."""
        self._account.started()
        with self._lock:
            if self._stopping.is_set():
                return End(Reason.HOST, "stopped"), False
            try:
                self._worker = worker = WorkerProcess.spawn(self._command, say=self._say, ration=self._ration)
            except OSError as error:
                return End(Reason.NO_START, error.strerror or "", error_number=error.errno or 0), False
        end = End(Reason.HOST)
        try:
            end = worker.attend(self._kind, self._needs, self._patience, self._hear)
        finally:
            with self._lock:
                self._worker = None
                pending, self._pending = self._pending, None
            if pending is not None:
                pending.done.set()
            end = worker.end(end, grace_s=self._patience.farewell_s if self._stopping.is_set() else 0.0)
        return end, pending is not None or end.reason is Reason.COMMAND

    def _hear(self, message: FromWorker) -> None:
        match message:
            case Hello():
                self._account.greeted(message)
            case Heartbeat():
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
        if isinstance(event, StatusChanged):
            change = self._account.told(event.status)
            if change.back:
                self._notice(Notice(self._kind, News.BACK))
            if change.comes:
                self._greeter.arrived()
        self._publish(event)

    def _lose(self, fault: Fault, end: End) -> None:
        status = self._account.lost(fault, str(end))
        if status is not None:
            news = News.LOST if fault is Fault.DRIVER_LOST else News.BROKEN
            self._notice(Notice(self._kind, news, str(end), fault, end))
            self._publish(StatusChanged(status))

    def _publish(self, event: DeviceEvent) -> None:
        with self._lock:
            listeners = self._listeners
        for listener in listeners:
            listener(event)
