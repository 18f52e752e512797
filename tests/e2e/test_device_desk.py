"""The desk of a terminal that serves: every device proves itself, the doctor asks there, citizens are not disturbed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kiosk.app.device_desk import DeskError, DeviceDeskClient, Refusal
from kiosk.core.devices import DeviceKind, DeviceRecord
from kiosk.devdock import hands
from kiosk.devdock.street import Street, Terminal, wait_until
from provisioning.profile import load_profile

pytestmark = [pytest.mark.timeout(300), pytest.mark.street, pytest.mark.xdist_group("street")]


@pytest.fixture
def terminal(shared_street: Street) -> Terminal:
    """One that shows nobody's page."""
    first = next(iter(shared_street.terminals.values()))
    hands.lift_card(first)
    wait_until(lambda: first.view() == "attract", what="nobody at the terminal", within_s=150)
    return first


def desk_of(terminal: Terminal) -> DeviceDeskClient:
    return DeviceDeskClient(Path(load_profile(terminal.profile).layout.desk_socket))


def doctor(terminal: Terminal, *arguments: str) -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "kiosk.app", "doctor", "--json", "--profile", str(terminal.profile), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr == ""
    return {finding["part"]: finding for finding in json.loads(done.stdout)}


def test_every_device_has_proved_itself_and_is_known(terminal: Terminal) -> None:
    desk = desk_of(terminal)

    def settled() -> bool:
        records = desk.records()
        return set(records) == set(DeviceKind) and all(_proved(record) for record in records.values())

    wait_until(settled, what="self-tests of all devices")
    told = doctor(terminal)
    for kind, record in desk.records().items():
        seen = told[kind.value]["detail"]
        assert seen["asked"] == "terminal"
        assert seen["identity"] == record.status.identity != ""
        assert seen["driver"]["pid"] == record.driver.pid
        assert seen["self_test"]["passed"]


def _proved(record: DeviceRecord) -> bool:
    return record.status.well and record.self_test is not None and record.self_test.passed


def test_paper_comes_out_of_a_deep_self_test_when_nobody_is_served(shared_street: Street, terminal: Terminal) -> None:
    before = slips(terminal)
    seen = doctor(terminal, "--self-test", "receipt", "--yes")["receipt"]
    assert seen["verdict"] == "ok"
    assert (seen["detail"]["self_test"]["deep"], seen["detail"]["self_test"]["passed"]) == (True, True)
    assert slips(terminal) == before + 1, "one slip came out"

    hands.put_card(terminal, next(iter(shared_street.persons.values())))
    wait_until(lambda: _refused(terminal), what="a citizen to be served", within_s=30)
    seen = doctor(terminal, "--self-test", "receipt", "--yes")["receipt"]
    assert (seen["verdict"], "A citizen is served" in seen["advice"]) == ("warn", True)
    assert desk_of(terminal).self_test(DeviceKind.RECEIPT, deep=False).passed
    assert slips(terminal) == before + 1, "nothing came out"
    hands.lift_card(terminal)


def slips(terminal: Terminal) -> int:
    return len(terminal.hardware.do("receipt.list")[0]["papers"])


def _refused(terminal: Terminal) -> bool:
    try:
        desk_of(terminal).self_test(DeviceKind.SITE_IO, deep=True)
    except DeskError as error:
        return error.why is Refusal.IN_SESSION
    return False
