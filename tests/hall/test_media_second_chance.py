"""What the hall refused wrongly comes back by itself, once staff have said why; and only once for each order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
import requests

from kiosk.contract.sync import Heartbeat, HeartbeatAnswer, SendAgain
from kiosk.contract.tickets import EnrolTicket
from kiosk.core.clock import SystemClock
from kiosk.core.ports import SealedSubmission, SubmissionState
from kiosk.core.result import Ok
from offline_queue.client import QueueClient
from offline_queue.drain import Drain
from offline_queue.outbox import Intake
from offline_queue.process import QueueOptions, QueueProcess
from offline_queue.requeue import SecondChances
from offline_queue.store import Store
from offline_queue.uplink.policy import Backoff, SyncDelays
from provisioning.enrol import enrol
from tests.hall.conftest import HallProcess, TestTerminal, enrolled, eventually, machine_at, terminal_of

QUICK = QueueOptions(
    delays=SyncDelays(heartbeat=0.2, link=Backoff(0.05, 0.2), hall=Backoff(0.05, 0.2), item=Backoff(0.05, 0.2))
)


NUMBERS = count(70)


@pytest.fixture
def old(hall: HallProcess, tmp_path: Path) -> Iterator[TestTerminal]:
    """A terminal that will be replaced."""
    made = enrolled(hall, tmp_path / "old", f"T{next(NUMBERS):03d}")
    yield made
    made.http.close()


@pytest.fixture
def successor(hall: HallProcess, old: TestTerminal, tmp_path: Path) -> Iterator[TestTerminal]:
    machine = machine_at(tmp_path / "new", hall.url, f"T{next(NUMBERS):03d}")
    ticket = hall.do("ticket", terminal=machine.profile.terminal_id, site="样本站", name="新机", replaces=old.id)[
        "ticket"
    ]
    assert isinstance(enrol(machine, EnrolTicket.parse(ticket)), Ok)
    made = terminal_of(machine, hall)
    yield made
    made.http.close()


@pytest.fixture
def queue(successor: TestTerminal, expected_logs: set[str]) -> Iterator[QueueClient]:
    expected_logs.add("offline_queue")
    machine = successor.machine
    process = QueueProcess(machine.profile, data=machine.data, software="test", options=QUICK)
    process.start()
    yield QueueClient(Path(machine.layout.queue_socket))
    process.stop()


def test_refused_put_right_and_asked_for_again(
    hall: HallProcess, old: TestTerminal, staff: requests.Session, queue: QueueClient
) -> None:
    # The old terminal's clock was fast: by its word this was signed after it had been replaced.
    submission = old.question(created_at=datetime.now(UTC) + timedelta(hours=1))
    sealed = SealedSubmission(submission.id, submission.application_no, old.seal(submission), ())
    assert queue.put(sealed, card_tag=b"", slip=b"") == Ok(None)
    eventually(lambda: queue.state(submission.id) == Ok(SubmissionState.PARKED))
    page = hall.staff_url + "/staff/refused"
    assert "不归这台终端报送" in staff.get(page, timeout=10).text
    assert staff.post(f"{page}/{submission.id}", data={"reason": "  "}, timeout=10).status_code == 400
    assert staff.post(f"{page}/nothing", data={"reason": "x"}, timeout=10).status_code == 404
    assert requests.post(f"{page}/{submission.id}", data={"reason": "x"}, timeout=10).status_code == 401
    hall.do("vouch", terminal=old.id, until=(datetime.now(UTC) + timedelta(hours=2)).isoformat())
    assert staff.post(f"{page}/{submission.id}", data={"reason": "旧机时钟快了"}, timeout=10).ok
    eventually(lambda: queue.state(submission.id) == Ok(SubmissionState.ACCEPTED))
    assert submission.id[:13] not in staff.get(page, timeout=10).text


def test_an_order_stands_until_the_submission_is_here(
    hall: HallProcess, old: TestTerminal, successor: TestTerminal, staff: requests.Session
) -> None:
    submission = old.question(created_at=datetime.now(UTC) + timedelta(hours=5))
    assert successor.post("/v1/submissions", old.seal(submission)).status_code == 422
    assert orders(successor, parked=1) == ()
    staff.post(f"{hall.staff_url}/staff/refused/{submission.id}", data={"reason": "再看一次"}, timeout=10)
    [order] = orders(successor, parked=1)
    assert (order.id, orders(successor, parked=1)) == (submission.id, (order,))
    assert orders(successor, parked=0) == ()
    staff.post(f"{hall.staff_url}/staff/refused/{submission.id}", data={"reason": "又看一次"}, timeout=10)
    [later] = orders(successor, parked=1)
    assert later.order > order.order


def orders(terminal: TestTerminal, *, parked: int) -> tuple[SendAgain, ...]:
    beat = Heartbeat(
        terminal_id=terminal.id,
        at=datetime.now(UTC),
        software="t",
        bundle=1,
        pending=0,
        parked=parked,
        oldest_unsent_s=0,
    )
    return HeartbeatAnswer.model_validate_json(terminal.post("/v1/heartbeat", beat).content).send_again


def test_an_order_is_done_once(tmp_path: Path, terminal: TestTerminal) -> None:
    store = Store(tmp_path / "queue", clock=SystemClock())
    try:
        submission = terminal.question()
        intake = Intake(store, clock=SystemClock(), region="440604", terminal_id=terminal.id)
        sealed = SealedSubmission(submission.id, submission.application_no, terminal.seal(submission), ())
        assert intake.put(sealed, card_tag=b"", slip=b"") == Ok(None)
        chances, drain = SecondChances(store), Drain(store)
        (waiting,) = drain.waiting().value  # type: ignore[union-attr]
        first, second = SendAgain(id=submission.id, order=1), SendAgain(id=submission.id, order=2)
        assert chances.take((first,)) == Ok(0), "nothing is parked"
        for order, expected in ((second, 1), (second, 0), (first, 1), (first, 0)):
            assert drain.park(waiting, code="item_unknown") == Ok(None)
            assert chances.take((order,)) == Ok(expected), order
        assert drain.park(waiting, code="damaged") == Ok(None)
    finally:
        store.close()
