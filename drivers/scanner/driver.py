"""The code scanner (扫码器) in its worker process: one thread listens for ever, opens the line and opens it again.

What is scanned may be personal: it is in no log, no status, no answer to a self-test.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from drivers.host.adapter import Args, Emit, Reply
from drivers.scanner.address import Wedge, parse_address
from drivers.scanner.ear import Ear, Heard
from drivers.scanner.line import Line, LineLost
from drivers.scanner.models import Enquiry, find_model
from drivers.scanner.status import starting, troubled, well
from kiosk.core.devices import CodeScanned, DeviceError, DeviceKind, DeviceState, DeviceStatus, Fault, StatusChanged
from kiosk.core.result import Err, Ok, Result


@dataclass(frozen=True, slots=True)
class Timings:
    """Every wait of this driver, seconds."""

    first_retry: float = 0.3
    last_retry: float = 5.0
    settle: float = 1.0
    """A self-test right after the start waits so long for the line."""
    answer: float = 1.0
    """A quick self-test waits so long for the scanner's name."""
    scan: float = 5.0
    """A deep self-test waits so long for a code to be held under the scanner."""
    close: float = 1.0


@dataclass(slots=True)
class _Tally:
    """What the listening thread has heard since the start."""

    answers: int = 0
    codes: int = 0
    refused: int = 0


