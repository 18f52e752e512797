"""The drill (演练): every scripted fault is played on a terminal that serves, and watched through the doctor's eyes.

What a hand does goes to the simulated hardware or as a signal to a driver's process; what is seen is what the serving
terminal tells at its desk. Nothing in between knows that it is a drill.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from drivers.sim.fault_scripts import HOST, SAM_V, FaultScript, Signal, Step, Verb, Wait
from drivers.sim.id_card import Transport
from kiosk.app.device_check import check_device, who_serves
from kiosk.app.device_desk import DeskError, DeskPatience, DeviceDeskClient, Refusal
from kiosk.core.devices import DeviceKind, DeviceRecord, SelfTest
from kiosk.devdock.cases.finger import NotSeen
from kiosk.devdock.cases.play import send_away
from kiosk.devdock.drill_judge import is_whole, of_commands, told, wrong_finding
from kiosk.devdock.drill_report import Outcome
from kiosk.devdock.eyes import Blind, Condition, Eyes
from kiosk.devdock.remote import RemoteError
from kiosk.devdock.street import Street, StreetError, Terminal, TerminalSpec
from provisioning.profile import Machine, load_profile

_READY_S = 20.0
_SETTLE_S = 60.0
_AGAIN_S = 0.1
"""Between two self-tests that did not bring out what was expected."""

_SITE = "演练 drill"
_STREET = {
    "devices": TerminalSpec("T001", _SITE, "1"),
    "cards": TerminalSpec("T002", _SITE, "2"),
    SAM_V: TerminalSpec("T003", _SITE, "3", card_reader=Transport.SAM),
}
"""Terminals of a street for drills. A card that can be read opens a session, and while a citizen is served no device
takes a deep self-test: cards are laid on terminals of their own."""

OnDone = Callable[[Outcome], None]
_T = TypeVar("_T")


class DrillError(RuntimeError):
    """A fault could not be played."""


class Player:
    """Plays scripts of one device at a time; several players play different devices side by side."""

    def __init__(self, terminal: Terminal, eyes: Eyes, *, patience: float = 1.0) -> None:
        """`patience` stretches every limit, for machines that are busy with other things."""
        self._terminal = terminal
        self._machine: Machine = load_profile(terminal.profile)
        self._eyes = eyes
        self._patience = patience
        self._killed: dict[DeviceKind, int | None] = {}

    def play(self, script: FaultScript) -> Outcome:
        """Break, watch, ask the doctor, mend, watch."""
        try:
            return self._play(script)
        except (DrillError, Blind, DeskError, RemoteError, StreetError, NotSeen) as error:
            return Outcome(script, error=f"{type(error).__name__}: {error}", patience=self._patience)

    def _play(self, script: FaultScript) -> Outcome:
        outcome = Outcome(script, patience=self._patience)
        began = time.monotonic()
        if self._wait(script, is_whole, since=began, limit_s=_READY_S / self._patience) is None:
            return replace(outcome, error=f"not well before: {told(self._eyes.record(script.device))}")
        breaking = datetime.now(UTC)
        try:
            began = self._do(script.break_)
            detected, named = self._watch(script, began, breaking)
            outcome = replace(outcome, detected_s=_after(began, detected), named_s=_after(began, named))
            if named is None:
                seen = told(self._eyes.record(script.device))
                outcome = replace(outcome, error=f"expected {script.expect.words()}; seen {seen}")
            else:
                outcome = self._ask_doctor(outcome, breaking)
        finally:
            mended = self._do(script.heal) if script.heal else time.monotonic()
        well = self._watch_recovery(script, mended)
        outcome = replace(outcome, recovered_s=_after(mended, well))
        if well is None and not outcome.error:
            outcome = replace(outcome, error=f"does not recover: {told(self._eyes.record(script.device))}")
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
        """To the process that the terminal names. One that is being started is waited for; none is killed twice."""
        dead = self._killed.get(step.driver)

        def alive(record: DeviceRecord) -> bool:
            return record.driver.pid not in (None, dead)

        now = time.monotonic()
        self._eyes.wait_for(step.driver, alive, since=now, until=now + _READY_S)
        pid = self._eyes.record(step.driver).driver.pid
        try:
            if pid is not None:
                os.kill(pid, signal.Signals[f"SIG{step.signal}"])
        except ProcessLookupError:
            pid = None
        if pid is None and step.signal != "CONT":  # whoever was stopped has been killed by its host since
            raise DrillError(f"{step.driver} has no driver process")
        if step.signal == "KILL":
            self._killed[step.driver] = pid

    # --- eyes ----------------------------------------------------------------------------------------------------

    def _wait(self, script: FaultScript, condition: Condition, *, since: float, limit_s: float) -> float | None:
        until = since + limit_s * self._patience
        return self._eyes.wait_for(script.device, condition, since=since, until=until)

    def _watch(self, script: FaultScript, began: float, breaking: datetime) -> tuple[float | None, float | None]:
        """When the terminal saw that something is wrong, and when it named it."""
        if script.test:
            return self._bring_out(script, began, breaking)

        def detected(record: DeviceRecord) -> bool:
            return not is_whole(record) or bool(of_commands(record, breaking))

        def named(record: DeviceRecord) -> bool:
            # A driver that is back in a blink leaves its loss in the record.
            gone_by = script.group == HOST and script.expect.fault in of_commands(record, breaking)
            return script.expect.is_met(record.status) or gone_by

        seen = self._wait(script, detected, since=began, limit_s=script.within_s)
        return seen, self._wait(script, named, since=began, limit_s=script.within_s)

    def _bring_out(self, script: FaultScript, began: float, breaking: datetime) -> tuple[float | None, float | None]:
        """The same for a fault that only a command meets: a self-test's, or the terminal's own for a citizen."""
        beside = script.expect.beside_the_fault()
        over = threading.Event()

        def ask() -> None:
            while not over.is_set():
                if self._self_test(script, limit_s=script.within_s).fault is script.expect.fault:
                    return
                over.wait(_AGAIN_S)

        def detected(record: DeviceRecord) -> bool:
            return bool(of_commands(record, breaking))

        def named(record: DeviceRecord) -> bool:
            # What it leaves the device in may show a little later than the fault itself.
            return script.expect.fault in of_commands(record, breaking) and beside.is_met(record.status)

        with ThreadPoolExecutor(1, thread_name_prefix="self-test") as pool:
            asking = pool.submit(ask)
            try:
                seen = self._wait(script, detected, since=began, limit_s=script.within_s)
                known = self._wait(script, named, since=began, limit_s=script.within_s)
            finally:
                over.set()
            asking.result()
        return seen, known

    def _watch_recovery(self, script: FaultScript, mended: float) -> float | None:
        """When the device was whole again; a self-test must prove it where one brought the fault out, or where the
        driver's process was hit."""
        until = mended + script.recovers_s * self._patience
        while (well := self._wait(script, is_whole, since=mended, limit_s=script.recovers_s)) is not None:
            if not script.test and script.group != HOST:
                return well
            passed = self._self_test(script, limit_s=script.recovers_s, deep=script.test).passed
            if (now := time.monotonic()) > until:
                return None
            if passed:
                return now
            time.sleep(_AGAIN_S)
        return None

    def _self_test(self, script: FaultScript, *, limit_s: float, deep: bool = True) -> SelfTest:
        """A card that could be read has opened a session: its holder goes away and leaves it where it is."""
        desk = desk_of(self._terminal, self_test_s=limit_s * self._patience + 5.0)
        try:
            return desk.self_test(script.device, deep=deep)
        except DeskError as error:
            if error.why is not Refusal.IN_SESSION:
                raise
        send_away(self._terminal)
        return desk.self_test(script.device, deep=deep)

    # --- the doctor ----------------------------------------------------------------------------------------------

    def _ask_doctor(self, outcome: Outcome, breaking: datetime) -> Outcome:
        """`kiosk doctor` must say the same: this fault, and what the table tells a technician to do about it."""
        script = outcome.script
        address = self._machine.profile.devices.of(script.device)
        finding = check_device(script.device, address, who_serves(desk_of(self._terminal)))
        return replace(
            outcome,
            doctor=f"{finding.verdict}: {finding.state}",
            error=outcome.error or wrong_finding(script, finding, self._eyes.record(script.device), breaking),
        )


