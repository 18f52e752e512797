"""The drill (演练): every scripted fault is played on a terminal that serves, and watched through the doctor's eyes.

What a hand does goes to the simulated hardware or as a signal to a driver's process; what is seen is what the serving
terminal tells at its desk. Nothing in between knows that it is a drill.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from drivers.sim.fault_scripts import HOST, FaultScript, Signal, Step, Verb, Wait
from kiosk.app.device_check import check_device
from kiosk.app.device_desk import DeskError, DeskPatience, DeviceDeskClient, Refusal
from kiosk.app.findings import Finding
from kiosk.core.devices import DeviceKind, DeviceRecord, Fault, SelfTest
from kiosk.core.faults import trouble_of
from kiosk.devdock.drill_report import Outcome
from kiosk.devdock.remote import RemoteError
from kiosk.devdock.street import Terminal
from provisioning.profile import Machine, load_profile

_LOOK_S = 0.025
_READY_S = 20.0
_AGAIN_S = 0.1
"""Between two self-tests that did not bring out what was expected."""

Condition = Callable[[DeviceRecord], bool]


class DrillError(RuntimeError):
    """A fault could not be played."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What the terminal knew at a moment."""

    at: float
    records: dict[DeviceKind, DeviceRecord]


class Eyes:
    """Looks at the desk all the time, once for all who watch."""

    def __init__(self, desk: DeviceDeskClient) -> None:
        self._desk = desk
        self._look = _Look(0.0, {})
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="eyes", daemon=True)

    @contextmanager
    def open(self) -> Iterator[Eyes]:
        """Open for the time of the block."""
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()

    def record(self, kind: DeviceKind) -> DeviceRecord:
        """The newest that is known; DrillError if the terminal does not tell of it."""
        self.wait_for(kind, lambda _record: True, since=time.monotonic(), until=time.monotonic() + _READY_S)
        with self._changed:
            if kind not in self._look.records:
                raise DrillError(f"the terminal does not tell of {kind}")
            return self._look.records[kind]

    def wait_for(self, kind: DeviceKind, condition: Condition, *, since: float, until: float) -> float | None:
        """When a look begun after `since` met the condition; None if none did before `until` (both monotonic)."""
        with self._changed:
            while True:
                look = self._look
                if look.at > since and kind in look.records and condition(look.records[kind]):
                    return look.at
                if not self._changed.wait(until - time.monotonic()) and time.monotonic() >= until:
                    return None

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_S):
            at = time.monotonic()
            try:
                look = _Look(at, self._desk.records())
            except DeskError:
                look = _Look(at, {})  # the terminal itself is away; who waits for it says so in the end
            with self._changed:
                self._look = look
                self._changed.notify_all()


