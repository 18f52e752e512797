"""What the dock shows of a device."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kiosk.core.devices import (
    DeviceKind,
    DeviceRecord,
    DeviceState,
    DeviceStatus,
    DriverProcess,
    Fault,
    LastError,
    Level,
    SelfTest,
)
from kiosk.devdock.device_rows import row

AT = datetime(2026, 11, 22, 6, 26, 5, tzinfo=UTC)
STATUS = DeviceStatus(DeviceKind.RECEIPT, DeviceState.ONLINE, paper=Level.FULL, identity="TM-T82II")
DRIVER = DriverProcess(4711, 1, frozenset(), 2, 38 * 2**20)


def test_a_device_in_few_words() -> None:
    test = SelfTest(True, False, 0.257, AT, detail="TM-T82II")
    assert row(DeviceRecord(STATUS, DRIVER, LastError(Fault.PAPER_OUT, AT, "print"), test)) == {
        "kind": "receipt",
        "name": "小票打印机 receipt printer",
        "identity": "TM-T82II",
        "verdict": "ok",
        "state": "online · paper full",
        "advice": "",
        "driver": "pid 4711 · 38 MiB · 2 restarts",
        "error": "paper out during print 14:26:05",
        "test": "quick passed in 0.26 s 14:26:05",
        "passed": True,
    }


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (SelfTest(False, True, 10.0, AT, Fault.TIMEOUT), "deep failed: timeout in 10.00 s 14:26:05"),
        (SelfTest(False, True, 1.0, AT), "deep failed: ? in 1.00 s 14:26:05"),
        (None, ""),
    ],
)
def test_a_driver_that_is_down(test: SelfTest | None, words: str) -> None:
    lost = STATUS.lost(Fault.DRIVER_BROKEN)
    told = row(DeviceRecord(lost, DriverProcess(None, 0, frozenset(), 9, 0), None, test))
    assert (told["verdict"], told["driver"], told["error"], told["test"]) == ("fault", "down · 9 restarts", "", words)
    assert told["advice"]