def _after(began: float, moment: float | None) -> float | None:
    return None if moment is None else max(0.0, moment - began)


def desk_of(terminal: Terminal, *, self_test_s: float = 30.0) -> DeviceDeskClient:
    """The desk of the terminal's serving process."""
    path = Path(load_profile(terminal.profile).layout.desk_socket)
    return DeviceDeskClient(path, patience=DeskPatience(self_test=self_test_s))


# --- all of them -----------------------------------------------------------------------------------------------------


def drill(
    terminal: Terminal,
    scripts: Sequence[FaultScript],
    *,
    patience: float = 1.0,
    on_done: OnDone = lambda outcome: None,
) -> list[Outcome]:
    """Every script on one terminal; devices side by side, each device's own one after another."""
    with Eyes(desk_of(terminal)).open() as eyes:
        player = Player(terminal, eyes, patience=patience)

        def play(device: DeviceKind) -> list[Outcome]:
            outcomes = []
            for script in scripts:
                if script.device is device:
                    outcomes.append(player.play(script))
                    on_done(outcomes[-1])
            return outcomes

        return _side_by_side(play, sorted({script.device for script in scripts}))


def drill_on_a_street(
    scripts: Sequence[FaultScript],
    *,
    out: Path,
    patience: float = 1.0,
    on_progress: Callable[[str], None] = lambda text: None,
    on_done: OnDone = lambda outcome: None,
) -> list[Outcome]:
    """All of them, told in their order, on a street of their own; its logs are kept in `out`."""
    wanted = {name: spec for name, spec in _STREET.items() if any(_where(script) == name for script in scripts)}
    with tempfile.TemporaryDirectory(prefix="cw-") as name:  # a short path: names of unix sockets must be short
        root = Path(name) / "s"
        try:
            with Street(root, terminals=tuple(wanted.values()), on_progress=on_progress) as street:
                for terminal in street.terminals.values():  # all start on the same few cores: let them finish
                    wait_well(terminal)

                def play(name: str) -> list[Outcome]:
                    own = [script for script in scripts if _where(script) == name]
                    return drill(street.terminals[wanted[name].id], own, patience=patience, on_done=on_done)

                outcomes = {outcome.script.id: outcome for outcome in _side_by_side(play, list(wanted))}
        finally:
            for logs in (*root.glob("*/logs"), *root.glob("*/data/logs")):
                shutil.copytree(logs, out / "logs" / logs.relative_to(root).parts[0], dirs_exist_ok=True)
    return [outcomes[script.id] for script in scripts]


def wait_well(terminal: Terminal) -> None:
    """Every driver is up, and every device whole; StreetError when one does not come."""
    desk, until = desk_of(terminal), time.monotonic() + _SETTLE_S
    while late := [record for record in desk.records().values() if not is_whole(record)]:
        if time.monotonic() > until:
            raise StreetError(f"{terminal.spec.id}: {late[0].status.kind} is not well: {told(late[0])}")
        time.sleep(_AGAIN_S)


def _where(script: FaultScript) -> str:
    return script.rig or ("cards" if script.device is DeviceKind.ID_CARD else "devices")


def _side_by_side(play: Callable[[_T], list[Outcome]], those: Sequence[_T]) -> list[Outcome]:
    """Each in a thread of its own."""
    with ThreadPoolExecutor(max(1, len(those)), thread_name_prefix="drill") as pool:
        return [outcome for outcomes in pool.map(play, those) for outcome in outcomes]