class ScannerAdapter:
    """Adapter for `drivers.host.worker`; it has no verbs, CodeScanned events come by themselves."""

    kind = DeviceKind.SCANNER
    capabilities: frozenset[str] = frozenset()

    def __init__(
        self, address: str, *, timings: Timings | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        parsed = parse_address(address)
        if isinstance(parsed, Wedge):
            raise ValueError("a keyboard-wedge scanner has no driver process")
        self._address = parsed
        self._model = find_model(parsed.model)
        self.identity = parsed.identity
        self._timings = timings or Timings()
        self._monotonic = monotonic
        self._emit: Emit = lambda _event: None
        self._thread = threading.Thread(target=self._run, name="scanner", daemon=True)
        self._changed = threading.Condition()
        """Guards what follows."""
        self._closing = False
        self._testing = False
        """A deep self-test is waiting: the next code is the technician's and goes nowhere."""
        self._tally = _Tally()
        self._line: Line | None = None
        self._ask_now = False
        self._status = starting(self.identity)
        self._name = self.identity
        """As the scanner said it, once it has; belongs to the listening thread."""

    def open(self, emit: Emit) -> None:
        """Start listening."""
        self._emit = emit
        self._thread.start()

    def status(self) -> DeviceStatus:
        """As last seen."""
        return self._status

    def handle(self, verb: str, args: Args, blob: bytes) -> Result[Reply, DeviceError]:
        """A scanner only speaks."""
        return Err(DeviceError(Fault.PROTOCOL, "unknown verb"))

    def close(self) -> None:
        """Give the line back."""
        with self._changed:
            self._closing = True
            self._wake()
        if self._thread.is_alive():
            self._thread.join(self._timings.close)  # a host name that cannot be resolved is left to the process's end

    # --- self-test ---------------------------------------------------------------------------------------------------

    def self_test(self, *, deep: bool) -> Result[str, DeviceError]:
        """Quick: the line is open and, if the scanner can be asked, it answers. Deep: one code is read as well.

        The deep one needs somebody who holds any code under the scanner; that code goes to nobody.
        """
        match self._answers():
            case Ok(found) if deep:
                return self._reads(found)
            case outcome:
                return outcome

    def _answers(self) -> Result[str, DeviceError]:
        with self._changed:
            self._await(lambda: self._status.state is not DeviceState.STARTING, self._timings.settle)
            if (error := self._error()) is not None:
                return Err(error)
            if not self._model.ask:
                return Ok(f"{self.identity} is open; it cannot be asked for its name")
            before, self._ask_now = self._tally.answers, True
            self._wake()
            answered = self._await(lambda: self._tally.answers > before, self._timings.answer)
            if (error := self._error()) is not None:
                return Err(error)
            return Ok(self._status.identity) if answered else Err(DeviceError(Fault.TIMEOUT, "does not answer"))

    def _reads(self, found: str) -> Result[str, DeviceError]:
        with self._changed:
            codes, refused = self._tally.codes, self._tally.refused
            self._testing = True

            def something() -> bool:
                return self._tally.codes > codes or self._tally.refused > refused or self._error() is not None

            self._await(something, self._timings.scan)
            self._testing = False
            if self._tally.codes > codes:
                return Ok(f"{found}; read a code")
            if (error := self._error()) is not None:
                return Err(error)
            if self._tally.refused > refused:
                return Err(DeviceError(Fault.GARBLED, "what came is no code"))
            return Err(DeviceError(Fault.TIMEOUT, "no code was held under it"))

    def _error(self) -> DeviceError | None:
        """Call it with the lock."""
        status = self._status
        if status.state is DeviceState.STARTING:
            return DeviceError(Fault.TIMEOUT, "is still being looked for")
        return DeviceError(status.fault, status.detail) if status.fault is not None else None

    def _await(self, true: Callable[[], bool], seconds: float) -> bool:
        return self._changed.wait_for(lambda: self._closing or true(), timeout=seconds)

    # --- the listening thread ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        retry = self._timings.first_retry
        while not self._closing:
            try:
                line = Line(self._address)
            except LineLost as lost:
                self._become(troubled(self._name, lost.fault, lost.detail))
            else:
                retry = self._timings.first_retry
                self._hold(line)
            with self._changed:
                self._changed.wait_for(lambda: self._closing, timeout=retry)
            retry = min(2 * retry, self._timings.last_retry)

    def _hold(self, line: Line) -> None:
        """Listen until the line is lost."""
        with self._changed:
            self._line = line
        try:
            self._listen(line)
        except LineLost as lost:
            self._become(troubled(self._name, lost.fault, lost.detail))
        finally:
            with self._changed:
                self._line = None
            line.close()

    def _listen(self, line: Line) -> None:
        ear, enquiry = Ear(self._model), Enquiry(self._model)
        while not self._closing:
            with self._changed:
                hurry, self._ask_now = self._ask_now, False
            if question := enquiry.ask(self._monotonic(), hurry=hurry):
                line.write(question)
            self._judge(ear, enquiry)
            heard = ear.hear(line.read(self._until(ear.due, enquiry.due)), self._monotonic())
            if heard.identity is not None:
                self._name = heard.identity
            if heard.identity is not None or heard.seen:
                enquiry.heard()
            self._judge(ear, enquiry)
            self._tell(heard)

    def _judge(self, ear: Ear, enquiry: Enquiry) -> None:
        """What the line is worth now; before the first word of one that can be asked: nothing yet."""
        if ear.trouble is not None:
            self._become(troubled(self._name, ear.trouble.fault, ear.trouble.detail))
        elif enquiry.mute:
            self._become(troubled(self._name, Fault.TIMEOUT, "does not answer"))
        elif enquiry.lives:
            self._become(well(self._name))

    def _until(self, *due: float | None) -> float | None:
        """Seconds until the first of these instants; None: none of them ever comes."""
        return min((instant - self._monotonic() for instant in due if instant is not None), default=None)

    def _tell(self, heard: Heard) -> None:
        with self._changed:
            testing = self._testing
            self._tally.answers += heard.identity is not None
            self._tally.codes += heard.seen
            self._tally.refused += heard.refused
            self._changed.notify_all()
        if not testing:
            for code in heard.codes:
                self._emit(CodeScanned(code))

    def _become(self, status: DeviceStatus) -> None:
        with self._changed:
            changed = status != self._status
            self._status = status
            self._changed.notify_all()
        if changed:
            self._emit(StatusChanged(status))

    def _wake(self) -> None:
        """Call it with the lock."""
        self._changed.notify_all()
        if self._line is not None:
            self._line.wake()