class Player:
    """Plays scripts of one device at a time; several players play different devices side by side."""

    def __init__(self, terminal: Terminal, eyes: Eyes, *, patience: float = 1.0) -> None:
        """`patience` stretches every limit, for machines that are busy with other things."""
        self._terminal = terminal
        self._machine: Machine = load_profile(terminal.profile)
        self._eyes = eyes
        self._patience = patience

    def play(self, script: FaultScript) -> Outcome:
        """Break, watch, ask the doctor, mend, watch."""
        try:
            return self._play(script)
        except (DrillError, DeskError, RemoteError) as error:
            return Outcome(script, error=f"{type(error).__name__}: {error}", patience=self._patience)

    def _play(self, script: FaultScript) -> Outcome:
        outcome = Outcome(script, patience=self._patience)
        began = time.monotonic()
        if self._wait(script, _is_whole, since=began, limit_s=_READY_S / self._patience) is None:
            return replace(outcome, error=f"not well before: {_told(self._eyes.record(script.device))}")
        breaking = datetime.now(UTC)
        try:
            began = self._do(script.break_)
            detected, named = self._watch(script, began, breaking)
            outcome = replace(outcome, detected_s=_after(began, detected), named_s=_after(began, named))
            if named is None:
                told = _told(self._eyes.record(script.device))
                outcome = replace(outcome, error=f"expected {script.expect.words()}; seen {told}")
            else:
                outcome = self._ask_doctor(outcome, breaking)
        finally:
            mended = self._do(script.heal) if script.heal else time.monotonic()
        well = self._watch_recovery(script, mended)
        outcome = replace(outcome, recovered_s=_after(mended, well))
        if well is None and not outcome.error:
            outcome = replace(outcome, error=f"does not recover: {_told(self._eyes.record(script.device))}")
        return outcome

    # --- hands ---------------------------------------------------------------------------------------------------

    def _do(self, steps: Sequence[Step]) -> float:
        """All steps in order; when the last that was more than waiting was done."""
        done = time.monotonic()
        for step in steps:
            match step:
                case Wait():
                    time.sleep(step.wait_s)
                    continue
                case Verb():
                    self._terminal.hardware.do(step.do, **step.args)
                case Signal():
                    self._send(step)
            done = time.monotonic()
        return done

    def _send(self, step: Signal) -> None:
        """To the process that the terminal names; one that is just being started is waited for."""
        now = time.monotonic()
        self._eyes.wait_for(step.driver, lambda record: record.driver.pid is not None, since=now, until=now + _READY_S)
        pid = self._eyes.record(step.driver).driver.pid
        try:
            if pid is not None:
                os.kill(pid, signal.Signals[f"SIG{step.signal}"])
                return
        except ProcessLookupError:
            pass
        if step.signal != "CONT":  # whoever was stopped may have been killed by its host
            raise DrillError(f"{step.driver} has no driver process")

    # --- eyes ----------------------------------------------------------------------------------------------------

    def _wait(self, script: FaultScript, condition: Condition, *, since: float, limit_s: float) -> float | None:
        until = since + limit_s * self._patience
        return self._eyes.wait_for(script.device, condition, since=since, until=until)

    def _watch(self, script: FaultScript, began: float, breaking: datetime) -> tuple[float | None, float | None]:
        """When the terminal saw that something is wrong, and when it named it."""
        if script.test:
            return self._bring_out(script, began, breaking)

        def detected(record: DeviceRecord) -> bool:
            return not _is_whole(record) or _fresh_error(record, breaking) is not None

        def named(record: DeviceRecord) -> bool:
            # A driver that is back in a blink leaves its loss in the record.
            gone_by = script.group == HOST and _fresh_error(record, breaking) is script.expect.fault
            return script.expect.is_met(record.status) or gone_by

        seen = self._wait(script, detected, since=began, limit_s=script.within_s)
        return seen, self._wait(script, named, since=began, limit_s=script.within_s)

    def _bring_out(self, script: FaultScript, began: float, breaking: datetime) -> tuple[float | None, float | None]:
        """The same for a fault that only a command meets: a self-test's, or the terminal's own for a citizen."""
        until = began + script.within_s * self._patience
        detected: float | None = None
        while True:
            test = self._self_test(script, limit_s=script.within_s)
            record = self._eyes.record(script.device)
            faults = {test.fault if test else None, _fresh_error(record, breaking)} - {None}
            now = time.monotonic()
            if faults and detected is None:
                detected = now
            if script.expect.fault in faults and script.expect.beside_the_fault().is_met(record.status):
                return detected, now
            if now > until:
                return detected, None
            time.sleep(_AGAIN_S)

    def _watch_recovery(self, script: FaultScript, mended: float) -> float | None:
        """When the device was whole again, and, if a self-test brought the fault out, passed one."""
        until = mended + script.recovers_s * self._patience
        while (well := self._wait(script, _is_whole, since=mended, limit_s=script.recovers_s)) is not None:
            if not script.test:
                return well
            test = self._self_test(script, limit_s=script.recovers_s)
            if test is not None and test.passed:
                return time.monotonic()
            if time.monotonic() > until:
                return None
            time.sleep(_AGAIN_S)
        return None

    def _self_test(self, script: FaultScript, *, limit_s: float) -> SelfTest | None:
        """None while a citizen is served: then the terminal itself uses the device."""
        desk = desk_of(self._terminal, self_test_s=limit_s * self._patience + 5.0)
        try:
            return desk.self_test(script.device, deep=True)
        except DeskError as error:
            if error.why is Refusal.IN_SESSION:
                return None
            raise

    # --- the doctor ----------------------------------------------------------------------------------------------

    def _ask_doctor(self, outcome: Outcome, breaking: datetime) -> Outcome:
        raise NotImplementedError


def desk_of(terminal: Terminal, *, self_test_s: float = 30.0) -> DeviceDeskClient:
    """The desk of the terminal's serving process."""
    return DeviceDeskClient(
        load_profile(terminal.profile).layout.desk_socket, patience=DeskPatience(self_test=self_test_s)
    )
