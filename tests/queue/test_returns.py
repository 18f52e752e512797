"""补正 in the queue: what corrects goes behind what it corrects; what came back is known, and forgotten in time."""

from __future__ import annotations

import hashlib
import itertools
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.app.doctor import Limits, judge_queue
from kiosk.contract.batch import split_batch
from kiosk.contract.envelope import parse_envelope
from kiosk.contract.journal import JournalKind, parse_body
from kiosk.contract.problems import ProblemCode
from kiosk.contract.sync import BatchVerdicts, Heartbeat, HeartbeatAnswer, Returned, Verdict
from kiosk.core.ports import Link, QueueStatus, SealedSubmission, SubmissionState
from kiosk.core.result import Ok
from offline_queue.damage.salvage import salvage
from offline_queue.disk import schema
from offline_queue.disk.contents import PLACES
from offline_queue.drain import Drain
from offline_queue.outbox import Intake
from offline_queue.returns import ReturnBook
from offline_queue.store import Store
from tests.queue.conftest import FakeClock, Request, Terminal, TestHall, reply_json
from tests.queue.worker_bench import Bench

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    made = Store(tmp_path / "queue", clock=clock)
    yield made
    made.close()


def put(store: Store, clock: FakeClock, *filings: SealedSubmission) -> None:
    intake = Intake(store, clock=clock, region="440699", terminal_id="T001")
    for sealed in filings:
        assert intake.put(sealed, card_tag=b"", slip=b"") == Ok(None)


def deliver(store: Store, *filings: SealedSubmission) -> None:
    drain = Drain(store)
    for item in drain.named([sealed.id for sealed in filings]).value:  # type: ignore[union-attr]
        assert drain.accept(item, b"receipt") == Ok(None)


def said(*words: tuple[SealedSubmission, int, str]) -> list[Returned]:
    return [Returned(id=sealed.id, order=order, code=code) for sealed, order, code in words]


def states(store: Store) -> dict[str, tuple[str, str]]:
    entries = store.entries()
    assert isinstance(entries, Ok)
    return {entry.id: (entry.state.value, entry.last_code) for entry in entries.value}


# --- order -----------------------------------------------------------------------------------------------------------


def test_a_correction_waits_behind_what_it_corrects_and_nothing_else_does(
    store: Store, clock: FakeClock, terminal: Terminal
) -> None:
    original, other = terminal.filing(1), terminal.filing(2)
    first, second = terminal.filing(3, corrects=1), terminal.filing(4, corrects=1)
    elsewhere = terminal.filing(5, corrects=77)
    everything = (original, other, first, second, elsewhere)
    put(store, clock, *everything)
    drain = Drain(store)
    case = original.application_no
    waiting = drain.waiting().value  # type: ignore[union-attr]
    assert [item.case for item in waiting] == [case, other.application_no, case, case, elsewhere.corrects]

    def free() -> list[str]:
        named = drain.named([sealed.id for sealed in everything])
        assert isinstance(named, Ok)
        return [item.id for item in named.value]

    assert free() == [original.id, other.id, elsewhere.id]
    deliver(store, original)
    assert free() == [other.id, first.id, elsewhere.id]
    deliver(store, first)
    assert free() == [other.id, second.id, elsewhere.id]


def test_a_parked_original_holds_up_no_correction(store: Store, clock: FakeClock, terminal: Terminal) -> None:
    original, correction = terminal.filing(1), terminal.filing(2, corrects=1)
    put(store, clock, original, correction)
    drain = Drain(store)
    (item,) = drain.named([original.id, correction.id]).value  # type: ignore[union-attr]
    assert drain.park(item, code="item_unknown") == Ok(None)
    assert [each.id for each in drain.named([correction.id]).value] == [correction.id]  # type: ignore[union-attr]


