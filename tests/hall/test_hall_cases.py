"""A case is its history: what may happen, what it adds up to, and that nobody rewrites it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hall.admin import perform
from hall.cases.history import (
    CaseMissing,
    CaseNow,
    Event,
    EventType,
    IllegalTransition,
    append,
    case_state,
    chain_fault,
    first_event,
    fold,
    step,
    verify_chain,
)
from hall.hall import Hall, open_hall
from hall.store.vault import Vault
from tests.hall.conftest import HallProcess, enrolled

VAULT = Vault(bytes(32))
NUMBER, GENESIS = "440604261122T0010001K", "ab" * 32


def test_a_way_through() -> None:
    happened = [EventType.RECEIVED, EventType.ACCEPTED, EventType.HANDLING, EventType.GRANTED]
    data: list[dict[str, str]] = [{}, {}, {"message": "在办"}, {"message": "好了", "licence_id": "L"}]
    history = [Event(seq, seq, "x", kind, data[seq]) for seq, kind in enumerate(happened)]
    assert fold(history) == CaseNow("granted", "好了", "L")
    assert fold(history[:3]) == CaseNow("handling", "在办", "")


OVER = ("granted", "denied", "answered", "withdrawn", "expired")


@given(st.lists(st.sampled_from(EventType), max_size=16))
def test_any_order_of_events_is_legal_or_refused(kinds: list[EventType]) -> None:
    """A refused event changes nothing, and what went before goes on: no event is half taken, none is lost."""
    now, taken = CaseNow(), []
    for seq, kind in enumerate(kinds):
        event = Event(seq, 0, "x", kind, {"message": str(seq)})
        before = now
        try:
            now = step(now, event)
        except IllegalTransition:
            assert now is before
            continue
        taken.append(event)
        assert now.message == str(seq)
        match kind:
            case EventType.CORRECTED:
                assert (before.state, now.state) == ("correction_wanted", "handling"), "it goes on, and once"
            case EventType.SUPPLEMENTED:
                assert before.state and now.state == before.state, "a paper that nobody waited for decides nothing"
            case _:
                assert now.state == kind.value
                assert before.state not in OVER, "nothing is decided about a case that is over"
        assert case_state(now.state)
    assert fold(taken) == now


@given(st.lists(st.sampled_from(EventType), min_size=1, max_size=16))
def test_a_paper_that_comes_has_a_place_in_every_history(kinds: list[EventType]) -> None:
    now = step(CaseNow(), Event(0, 0, "x", EventType.RECEIVED, {}))
    for seq, kind in enumerate(kinds, start=1):
        with suppress(IllegalTransition):
            now = step(now, Event(seq, 0, "x", kind, {}))
        takes = []
        for paper in (EventType.CORRECTED, EventType.SUPPLEMENTED):
            with suppress(IllegalTransition):
                takes.append(step(now, Event(seq, 0, "x", paper, {})).state)
        assert takes, "a correction can always be kept"
        assert now.state in takes or now.state == "correction_wanted"


def chain(length: int) -> list[Event]:
    events = [first_event(VAULT, NUMBER, sha256=GENESIS, at=1, actor="terminal:T001")]
    for seq in range(1, length):
        event = Event(seq, seq, "部门", EventType.HANDLING, {"message": str(seq)}, events[-1].hash)
        link = VAULT.chain(event.previous, event.entry(NUMBER))
        events.append(Event(event.seq, event.at, event.actor, event.type, event.data, event.previous, link))
    return events


def check(events: list[Event], *, count: int, head: str) -> str:
    return chain_fault(VAULT, NUMBER, events, genesis=GENESIS, count=count, head=head)


@given(st.integers(1, 6), st.data())
def test_any_tampering_is_found(length: int, data: st.DataObject) -> None:
    events = chain(length)
    head = events[-1].hash
    assert check(events, count=length, head=head) == ""
    place = data.draw(st.integers(0, length - 1))
    old = events[place]
    changes = [
        Event(old.seq, old.at + 1, old.actor, old.type, old.data, old.previous, old.hash),
        Event(old.seq, old.at, "别人", old.type, old.data, old.previous, old.hash),
        Event(old.seq, old.at, old.actor, old.type, {"message": "改了"}, old.previous, old.hash),
        Event(old.seq, old.at, old.actor, old.type, old.data, "cd" * 32, old.hash),
        Event(old.seq, old.at, old.actor, old.type, old.data, old.previous, "cd" * 32),
    ]
    changed = [*events[:place], data.draw(st.sampled_from(changes)), *events[place + 1 :]]
    assert check(changed, count=length, head=head) != ""
    without = [*events[:place], *events[place + 1 :]]
    assert check(without, count=length, head=head) != ""
    assert check(events[:-1], count=length - 1, head=head) != "", "cut off at the end, and the count set back"
    assert chain_fault(VAULT, NUMBER, events, genesis="cd" * 32, count=length, head=head) != "", "another envelope"
    assert chain_fault(Vault(b"1" * 32), NUMBER, events, genesis=GENESIS, count=length, head=head) != ""


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A data directory with one answered question, its hall stopped."""
    root = tmp_path_factory.mktemp("cases")
    perform(root / "hall", "publish")
    process = HallProcess(root / "hall", decide_after=3600).start()
    terminal = enrolled(process, root / "terminal")
    submission = terminal.question()
    assert terminal.post("/v1/submissions", terminal.seal(submission)).status_code == 201
    terminal.http.close()
    process.stop()
    return root / "hall", submission.application_no


