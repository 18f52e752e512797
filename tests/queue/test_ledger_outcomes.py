"""What the hall hears of pages: in order, until it has confirmed, with nobody standing in front of the screen."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from kiosk.contract.person import PrintOutcome
from kiosk.contract.problems import ProblemCode
from kiosk.core.devices import Fault
from kiosk.core.print_ledger import PaperKind, PrintOrder, PrintState, VoidReason
from kiosk.core.result import Ok
from offline_queue.paper.ledger import Ledger
from offline_queue.paper.sheets import SheetBook
from offline_queue.uplink.outcomes import OutcomeBox
from offline_queue.uplink.sync_state import SyncState
from tests.queue.conftest import NOW, FakeClock, Request, Terminal, TestHall, reply, reply_problem
from tests.queue.worker_bench import Bench


class LedgerBench(Bench):
    """With a print ledger."""

    def __init__(self, terminal: Terminal, hall: TestHall, clock: FakeClock) -> None:
        super().__init__(terminal, hall, clock, state=SyncState(monotonic=clock.monotonic))
        self.ledger = Ledger(self.store, wake=lambda: None)

    def page(self, job: str, *ends: PrintState, fault: str = "") -> None:
        for number, end in enumerate(ends):
            assert isinstance(self.ledger.intend(PrintOrder(job, PaperKind.PAGE, 1, job), card_tag=b""), Ok)
            assert self.ledger.sent(job, attempt=f"{job}{number}") == Ok(None)
            assert end in (PrintState.PROVEN, PrintState.FAILED, PrintState.UNKNOWN)
            assert self.ledger.settle(job, end, fault=fault, pages=1) == Ok(None)

    def heard(self) -> list[tuple[str, str]]:
        return [(job, told.outcome) for job, told in self.hall.outcomes]

    def waiting(self) -> int:
        found = OutcomeBox(self.store).waiting()
        assert isinstance(found, Ok)
        return len(found.value)


@pytest.fixture
def bench(terminal: Terminal, hall: TestHall, clock: FakeClock, expected_logs: set[str]) -> Iterator[LedgerBench]:
    expected_logs.add("offline_queue")
    hall.publish(1)
    made = LedgerBench(terminal, hall, clock)
    yield made
    made.close()


def test_every_end_is_told_once_in_order(bench: LedgerBench) -> None:
    bench.page("A", PrintState.FAILED, PrintState.PROVEN, fault=Fault.PAPER_OUT)
    bench.page("B", PrintState.UNKNOWN)
    assert bench.ledger.answer("B", came_out=True) == Ok(None)
    assert isinstance(bench.ledger.reprint("B", VoidReason.DAMAGED), Ok)
    bench.settle()
    assert bench.heard() == [("A", "failed"), ("A", "proven"), ("B", "unknown"), ("B", "proven"), ("B", "void")]
    assert bench.hall.outcomes[0][1] == PrintOutcome(
        outcome="failed", pages=1, fault="paper_out", at=NOW, number="A", attempt=1
    )
    assert bench.hall.outcomes[1][1].attempt == 2
    assert bench.hall.outcomes[-1][1].reason == "damaged"
    bench.settle(seconds=600)
    assert len(bench.heard()) == 5
    assert bench.waiting() == 0


def test_more_than_a_batch(bench: LedgerBench) -> None:
    for number in range(70):
        bench.page(f"J{number}", PrintState.PROVEN)
    bench.settle()
    assert bench.heard() == [(f"J{number}", "proven") for number in range(70)]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_hall_in_trouble_hears_it_later(bench: LedgerBench, status: int) -> None:
    bench.page("A", PrintState.PROVEN)
    bench.hall.faults["/v1/print-jobs"] = lambda hall, http, request: reply(http, status, b"", "text/plain")
    bench.settle(seconds=5)
    assert (bench.heard(), bench.waiting()) == ([], 1)
    bench.hall.faults.clear()
    bench.settle(seconds=400)
    assert bench.heard() == [("A", "proven")]
    assert bench.state.last_error == ""


def test_an_answer_that_got_lost_is_asked_for_again_and_says_the_same(bench: LedgerBench) -> None:
    def after(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        hall.outcomes.append(("A", PrintOutcome.model_validate_json(request.body)))
        hall.faults.clear()
        http.close_connection = True
        return True

    bench.page("A", PrintState.PROVEN)
    bench.page("B", PrintState.PROVEN)
    bench.hall.faults["/v1/print-jobs"] = after
    bench.settle(seconds=20)
    assert bench.heard() == [("A", "proven"), ("A", "proven"), ("B", "proven")]
    assert bench.hall.outcomes[0] == bench.hall.outcomes[1]


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, ProblemCode.NOT_FOUND), (400, ProblemCode.MALFORMED), (409, ProblemCode.CONFLICT)],
)
def test_what_the_hall_will_never_take_is_kept_and_stops_nothing(
    bench: LedgerBench, status: int, code: ProblemCode
) -> None:
    def refuse(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        return "/A/" in request.path and reply_problem(http, status, code)

    bench.page("A", PrintState.PROVEN)
    bench.page("B", PrintState.PROVEN)
    bench.hall.faults["/v1/print-jobs"] = refuse
    bench.settle(seconds=600)
    assert bench.heard() == [("B", "proven")]
    kept = bench.store.db.run(lambda db: db.execute("select hall_job, refused from outcomes").fetchall())
    assert kept == Ok([("A", code.value)])


def test_a_proxy_that_says_not_found_is_not_the_hall(bench: LedgerBench) -> None:
    """A 404 without a problem document of ours is nobody's final word."""
    bench.page("A", PrintState.PROVEN)
    bench.hall.faults["/v1/print-jobs"] = lambda hall, http, request: reply(http, 404, b"<html>", "text/html")
    bench.settle(seconds=5)
    assert bench.waiting() == 1


def test_a_success_that_is_none_of_ours_confirms_nothing(bench: LedgerBench) -> None:
    bench.page("A", PrintState.PROVEN)
    bench.hall.faults["/v1/print-jobs"] = lambda hall, http, request: reply(http, 200, b"ok", "text/html")
    bench.settle(seconds=5)
    assert bench.waiting() == 1


def test_the_heartbeat_tells_of_sheets_and_of_papers_that_nobody_took(bench: LedgerBench) -> None:
    assert isinstance(SheetBook(bench.store).load("GD01", 7), Ok)
    bench.state.report_papers_left(("page",))
    bench.settle(seconds=6)
    assert bench.hall.beat is not None
    assert (bench.hall.beat.sheets_ready, bench.hall.beat.papers_left) == (7, ("page",))
    bench.settle(seconds=200)
    bench.settle(seconds=6)
    assert bench.hall.beat.papers_left == (), "a terminal that serves would have told again"
