"""Wrong clocks, the hall's and a terminal's: they hold no case up and close no page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from hall.admin import perform
from hall.hall import Hall, open_hall
from hall.web.pages import Pages
from kiosk.contract.journal import Head, JournalBatch, JournalKind, Note, body_of, follow
from kiosk.contract.submission import Submission
from tests.hall.conftest import HallProcess, TestTerminal, enrolled
from tests.hall.test_hall_corrections import LaterClock, types_of


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestTerminal]:
    """Of a hall whose process is over."""
    root = tmp_path_factory.mktemp("clocks")
    perform(root / "hall", "publish")
    process = HallProcess(root / "hall").start()
    made = enrolled(process, root / "terminal")
    process.stop()
    yield made
    made.http.close()


@pytest.fixture
def clock() -> LaterClock:
    return LaterClock()


@pytest.fixture
def opened(terminal: TestTerminal, clock: LaterClock) -> Iterator[Hall]:
    hall = open_hall(terminal.hall.data, decide_after_s=0.0, clock=clock)
    yield hall
    hall.close()


def file(hall: Hall, terminal: TestTerminal, submission: Submission) -> str:
    assert hall.intake.submit(terminal.seal(submission), terminal_id=terminal.id).status == "accepted"
    return submission.application_no


def test_what_came_while_the_halls_clock_was_ahead_is_decided(
    opened: Hall, clock: LaterClock, terminal: TestTerminal
) -> None:
    clock.ahead = timedelta(days=365)
    number = file(opened, terminal, terminal.question())
    clock.ahead = timedelta(0)
    for _ in range(3):
        opened.jobs.run_due()
        clock.ahead += timedelta(seconds=1)
    assert types_of(opened, number)[-1] == "answered"


@pytest.mark.parametrize(
    "at", [datetime(9999, 12, 31, 20, tzinfo=UTC), datetime.max.replace(tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)]
)
def test_a_filing_of_a_mad_clock_closes_no_page(opened: Hall, terminal: TestTerminal, at: datetime) -> None:
    number = file(opened, terminal, terminal.question(created_at=at))
    pages = Pages(opened)
    assert number in pages.cases("值班员", kind=None)
    assert "在终端提交" in pages.case("值班员", number)


def test_a_journal_that_begins_anew_after_the_halls_clock_was_put_right_goes_on(
    opened: Hall, clock: LaterClock, terminal: TestTerminal
) -> None:
    def tell(head: Head, *notes: Note) -> tuple[Head, str]:
        bodies, end = [], head
        for note in notes:
            bodies.append(body_of(end.seq + 1, 0, note))
            end, _ = follow(end, bodies[-1])
        batch = JournalBatch(head, head.seq + 1, tuple(bodies)).encode()
        return end, opened.journals.heard(batch, terminal_id=terminal.id).state

    def begin(epoch: bytes, before: Head, reason: str) -> Note:
        known = {"before_epoch": before.epoch, "before_seq": before.seq, "before_head": before.hash}
        return Note.of(JournalKind.BEGIN, epoch=epoch, **known, reason=reason)

    stopped = Note.of(JournalKind.STOPPED, monotonic_ms=1)
    first, second = bytes([1]) * 16, bytes([2]) * 16
    clock.ahead = timedelta(hours=3)
    end, state = tell(Head.before(first, 0), begin(first, Head(b"", 0, b""), "new"), stopped)
    clock.ahead = timedelta(0)
    end, _ = tell(Head.before(second, end.seq), begin(second, end, "damaged"))
    clock.ahead = timedelta(minutes=1)
    assert (state, tell(end, stopped)[1]) == ("known", "known")
