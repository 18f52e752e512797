"""What the serving terminal tells of its devices, and how the doctor knows that it serves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.app.health import PERIOD_S, HealthReporter, as_report, who_serves
from kiosk.contract.sync import DeviceReport
from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Level
from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.profile import DataLayout
from kiosk.core.result import Err, Ok, Result

STATUS = DeviceStatus(DeviceKind.RECEIPT, DeviceState.ONLINE, paper=Level.FULL, identity="tcp://printer", detail="x")


class Host:
    """A device that says what it is told to."""

    def __init__(self, status: DeviceStatus) -> None:
        self.now = status

    def status(self) -> DeviceStatus:
        return self.now


class Queue:
    """Keeps the last heartbeat's devices, or is down."""

    def __init__(self, *, down: bool = False) -> None:
        self.reports: tuple[DeviceReport, ...] = ()
        self._down = down

    def report_devices(self, devices: tuple[DeviceReport, ...]) -> Result[None, StoreError]:
        if self._down:
            return Err(StoreError(StoreFault.STORE_DOWN))
        self.reports = devices
        return Ok(None)


@pytest.fixture
def layout(tmp_path: Path) -> DataLayout:
    return DataLayout(tmp_path)


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_nobody_serves_on_a_bare_machine(layout: DataLayout, tmp_path: Path) -> None:
    assert who_serves(layout) is None
    assert not list(tmp_path.iterdir())


def test_while_it_serves_its_devices_are_known_and_afterwards_not(layout: DataLayout) -> None:
    queue = Queue()
    reporter = HealthReporter(layout, (Host(STATUS),), queue)
    reporter.start()
    _wait(lambda: (told := who_serves(layout)) is not None and told.fresh)
    told = who_serves(layout)
    assert told is not None
    assert told.devices == {DeviceKind.RECEIPT: STATUS}
    assert queue.reports == (as_report(STATUS),)
    assert "printer" not in queue.reports[0].model_dump_json(), "addresses stay on the terminal"
    reporter.stop()
    assert who_serves(layout) is None


def test_a_terminal_that_hangs_is_not_believed(layout: DataLayout) -> None:
    reporter = HealthReporter(layout, (Host(STATUS),), Queue(), monotonic=lambda: 100.0)
    reporter.start()
    _wait(lambda: (told := who_serves(layout, monotonic=lambda: 100.0)) is not None and told.fresh)
    late = who_serves(layout, monotonic=lambda: 100.0 + 10 * PERIOD_S)
    rebooted = who_serves(layout, monotonic=lambda: 3.0)
    assert late is not None
    assert not late.fresh
    assert rebooted is not None
    assert not rebooted.fresh
    reporter.stop()


def test_a_new_state_is_told_and_a_dead_queue_or_full_disk_stops_nothing(layout: DataLayout) -> None:
    host = Host(STATUS)
    reporter = HealthReporter(layout, (host,), Queue(down=True))
    reporter.start()
    _wait(lambda: (told := who_serves(layout)) is not None and told.fresh)
    host.now = replace(STATUS, paper=Level.OUT, fault=Fault.PAPER_OUT)
    reporter.tell()
    told = who_serves(layout)
    assert told is not None
    assert told.devices[DeviceKind.RECEIPT].fault is Fault.PAPER_OUT
    (Path(layout.run) / "devices.tmp").mkdir()  # nothing can be written any more
    reporter.tell()
    reporter.stop()


def test_a_killed_terminal_serves_no_more(layout: DataLayout, tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from kiosk.app.health import HealthReporter\n"
        "from kiosk.core.profile import DataLayout; from kiosk.core.result import Ok\n"
        "class Queue:\n    def report_devices(self, devices): return Ok(None)\n"
        "HealthReporter(DataLayout(Path(sys.argv[1])), (), Queue()).start(); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) as process:
        try:
            _wait(lambda: (told := who_serves(layout)) is not None and told.fresh)
        finally:
            process.kill()
    assert who_serves(layout) is None


def test_two_doctors_do_not_take_each_other_for_the_terminal(layout: DataLayout) -> None:
    import fcntl

    Path(layout.run).mkdir()
    with (Path(layout.run) / "serving.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert who_serves(layout) is None


@given(st.binary(max_size=200) | st.just(b'{"at": null, "devices": []}') | st.just(b'{"at": 1, "devices": [{}]}'))
def test_whatever_the_file_holds_it_is_no_news(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    import fcntl

    layout = DataLayout(tmp_path_factory.mktemp("health"))
    Path(layout.run).mkdir()
    (Path(layout.run) / "devices.json").write_bytes(content)
    lock = os.open(Path(layout.run) / "serving.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = who_serves(layout)
    finally:
        os.close(lock)
    assert told is not None
    assert not told.fresh
