"""The store: durable, idempotent, numbered once, swept, remembered as long as promised."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.contract.numbers import ApplicationNumber
from kiosk.core.ports import Owed, SealedSubmission, StoreFault, SubmissionState
from kiosk.core.print_ledger import PrintState
from kiosk.core.result import Err, Ok
from offline_queue.disk import schema
from offline_queue.disk.files import Locked
from offline_queue.disk.rows import Backlog
from offline_queue.disk.schema import SchemaError, connect, require_durable
from offline_queue.drain import Drain
from offline_queue.outbox import LAST_SERIAL, Intake
from offline_queue.paper.ledger import Ledger
from offline_queue.store import Store
from tests.queue.conftest import FakeClock, Terminal

TAG = b"t" * 32


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    return tmp_path / "queue"


@pytest.fixture
def store(queue: Path, clock: FakeClock) -> Iterator[Store]:
    opened = Store(queue, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def intake(store: Store, clock: FakeClock) -> Intake:
    return Intake(store, clock=clock, region="440699", terminal_id="T001")


def put(intake: Intake, sealed: SealedSubmission, *, tag: bytes = TAG) -> None:
    assert intake.put(sealed, card_tag=tag, slip=b"slip") == Ok(None)


def files(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "blobs").rglob("*") if path.is_file())


# --- opening ---------------------------------------------------------------------------------------------------------


def test_a_commit_is_durable_by_wal_and_full_read_back(tmp_path: Path) -> None:
    connection = connect(tmp_path / "queue.db")
    assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    assert connection.execute("pragma synchronous").fetchone() == (2,)
    connection.execute("pragma synchronous = normal")
    with pytest.raises(SchemaError, match="not durable"):
        require_durable(connection)
    connection.close()


def test_a_store_that_cannot_be_durable_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An in-memory database silently refuses WAL; so does a file system without shared memory.
    with pytest.raises(SchemaError, match="journal memory"):
        connect(Path(":memory:"))


def test_a_store_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    connection = connect(path)
    connection.execute(f"pragma user_version = {len(schema.MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(SchemaError, match=f"schema {len(schema.MIGRATIONS) + 1}"):
        connect(path)


def test_a_failed_migration_leaves_the_old_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "queue.db"
    connect(path).close()

    def broken(db: object) -> None:
        db.table("half").create({"a": int})  # type: ignore[attr-defined]
        raise ZeroDivisionError

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
    with pytest.raises(ZeroDivisionError):
        connect(path)
    monkeypatch.undo()
    connection = connect(path)
    assert connection.execute("select count(*) from sqlite_master where name = 'half'").fetchone() == (0,)
    connection.close()


def test_a_store_has_one_owner(queue: Path, store: Store, clock: FakeClock) -> None:
    with pytest.raises(Locked):
        Store(queue, clock=clock)


def test_a_store_of_a_newer_program_is_refused_and_unlocked(queue: Path, clock: FakeClock) -> None:
    queue.mkdir()
    newer = sqlite3.connect(queue / "queue.db")
    newer.execute("pragma user_version = 9999")
    newer.close()
    for _ in range(2):
        with pytest.raises(SchemaError):
            Store(queue, clock=clock)


def test_a_closed_store_stays_closed(queue: Path, clock: FakeClock) -> None:
    store = Store(queue, clock=clock)
    store.close()
    assert isinstance(store.backlog(), Err)


# --- numbers ---------------------------------------------------------------------------------------------------------


def number(intake: Intake) -> ApplicationNumber:
    reserved = intake.reserve_number()
    assert isinstance(reserved, Ok)
    return ApplicationNumber.parse(reserved.value)


def test_numbers_count_from_one_each_day_in_china(intake: Intake, clock: FakeClock) -> None:
    assert [number(intake).serial for _ in range(3)] == [1, 2, 3]
    clock.advance(8 * 3600)  # 2026-11-22T16:00Z is midnight in China
    assert number(intake).serial == 1
    assert number(intake).day.isoformat() == "2026-11-23"


def test_no_number_twice_after_restart_and_clock_jumps(queue: Path, clock: FakeClock) -> None:
    seen: set[str] = set()
    for jump in (0, 86400, -86400, 0, 400 * 86400, -400 * 86400, 3600):
        clock.wall += timedelta(seconds=jump)
        store = Store(queue, clock=clock)
        intake = Intake(store, clock=clock, region="440699", terminal_id="T001")
        for _ in range(3):
            text = str(number(intake))
            assert text not in seen
            seen.add(text)
        store.close()


def test_the_day_ends_after_its_last_number(intake: Intake, store: Store) -> None:
    number(intake)
    store.db.run(lambda db: db.execute("update counters set serial = ?", (LAST_SERIAL - 1,)))
    assert number(intake).serial == LAST_SERIAL
    refused = intake.reserve_number()
    assert isinstance(refused, Err)
    assert refused.error.fault is StoreFault.STORE_DOWN


# --- putting ---------------------------------------------------------------------------------------------------------


def test_same_bytes_again_is_ok_other_bytes_conflict(intake: Intake, store: Store, terminal: Terminal) -> None:
    sealed, other = terminal.filing(1, blobs=1), terminal.filing(1, blobs=1)
    assert sealed.id == other.id
    assert sealed.envelope != other.envelope
    put(intake, sealed)
    put(intake, sealed)
    refused = intake.put(other, card_tag=TAG, slip=b"")
    assert isinstance(refused, Err)
    assert refused.error.fault is StoreFault.CONFLICT
    entries = store.entries()
    assert isinstance(entries, Ok)
    assert [entry.id for entry in entries.value] == [sealed.id]


def test_an_application_number_is_used_once(intake: Intake, queue: Path, terminal: Terminal) -> None:
    first, second = (
        terminal.filing(1),
        replace(terminal.filing(2, blobs=1), application_no=terminal.filing(1).application_no),
    )
    put(intake, first)
    refused = intake.put(second, card_tag=TAG, slip=b"")
    assert isinstance(refused, Err)
    assert refused.error.fault is StoreFault.CONFLICT
    assert files(queue) == []


def test_an_envelope_that_does_not_fit_is_broken(intake: Intake, queue: Path, terminal: Terminal) -> None:
    sealed = terminal.filing(1, blobs=2)
    for wrong in (
        replace(sealed, envelope=sealed.envelope[:-1]),
        replace(sealed, envelope=b""),
        replace(sealed, id=terminal.filing(2).id),
        replace(sealed, blobs=sealed.blobs[:1]),
        replace(sealed, blobs=sealed.blobs[::-1]),
        replace(sealed, blobs=(sealed.blobs[0], sealed.blobs[1] + b"x")),
    ):
        refused = intake.put(wrong, card_tag=TAG, slip=b"")
        assert isinstance(refused, Err)
        assert refused.error.fault is StoreFault.BROKEN
    assert files(queue) == []


def test_accepting_forgets_the_contents_and_keeps_the_receipt(
    intake: Intake, store: Store, queue: Path, terminal: Terminal
) -> None:
    sealed = terminal.filing(1, blobs=2)
    put(intake, sealed)
    drain = Drain(store)
    waiting = drain.waiting()
    assert isinstance(waiting, Ok)
    (item,) = waiting.value
    assert len(files(queue)) == 2
    assert drain.envelope(item) == Ok(sealed.envelope)
    assert [drain.blob(ref) for ref in item.blobs] == [Ok(blob) for blob in sealed.blobs]
    assert drain.accept(item, b"receipt") == Ok(None)
    assert files(queue) == []
    assert store.state(sealed.id) == Ok(SubmissionState.ACCEPTED)
    select = "select receipt, size from submissions join receipts using (seq)"
    assert store.db.run(lambda db: db.execute(select).fetchall()) == Ok([(b"receipt", len(sealed.envelope))])
    assert store.db.run(lambda db: db.execute("select count(*) from contents where taken = 1").fetchone()) == Ok((0,))
    put(intake, sealed)  # the terminal may not have heard the first yes
    assert drain.waiting() == Ok(())
    assert files(queue) == []


def test_a_parked_submission_keeps_everything(intake: Intake, store: Store, queue: Path, terminal: Terminal) -> None:
    put(intake, terminal.filing(1, blobs=1))
    drain = Drain(store)
    waiting = drain.waiting()
    assert isinstance(waiting, Ok)
    assert drain.park(waiting.value[0], code="rejected") == Ok(None)
    assert drain.waiting() == Ok(())
    assert len(files(queue)) == 1
    backlog = store.backlog()
    assert isinstance(backlog, Ok)
    assert (backlog.value.pending, backlog.value.parked) == (0, 1)


def test_waiting_goes_in_order_of_filing_and_in_pages(intake: Intake, store: Store, terminal: Terminal) -> None:
    ids = [terminal.filing(n).id for n in (3, 1, 2)]
    for serial in (3, 1, 2):
        put(intake, terminal.filing(serial))
    drain = Drain(store)
    first = drain.waiting(limit=2)
    assert isinstance(first, Ok)
    rest = drain.waiting(after=first.value[-1].seq)
    assert isinstance(rest, Ok)
    assert [item.id for item in first.value + rest.value] == ids


# --- progress, receipts, retention -----------------------------------------------------------------------------------


def test_half_way_is_only_in_memory(queue: Path, clock: FakeClock, terminal: Terminal) -> None:
    store = Store(queue, clock=clock)
    sealed = terminal.filing(1)
    put(Intake(store, clock=clock, region="440699", terminal_id="T001"), sealed)
    waiting = Drain(store).waiting()
    assert isinstance(waiting, Ok)
    Drain(store).progress(waiting.value[0], SubmissionState.UPLOADING)
    assert store.state(sealed.id) == Ok(SubmissionState.UPLOADING)
    store.close()
    again = Store(queue, clock=clock)
    assert again.state(sealed.id) == Ok(SubmissionState.SEALED)
    assert again.state("unknown") == Ok(SubmissionState.ABSENT)
    again.close()


def test_what_is_owed_until_proven_or_a_day_old(
    intake: Intake, store: Store, clock: FakeClock, terminal: Terminal
) -> None:
    ledger = Ledger(store, wake=lambda: None)
    sealed = terminal.filing(1)
    put(intake, sealed)
    owed = Owed(sealed.id, sealed.application_no, PrintState.INTENDED, b"slip")
    assert intake.owed(TAG) == Ok((owed,))
    assert intake.owed(b"another card") == Ok(())
    assert ledger.sent(sealed.id, attempt="a") == Ok(None)
    assert intake.owed(TAG) == Ok((replace(owed, paper=PrintState.SENT),))
    clock.advance(24 * 3600 + 1)
    assert intake.owed(TAG) == Ok(())
    clock.advance(-2)
    assert ledger.settle(sealed.id, PrintState.PROVEN) == Ok(None)
    assert ledger.settle(sealed.id, PrintState.FAILED) == Ok(None)
    assert intake.owed(TAG) == Ok(())


def test_house_keeping_forgets_what_is_over_and_nothing_unsent(
    intake: Intake, store: Store, queue: Path, clock: FakeClock, terminal: Terminal
) -> None:
    for serial in (1, 2):
        put(intake, terminal.filing(serial, blobs=1))
    drain = Drain(store)
    waiting = drain.waiting()
    assert isinstance(waiting, Ok)
    drain.accept(waiting.value[0], b"receipt")
    clock.advance(8 * 86400)
    assert store.keep_house() == Ok(None)
    rows = store.db.run(
        lambda db: db.execute(
            "select submissions.state, slips.slip, prints.card_tag, contents.slip, contents.card_tag, envelope is null"
            " from submissions join prints on job = submissions.id left join slips using (seq)"
            " join contents on contents.place = submissions.place"
        ).fetchall()
    )
    assert rows == Ok([("sealed", None, None, bytes(len(b"slip")), bytes(len(TAG)), 0)])
    assert len(files(queue)) == 1
    assert (queue / "queue.db-wal").stat().st_size == schema.WAL_BYTES


def test_the_oldest_unsent_grows_old_and_never_negative(
    intake: Intake, store: Store, clock: FakeClock, terminal: Terminal
) -> None:
    put(intake, terminal.filing(1))
    clock.advance(3600)
    put(intake, terminal.filing(2))
    backlog = store.backlog()
    assert isinstance(backlog, Ok)
    assert backlog.value.oldest_unsent_s == 3600
    clock.advance(-7200)
    backlog = store.backlog()
    assert isinstance(backlog, Ok)
    assert backlog.value.oldest_unsent_s == 0


# --- reconciling -----------------------------------------------------------------------------------------------------


def test_a_start_sweeps_torn_and_orphaned_files_only(queue: Path, clock: FakeClock, terminal: Terminal) -> None:
    store = Store(queue, clock=clock)
    put(Intake(store, clock=clock, region="440699", terminal_id="T001"), terminal.filing(1, blobs=2))
    kept = files(queue)
    orphan = store.blobs.write(b"a put that did not come to its row")
    (queue / "blobs" / orphan[:2] / f"{orphan}.tmp").write_bytes(b"torn")
    store.close()
    again = Store(queue, clock=clock)
    assert again.swept == 2
    assert files(queue) == kept
    again.close()


@given(seed=st.lists(st.sampled_from(["put", "accept", "park", "restart", "again"]), max_size=12))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_history_of_calls_loses_or_doubles(
    seed: list[str], tmp_path_factory: pytest.TempPathFactory, filings: list[SealedSubmission]
) -> None:
    """Model: every put id is pending, accepted or parked, exactly one of them, whatever happened in between."""
    queue, clock = tmp_path_factory.mktemp("model") / "q", FakeClock()
    store = Store(queue, clock=clock)
    model: dict[str, str] = {}
    for action in seed:
        intake, drain = Intake(store, clock=clock, region="440699", terminal_id="T001"), Drain(store)
        waiting = drain.waiting()
        assert isinstance(waiting, Ok)
        match action:
            case "put" if len(model) < len(filings):
                sealed = filings[len(model)]
                put(intake, sealed)
                model[sealed.id] = "sealed"
            case "again" if model:
                put(intake, filings[0])
            case "accept" if waiting.value:
                drain.accept(waiting.value[0], b"r")
                model[waiting.value[0].id] = "accepted"
            case "park" if waiting.value:
                drain.park(waiting.value[-1], code="rejected")
                model[waiting.value[-1].id] = "parked"
            case "restart":
                store.close()
                store = Store(queue, clock=clock)
    entries = store.entries()
    assert isinstance(entries, Ok)
    assert {entry.id: entry.state.value for entry in entries.value} == model
    pending = [sealed for sealed in filings if model.get(sealed.id) in ("sealed", "parked")]
    assert len(files(queue)) == sum(len(sealed.blobs) for sealed in pending)
    store.close()


@pytest.fixture
def filings(terminal: Terminal) -> list[SealedSubmission]:
    return [terminal.filing(serial, blobs=serial % 2) for serial in range(1, 7)]


def test_a_power_cut_between_the_files_first_bytes_is_undone(queue: Path, clock: FakeClock) -> None:
    queue.mkdir()
    # The rollback journal of a file that had no page yet: no record, sectors of 512 bytes, pages of 1,024.
    magic = bytes.fromhex("d9d505f920a163d7")
    journal = magic + b"".join(number.to_bytes(4, "big") for number in (0, 0xB1EC6694, 0, 512, 1024))
    (queue / "queue.db-journal").write_bytes(journal.ljust(512, b"\0"))
    (queue / "queue.db").write_bytes(bytes(1024))
    store = Store(queue, clock=clock)
    assert store.db.salvaged is None, "nothing was set aside"
    assert store.backlog() == Ok(Backlog(0, 0, 0))
    store.close()
