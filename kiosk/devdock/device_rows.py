"""The devices of a terminal as the dock shows them: what its desk tells, in few words; pure but for the asking."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from kiosk.app.device_check import judge_device
from kiosk.app.device_desk import DeskError, DeskPatience, DeviceDeskClient
from kiosk.app.technician import DEVICE_NAMES, device_advice, device_state
from kiosk.core.clock import CHINA
from kiosk.core.devices import DeviceRecord, DriverProcess, LastError, SelfTest
from kiosk.devdock.street import Terminal
from provisioning.profile import load_profile

_SOON_S = 1.0
"""A page that is redrawn each second does not wait longer for a terminal that hangs."""


def desk_of(terminal: Terminal) -> DeviceDeskClient:
    """The desk of the terminal's screen process."""
    path = Path(load_profile(terminal.profile).layout.desk_socket)
    return DeviceDeskClient(path, patience=DeskPatience(status=_SOON_S))


def device_rows(terminal: Terminal) -> list[dict[str, Any]]:
    """A row for each device; none while the screen process is down."""
    try:
        return [row(record) for record in desk_of(terminal).records().values()]
    except DeskError:
        return []


def row(record: DeviceRecord) -> dict[str, Any]:
    """One device: what it is, how it is, what failed, what it proved."""
    status = record.status
    return {
        "kind": status.kind.value,
        "name": DEVICE_NAMES[status.kind],
        "identity": status.identity,
        "verdict": judge_device(status),
        "state": device_state(status),
        "advice": device_advice(status),
        "driver": _driver(record.driver),
        "error": _error(record.last_error) if record.last_error else "",
        "test": _test(record.self_test) if record.self_test else "",
        "passed": record.self_test.passed if record.self_test else None,
    }


def _driver(driver: DriverProcess) -> str:
    if driver.pid is None:
        return f"down · {driver.restarts} restarts"
    return f"pid {driver.pid} · {driver.resident_bytes >> 20} MiB · {driver.restarts} restarts"


def _error(error: LastError) -> str:
    return f"{error.fault.value.replace('_', ' ')} during {error.during} {_clock(error.at)}"


def _test(test: SelfTest) -> str:
    outcome = "passed" if test.passed else f"failed: {test.fault.value.replace('_', ' ') if test.fault else '?'}"
    return f"{'deep' if test.deep else 'quick'} {outcome} in {test.seconds:.2f} s {_clock(test.at)}"


def _clock(at: datetime) -> str:
    return f"{at.astimezone(CHINA):%H:%M:%S}"
