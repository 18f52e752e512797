"""The ledger over its socket, and kill -9 at every transition: of the queue process, and of the terminal."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiosk.core.ports import PrintLedger, StoreFault
from kiosk.core.print_ledger import PaperKind, PrintOrder, PrintState, SheetCount, SheetState, VoidReason
from kiosk.core.result import Err, Ok
from offline_queue.client import ClientDelays
from offline_queue.paper.ledger_client import LedgerClient
from tests.queue.conftest import Terminal, TestHall
from tests.queue.test_queue_kill import Zygote, report, unreliable

Wait = Callable[..., bool]
KILLS = 25
PAGES = 24


@pytest.fixture
def zygote(terminal: Terminal) -> Iterator[Zygote]:
    made = Zygote(terminal)
    yield made
    made.close()


@pytest.fixture
def ledger(zygote: Zygote) -> PrintLedger:
    return LedgerClient(zygote.socket, delays=ClientDelays(call_s=60, status_s=5))


def test_the_whole_port_over_the_socket(zygote: Zygote, ledger: PrintLedger) -> None:
    zygote.start()
    order = PrintOrder("J", PaperKind.PAGE, 2, "J", numbered=True)
    refused = ledger.intend(order, card_tag=b"tag")
    assert isinstance(refused, Err)
    assert refused.error.fault is StoreFault.NO_SHEET
    assert ledger.load_sheets("GD0101", 3) == Ok(SheetCount(3, 3, 0, 0, 0))
    intended = ledger.intend(order, card_tag=b"tag")
    assert isinstance(intended, Ok)
    assert (intended.value.serial, intended.value.state) == ("GD0101", PrintState.INTENDED)
    assert ledger.sent("J", attempt="a") == Ok(None)
    again = ledger.sent("J", attempt="b")
    assert isinstance(again, Err)
    assert again.error.fault is StoreFault.CONFLICT
    assert ledger.open_pages(b"other") == Ok(())
    opened = ledger.open_pages(b"tag")
    assert isinstance(opened, Ok)
    assert [(entry.state, entry.pages, entry.sent_at is not None) for entry in opened.value] == [
        (PrintState.SENT, 2, True)
    ]
    assert ledger.open_pages() == opened
    assert ledger.settle("J", PrintState.UNKNOWN, fault="unproven") == Ok(None)
    assert ledger.answer("J", came_out=True) == Ok(None)
    second = ledger.reprint("J", VoidReason.DAMAGED)
    assert isinstance(second, Ok)
    assert (second.value.job, second.value.serial) == ("J-2", "GD0102")
    assert ledger.settle("J-2", PrintState.FAILED) == Ok(None)
    assert ledger.void_sheet("GD0103", VoidReason.MISSING) == Ok(None)
    assert isinstance(ledger.return_sheet("GD0103"), Err)
    sheets = ledger.sheets()
    assert isinstance(sheets, Ok)
    assert [(sheet.serial, sheet.state) for sheet in sheets.value] == [
        ("GD0101", SheetState.VOID),
        ("GD0102", SheetState.STOCK),
        ("GD0103", SheetState.VOID),
    ]
    assert ledger.count_sheets() == Ok(SheetCount(3, 1, 0, 0, 2))


def test_every_sheet_is_listed_however_many_there_are(zygote: Zygote) -> None:
    zygote.start()
    ledger = LedgerClient(zygote.socket, delays=ClientDelays(call_s=60, status_s=5))
    for load in range(3):
        assert isinstance(ledger.load_sheets(f"GD{load:04}00000", 5000), Ok)
    sheets = ledger.sheets()
    assert isinstance(sheets, Ok)
    assert len({sheet.serial for sheet in sheets.value}) == 15_000


def test_a_queue_that_is_away_is_an_error_in_time(tmp_path: Path) -> None:
    quick = LedgerClient(tmp_path / "nobody.sock", delays=ClientDelays(call_s=0.2))
    refused = quick.sent("J", attempt="a")
    assert isinstance(refused, Err)
    assert refused.error.fault is StoreFault.STORE_DOWN


class Printer:
    """Honest: remembers what it put on paper, and says so when it is asked later."""

    def __init__(self) -> None:
        self.papers: Counter[str] = Counter()

    def print(self, job: str) -> None:
        self.papers[job] += 1


class TerminalDied(Exception):
    """kill -9 of the screen process at this point."""


class PrintingTerminal:
    """Prints pages as the services do, and may die between any two steps."""

    def __init__(self, ledger: PrintLedger, printer: Printer, dice: random.Random) -> None:
        self.ledger, self.printer, self.dice = ledger, printer, dice
        self.deaths = 0

    def page(self, job: str) -> None:
        order = PrintOrder(job, PaperKind.PAGE, 1, job, numbered=True)
        intended = self.ledger.intend(order, card_tag=b"tag")
        assert isinstance(intended, Ok), intended
        self.risk()
        if intended.value.state is not PrintState.INTENDED:
            return
        assert self.ledger.sent(job, attempt=str(self.dice.random())) == Ok(None)
        self.risk()
        if self.dice.random() < 0.9:
            self.printer.print(job)
        self.risk()
        self.settle(job)

    def recover(self) -> None:
        """What the next screen process does first: no paper moves."""
        opened = self.ledger.open_pages()
        assert isinstance(opened, Ok)
        for entry in opened.value:
            self.settle(entry.job)

    def settle(self, job: str) -> None:
        outcome = PrintState.PROVEN if self.printer.papers[job] else PrintState.FAILED
        assert self.ledger.settle(job, outcome, pages=1) == Ok(None)

    def risk(self) -> None:
        if self.dice.random() < 0.25:
            self.deaths += 1
            raise TerminalDied


@pytest.mark.timeout(240)
def test_kills_at_every_transition_print_once_and_tell_once(
    zygote: Zygote, ledger: PrintLedger, hall: TestHall, wait_for: Wait
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    report(f"seed {seed}")
    dice = random.Random(seed)
    hall.publish(1)
    hall.faults["/v1"] = unreliable(random.Random(seed + 1))
    zygote.start()
    loaded = ledger.load_sheets("GD00001", PAGES * 2)
    assert isinstance(loaded, Ok)
    printer = Printer()
    terminal = PrintingTerminal(ledger, printer, dice)
    done = threading.Event()

    def weather() -> None:
        killer = random.Random(seed + 2)
        for _ in range(KILLS):
            if done.wait(killer.uniform(0.02, 0.15)):
                return
            zygote.kill()
            zygote.start()

    killing = threading.Thread(target=weather)
    killing.start()
    for number in range(PAGES):
        try:
            terminal.page(f"job-{number}")
        except TerminalDied:
            terminal.recover()
    terminal.recover()
    done.set()
    killing.join()
    hall.faults.clear()

    def last_words() -> dict[str, set[str]]:
        words: dict[str, set[str]] = {}
        for job, told in list(hall.outcomes):
            words.setdefault(job, set()).add(told.outcome)
        return words

    wanted = {f"job-{number}": {"proven" if printer.papers[f"job-{number}"] else "failed"} for number in range(PAGES)}
    assert wait_for(lambda: last_words() == wanted, seconds=60), last_words()
    sys.stdout.write(f"{terminal.deaths} deaths of the terminal\n")
    assert terminal.deaths
    assert max(printer.papers.values()) == 1
    counted = ledger.count_sheets()
    assert isinstance(counted, Ok)
    assert counted.value == SheetCount(PAGES * 2, PAGES * 2 - printer.papers.total(), 0, printer.papers.total(), 0)
    serials = [told.serial for _, told in hall.outcomes if told.outcome == "proven"]
    assert len(set(serials)) == printer.papers.total()
    assert ledger.open_pages() == Ok(())


def test_what_was_acknowledged_survives_the_kill_that_follows_at_once(zygote: Zygote, ledger: PrintLedger) -> None:
    steps: tuple[Callable[[], object], ...] = (
        lambda: ledger.intend(PrintOrder("J", PaperKind.PAGE, 1, "J"), card_tag=b"tag"),
        lambda: ledger.sent("J", attempt="a"),
        lambda: ledger.settle("J", PrintState.UNKNOWN),
        lambda: ledger.answer("J", came_out=False),
    )
    after = (PrintState.INTENDED, PrintState.SENT, PrintState.UNKNOWN)
    zygote.start()
    for step, state in zip(steps, (*after, None), strict=True):
        assert isinstance(step(), Ok)
        zygote.kill()
        time.sleep(0.02)
        zygote.start()
        opened = ledger.open_pages(b"tag")
        assert isinstance(opened, Ok)
        assert [entry.state for entry in opened.value] == ([] if state is None else [state])