@pytest.mark.parametrize("backlog", [False, True])
def test_they_reach_the_hall_in_order_over_all_lines(bench: Bench, backlog: bool) -> None:
    """Just filed, or from the backlog of an outage: the express lines look past what waits, and must not past this."""
    arrived: list[list[str]] = []

    def note(_: TestHall, __: BaseHTTPRequestHandler, request: Request) -> bool:
        arrived.append([parse_envelope(raw).header.id for raw in split_batch(request.body)])
        return False

    bench.hall.faults["/v1/batches"] = note
    filings = [bench.terminal.filing(1), *(bench.terminal.filing(serial) for serial in range(2, 12))]
    filings += [bench.terminal.filing(20, corrects=1), bench.terminal.filing(21, corrects=1)]
    for sealed in filings:
        assert bench.intake.put(sealed, card_tag=b"", slip=b"") == Ok(None)
        if not backlog:
            bench.state.just_filed(sealed.id)
    for _ in range(5):
        bench.settle(seconds=5)
    assert set(bench.states().values()) == {"accepted"}
    order = list(itertools.chain.from_iterable(arrived))
    case = [filings[0].id, filings[-2].id, filings[-1].id]
    assert [id_ for id_ in order if id_ in case] == case
    assert all(len(set(batch) & set(case)) <= 1 for batch in arrived), "never two of a case on the way at once"


def test_a_correction_that_the_hall_wants_later_waits_and_holds_up_nobody(bench: Bench) -> None:
    correction, others = bench.terminal.filing(1, corrects=99), [bench.terminal.filing(n) for n in (2, 3)]
    awaited = True

    def later(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        verdicts = [hall.take(raw)[1] for raw in split_batch(request.body) if not awaits(raw)]
        waits = [raw for raw in split_batch(request.body) if awaits(raw)]
        if not waits:
            return False
        wait = Verdict(id=correction.id, status="retry", code=ProblemCode.CASE_AWAITED, retry_after_s=60)
        told = (wait, *verdicts)
        reply_json(http, 200, BatchVerdicts(verdicts=told, hall_time=datetime.now(UTC)))
        return True

    def awaits(raw: bytes) -> bool:
        return awaited and parse_envelope(raw).header.id == correction.id

    bench.hall.faults["/v1/batches"] = later
    for sealed in (correction, *others):
        assert bench.intake.put(sealed, card_tag=b"", slip=b"") == Ok(None)
    bench.settle()
    assert bench.states() == {correction.id: "sealed", **{sealed.id: "accepted" for sealed in others}}
    assert bench.codes()[correction.id] == "case_awaited"
    awaited = False
    bench.settle(seconds=120)
    assert bench.states()[correction.id] == "accepted"


# --- what came back --------------------------------------------------------------------------------------------------


def test_what_came_back_is_told_with_a_heartbeat_and_shown(bench: Bench) -> None:
    told: tuple[Returned, ...] = ()
    asked: list[int | None] = []

    def beat(_: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        heard = Heartbeat.model_validate_json(request.body).returns_heard
        asked.append(heard)
        rest = tuple(word for word in told if word.order > (heard or 0))
        reply_json(http, 200, HeartbeatAnswer(returned=rest))
        return True

    bench.hall.faults["/v1/heartbeat"] = beat
    mine, other = bench.file(1, 2)
    bench.settle()
    stranger = bench.terminal.filing(3)
    told = tuple(said((mine, 4, "licence_invalid"), (stranger, 7, "licence_invalid")))
    bench.settle(seconds=10)
    assert bench.states() == {mine.id: "returned", other.id: "accepted"}
    assert bench.codes()[mine.id] == "licence_invalid"
    assert bench.store.state(mine.id) == Ok(SubmissionState.RETURNED)
    bench.settle(seconds=10)
    assert (asked[0], asked[-1]) == (0, 7), "what concerns nobody here is heard all the same"
    told = (*told, *said((mine, 9, "")))
    bench.settle(seconds=10)
    assert bench.states() == {mine.id: "accepted", other.id: "accepted"}
    assert bench.codes()[mine.id] == ""
    bodies = bench.store.db.run(lambda db: [bytes(row[0]) for row in db.execute("select body from journal")])
    assert isinstance(bodies, Ok)
    noted = [record.fields for body in bodies.value if (record := parse_body(body)).kind == JournalKind.RETURNED]
    assert [fields[1] for fields in noted] == ["licence_invalid", ""]


def test_it_is_counted_until_it_is_over(store: Store, clock: FakeClock, terminal: Terminal) -> None:
    filings = [terminal.filing(serial) for serial in range(1, 4)]
    put(store, clock, *filings)
    deliver(store, *filings)
    book = ReturnBook(store)
    assert book.take(said(*((sealed, n, "other") for n, sealed in enumerate(filings, 1)))) == Ok(None)
    assert store.backlog().value.returned == 3  # type: ignore[union-attr]
    assert book.take(said((filings[1], 9, ""))) == Ok(None)
    assert store.backlog().value.returned == 2  # type: ignore[union-attr]
    assert list(states(store).values())[:2] == [("returned", "other")] * 2, "first in the technician's list"


def test_the_halls_word_may_come_before_its_receipt(store: Store, clock: FakeClock, terminal: Terminal) -> None:
    """By stick: the hall has it and has decided, the receipt is still on its way."""
    (sealed,) = (terminal.filing(1),)
    put(store, clock, sealed)
    assert ReturnBook(store).take(said((sealed, 1, "other"))) == Ok(None)
    assert states(store) == {sealed.id: ("sealed", "other")}
    assert store.backlog().value.returned == 0  # type: ignore[union-attr]
    deliver(store, sealed)
    assert states(store) == {sealed.id: ("returned", "other")}


WORDS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 12), st.sampled_from(["", "other"])), max_size=12)


