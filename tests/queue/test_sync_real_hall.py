"""The queue process's parts against the real hall: enrolled for real, delivered for real, killed for real."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from kiosk.app.health import HealthReporter
from kiosk.contract.numbers import ApplicationNumber
from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Level
from kiosk.core.ports import HallFault, HelpState, Link, PersonGateway, SealedSubmission, SubmissionState
from kiosk.core.result import Err, Ok
from offline_queue.client import QueueClient
from offline_queue.gateway import DirectHall
from offline_queue.process import QueueOptions, QueueProcess
from offline_queue.seal import TerminalSealer
from offline_queue.uplink.policy import Backoff, SyncDelays
from tests.hall.conftest import INSURED, LEE, MAY, PICTURE, HallProcess, TestTerminal, enrolled

Wait = Callable[..., bool]
QUICK = QueueOptions(
    delays=SyncDelays(heartbeat=0.5, link=Backoff(0.05, 0.2), hall=Backoff(0.05, 0.2), item=Backoff(0.05, 0.2))
)


@pytest.fixture(scope="module")
def real_hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HallProcess]:
    root = tmp_path_factory.mktemp("hall")
    persons = root / "persons.toml"
    persons.write_text(
        f'[may]\nname = "{MAY[0]}"\nid_number = "{MAY[1]}"\naddress = "样本市样本路1号"\n'
        f'records = ["residence_permit", "social_insurance"]\n'
        f'[lee]\nname = "{LEE[0]}"\nid_number = "{LEE[1]}"\nrecords = []\n',
        encoding="utf-8",
    )
    process = HallProcess(root / "data")
    process.do("publish")
    process.do("seed", persons=str(persons))
    process.start()
    yield process
    process.kill()


@pytest.fixture(scope="module")
def enrolled_terminal(real_hall: HallProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestTerminal]:
    made = enrolled(real_hall, tmp_path_factory.mktemp("terminal"))
    yield made
    made.http.close()


@pytest.fixture
def queue(enrolled_terminal: TestTerminal, expected_logs: set[str]) -> Iterator[QueueClient]:
    expected_logs.add("offline_queue")
    machine = enrolled_terminal.machine
    process = QueueProcess(machine.profile, data=machine.data, software="test", options=QUICK)
    process.start()
    yield QueueClient(Path(machine.layout.queue_socket))
    process.stop()


def filing(terminal: TestTerminal, queue: QueueClient, **changes: object) -> SealedSubmission:
    """A consultation under a number from the queue, sealed by the terminal's own sealer."""
    number = queue.reserve_number()
    assert isinstance(number, Ok)
    session = TerminalSealer.of(terminal.machine.data).open_session()
    sealed = session.seal(terminal.question(application_no=number.value, **changes), ())
    session.close()
    return sealed


def renewal(terminal: TestTerminal, queue: QueueClient, *, picture: bytes) -> SealedSubmission:
    """A renewal with a photographed paper."""
    number = queue.reserve_number()
    assert isinstance(number, Ok)
    licence = terminal.get("/v1/me/licences", headers=terminal.bearer()).json()["licences"][0]["id"]
    return terminal.sealed_renewal(application_no=number.value, licence_id=licence, picture=picture)


def file_and_wait(queue: QueueClient, sealed: SealedSubmission, wait_for: Wait) -> None:
    assert queue.put(sealed, card_tag=b"", slip=b"") == Ok(None)
    arrived = wait_for(lambda: queue.state(sealed.id) == Ok(SubmissionState.ACCEPTED))
    assert arrived, (queue.entries(), queue.status())


def numbers_at_hall(terminal: TestTerminal) -> list[str]:
    rows = terminal.get("/v1/me/applications", headers=terminal.bearer()).json()["applications"]
    return [row["application_no"] for row in rows]


def test_a_question_and_a_renewal_arrive_and_the_bundle_comes(
    enrolled_terminal: TestTerminal, queue: QueueClient, wait_for: Wait
) -> None:
    sealed = filing(enrolled_terminal, queue)
    file_and_wait(queue, sealed, wait_for)
    with_picture = renewal(enrolled_terminal, queue, picture=PICTURE + bytes(700_000))
    file_and_wait(queue, with_picture, wait_for)
    numbers = numbers_at_hall(enrolled_terminal)
    assert numbers.count(sealed.application_no) == numbers.count(with_picture.application_no) == 1
    assert wait_for(lambda: Path(enrolled_terminal.machine.layout.bundle_file).is_file())
    status = queue.status()
    assert (status.link, status.pending, status.parked, status.last_error) == (Link.UP, 0, 0, "")


