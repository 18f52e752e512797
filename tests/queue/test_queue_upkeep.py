"""New filings that nobody can tell from entered ones, freed room given back, contents looked at: counts, not times."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.contract.journal import Note
from kiosk.core.ports import StoreFault, SubmissionState
from kiosk.core.print_ledger import PrintState
from kiosk.core.result import Err, Ok
from offline_queue.damage.sanity import fits
from offline_queue.disk import contents, schema
from offline_queue.disk.database import Arrived, OwnedDatabase, transaction
from offline_queue.disk.schema import QUICK_CHECK_BYTES, SchemaError, connect
from offline_queue.disk.space import DiskSpace, SpaceLimits
from offline_queue.disk.upkeep import Upkeep
from offline_queue.drain import Drain
from offline_queue.outbox import Intake
from offline_queue.paper.ledger import Ledger
from offline_queue.requeue import requeue
from offline_queue.retention import forget_rows
from offline_queue.store import Store
from tests.queue.conftest import FakeClock, Terminal

TAG = b"t" * 32
NEW = "select count(*) from contents where taken = 1 and seq > (select coalesce(max(seq), 0) from submissions)"
"""Filed and not entered."""


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    return tmp_path / "queue"


@pytest.fixture
def store(queue: Path, clock: FakeClock) -> Iterator[Store]:
    opened = Store(queue, clock=clock)
    yield opened
    opened.close()


def intake_of(store: Store, clock: FakeClock) -> Intake:
    return Intake(store, clock=clock, region="440699", terminal_id="T001")


def put(store: Store, clock: FakeClock, sealed: Any, *, tag: bytes = TAG) -> None:
    assert intake_of(store, clock).put(sealed, card_tag=tag, slip=b"slip") == Ok(None)


def good(result: Any) -> Any:
    assert isinstance(result, Ok), result
    return result.value


def committed(queue: Path, table: str) -> int:
    """What another process would find: only what is committed."""
    connection = sqlite3.connect(f"file:{queue / 'queue.db'}?mode=ro", uri=True)
    try:
        (count,) = connection.execute(f"select count(*) from {table}").fetchone()
        return int(count)
    finally:
        connection.close()


def new(queue: Path) -> int:
    """The same, of filings that are not entered."""
    connection = sqlite3.connect(f"file:{queue / 'queue.db'}?mode=ro", uri=True)
    try:
        (count,) = connection.execute(NEW).fetchone()
        return int(count)
    finally:
        connection.close()


def pragma(store: Store, name: str) -> int:
    return int(good(store.db.run(lambda db: db.execute(f"pragma {name}").fetchone()[0], arrived=Arrived.COMMITTED)))


# --- arrivals --------------------------------------------------------------------------------------------------------


def test_a_put_commits_one_row_and_the_next_transaction_takes_it_over(
    store: Store, queue: Path, clock: FakeClock, terminal: Terminal
) -> None:
    sealed = terminal.filing(1, blobs=2)
    put(store, clock, sealed)
    assert (new(queue), committed(queue, "submissions"), committed(queue, "prints")) == (1, 0, 0)
    (item,) = good(Drain(store).waiting())  # on the owner's connection it is where everybody looks
    assert [ref.size for ref in item.blobs] == [len(blob) for blob in sealed.blobs]
    assert good(Drain(store).envelope(item)) == sealed.envelope
    assert (new(queue), committed(queue, "submissions")) == (1, 0)  # and yet not written
    good(Ledger(store, wake=lambda: None).sent(sealed.id, attempt="a"))
    assert (new(queue), committed(queue, "submissions"), committed(queue, "blobs")) == (0, 1, 2)
    assert good(intake_of(store, clock).owed(TAG))[0].paper is PrintState.SENT


def test_so_many_new_ones_are_entered_by_the_put_that_brings_the_last(
    store: Store, queue: Path, clock: FakeClock, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "ROWS", 3)
    for serial in range(1, 5):
        put(store, clock, terminal.filing(serial))
    assert (new(queue), committed(queue, "submissions")) == (1, 3)


def test_the_same_id_and_number_are_known_wherever_the_row_is(
    store: Store, clock: FakeClock, terminal: Terminal
) -> None:
    sealed, other = terminal.filing(1), terminal.filing(1)
    intake = intake_of(store, clock)
    for look in (lambda: None, lambda: good(Drain(store).waiting()), lambda: good(store.keep_house())):
        put(store, clock, sealed)
        look()
        refused = intake.put(other, card_tag=TAG, slip=b"")
        assert isinstance(refused, Err) and refused.error.fault is StoreFault.CONFLICT
    assert len(good(Drain(store).waiting())) == 1


def test_a_transaction_that_fails_does_not_lose_what_it_took_over(
    store: Store, queue: Path, clock: FakeClock, terminal: Terminal
) -> None:
    sealed = terminal.filing(1)
    put(store, clock, sealed)

    def fails(db: sqlite3.Connection) -> None:
        with transaction(db):
            db.execute("update submissions set last_code = 'never'")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.db.run(fails)
    assert new(queue) == 1
    assert store.state(sealed.id) == Ok(SubmissionState.SEALED)
    assert good(store.entries())[0].last_code == ""


def test_a_killed_owner_leaves_it_to_be_entered_again(queue: Path, clock: FakeClock, terminal: Terminal) -> None:
    """The process dies with the rows moved and not committed."""
    store = Store(queue, clock=clock)
    for serial in (1, 2):
        put(store, clock, terminal.filing(serial, blobs=1))
    assert len(good(Drain(store).waiting())) == 2
    pid = os.fork()
    if pid == 0:
        os._exit(9)
    os.waitpid(pid, 0)
    store.db._close()  # as the kernel would: no commit
    store._lock.release()
    again = Store(queue, clock=clock)
    waiting = good(Drain(again).waiting())
    assert [item.id for item in waiting] == [terminal.filing(serial).id for serial in (1, 2)]
    assert again.swept == 0
    again.close()
    assert (new(queue), committed(queue, "submissions")) == (0, 2)


def test_an_ordinary_put_costs_one_fsync_and_few_pages(queue: Path) -> None:
    """Q4, counted and not timed: a batch put and delivered by a process of its own."""
    from benchmarks.queue_cost import build_counter, cost

    queue.mkdir()
    told = cost(queue, "ours", counter=build_counter(queue), count=256)
    assert told["syncs"] <= 1.05
    assert told["handed_kib"] <= 6


def frames(queue: Path) -> int:
    """Pages in the log since it was begun anew (sqlite.org/fileformat2.html §4.1)."""
    raw = (queue / "queue.db-wal").read_bytes()
    size = 24 + schema.PAGE_BYTES
    starts = range(32, len(raw) - size + 1, size)
    return next((number for number, at in enumerate(starts) if raw[at + 8 : at + 16] != raw[16:24]), len(starts))


def test_what_fits_is_written_over_a_place_page_by_page(store: Store, queue: Path, clock: FakeClock) -> None:
    """Of every length, to the byte: were the record longer or shorter, SQLite would free its pages and take others."""
    good(store.keep_house())
    envelope = os.urandom(200)
    fitting = 0
    lengths = sorted({*range(0, 2100, 29), *range(50, 66), *range(2000, 2300, 3)})
    for length in lengths:
        filed = contents.Filed(
            id=f"01a202e6-1fd4-7035-a4b5-{length:012x}",
            application_no=f"440699261122T001{length:04d}K",
            sha256="ab" * 32,
            envelope=envelope,
            blobs=(),
            card_tag=TAG,
            slip=bytes([length % 255 + 1]) * length,
            created_at=store.now(),
        )
        before = frames(queue)
        good(store.db.run(lambda db, filed=filed: store.db.arrivals.add(db, filed), arrived=Arrived.AS_IT_IS))
        written = frames(queue) - before
        (place,) = good(
            store.db.run(lambda db: db.execute("select place from contents where id = ?", (filed.id,)).fetchone())  # noqa: B023
        )
        if place <= contents.PLACES:
            fitting += 1
            assert written <= 3, length
        (item,) = good(Drain(store).waiting())
        assert len(good(store.db.run(lambda db: db.execute("select slip from slips").fetchall()))) == (length > 0)
        good(Drain(store).accept(item, b"receipt"))
        good(store.db.run(lambda db: db.execute("delete from slips")))
        if frames(queue) > schema.WAL_PAGES // 2:
            good(store.keep_house())
    assert len(lengths) / 2 < fitting < len(lengths)


def test_places_that_are_taken_are_passed_over(store: Store, clock: FakeClock, terminal: Terminal) -> None:
    good(store.keep_house())
    filings = [terminal.filing(serial) for serial in range(1, contents.PLACES + 20)]
    for sealed in filings:
        put(store, clock, sealed)
    drain = Drain(store)
    waiting = good(drain.waiting(limit=200))
    assert [item.id for item in waiting] == [sealed.id for sealed in filings]
    assert [good(drain.envelope(item)) for item in waiting] == [sealed.envelope for sealed in filings]
    good(drain.accept_many([(item, b"receipt") for item in waiting[1:]]))  # the first one stays in its place
    for serial in range(100, 100 + 2 * contents.PLACES):
        sealed = terminal.filing(serial)
        put(store, clock, sealed)
        (oldest, item) = good(drain.waiting())
        assert (oldest.id, good(drain.envelope(item))) == (filings[0].id, sealed.envelope)
        good(drain.accept(item, b"receipt"))
    rows = good(store.db.run(lambda db: db.execute("select place from contents where taken = 1").fetchall()))
    assert rows == [(1,)]
    assert good(drain.envelope(waiting[0])) == filings[0].envelope


def test_numbers_do_not_come_back_to_what_waits(queue: Path, clock: FakeClock, terminal: Terminal) -> None:
    """All that was entered is forgotten, and so is its numbering; what comes then is new, what lay in places is not."""
    store = Store(queue, clock=clock)
    good(store.keep_house())
    drain = Drain(store)
    for serial in (1, 2):
        put(store, clock, terminal.filing(serial))
    good(drain.accept_many([(item, b"receipt") for item in good(drain.waiting())]))
    clock.advance(8 * 86400)
    good(store.keep_house())
    for left in ("select count(*) from submissions", "select count(*) from contents where id is not null"):
        assert good(store.db.run(lambda db, left=left: db.execute(left).fetchone())) == (0,)
    store.close()
    again = Store(queue, clock=clock)
    assert good(Drain(again).waiting()) == ()
    put(again, clock, terminal.filing(3))
    assert [item.id for item in good(Drain(again).waiting())] == [terminal.filing(3).id]
    again.close()


# --- upkeep ----------------------------------------------------------------------------------------------------------


def test_freed_room_goes_back_to_the_disk_in_small_steps(store: Store, queue: Path, clock: FakeClock) -> None:
    def rows(db: sqlite3.Connection) -> None:
        with transaction(db):
            db.execute("create table ballast (at integer primary key, data blob)")
            db.executemany("insert into ballast (data) values (?)", [(os.urandom(3000),) for _ in range(1000)])

    good(store.db.run(rows))
    good(store.keep_house())
    before = (queue / "queue.db").stat().st_size
    assert before > 3_000_000

    def forget(db: sqlite3.Connection) -> None:
        with transaction(db):
            db.execute("delete from ballast where at > 10")

    good(store.db.run(forget))
    steps: list[int] = []
    run = store.db.run

    def counted(work: Callable[[sqlite3.Connection], Any], **options: Any) -> Any:
        def measured(db: sqlite3.Connection) -> Any:
            pages = db.execute("pragma freelist_count").fetchone()[0]
            done = work(db)
            steps.append(pages - db.execute("pragma freelist_count").fetchone()[0])
            return done

        return run(measured, **options)

    store.db.run = counted  # type: ignore[method-assign]
    good(store.keep_house())
    del store.db.run
    assert max(steps) <= 256 and len(steps) > 10
    assert (queue / "queue.db").stat().st_size < before / 10
    assert (queue / "queue.db-wal").stat().st_size <= schema.WAL_BYTES
    assert pragma(store, "freelist_count") <= 64


def test_a_store_of_an_older_program_learns_to_give_room_back(
    tmp_path: Path, clock: FakeClock, terminal: Terminal
) -> None:
    old = sqlite3.connect(tmp_path / "queue.db", isolation_level=None)
    old.execute("pragma journal_mode = wal")
    old.execute("create table ballast (data blob)")
    old.executemany("insert into ballast values (?)", [(os.urandom(3000),) for _ in range(500)])
    old.execute("delete from ballast")
    old.close()
    store = Store(tmp_path, clock=clock)
    assert pragma(store, "auto_vacuum") == 0
    put(store, clock, terminal.filing(1))
    good(store.keep_house())
    assert pragma(store, "auto_vacuum") == 2
    assert pragma(store, "freelist_count") == 0
    assert len(good(Drain(store).waiting())) == 1
    store.close()


def test_what_the_disk_changed_is_found_when_idle_and_set_aside(
    store: Store, clock: FakeClock, terminal: Terminal
) -> None:
    for serial in range(1, 80):
        put(store, clock, terminal.filing(serial))
    ids = [item.id for item in good(Drain(store).waiting(limit=100))]

    def spoil(db: sqlite3.Connection) -> None:
        with transaction(db):
            db.execute("update contents set envelope = x'00' where id = ?", (ids[70],))

    good(store.db.run(spoil))
    good(store.keep_house())
    assert [item.id for item in good(Drain(store).waiting(limit=100))] == [id_ for id_ in ids if id_ != ids[70]]
    (found,) = (entry for entry in good(store.entries()) if entry.state is SubmissionState.PARKED)
    assert (found.id, found.last_code) == (ids[70], "damaged")


def test_the_wal_keeps_its_place_on_the_disk_while_there_is_room(
    queue: Path, clock: FakeClock, terminal: Terminal
) -> None:
    free = [1 << 40]
    store = Store(queue, clock=clock, free=lambda _: free[0])
    put(store, clock, terminal.filing(1))
    good(store.keep_house())
    wal = queue / "queue.db-wal"
    assert wal.stat().st_size == schema.WAL_BYTES
    for serial in range(2, 20):
        put(store, clock, terminal.filing(serial))
    assert wal.stat().st_size == schema.WAL_BYTES
    with sqlite3.connect(f"file:{queue / 'queue.db'}?mode=ro", uri=True) as other:
        assert other.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert other.execute(NEW).fetchone() == (18,)
    other.close()
    free[0] = 0
    good(store.keep_house())
    assert wal.stat().st_size == 0
    store.close()


def test_upkeep_stops_when_its_time_is_over(tmp_path: Path) -> None:
    space = DiskSpace(tmp_path, limits=SpaceLimits(ballast=0))
    db = OwnedDatabase(tmp_path / "queue.db", space=space)

    def lay(connection: sqlite3.Connection) -> None:
        with transaction(connection):
            connection.execute("create table ballast (data blob)")
            connection.executemany("insert into ballast values (?)", [(os.urandom(3000),) for _ in range(500)])
        with transaction(connection):
            connection.execute("delete from ballast")

    good(db.run(lay))
    ticks = iter(range(0, 100, 2))
    pauses: list[float] = []
    upkeep = Upkeep(
        db,
        set_aside=lambda _db, _id: None,
        roomy=lambda: False,
        monotonic=lambda: float(next(ticks)),
        sleep=pauses.append,
    )
    good(upkeep.compact())
    assert len(pauses) == 2  # five seconds, two at a look
    left = good(db.run(lambda connection: connection.execute("pragma freelist_count").fetchone()[0]))
    assert left > 500
    db.close()


# --- opening ---------------------------------------------------------------------------------------------------------


def test_a_new_store_has_small_pages_and_gives_room_back(store: Store) -> None:
    assert (pragma(store, "page_size"), pragma(store, "auto_vacuum")) == (schema.PAGE_BYTES, 2)


@pytest.mark.parametrize("version", range(1, len(schema.MIGRATIONS)))
def test_a_store_of_every_older_schema_is_taken_over(tmp_path: Path, version: int) -> None:
    from sqlite_utils import Database

    path = tmp_path / "queue.db"
    old = sqlite3.connect(path, isolation_level=None)
    old.execute("pragma journal_mode = wal")
    db = Database(old)
    for number, migrate in enumerate(schema.MIGRATIONS[:version], start=1):
        migrate(db)
        old.execute(f"pragma user_version = {number}")
    old.close()
    connection = connect(path)
    assert connection.execute("pragma user_version").fetchone() == (len(schema.MIGRATIONS),)
    assert connection.execute(NEW).fetchone() == (0,)
    assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_what_waited_in_a_store_of_the_program_before_is_taken_over(
    queue: Path, clock: FakeClock, terminal: Terminal
) -> None:
    """Schema 4: entered, delivered, parked; and two that are still in its inbox."""
    from sqlite_utils import Database

    filings = [terminal.filing(serial, blobs=serial % 2) for serial in range(1, 6)]
    blobs = queue / "blobs"
    blobs.mkdir(parents=True)
    old = sqlite3.connect(queue / "queue.db", isolation_level=None)
    old.execute("pragma journal_mode = wal")
    for number, migrate in enumerate(schema.MIGRATIONS[:4], start=1):
        migrate(Database(old))
        old.execute(f"pragma user_version = {number}")
    now = int(clock.now().timestamp())
    for sealed, state in zip(filings[:3], ("sealed", "accepted", "parked"), strict=True):
        waits = state != "accepted"
        values = (
            sealed.id,
            sealed.application_no,
            hashlib.sha256(sealed.envelope).hexdigest(),
            sealed.envelope if waits else None,
            len(sealed.envelope),
            state,
            now,
            None if waits else now,
            None if waits else b"receipt",
            b"slip",
        )
        old.execute(
            "insert into submissions (id, application_no, sha256, envelope, size, state, attempts, created_at,"
            " accepted_at, receipt, slip) values (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)",
            values,
        )
        old.execute(
            "insert into prints (job, kind, pages, hall_job, card_tag, state, numbered, denied, tries, created_at,"
            " changed_at) values (?, 'receipt', 1, '', ?, 'intended', 0, 0, 1, ?, ?)",
            (sealed.id, TAG, now, now),
        )
    for sealed in filings[3:]:
        refs = [(hashlib.sha256(blob).hexdigest(), len(blob)) for blob in sealed.blobs]
        for (name, _), blob in zip(refs, sealed.blobs, strict=True):
            (blobs / name[:2]).mkdir(exist_ok=True)
            (blobs / name[:2] / name).write_bytes(blob)
        old.execute(
            "insert into inbox (id, application_no, sha256, created_at, card_tag, slip, blobs, envelope)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                sealed.id,
                sealed.application_no,
                hashlib.sha256(sealed.envelope).hexdigest(),
                now,
                TAG,
                b"slip",
                json.dumps(refs) if refs else None,
                sealed.envelope,
            ),
        )
    old.close()
    store = Store(queue, clock=clock)
    drain = Drain(store)
    waiting = good(drain.waiting())
    assert [item.id for item in waiting] == [filings[n].id for n in (0, 3, 4)]
    for item, sealed in zip(waiting, [filings[n] for n in (0, 3, 4)], strict=True):
        assert good(drain.envelope(item)) == sealed.envelope
    assert [good(drain.blob(ref)) for ref in waiting[2].blobs] == list(filings[4].blobs)
    owed = good(intake_of(store, clock).owed(TAG))
    assert [(each.id, each.receipt) for each in owed] == [(sealed.id, b"slip") for sealed in filings]
    receipts = good(store.db.run(lambda db: db.execute("select seq, receipt from receipts").fetchall()))
    assert receipts == [(2, b"receipt")]
    for sealed in filings:
        put(store, clock, sealed)
    put(store, clock, terminal.filing(6))
    assert requeue(store, None) == Ok(1)
    good(store.keep_house())
    again = [filings[n].id for n in (0, 2, 3, 4)] + [terminal.filing(6).id]
    assert [item.id for item in good(drain.waiting())] == again
    assert good(drain.envelope(good(drain.waiting())[1])) == filings[2].envelope
    store.close()


def test_opening_does_not_read_a_large_store(tmp_path: Path) -> None:
    """A page deep inside is damaged: a small store is refused at once, a large one when that page is used."""
    for rows, looked_at in ((200, True), (QUICK_CHECK_BYTES // 1000, False)):
        path = tmp_path / f"{rows}.db"
        connection = connect(path)
        with transaction(connection):
            connection.executemany(
                "insert into journal (body, hash) values (?, x'00')", [(os.urandom(900),) for _ in range(rows)]
            )
        connection.close()
        with path.open("r+b") as file:
            file.seek(path.stat().st_size - 100 * 1024)
            file.write(os.urandom(2048))
        again = connect(path)
        if looked_at:
            with pytest.raises(SchemaError):
                schema.verify(again)
        else:
            schema.verify(again)
        again.close()


def test_ten_thousand_waiting_read_no_more_for_a_claim(tmp_path: Path) -> None:
    """The plan of a claim is a walk along the index of what waits, past any history."""
    connection = connect(tmp_path / "queue.db")
    plan = connection.execute(
        "explain query plan select seq, id, sha256, size, attempts, application_no from submissions"
        " where state = 'sealed' and seq > ? order by seq limit ?",
        (0, 64),
    ).fetchall()
    assert [row[3] for row in plan] == ["SEARCH submissions USING INDEX submissions_unsent (seq>?)"]
    connection.close()


# --- after a damage --------------------------------------------------------------------------------------------------


def test_what_has_lost_its_submission_is_forgotten_and_nobody_is_named(store: Store) -> None:
    def lost(db: sqlite3.Connection) -> tuple[Note, ...]:
        with transaction(db):
            db.execute("insert into receipts (seq, accepted_at, receipt) values (7, 1, x'00')")
            db.execute("insert into slips (seq, created_at, slip) values (7, 1, x'00')")
            return forget_rows(db, owed_before=2, history_before=2)

    assert good(store.db.run(lost)) == ()
    for table in ("receipts", "slips"):
        assert good(store.db.run(lambda db, table=table: db.execute(f"select count(*) from {table}").fetchone())) == (
            0,
        )


def test_a_row_whose_number_salvage_could_not_read_makes_sense() -> None:
    row = {"id": "019ab7c0-0000-7000-8000-000000000001", "sha256": "0" * 64, "state": "sealed"}
    assert fits("submissions", row | {"application_no": row["id"]})
    assert fits("submissions", row | {"application_no": "440699261122T0010001K"})
    assert not fits("submissions", row | {"application_no": "none of ours"})
