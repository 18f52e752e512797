"""The serving terminal's devices on their way to the heartbeat: soon when they change, together, and never blocking."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from kiosk.app.health import HealthReporter
from kiosk.contract.sync import DeviceReport
from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Level
from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.result import Err, Ok, Result

WELL = DeviceStatus(DeviceKind.RECEIPT, DeviceState.ONLINE, paper=Level.FULL, identity="serial 7", detail="wire")


class Host:
    """A driver host as the reporter sees it."""

    def __init__(self) -> None:
        self.seen = WELL

    def status(self) -> DeviceStatus:
        return self.seen


class Beats:
    """What the queue was told."""

    def __init__(self, *, down: bool = False) -> None:
        self.told: list[tuple[DeviceReport, ...]] = []
        self._down = down

    def report_devices(self, devices: tuple[DeviceReport, ...]) -> Result[None, StoreError]:
        self.told.append(devices)
        return Err(StoreError(StoreFault.STORE_DOWN)) if self._down else Ok(None)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def test_a_change_is_told_soon_and_many_changes_at_once() -> None:
    host, beats = Host(), Beats()
    reporter = HealthReporter((host,), beats, period_s=3600)
    reporter.start()
    until(lambda: len(beats.told) == 1)
    host.seen = replace(WELL, paper=Level.OUT, fault=Fault.PAPER_OUT)
    for _ in range(1000):
        reporter.hurry()
    until(lambda: len(beats.told) == 2)
    (report,) = beats.told[1]
    assert (report.kind, report.paper, report.fault) == ("receipt", "out", "paper_out")
    assert "serial 7" not in report.model_dump_json()
    reporter.stop()
    assert len(beats.told) <= 3


@pytest.mark.parametrize("kind", DeviceKind)
def test_every_kind_of_device_fits_into_the_report(kind: DeviceKind) -> None:
    host, beats = Host(), Beats()
    host.seen = DeviceStatus(kind, DeviceState.OFFLINE, fault=Fault.DRIVER_BROKEN)
    HealthReporter((host,), beats).tell()
    (report,) = beats.told[0]
    assert (report.kind, report.state, report.fault) == (kind.value, "offline", "driver_broken")


def test_a_queue_that_is_down_is_told_again() -> None:
    beats = Beats(down=True)
    reporter = HealthReporter((Host(),), beats, period_s=0.01)
    reporter.start()
    until(lambda: len(beats.told) == 3)
    reporter.stop()