def test_a_hall_that_is_killed_again_and_again_gets_everything_once(
    real_hall: HallProcess, enrolled_terminal: TestTerminal, queue: QueueClient, wait_for: Wait
) -> None:
    filings = []
    for round_ in range(3):
        for _ in range(4):
            sealed = filing(enrolled_terminal, queue)
            assert queue.put(sealed, card_tag=b"", slip=b"") == Ok(None)
            filings.append(sealed)
        time.sleep(0.05 * round_)
        real_hall.kill()
        if round_ == 1:
            assert wait_for(lambda: queue.status().link is Link.DOWN)
        real_hall.start()
    assert wait_for(lambda: queue.status().pending == 0), queue.entries()
    assert queue.status().parked == 0
    at_hall = numbers_at_hall(enrolled_terminal)
    for sealed in filings:
        assert queue.state(sealed.id) == Ok(SubmissionState.ACCEPTED)
        assert at_hall.count(sealed.application_no) == 1


def test_what_the_hall_rejects_is_parked_with_its_code(
    enrolled_terminal: TestTerminal, queue: QueueClient, wait_for: Wait
) -> None:
    sealed = filing(enrolled_terminal, queue, item_code="440604-XX-0000")
    assert queue.put(sealed, card_tag=b"", slip=b"") == Ok(None)
    assert wait_for(lambda: queue.state(sealed.id) == Ok(SubmissionState.PARKED))
    entries = queue.entries()
    assert isinstance(entries, Ok)
    assert [row["last_code"] for row in entries.value if row["id"] == sealed.id] == ["item_unknown"]


@pytest.fixture
def clerk(real_hall: HallProcess) -> Iterator[requests.Session]:
    with requests.Session() as http:
        http.trust_env = False
        assert http.get(real_hall.staff_url + str(real_hall.do("staff_link", name="值班员")["path"]), timeout=10).ok
        yield http


def on_the_board(clerk: requests.Session, hall: HallProcess) -> dict[str, Any]:
    (row,) = clerk.get(hall.staff_url + "/staff/api/terminals", timeout=10).json()
    assert isinstance(row, dict)
    return row


def test_a_call_for_help_reaches_a_clerk_and_his_answer_the_terminal(
    real_hall: HallProcess, clerk: requests.Session, queue: QueueClient, wait_for: Wait
) -> None:
    def help_state() -> HelpState | None:
        call = queue.status().help
        return call and call.state

    assert wait_for(lambda: queue.status().link is Link.UP)
    real_hall.kill()
    assert wait_for(lambda: queue.status().link is Link.DOWN)
    assert queue.call_help(datetime.now(UTC)) == Ok(None)
    assert help_state() is HelpState.WAITING
    real_hall.start()
    assert wait_for(lambda: help_state() is HelpState.SENT)
    call = on_the_board(clerk, real_hall)["help"]
    assert call["acknowledged_at"] is None
    clerk.post(f"{real_hall.staff_url}/staff/terminals/T001/help/{call['call']}", timeout=10)
    assert wait_for(lambda: help_state() is HelpState.SEEN)


class Host:
    """A driver host as the reporter sees it."""

    def __init__(self) -> None:
        self.seen = DeviceStatus(DeviceKind.PAGE, DeviceState.ONLINE, paper=Level.FULL, toner=Level.LOW)

    def status(self) -> DeviceStatus:
        return self.seen


def test_devices_are_on_the_board_as_the_terminal_sees_them(
    real_hall: HallProcess, clerk: requests.Session, enrolled_terminal: TestTerminal, queue: QueueClient, wait_for: Wait
) -> None:
    host = Host()
    reporter = HealthReporter((host,), queue)
    reporter.start()

    def paper() -> list[tuple[str, str]]:
        beat = on_the_board(clerk, real_hall)["heartbeat"]
        return [(device["paper"], device["fault"]) for device in beat["devices"]] if beat else []

    assert wait_for(lambda: paper() == [("full", "")])
    assert "A4打印 墨粉快用完" in clerk.get(real_hall.staff_url + "/staff/terminals", timeout=10).text
    host.seen = replace(host.seen, paper=Level.OUT, fault=Fault.PAPER_OUT)
    assert wait_for(lambda: paper() == [("out", "paper_out")])
    reporter.stop()


@pytest.fixture
def gateway(enrolled_terminal: TestTerminal, real_hall: HallProcess) -> Iterator[DirectHall]:
    made = DirectHall.of(enrolled_terminal.machine.data, hall_url=real_hall.url)
    yield made
    made.close()