@pytest.fixture
def copied(filed: tuple[Path, str], tmp_path: Path) -> Iterator[tuple[Callable[[], Hall], Path, str]]:
    """A copy of it, to be tampered with while nobody has it open."""
    source, number = filed
    shutil.copytree(source, tmp_path / "hall")
    opened: list[Hall] = []

    def open_it() -> Hall:
        opened.append(open_hall(tmp_path / "hall"))
        return opened[-1]

    yield open_it, tmp_path / "hall" / "hall.db", number
    for hall in opened:
        hall.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE events SET at = at + 1",
        "UPDATE events SET actor = 'x'",
        "UPDATE events SET type = 'withdrawn' WHERE seq = 0",
        "UPDATE events SET sealed_data = x'00' WHERE seq = 0",
        "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)",
        "DELETE FROM events",
        "UPDATE events SET seq = seq + 7",
        "UPDATE cases SET state = 'granted'",
        "UPDATE cases SET head = '00', events = 1",
        "UPDATE submissions SET sha256 = '" + "0" * 64 + "'",
    ],
)
def test_whoever_edits_the_database_is_found_out(copied: tuple[Callable[[], Hall], Path, str], sql: str) -> None:
    open_it, database, number = copied
    with sqlite3.connect(database) as raw:
        raw.execute(sql)
    raw.close()
    hall = open_it()
    with hall.store.read() as connection:
        assert verify_chain(connection, hall.vault, number) != ""


def test_an_untouched_case_verifies_and_refuses_nonsense(copied: tuple[Callable[[], Hall], Path, str]) -> None:
    open_it, _, number = copied
    hall = open_it()

    def add(what: EventType, to: str = number) -> CaseNow:
        return hall.store.write(lambda connection: append(connection, hall.vault, to, what=what, actor="x", at=1))

    with hall.store.read() as connection:
        assert verify_chain(connection, hall.vault, number) == ""
        with pytest.raises(CaseMissing):
            verify_chain(connection, hall.vault, "none")
    with pytest.raises(IllegalTransition):
        add(EventType.RECEIVED)
    with pytest.raises(CaseMissing):
        add(EventType.ACCEPTED, "none")
    assert add(EventType.WITHDRAWN).state == "withdrawn"
    with pytest.raises(IllegalTransition):
        add(EventType.ACCEPTED)
    with hall.store.read() as connection:
        assert verify_chain(connection, hall.vault, number) == ""


def test_the_disk_holds_no_personal_data(filed: tuple[Path, str]) -> None:
    data, _ = filed
    from tests.hall.conftest import MAY

    for path in data.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert MAY[0].encode() not in raw and MAY[1].encode() not in raw, path.name
            assert "路口的灯".encode() not in raw, path.name
            assert path.stat().st_mode & 0o077 == 0, path.name
