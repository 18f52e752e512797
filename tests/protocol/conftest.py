"""A device's real worker process against its simulator, and a hand that plays fault scripts on it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, assert_never

import pytest

from drivers.host.backoff import Backoff
from drivers.host.host import DriverHost
from drivers.sim.control import SimDevice
from drivers.sim.fault_scripts import FaultScript, Signal, Step, Verb, Wait
from kiosk.core.devices import DeviceEvent, DeviceKind, DeviceState, DeviceStatus, Fault, SelfTest

PATIENCE_S = 20.0
"""Beyond what a script allows: two cores are shared by many tests."""


def plays(scripts: Sequence[FaultScript], *, short: frozenset[str]) -> list[Any]:
    """Parameters of a test: every script in `make long`, those of these ids in `make test` too."""
    assert short <= {script.id for script in scripts}
    return [
        pytest.param(script, id=script.id, marks=() if script.id in short else pytest.mark.long) for script in scripts
    ]


class Rig:
    """One simulated device, its driver, and everything that was heard of it."""

    def __init__(
        self, sim: SimDevice, kind: DeviceKind, command: Sequence[str], *, backoff: Backoff | None = None
    ) -> None:
        self.sim = sim
        self.events: list[DeviceEvent] = []
        self._heard = threading.Condition()
        command = [*command, "--address", sim.start()]
        self.host = DriverHost(command, kind, notice=lambda _notice: None, backoff=backoff)
        self.host.listen(self._hear)

    def _hear(self, event: DeviceEvent) -> None:
        with self._heard:
            self.events.append(event)
            self._heard.notify_all()

    def do(self, verb: str, tail: bytes = b"", **args: Any) -> dict[str, Any]:
        """One verb of the simulator."""
        return self.sim.handle(verb, args, tail)[0]

    def wait_event(self, accept: Callable[[DeviceEvent], bool], *, after: int = 0) -> DeviceEvent:
        """The first event that is accepted, now or soon; `after` so many have been heard."""
        with self._heard:
            found: list[DeviceEvent] = []

            def there() -> bool:
                found[:] = [event for event in self.events[after:] if accept(event)][:1]
                return bool(found)

            assert self._heard.wait_for(there, timeout=PATIENCE_S), self.events[after:][-3:]
            return found[0]

    def wait_status(self, accept: Callable[[DeviceStatus], bool]) -> DeviceStatus:
        """Now or soon."""
        deadline = time.monotonic() + PATIENCE_S
        while not accept(status := self.host.status()):
            assert time.monotonic() < deadline, status
            time.sleep(0.02)
        return status

    def well(self) -> DeviceStatus:
        """Wait until it is."""
        return self.wait_status(lambda status: status.well)

    def play(self, script: FaultScript) -> None:
        """Break it, see what must be seen, mend it, see that it is well."""
        self.well()
        self._take(script.break_)
        if script.test:
            found = self._deep_test()
            assert not found.passed and found.fault is script.expect.fault, found
            self.wait_status(script.expect.beside_the_fault().is_met)
        else:
            self.wait_status(script.expect.is_met)
        self._take(script.heal)
        self.well()
        if script.test:
            found = self._deep_test()
            assert found.passed, found

    def _deep_test(self) -> SelfTest:
        """Again while no card is seen: one that was just changed for another is not, for a moment."""
        deadline = time.monotonic() + PATIENCE_S
        while (found := self.host.self_test(deep=True)).fault is Fault.NO_CARD and time.monotonic() < deadline:
            time.sleep(0.02)
        return found

    def _take(self, steps: Sequence[Step]) -> None:
        for step in steps:
            match step:
                case Verb():
                    self.do(step.do.partition(".")[2], **step.args)
                case Signal():
                    pid = self.host.pid
                    assert pid is not None
                    os.kill(pid, signal.Signals[f"SIG{step.signal}"])
                case Wait():
                    time.sleep(step.wait_s)
                case _:
                    assert_never(step)

    def stop(self) -> None:
        """Driver first."""
        self.host.stop()
        self.sim.stop()


@pytest.fixture(scope="module")
def make_rig() -> Iterator[Callable[..., Rig]]:
    """``make_rig(sim, kind, "drivers.scanner")``, or a program's path instead of the module: started, stopped at the
    end of the test module."""
    rigs: list[Rig] = []

    def make(sim: SimDevice, kind: DeviceKind, program: str | Path, *, backoff: Backoff | None = None) -> Rig:
        arguments = [str(program)] if isinstance(program, Path) else ["-m", program]
        rig = Rig(sim, kind, [sys.executable, *arguments], backoff=backoff)
        rigs.append(rig)
        rig.host.start()
        rig.wait_status(lambda status: status.state is not DeviceState.STARTING)
        return rig

    yield make
    for rig in rigs:
        rig.stop()