def person(gateway: DirectHall, terminal: TestTerminal, who: tuple[str, str]) -> PersonGateway:
    opened = gateway.open_person(terminal.proof(who))
    assert isinstance(opened, Ok), opened
    return opened.value


def test_a_citizen_gets_her_certificate_signed_by_the_hall(
    gateway: DirectHall, enrolled_terminal: TestTerminal
) -> None:
    may = person(gateway, enrolled_terminal, MAY)
    licences = may.licences()
    assert isinstance(licences, Ok)
    assert licences.value
    assert isinstance(may.applications(), Ok)
    document = may.issue(request_id="request-1", item_code=INSURED, item_version=1, answers={})
    assert isinstance(document, Ok), document
    assert document.value.pdf.startswith(b"%PDF-")
    again = may.issue(request_id="request-1", item_code=INSURED, item_version=1, answers={})
    assert isinstance(again, Ok)
    assert again.value.job_id == document.value.job_id
    assert may.reopen_job(job_id=document.value.job_id) == document
    may.close()


def test_a_citizen_without_records_is_told_so(gateway: DirectHall, enrolled_terminal: TestTerminal) -> None:
    lee = person(gateway, enrolled_terminal, LEE)
    refused = lee.issue(request_id="request-2", item_code=INSURED, item_version=1, answers={})
    assert isinstance(refused, Err)
    assert refused.error.fault is HallFault.NOT_ELIGIBLE


def test_a_hall_that_is_down_is_unreachable(
    gateway: DirectHall, real_hall: HallProcess, enrolled_terminal: TestTerminal
) -> None:
    real_hall.kill()
    refused = gateway.open_person(enrolled_terminal.proof(MAY))
    real_hall.start()
    assert isinstance(refused, Err)
    assert refused.error.fault is HallFault.UNREACHABLE


def test_what_came_back_is_known_here_until_it_is_corrected_elsewhere(
    real_hall: HallProcess, enrolled_terminal: TestTerminal, queue: QueueClient, wait_for: Wait, tmp_path: Path
) -> None:
    """补正: filed here with a licence that is none, corrected at another terminal, and both know what they must."""
    number = queue.reserve_number()
    assert isinstance(number, Ok)
    sealed = enrolled_terminal.sealed_renewal(application_no=number.value, licence_id="nobody's")
    assert queue.put(sealed, card_tag=b"", slip=b"") == Ok(None)
    assert wait_for(lambda: queue.state(sealed.id) == Ok(SubmissionState.RETURNED)), queue.entries()
    assert queue.status().returned == 1
    entries = queue.entries()
    assert isinstance(entries, Ok)
    assert [row["last_code"] for row in entries.value if row["id"] == sealed.id] == ["licence_missing"]

    other = enrolled(real_hall, tmp_path / "other", "T002")
    licence = next(
        row["id"]
        for row in other.get("/v1/me/licences", headers=other.bearer()).json()["licences"]
        if row["type_name"] == "居住证" and row["usable"]
    )
    session = other.session()
    correction, blob = other.renewal(session, licence_id=licence, corrects=sealed.application_no)
    other.put_blob(blob)
    assert other.post("/v1/submissions", other.seal(correction, blob, session=session)).status_code == 201
    other.http.close()
    assert wait_for(lambda: queue.state(sealed.id) == Ok(SubmissionState.ACCEPTED))
    assert queue.status().returned == 0


def test_a_correction_of_a_case_that_is_nobodys_waits_and_one_of_a_strangers_case_is_parked(
    enrolled_terminal: TestTerminal, queue: QueueClient, wait_for: Wait
) -> None:
    """Until then it waits: the case may lie in another terminal."""
    elsewhere = str(ApplicationNumber("440604", datetime.now(UTC).date(), "T0XX", 1))
    sealed = filing(enrolled_terminal, queue, corrects=elsewhere)
    assert queue.put(sealed, card_tag=b"", slip=b"") == Ok(None)

    def waits() -> bool:
        entries = queue.entries()
        assert isinstance(entries, Ok)
        return [(row["state"], row["last_code"]) for row in entries.value if row["id"] == sealed.id] == [
            ("sealed", "case_awaited")
        ]

    assert wait_for(waits)
    others = filing(enrolled_terminal, queue)
    file_and_wait(queue, others, wait_for)
    not_hers = filing(enrolled_terminal, queue, corrects=others.application_no, applicant=enrolled_terminal.proof(LEE))
    assert queue.put(not_hers, card_tag=b"", slip=b"") == Ok(None)
    assert wait_for(lambda: queue.state(not_hers.id) == Ok(SubmissionState.PARKED))
