"""Leaps of the clock: what the journal says of them afterwards, and that nobody deletes by a clock that is in doubt."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk.contract.frames import Frame
from kiosk.contract.journal import Note, Record, body_of, parse_body
from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.result import Err, Ok
from offline_queue.disk.upkeep import Upkeep
from offline_queue.journal import notes
from offline_queue.journal.leaps import ran_since_leap
from offline_queue.journal.watch import JournalWatch, Signer
from offline_queue.media.desk import MediaDesk
from offline_queue.outbox import Intake
from offline_queue.store import Store
from tests.queue.conftest import FakeClock, Terminal

BOOT, NEXT_BOOT = b"b" * 16, b"c" * 16
HOUR, DAY = 3600.0, 86_400.0
YEAR = timedelta(days=365)


def up(at: float) -> Note:
    return notes.started(software="1.0", sqlite="3.40.1", boot=BOOT, monotonic=at)


def jump(at: float, seconds: float) -> Note:
    return notes.clock_jump(expected_ms=0, found_ms=round(seconds * 1000), monotonic=at)


def newest_first(*told: Note) -> list[Record]:
    return [parse_body(body_of(seq, 0, note)) for seq, note in enumerate(told, start=1)][::-1]


@pytest.mark.parametrize(
    ("told", "now", "ran"),
    [
        ((), 5.0, None),
        ((up(10), notes.stopped(20)), 30.0, None),
        ((jump(10, HOUR),), 30.0, None),
        ((jump(10, HOUR + 1),), 30.0, 20.0),
        ((jump(10, -HOUR - 1),), 30.0, 20.0),
        ((jump(10, DAY), jump(20, 5), notes.requeued("")), 30.0, 20.0),
        ((jump(10, DAY), jump(20, DAY)), 30.0, 10.0),
        ((jump(10, DAY), notes.stopped(100), up(5), notes.stopped(50), up(2)), 4.0, 90.0 + 50.0 + 4.0),
        ((jump(10, DAY), up(10 + DAY)), 20 + DAY, None),
        ((jump(10, DAY), notes.stopped(DAY), up(100)), 120.0, None),
    ],
)
def test_how_long_the_machine_has_run_since_a_leap(told: tuple[Note, ...], now: float, ran: float | None) -> None:
    assert ran_since_leap(newest_first(*told), leap=HOUR, enough=DAY, now=now) == ran


@pytest.fixture
def store(terminal: Terminal, clock: FakeClock) -> Iterator[Store]:
    opened = Store(Path(terminal.layout.queue), clock=clock)
    yield opened
    opened.close()


def started(store: Store, clock: FakeClock, terminal: Terminal, *, boot: bytes = BOOT) -> JournalWatch:
    watch = JournalWatch(
        store,
        clock=clock,
        boot=boot,
        signer=Signer("T001", terminal.signing),
        drafts=Path(terminal.layout.drafts),
    )
    assert watch.start(software="1.0") == Ok(None)
    return watch


def file(store: Store, clock: FakeClock, terminal: Terminal) -> None:
    intake = Intake(store, clock=clock, region="440699", terminal_id="T001")
    assert intake.put(terminal.filing(1), card_tag=b"t" * 32, slip=b"slip") == Ok(None)


def slips(store: Store) -> list[tuple[bytes]]:
    found = store.db.run(lambda db: db.execute("select slip from slips").fetchall())
    assert isinstance(found, Ok)
    return found.value


@pytest.mark.parametrize("boot", [BOOT, NEXT_BOOT])
@pytest.mark.parametrize("closed", [False, True], ids=["in the table", "in a file"])
def test_a_restart_within_a_day_of_a_leap_deletes_nothing(
    store: Store, clock: FakeClock, terminal: Terminal, boot: bytes, closed: bool
) -> None:
    file(store, clock, terminal)
    watch = started(store, clock, terminal)
    clock.wall += YEAR
    for _ in range(70):  # until it is signed, and nothing but the journal remembers
        clock.advance(6)
        assert watch.tick() == Ok(None)
    if closed:
        assert isinstance(store.journal.rotate(at_least=1), Ok)
    clock.ticks = clock.ticks + 1 if boot == BOOT else 30.0
    watch = started(store, clock, terminal, boot=boot)
    for _ in range(2):
        assert watch.keep_house() == Ok(None)
        assert slips(store) == [(b"slip",)]
        clock.advance(23 * HOUR)
    clock.advance(HOUR)
    assert watch.keep_house() == Ok(None)
    assert slips(store) == []


def test_compacting_after_a_leap_deletes_nothing(store: Store, clock: FakeClock, terminal: Terminal) -> None:
    file(store, clock, terminal)
    clock.wall += YEAR
    desk = MediaDesk(store, hall_keys=dict, wake=lambda: None)
    assert desk.answer(Frame({"op": "keep_house"})) == ({"ok": None}, b"")
    assert slips(store) == [(b"slip",)]


def test_what_cannot_be_looked_at_keeps_nothing_past_its_day(
    store: Store, clock: FakeClock, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = started(store, clock, terminal)
    draft = Path(terminal.layout.drafts) / "aa-0.draft"
    draft.parent.mkdir()
    draft.write_bytes(b"old")
    os.utime(draft, (0, 0))
    unreadable = Err(StoreError(StoreFault.STORE_DOWN, "SQLITE_IOERR_READ"))
    monkeypatch.setattr(Upkeep, "look", lambda self: unreadable)
    assert watch.keep_house() == unreadable
    assert not draft.exists()