@given(words=WORDS, cuts=st.lists(st.integers(0, 12), max_size=3), data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_any_order_any_repetition_ends_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    clock: FakeClock,
    terminal: Terminal,
    words: list[tuple[int, int, str]],
    cuts: list[int],
    data: st.DataObject,
) -> None:
    """The newest word on each filing stands, however the answers were cut, repeated or mixed up."""
    filings = [terminal.filing(serial) for serial in range(1, 4)]
    once = {order: (filing, order, code) for filing, order, code in words}  # a number is given once
    newest = {filing: code for filing, _, code in sorted(once.values(), key=lambda word: word[1])}
    made = Store(tmp_path_factory.mktemp("returns") / "queue", clock=clock)
    try:
        put(made, clock, *filings)
        deliver(made, *filings)
        sequence = data.draw(st.permutations([*once.values(), *once.values()]))
        for start, end in itertools.pairwise(sorted({0, *(min(cut, len(sequence)) for cut in cuts), len(sequence)})):
            page = said(*((filings[which], order, code) for which, order, code in sequence[start:end]))
            assert ReturnBook(made).take(page) == Ok(None)
        expected = {
            sealed.id: ("returned", code) if (code := newest.get(which, "")) else ("accepted", "")
            for which, sealed in enumerate(filings)
        }
        assert states(made) == expected
    finally:
        made.close()


def test_a_restart_asks_only_for_what_is_newer(tmp_path: Path, clock: FakeClock, terminal: Terminal) -> None:
    sealed = terminal.filing(1)
    first = Store(tmp_path / "queue", clock=clock)
    put(first, clock, sealed)
    deliver(first, sealed)
    book = ReturnBook(first)
    assert book.heard() == Ok(0)
    assert book.take(said((sealed, 5, "other"), (terminal.filing(2), 8, "other"))) == Ok(None)
    assert book.heard() == Ok(8)
    first.close()
    second = Store(tmp_path / "queue", clock=clock)
    assert ReturnBook(second).heard() == Ok(5)
    assert states(second) == {sealed.id: ("returned", "other")}
    second.close()


def test_it_is_forgotten_with_its_filing(store: Store, clock: FakeClock, terminal: Terminal) -> None:
    filings = [terminal.filing(serial) for serial in (1, 2)]
    put(store, clock, *filings)
    deliver(store, *filings)
    assert ReturnBook(store).take(said(*((sealed, n, "other") for n, sealed in enumerate(filings, 1)))) == Ok(None)
    clock.advance(timedelta(days=6).total_seconds())
    assert store.keep_house() == Ok(None)
    assert store.backlog().value.returned == 2  # type: ignore[union-attr]
    clock.advance(timedelta(days=2).total_seconds())
    assert store.keep_house() == Ok(None)
    assert (states(store), store.backlog().value.returned) == ({}, 0)  # type: ignore[union-attr]
    left = store.db.run(lambda db: db.execute("select count(*) from returns").fetchone()[0])
    assert left == Ok(0)


def test_a_technician_sees_how_many_came_back() -> None:
    status = QueueStatus(Link.UP, 0, 0, 0, True, returned=3)
    finding = judge_queue(status, Limits())
    assert finding.verdict == "ok", "the terminal is well: it is the citizen's turn"
    assert "3 back for correction 待补正" in finding.state


