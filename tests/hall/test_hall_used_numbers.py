"""A terminal whose disk was lost is enrolled anew: no number that a citizen may hold is given a second time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from kiosk.contract.enrolment import EnrolResponse
from kiosk.contract.numbers import ApplicationNumber
from kiosk.core.clock import CHINA
from kiosk.core.result import Ok
from offline_queue.client import QueueClient
from offline_queue.process import QueueOptions, QueueProcess
from tests.hall.conftest import HallProcess, TestTerminal, enrolled


class Wiped:
    """One terminal id, machine after machine."""

    def __init__(self, hall: HallProcess, folder: Path, terminal_id: str) -> None:
        self.hall, self.folder, self.id = hall, folder, terminal_id
        self.machines: list[TestTerminal] = []

    def enrol(self) -> TestTerminal:
        self.machines.append(enrolled(self.hall, self.folder / f"{self.id}-{len(self.machines)}", self.id))
        return self.machines[-1]

    def close(self) -> None:
        for machine in self.machines:
            machine.http.close()


@pytest.fixture
def wiped(hall: HallProcess, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Wiped]:
    made = Wiped(hall, tmp_path, request.param)
    yield made
    made.close()


def counters(terminal: TestTerminal) -> list[int]:
    raw = Path(terminal.machine.layout.terminal_json).read_bytes()
    return list(EnrolResponse.model_validate_json(raw).counters.values())


def file_number(terminal: TestTerminal, serial: int) -> None:
    number = str(ApplicationNumber("440604", datetime.now(CHINA).date(), terminal.id, serial))
    filed = terminal.post("/v1/submissions", terminal.seal(terminal.question(application_no=number)))
    assert filed.json()["status"] == "accepted", filed.text


@pytest.mark.parametrize("wiped", ["T061"], indirect=True)
def test_every_new_enrolment_starts_above_whatever_may_have_been_given(wiped: Wiped) -> None:
    assert counters(wiped.enrol()) == [], "the first machine counts from one"
    file_number(wiped.machines[0], 7)
    assert counters(wiped.enrol()) == [1000]
    assert counters(wiped.enrol()) == [2000], "what the second one gave and never delivered may be on paper"
    file_number(wiped.machines[2], 4321)
    assert counters(wiped.enrol()) == [5000]
    for expected in (6000, 7000, 8000, 9000, 9000):
        assert counters(wiped.enrol()) == [expected]


@pytest.mark.parametrize("wiped", ["T062"], indirect=True)
def test_its_queue_counts_on_from_there(wiped: Wiped, expected_logs: set[str]) -> None:
    expected_logs.add("offline_queue")
    wiped.enrol()
    machine = wiped.enrol().machine
    for first in (1001, 1002):  # the second time after a restart: it is not thrown back
        process = QueueProcess(machine.profile, data=machine.data, software="test", options=QueueOptions())
        process.start()
        reserved = QueueClient(Path(machine.layout.queue_socket)).reserve_number()
        process.stop()
        assert isinstance(reserved, Ok)
        assert ApplicationNumber.parse(reserved.value).serial == first
