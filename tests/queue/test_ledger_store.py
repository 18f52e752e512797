"""The print ledger in the store: written down first, printed once unless a person says no, sheets that add up."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from kiosk.core.devices import Fault
from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.print_ledger import (
    REPRINT_LIMIT,
    REPRINT_REASONS,
    PaperKind,
    PrintEntry,
    PrintOrder,
    PrintState,
    SheetCount,
    SheetState,
    VoidReason,
)
from kiosk.core.result import Err, Ok, Result
from offline_queue.disk.space import SpaceLimits
from offline_queue.outbox import Intake
from offline_queue.paper.ledger import Ledger
from offline_queue.paper.sheets import MAX_LOAD, SheetBook
from offline_queue.store import Store
from offline_queue.uplink.outcomes import OutcomeBox
from tests.queue.conftest import NOW, FakeClock, Terminal

T = TypeVar("T")
TAG = b"t" * 32


class Desk:
    """A store with its ledger, its sheets, and what the hall would hear."""

    def __init__(self, directory: Path, clock: FakeClock) -> None:
        self.directory, self.clock = directory, clock
        self.woken = 0
        self.open()

    def open(self) -> None:
        self.store = Store(self.directory, clock=self.clock)
        self.ledger = Ledger(self.store, wake=self._wake)
        self.sheets = SheetBook(self.store)
        self.box = OutcomeBox(self.store)

    def restart(self) -> None:
        """The process ends and another one begins."""
        self.store.close()
        self.open()

    def close(self) -> None:
        self.store.close()

    def _wake(self) -> None:
        self.woken += 1

    def intend(self, job: str = "J", *, numbered: bool = False, hall_job: str = "", tag: bytes = TAG) -> PrintEntry:
        order = PrintOrder(job, PaperKind.PAGE, 1, hall_job or job, numbered)
        return good(self.ledger.intend(order, card_tag=tag))

    def sent(self, job: str = "J", *, numbered: bool = False) -> PrintEntry:
        entry = self.intend(job, numbered=numbered)
        good(self.ledger.sent(job, attempt=f"{job}/{self.woken}/{entry.serial}"))
        return entry

    def state(self, job: str = "J") -> PrintState:
        found = self.store.db.run(lambda db: db.execute("select state from prints where job = ?", (job,)).fetchone()[0])
        return PrintState(good(found))

    def told(self) -> list[tuple[str, str, int, str, str]]:
        """Number, outcome, attempt, serial and reason of all that the hall has not heard."""
        waiting = good(self.box.waiting())
        told = (one.outcome for one in waiting)
        return [(one.number, one.outcome, one.attempt, one.serial, one.reason) for one in told]

    def count(self) -> SheetCount:
        return good(self.sheets.count())


def good(result: Result[T, StoreError]) -> T:
    assert isinstance(result, Ok), result
    return result.value


def fault(result: Result[object, StoreError]) -> StoreFault:
    assert isinstance(result, Err), result
    return result.error.fault


@pytest.fixture
def desk(tmp_path: Path, clock: FakeClock) -> Iterator[Desk]:
    made = Desk(tmp_path / "queue", clock)
    yield made
    made.close()


# --- one page --------------------------------------------------------------------------------------------------------


def test_a_page_from_intent_to_proof_and_the_hall_hears_it_once(desk: Desk) -> None:
    assert desk.intend().state is PrintState.INTENDED
    assert good(desk.ledger.open_pages()) == (PrintEntry("J", PaperKind.PAGE, 1, PrintState.INTENDED, "J"),)
    good(desk.ledger.sent("J", attempt="a"))
    (entry,) = good(desk.ledger.open_pages(TAG))
    assert (entry.state, entry.sent_at) == (PrintState.SENT, NOW)
    assert desk.told() == []
    for _ in range(2):
        good(desk.ledger.settle("J", PrintState.PROVEN, pages=1))
    assert good(desk.ledger.open_pages()) == ()
    assert desk.told() == [("J", "proven", 1, "", "")]
    assert desk.woken == 1


def test_every_step_may_be_repeated(desk: Desk) -> None:
    assert desk.intend() == desk.intend()
    for _ in range(3):
        good(desk.ledger.sent("J", attempt="a"))
    for _ in range(3):
        good(desk.ledger.settle("J", PrintState.UNKNOWN, fault=Fault.UNPROVEN))
    for _ in range(3):
        good(desk.ledger.answer("J", came_out=False))
    assert [row[:2] for row in desk.told()] == [("J", "unknown"), ("J", "failed")]
    denied = desk.store.db.run(lambda db: db.execute("select denied from prints").fetchone()[0])
    assert denied == Ok(1)


def test_sent_twice_is_refused_whoever_asks(desk: Desk) -> None:
    """The heart of it: a second process, or a second thread, cannot send what was sent."""
    desk.sent()
    desk.restart()
    assert fault(desk.ledger.sent("J", attempt="another")) is StoreFault.CONFLICT
    order = PrintOrder("J", PaperKind.PAGE, 1, "J")
    assert fault(desk.ledger.intend(order, card_tag=TAG)) is StoreFault.CONFLICT


@pytest.mark.parametrize("end", [PrintState.SENT, PrintState.UNKNOWN, PrintState.PROVEN])
def test_only_a_persons_word_or_the_printers_opens_it_again(desk: Desk, end: PrintState) -> None:
    desk.sent()
    if end in (PrintState.UNKNOWN, PrintState.PROVEN):
        good(desk.ledger.settle("J", end))
    order = PrintOrder("J", PaperKind.PAGE, 1, "J")
    assert fault(desk.ledger.intend(order, card_tag=TAG)) is StoreFault.CONFLICT
    assert fault(desk.ledger.sent("J", attempt="new")) is StoreFault.CONFLICT
    if end is PrintState.PROVEN:
        assert fault(desk.ledger.answer("J", came_out=False)) is StoreFault.CONFLICT
    else:
        good(desk.ledger.answer("J", came_out=False))
        assert desk.intend().state is PrintState.INTENDED


def test_a_weaker_word_takes_nothing_back(desk: Desk) -> None:
    desk.sent()
    good(desk.ledger.settle("J", PrintState.PROVEN))
    for word in (PrintState.FAILED, PrintState.UNKNOWN):
        good(desk.ledger.settle("J", word))
    assert desk.state() is PrintState.PROVEN
    desk.sent("K")
    good(desk.ledger.settle("K", PrintState.FAILED, fault=Fault.JAM))
    good(desk.ledger.settle("K", PrintState.UNKNOWN))
    assert desk.state("K") is PrintState.FAILED
    good(desk.ledger.settle("K", PrintState.PROVEN))
    assert desk.state("K") is PrintState.PROVEN, "it came out after all, the printer says"


def test_a_failure_is_tried_again_under_the_same_number_without_limit(desk: Desk) -> None:
    for attempt in range(1, 6):
        desk.sent()
        good(desk.ledger.settle("J", PrintState.FAILED, fault=Fault.PAPER_OUT))
        assert desk.told()[-1] == ("J", "failed", attempt, "", "")


def test_what_nobody_knows_is_refused(desk: Desk) -> None:
    refused = (
        desk.ledger.sent("J", attempt="a"),
        desk.ledger.settle("J", PrintState.PROVEN),
        desk.ledger.answer("J", came_out=True),
        desk.ledger.reprint("J", VoidReason.DAMAGED),
        desk.sheets.void("GD1", VoidReason.DAMAGED),
        desk.sheets.put_back("GD1"),
    )
    assert {fault(one) for one in refused} == {StoreFault.BROKEN}


def test_a_number_is_one_printings_for_ever(desk: Desk) -> None:
    desk.intend()
    other = PrintOrder("J", PaperKind.PAGE, 1, "another job of the hall")
    assert fault(desk.ledger.intend(other, card_tag=TAG)) is StoreFault.CONFLICT


def test_a_full_disk_begins_nothing_and_ends_what_was_begun(tmp_path: Path, clock: FakeClock) -> None:
    free = [10**9]
    store = Store(tmp_path / "q", clock=clock, limits=SpaceLimits(ballast=0, floor=1000), free=lambda _: free[0])
    ledger = Ledger(store, wake=lambda: None)
    good(ledger.intend(PrintOrder("J", PaperKind.PAGE, 1, "J"), card_tag=TAG))
    free[0] = 10
    assert fault(ledger.intend(PrintOrder("K", PaperKind.PAGE, 1, "K"), card_tag=TAG)) is StoreFault.DISK_FULL
    assert fault(SheetBook(store).load("GD1", 1)) is StoreFault.DISK_FULL
    good(ledger.sent("J", attempt="a"))
    good(ledger.settle("J", PrintState.PROVEN))
    store.close()


# --- asked, replaced -------------------------------------------------------------------------------------------------


def test_two_more_papers_on_a_persons_word_and_no_third(desk: Desk) -> None:
    desk.sent()
    for _ in range(REPRINT_LIMIT):
        good(desk.ledger.settle("J", PrintState.UNKNOWN))
        good(desk.ledger.answer("J", came_out=False))
        desk.sent()
    good(desk.ledger.settle("J", PrintState.UNKNOWN))
    good(desk.ledger.answer("J", came_out=False))
    order = PrintOrder("J", PaperKind.PAGE, 1, "J")
    assert fault(desk.ledger.intend(order, card_tag=TAG)) is StoreFault.LIMIT
    assert desk.state() is PrintState.FAILED


def test_a_page_of_no_use_is_void_and_another_comes_under_a_new_number(desk: Desk) -> None:
    desk.sent()
    assert fault(desk.ledger.reprint("J", VoidReason.DAMAGED)) is StoreFault.CONFLICT, "not before it came out"
    good(desk.ledger.settle("J", PrintState.PROVEN, pages=1))
    second = good(desk.ledger.reprint("J", VoidReason.UNREADABLE))
    assert (second.job, second.state, second.hall_job) == ("J-2", PrintState.INTENDED, "J")
    assert good(desk.ledger.reprint("J", VoidReason.UNREADABLE)) == second, "the answer got lost"
    assert good(desk.ledger.open_pages(TAG)) == (second,), "her card finds it"
    good(desk.ledger.sent("J-2", attempt="b"))
    assert fault(desk.ledger.reprint("J", VoidReason.UNREADABLE)) is StoreFault.CONFLICT
    good(desk.ledger.settle("J-2", PrintState.PROVEN, pages=1))
    good(desk.ledger.reprint("J-2", VoidReason.JAMMED))
    good(desk.ledger.sent("J-3", attempt="c"))
    good(desk.ledger.settle("J-3", PrintState.PROVEN, pages=1))
    assert fault(desk.ledger.reprint("J-3", VoidReason.JAMMED)) is StoreFault.LIMIT
    assert [(row[0], row[1], row[4]) for row in desk.told()] == [
        ("J", "proven", ""),
        ("J", "void", "unreadable"),
        ("J-2", "proven", ""),
        ("J-2", "void", "jammed"),
        ("J-3", "proven", ""),
    ]


def test_reasons_are_a_closed_list(desk: Desk) -> None:
    desk.sent()
    good(desk.ledger.settle("J", PrintState.PROVEN))
    for reason in set(VoidReason) - REPRINT_REASONS:
        assert fault(desk.ledger.reprint("J", reason)) is StoreFault.BROKEN


# --- receipts: the same ledger ---------------------------------------------------------------------------------------


def test_a_filing_is_an_intended_receipt(desk: Desk, clock: FakeClock, terminal: Terminal) -> None:
    intake = Intake(desk.store, clock=clock, region="440699", terminal_id="T001")
    sealed = terminal.filing(1)
    good(intake.put(sealed, card_tag=TAG, slip=b"slip"))
    assert desk.state(sealed.id) is PrintState.INTENDED
    good(desk.ledger.sent(sealed.id, attempt="a"))
    assert fault(desk.ledger.sent(sealed.id, attempt="b")) is StoreFault.CONFLICT
    good(desk.ledger.settle(sealed.id, PrintState.FAILED, fault=Fault.PAPER_OUT))
    good(desk.ledger.sent(sealed.id, attempt="b"))
    good(desk.ledger.settle(sealed.id, PrintState.UNKNOWN))
    assert [owed.paper for owed in good(intake.owed(TAG))] == [PrintState.UNKNOWN]
    good(desk.ledger.answer(sealed.id, came_out=True))
    assert good(intake.owed(TAG)) == ()
    assert desk.told() == [], "receipts are between her and the terminal"
    assert good(desk.ledger.open_pages()) == ()


# --- numbered sheets -------------------------------------------------------------------------------------------------


def test_sheets_are_taken_in_order_and_end_used(desk: Desk) -> None:
    assert good(desk.sheets.load("GD0099", 3)) == SheetCount(3, 3, 0, 0, 0)
    assert desk.sent("J", numbered=True).serial == "GD0099"
    good(desk.ledger.settle("J", PrintState.PROVEN, pages=1))
    assert desk.sent("K", numbered=True).serial == "GD0100"
    assert desk.told() == [("J", "proven", 1, "GD0099", "")]
    assert desk.count() == SheetCount(3, 1, 1, 1, 0)


def test_without_a_sheet_nothing_is_intended(desk: Desk) -> None:
    order = PrintOrder("J", PaperKind.PAGE, 1, "J", numbered=True)
    assert fault(desk.ledger.intend(order, card_tag=TAG)) is StoreFault.NO_SHEET
    assert good(desk.ledger.open_pages()) == ()
    desk.sent("plain")


@pytest.mark.parametrize("fault_", [None, Fault.PAPER_OUT, Fault.DOOR_OPEN, Fault.UNREACHABLE, Fault.MEDIA_WRONG])
def test_a_sheet_that_was_not_fed_goes_back_on_top(desk: Desk, fault_: Fault | None) -> None:
    good(desk.sheets.load("GD1", 2))
    desk.sent(numbered=True)
    good(desk.ledger.settle("J", PrintState.FAILED, fault=fault_ or ""))
    assert desk.told() == [("J", "failed", 1, "", "")]
    assert desk.count() == SheetCount(2, 2, 0, 0, 0)
    assert desk.intend(numbered=True).serial == "GD1"


def test_a_sheet_that_may_have_been_fed_is_spoiled_and_the_next_one_taken(desk: Desk) -> None:
    good(desk.sheets.load("GD1", 2))
    desk.sent(numbered=True)
    good(desk.ledger.settle("J", PrintState.FAILED, fault=Fault.JAM))
    assert desk.told() == [("J", "failed", 1, "GD1", "jammed")]
    assert desk.intend(numbered=True).serial == "GD2"
    assert desk.count() == SheetCount(2, 0, 1, 0, 1)


def test_a_sheet_in_doubt_holds_all_others_until_somebody_looks(desk: Desk) -> None:
    good(desk.sheets.load("GD1", 5))
    desk.sent(numbered=True)
    assert fault(desk.sheets.void("GD1", VoidReason.JAMMED)) is StoreFault.CONFLICT, "it is being printed on"
    good(desk.ledger.settle("J", PrintState.UNKNOWN))
    assert desk.count().ready == 0
    order = PrintOrder("K", PaperKind.PAGE, 1, "K", numbered=True)
    assert fault(desk.ledger.intend(order, card_tag=TAG)) is StoreFault.NO_SHEET
    good(desk.ledger.answer("J", came_out=False))
    assert desk.count().ready == 0, "nobody knows yet whether it lies in the tray"
    assert desk.intend(numbered=True).serial == "GD1", "under the same number it may be tried"
    good(desk.ledger.settle("J", PrintState.FAILED))
    assert desk.count().ready == 5


@pytest.mark.parametrize("way", ["void", "return"])
def test_staff_settle_a_sheet_in_doubt(desk: Desk, way: str) -> None:
    good(desk.sheets.load("GD1", 2))
    desk.sent(numbered=True)
    good(desk.ledger.settle("J", PrintState.UNKNOWN))
    for _ in range(2):
        good(desk.sheets.void("GD1", VoidReason.LOST_IN_PRINTER) if way == "void" else desk.sheets.put_back("GD1"))
    assert desk.count().ready == (1 if way == "void" else 2)
    assert desk.sent("K", numbered=True).serial == ("GD2" if way == "void" else "GD1")
    if way == "void":
        assert fault(desk.sheets.put_back("GD1")) is StoreFault.CONFLICT


def test_a_used_sheet_is_void_only_with_its_paper(desk: Desk) -> None:
    good(desk.sheets.load("GD1", 2))
    desk.sent(numbered=True)
    good(desk.ledger.settle("J", PrintState.PROVEN))
    assert fault(desk.sheets.void("GD1", VoidReason.DAMAGED)) is StoreFault.CONFLICT
    assert fault(desk.sheets.put_back("GD1")) is StoreFault.CONFLICT
    assert good(desk.ledger.reprint("J", VoidReason.DAMAGED)).serial == "GD2"
    sheets = {sheet.serial: (sheet.state, sheet.job, sheet.reason) for sheet in good(desk.sheets.page())}
    assert sheets == {"GD1": (SheetState.VOID, "J", "damaged"), "GD2": (SheetState.TAKEN, "J-2", "")}
    assert desk.told()[-1] == ("J", "void", 1, "GD1", "damaged")


@pytest.mark.parametrize(
    ("first", "count"),
    [
        ("", 1),
        ("GD", 1),
        ("GD1", 0),
        ("GD9", 2),
        ("GD 1", 1),
        ("编号1", 1),
        ("G" * 9 + "1", 1),
        ("1" * 13, 1),
        ("GD00001", MAX_LOAD + 1),
    ],
)
def test_serials_that_cannot_be_counted_are_refused(desk: Desk, first: str, count: int) -> None:
    assert fault(desk.sheets.load(first, count)) is StoreFault.BROKEN


def test_no_serial_is_loaded_twice(desk: Desk) -> None:
    good(desk.sheets.load("GD0001", 10))
    refused = desk.sheets.load("GD0010", 10)
    assert fault(refused) is StoreFault.CONFLICT
    assert isinstance(refused, Err) and "GD0010" in refused.error.detail
    assert desk.count().loaded == 10
    good(desk.sheets.load("000011", 10))
    good(desk.sheets.load("GD0011", 1))


# --- what is forgotten, and what is not ------------------------------------------------------------------------------


def test_retention(desk: Desk, clock: FakeClock) -> None:
    good(desk.sheets.load("GD1", 3))
    desk.sent("told", numbered=True)
    good(desk.ledger.settle("told", PrintState.PROVEN))
    (first,) = good(desk.box.waiting())
    good(desk.box.heard(first.seq))
    desk.sent("untold")
    good(desk.ledger.settle("untold", PrintState.PROVEN))
    desk.sent("doubt")
    good(desk.ledger.settle("doubt", PrintState.UNKNOWN))
    clock.advance(timedelta(hours=25).total_seconds())
    good(desk.store.keep_house())
    assert good(desk.ledger.open_pages(TAG)) == (), "her card tag is gone"
    assert [entry.job for entry in good(desk.ledger.open_pages())] == ["doubt"]
    clock.advance(timedelta(days=8).total_seconds())
    good(desk.store.keep_house())
    jobs = desk.store.db.run(lambda db: {row[0] for row in db.execute("select job from prints")})
    assert jobs == Ok({"untold", "doubt"})
    assert desk.count() == SheetCount(3, 2, 0, 1, 0), "sheets are never forgotten"


def test_nothing_personal_is_in_it(desk: Desk) -> None:
    desk.sent(numbered=False)
    columns = desk.store.db.run(
        lambda db: {
            table: [row[1] for row in db.execute(f"pragma table_info({table})")]
            for table in ("prints", "sheets", "outcomes")
        }
    )
    words = {word for names in good(columns).values() for name in names for word in name.split("_")}
    assert not words & {"name", "person", "holder", "title", "licence", "number", "pdf", "slip", "id"}


# --- any history -----------------------------------------------------------------------------------------------------


class Histories(RuleBasedStateMachine):
    """A terminal and its printer told by chance, with restarts between any two steps."""

    directory: Path
    number = 0

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        Histories.number += 1
        self.desk = Desk(Histories.directory / str(Histories.number), self.clock)
        self.papers: Counter[str] = Counter()
        """What the printer put out, by number."""
        self.words: Counter[str] = Counter()
        """How often a person said that nothing came out."""
        self.sent = 0
        good(self.desk.sheets.load("GD0001", 6))

    jobs = st.sampled_from(["A", "B", "C"])

    @rule(job=jobs, numbered=st.just(False))
    def intend_plain(self, job: str, numbered: bool) -> None:
        self.desk.ledger.intend(PrintOrder(job, PaperKind.PAGE, 1, job, numbered), card_tag=TAG)

    @rule()
    def intend_numbered(self) -> None:
        self.desk.ledger.intend(PrintOrder("N", PaperKind.PAGE, 1, "N", True), card_tag=TAG)

    @rule(job=st.sampled_from(["A", "B", "C", "N", "N-2", "A-2"]), prints=st.booleans(), same=st.booleans())
    def send(self, job: str, prints: bool, same: bool) -> None:
        self.sent += not same
        if isinstance(self.desk.ledger.sent(job, attempt=str(self.sent)), Ok) and not same and prints:
            self.papers[job] += 1

    @rule(
        job=st.sampled_from(["A", "B", "C", "N", "N-2", "A-2"]),
        fault=st.sampled_from(["", Fault.JAM, Fault.PAPER_OUT, Fault.UNPROVEN]),
    )
    def settle(self, job: str, fault: str) -> None:
        """The printer never lies: proven only with paper, failed only without."""
        if self.papers[job] > self.words[job]:
            self.desk.ledger.settle(job, PrintState.UNKNOWN if fault else PrintState.PROVEN, pages=1)
        else:
            self.desk.ledger.settle(
                job, PrintState.UNKNOWN if fault == Fault.UNPROVEN else PrintState.FAILED, fault=fault
            )

    @rule(job=st.sampled_from(["A", "B", "C", "N", "N-2"]), came_out=st.booleans())
    def answer(self, job: str, came_out: bool) -> None:
        before = self.state(job)
        if isinstance(self.desk.ledger.answer(job, came_out=came_out), Ok) and before is not self.state(job):
            self.words[job] += not came_out

    @rule(job=st.sampled_from(["A", "N"]), reason=st.sampled_from(sorted(REPRINT_REASONS)))
    def reprint(self, job: str, reason: VoidReason) -> None:
        self.desk.ledger.reprint(job, reason)

    @rule(serial=st.sampled_from(["GD0001", "GD0002", "GD0003"]), back=st.booleans())
    def technician(self, serial: str, back: bool) -> None:
        if back:
            self.desk.sheets.put_back(serial)
        else:
            self.desk.sheets.void(serial, VoidReason.DAMAGED)

    @rule()
    def restart(self) -> None:
        self.desk.restart()

    @rule()
    def house(self) -> None:
        self.clock.advance(3600)
        good(self.desk.store.keep_house())

    @invariant()
    def at_most_once_without_a_word(self) -> None:
        for job, papers in self.papers.items():
            assert papers <= 1 + self.words[job], job

    @invariant()
    def sheets_add_up(self) -> None:
        count = self.desk.count()
        assert count.loaded == 6 == count.stock + count.taken + count.used + count.void
        assert count.taken <= 1
        sheets = good(self.desk.sheets.page())
        assert all(bool(sheet.reason) == (sheet.state is SheetState.VOID) for sheet in sheets)

    @invariant()
    def the_hall_hears_the_last_word(self) -> None:
        last: dict[str, str] = {}
        for number, outcome, *_ in self.desk.told():
            last[number] = outcome
        for job, outcome in last.items():
            state = self.state(job)
            assert state is None or state.value == outcome or state in (PrintState.INTENDED, PrintState.SENT)

    def state(self, job: str) -> PrintState | None:
        def look(db: sqlite3.Connection) -> str | None:
            row = db.execute("select state from prints where job = ?", (job,)).fetchone()
            return row[0] if row else None

        found = good(self.desk.store.db.run(look))
        return PrintState(found) if found else None

    def teardown(self) -> None:
        self.desk.close()


def test_any_history_prints_at_most_once_and_adds_up(tmp_path: Path) -> None:
    Histories.directory = tmp_path
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