def test_the_command_line_shows_it(tmp_path: Path, clock: FakeClock, terminal: Terminal) -> None:
    made = Store(Path(terminal.layout.queue), clock=clock)
    sealed = terminal.filing(1)
    put(made, clock, sealed)
    deliver(made, sealed)
    assert ReturnBook(made).take(said((sealed, 1, "licence_invalid"))) == Ok(None)
    made.close()

    def run(*words: str) -> object:
        command = [sys.executable, "-m", "offline_queue", "--data", str(terminal.data), *words, "--json"]
        return json.loads(subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, timeout=60).stdout)

    (row,) = run("list")  # type: ignore[misc]
    assert (row["state"], row["last_code"], row["exported"]) == ("returned", "licence_invalid", "")
    assert run("status")["returned"] == 1  # type: ignore[index]


# --- on the disk -----------------------------------------------------------------------------------------------------


def test_a_store_of_the_program_before_goes_on_with_what_it_holds(
    tmp_path: Path, clock: FakeClock, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Schema 5: places laid out with a column less, one of them taken, one filing behind them."""
    queue = tmp_path / "queue"
    queue.mkdir(mode=0o700)
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:5])
    old = schema.connect(queue / "queue.db")
    monkeypatch.undo()
    waits = [terminal.filing(serial) for serial in (1, 2)]
    with old:
        for seq, (sealed, place) in enumerate(zip(waits, (1, PLACES + 2), strict=True), 1):
            values = (place, seq, sealed.id, sealed.application_no, hashlib.sha256(sealed.envelope).hexdigest())
            old.execute(
                "insert into contents (place, taken, seq, id, application_no, sha256, created_at, slip, envelope)"
                " values (?, 1, ?, ?, ?, ?, ?, x'', ?)",
                (*values, int(clock.now().timestamp()), sealed.envelope),
            )
    old.close()
    made = Store(queue, clock=clock)
    correction = terminal.filing(3, corrects=1)
    put(made, clock, correction)
    waiting = Drain(made).waiting().value  # type: ignore[union-attr]
    assert [(item.id, item.case) for item in waiting] == [
        (waits[0].id, waits[0].application_no),
        (waits[1].id, waits[1].application_no),
        (correction.id, waits[0].application_no),
    ]
    deliver(made, *waits)
    deliver(made, correction)
    assert set(states(made).values()) == {("accepted", "")}
    made.close()


def test_a_restart_between_put_and_everything_else_keeps_the_order(
    tmp_path: Path, clock: FakeClock, terminal: Terminal
) -> None:
    """What a correction corrects stands beside its contents, before anybody has entered it."""
    queue = tmp_path / "queue"
    made = Store(queue, clock=clock)
    put(made, clock, terminal.filing(1), terminal.filing(2, corrects=1))
    made.close()
    raw = sqlite3.connect(queue / "queue.db")
    raw.execute("delete from submissions")
    raw.execute("delete from prints")
    raw.commit()
    raw.close()
    again = Store(queue, clock=clock)
    waiting = Drain(again).waiting().value  # type: ignore[union-attr]
    assert len(waiting) == 2
    assert len({item.case for item in waiting}) == 1
    again.close()


def test_a_damaged_store_is_salvaged_with_what_came_back(
    tmp_path: Path, clock: FakeClock, terminal: Terminal, expected_logs: set[str]
) -> None:
    expected_logs.add("offline_queue")
    queue = tmp_path / "queue"
    made = Store(queue, clock=clock)
    done, waits = terminal.filing(1), terminal.filing(2, corrects=1)
    put(made, clock, done, waits)
    deliver(made, done)
    assert ReturnBook(made).take(said((done, 3, "licence_missing"))) == Ok(None)
    made.close()
    salvage(queue / "queue.db")
    again = Store(queue, clock=clock)
    assert states(again) == {done.id: ("returned", "licence_missing"), waits.id: ("sealed", "")}
    assert cases(Drain(again)) == [done.application_no]
    again.close()


def cases(drain: Drain) -> Sequence[str]:
    found = drain.waiting()
    assert isinstance(found, Ok)
    return [item.case for item in found.value]
