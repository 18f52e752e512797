"""The journal in the store: what is written when, that any change is found, and that it goes on after any trouble."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.contract.journal import Head, Note, Record, body_of, digest_of, parse_body
from kiosk.core.print_ledger import PaperKind, PrintOrder, PrintState
from kiosk.core.result import Ok
from offline_queue.disk import schema
from offline_queue.disk.database import transaction
from offline_queue.disk.schema import connect
from offline_queue.disk.space import SpaceLimits
from offline_queue.drain import Drain
from offline_queue.journal import notes as journal_notes
from offline_queue.journal.check import JournalReport, verify_journal
from offline_queue.journal.files import SegmentFiles, Walk, parse_segment
from offline_queue.journal.table import JournalLimits
from offline_queue.journal.watch import JournalWatch, Signer, boot_id
from offline_queue.outbox import Intake
from offline_queue.paper.ledger import Ledger
from offline_queue.paper.sheets import SheetBook
from offline_queue.store import Retention, Store
from tests.queue.conftest import NOW, FakeClock, Terminal

BOOT = b"b" * 16
FEW = JournalLimits(records=8)


@dataclass
class Desk:
    """One terminal's store with everything that writes into the journal."""

    terminal: Terminal
    clock: FakeClock
    store: Store
    watch: JournalWatch

    @classmethod
    def of(cls, terminal: Terminal, clock: FakeClock, *, limits: JournalLimits = FEW, **store: Any) -> Desk:
        opened = Store(Path(terminal.layout.queue), clock=clock, journal=limits, **store)
        watch = JournalWatch(
            opened,
            clock=clock,
            boot=BOOT,
            signer=Signer("T001", terminal.signing),
            drafts=Path(terminal.layout.drafts),
            logs=Path(terminal.layout.logs),
        )
        return cls(terminal, clock, opened, watch)

    def file(self, *serials: int) -> list[str]:
        intake = Intake(self.store, clock=self.clock, region="440699", terminal_id="T001")
        sealed = [self.terminal.filing(serial) for serial in serials]
        for one in sealed:
            assert intake.put(one, card_tag=b"t" * 32, slip=b"slip") == Ok(None)
        return [one.id for one in sealed]

    def accept(self, *ids: str) -> None:
        drain = Drain(self.store)
        waiting = drain.waiting()
        assert isinstance(waiting, Ok)
        done = drain.accept_many([(item, b"receipt " + item.id.encode()) for item in waiting.value if item.id in ids])
        assert done == Ok(None)

    def tick(self, seconds: float = 6.0) -> None:
        self.clock.advance(seconds)
        assert self.watch.tick() == Ok(None)

    def records(self) -> list[Record]:
        bodies = [
            body
            for number in self.store.journal.files.numbers()
            for body in self.store.journal.files.read(number).bodies
        ]
        rows = self.store.db.run(
            lambda db: [bytes(row[0]) for row in db.execute("select body from journal order by seq")]
        )
        assert isinstance(rows, Ok)
        return [parse_body(body) for body in (*bodies, *rows.value)]

    def told(self) -> list[dict[str, Any]]:
        return [record.as_dict() for record in self.records()]

    def kinds(self) -> list[str]:
        return [told["kind"] for told in self.told()]

    def check(self) -> JournalReport:
        return verify_journal(self.terminal.data)


@pytest.fixture
def desk(terminal: Terminal, clock: FakeClock) -> Iterator[Desk]:
    made = Desk.of(terminal, clock)
    yield made
    made.store.close()


def busy(desk: Desk) -> list[str]:
    """Some days of a terminal: several files and a tail."""
    assert desk.watch.start(software="1.0") == Ok(None)
    ids = desk.file(*range(1, 11))
    desk.tick()
    desk.accept(*ids[:6])
    waiting = Drain(desk.store).waiting()
    assert isinstance(waiting, Ok)
    assert Drain(desk.store).park(waiting.value[0], code="answers_invalid") == Ok(None)
    for number in range(4):
        desk.file(20 + number)
        desk.tick(301)
    return ids


# --- what is written -------------------------------------------------------------------------------------------------


def test_filed_accepted_and_parked_are_told_in_order(desk: Desk) -> None:
    one, two = desk.file(1, 2)
    desk.accept(one)
    waiting = Drain(desk.store).waiting()
    assert isinstance(waiting, Ok)
    assert Drain(desk.store).park(waiting.value[0], code="answers_invalid") == Ok(None)
    told = [(row["kind"], row.get("id")) for row in desk.told()]
    assert told == [("begin", None), ("put", one), ("put", two), ("accepted", one), ("parked", two)]
    assert desk.check().ok


def test_a_put_writes_nothing_of_the_journal_itself(desk: Desk) -> None:
    """No byte and no fsync more: its row is enough until the next transaction."""
    before = desk.kinds()
    (one,) = desk.file(1)
    assert desk.kinds() == before
    assert desk.store.journal.behind() == Ok(1)
    desk.tick()
    assert [row.get("id") for row in desk.told()][-1] == one
    assert desk.store.journal.behind() == Ok(0)
    desk.tick()
    assert desk.kinds().count("put") == 1


def test_a_filing_is_journalled_though_its_process_was_killed_at_once(terminal: Terminal, clock: FakeClock) -> None:
    first = Desk.of(terminal, clock)
    ids = first.file(1, 2, 3)
    first.store.close()
    desk = Desk.of(terminal, clock)
    assert desk.watch.start(software="1.0") == Ok(None)
    assert [row["id"] for row in desk.told() if row["kind"] == "put"] == ids
    assert desk.kinds()[-1] == "started"
    desk.store.close()


def test_numbers_that_come_back_after_everything_was_deleted_are_journalled(desk: Desk) -> None:
    desk.accept(*desk.file(1, 2))
    desk.clock.advance(8 * 86400)
    assert desk.store.keep_house() == Ok(None)
    gone = desk.store.db.run(lambda db: db.execute("select count(*) from submissions").fetchone()[0])
    assert gone == Ok(0)
    (third,) = desk.file(3)
    desk.tick()
    assert [row["id"] for row in desk.told() if row["kind"] == "put"][-1] == third


def test_paper_and_sheets_are_told(desk: Desk) -> None:
    book, ledger = SheetBook(desk.store), Ledger(desk.store, wake=lambda: None)
    assert isinstance(book.load("GD000001", 3), Ok)
    order = PrintOrder("job-1", PaperKind.PAGE, 1, "job-1", numbered=True)
    assert isinstance(ledger.intend(order, card_tag=b""), Ok)
    assert ledger.sent("job-1", attempt="a") == Ok(None)
    assert ledger.settle("job-1", PrintState.PROVEN, pages=1) == Ok(None)
    told = [row for row in desk.told() if row["kind"] == "print"]
    assert [(row["state"], row["serial"]) for row in told] == [
        ("intended", "GD000001"),
        ("sent", "GD000001"),
        ("proven", "GD000001"),
    ]
    assert desk.kinds()[1] == "sheets_loaded"


def test_admission_start_stop_and_checkpoints(terminal: Terminal, clock: FakeClock) -> None:
    free = [2**40]
    desk = Desk.of(terminal, clock, free=lambda _folder: free[0], limits=JournalLimits())
    assert desk.watch.start(software="1.0+x") == Ok(None)
    desk.tick()
    free[0] = SpaceLimits().floor - 1
    desk.tick()
    free[0] = 2**40
    desk.tick()
    assert desk.watch.stop() == Ok(None)
    assert desk.kinds() == ["begin", "started", "admission", "admission", "stopped", "checkpoint"]
    assert [row["open"] for row in desk.told() if row["kind"] == "admission"] == [0, 1]
    report = desk.check()
    assert (report.ok, report.checkpoints, report.unsigned) == (True, 1, 0)
    desk.store.close()


@pytest.mark.parametrize("days", [365, -365, 0.001, -0.001])
def test_a_clock_that_was_set_is_told_and_changes_no_order(desk: Desk, days: float) -> None:
    assert desk.watch.start(software="1.0") == Ok(None)
    desk.tick()
    desk.clock.wall += timedelta(days=days)
    desk.file(1)
    desk.tick()
    jump = next(row for row in desk.told() if row["kind"] == "clock_jump")
    assert jump["found_ms"] - jump["expected_ms"] == pytest.approx(days * 86_400_000, abs=1)
    assert [record.seq for record in desk.records()] == list(range(1, len(desk.records()) + 1))
    assert desk.check().ok
    desk.tick()
    assert desk.kinds().count("clock_jump") == 1


@pytest.mark.parametrize(("hours", "boot", "told"), [(-1, b"x" * 16, 1), (1, b"x" * 16, 0), (1, BOOT, 1), (0, BOOT, 0)])
def test_a_clock_that_was_set_while_nobody_looked(
    terminal: Terminal, clock: FakeClock, hours: float, boot: bytes, told: int
) -> None:
    """Within one boot monotonic time tells; after another one only that time does not run backwards."""
    desk = Desk.of(terminal, clock)
    assert desk.watch.start(software="1.0") == Ok(None)
    desk.tick(400)
    desk.clock.wall += timedelta(hours=hours)
    again = JournalWatch(desk.store, clock=clock, boot=boot)
    assert again.start(software="1.0") == Ok(None)
    assert desk.kinds().count("clock_jump") == told
    desk.store.close()


def test_the_real_boot_id_is_one() -> None:
    assert len(boot_id()) == 16
    assert boot_id() == boot_id()


# --- deletion on schedule --------------------------------------------------------------------------------------------


def test_every_deletion_leaves_its_proof(desk: Desk) -> None:
    for folder in (desk.terminal.layout.drafts, desk.terminal.layout.logs):
        Path(folder).mkdir()
    draft, log = Path(desk.terminal.layout.drafts) / "aa-0.draft", Path(desk.terminal.layout.logs) / "sync.log.9"
    for path in (draft, log):
        path.write_bytes(b"old")
        os.utime(path, (0, 0))
    one, two = desk.file(1, 2)
    desk.accept(one)
    desk.clock.advance(25 * 3600)
    assert desk.watch.keep_house() == Ok(None)
    desk.clock.advance(7 * 86400)
    assert desk.watch.keep_house() == Ok(None)
    proofs = {row["what"]: row for row in desk.told() if row["kind"] == "purged"}
    both = digest_of([one, two]).hex()
    assert (proofs["slip"]["count"], proofs["slip"]["ids"]) == (2, both)
    assert (proofs["card_tag"]["count"], proofs["card_tag"]["ids"]) == (2, both)
    assert (proofs["accepted"]["count"], proofs["accepted"]["ids"]) == (1, digest_of([one]).hex())
    assert (proofs["draft"]["ids"], proofs["log"]["ids"]) == (
        digest_of(["aa-0.draft"]).hex(),
        digest_of(["sync.log.9"]).hex(),
    )
    assert proofs["slip"]["up_to"] == int(NOW.timestamp()) + 3600
    assert not draft.exists() and not log.exists()
    left = desk.store.db.run(
        lambda db: db.execute("select id, slip from submissions left join slips using (seq)").fetchall()
    )
    assert left == Ok([(two, None)]), "what the hall has not signed for is kept, however old"
    again = desk.kinds().count("purged")
    assert desk.watch.keep_house() == Ok(None)
    assert desk.kinds().count("purged") == again


def test_a_leap_of_the_clock_deletes_nothing_for_a_day(desk: Desk) -> None:
    desk.file(1)
    desk.tick()
    desk.clock.wall += timedelta(days=365)
    assert desk.watch.keep_house() == Ok(None), "before anybody has looked at the clock"
    assert "purged" not in desk.kinds(), "her slip is owed to her"
    desk.clock.wall -= timedelta(days=365)
    desk.tick()
    desk.clock.advance(25 * 3600)
    assert desk.watch.keep_house() == Ok(None)
    assert "purged" in desk.kinds()


def test_old_files_go_when_the_hall_has_them_and_with_proof(desk: Desk) -> None:
    busy(desk)
    numbers = desk.store.journal.files.numbers()
    assert len(numbers) >= 2
    first = desk.store.journal.files.path(numbers[0])
    os.utime(first, (0, 0))
    assert desk.watch.keep_house() == Ok(None)
    assert first.exists(), "the hall does not have it"
    assert desk.store.journal.told(desk.records()[-1].seq) == Ok(None)
    assert desk.watch.keep_house() == Ok(None)
    assert not first.exists()
    report = desk.check()
    assert report.ok and report.first_seq > 1
    # Falsifier: another file goes without proof.
    desk.store.journal.files.path(numbers[1]).unlink()
    assert [finding.code for finding in desk.check().findings] == ["missing"]


def test_a_journal_that_grows_too_large_is_told_once_a_day(terminal: Terminal, clock: FakeClock) -> None:
    desk = Desk.of(terminal, clock, limits=JournalLimits(records=8, bytes=1000))
    busy(desk)
    for _ in range(3):
        assert desk.watch.keep_house() == Ok(None)
    assert desk.watch.large
    assert desk.kinds().count("journal_large") == 1
    desk.clock.advance(25 * 3600)
    assert desk.watch.keep_house() == Ok(None)
    assert desk.kinds().count("journal_large") == 2
    roomy = JournalWatch(desk.store, clock=clock, boot=BOOT)
    desk.store.journal.limits = JournalLimits()
    assert roomy.keep_house() == Ok(None)
    assert not roomy.large
    desk.store.close()


# --- what is found ---------------------------------------------------------------------------------------------------


@pytest.fixture
def copy(terminal: Terminal, clock: FakeClock, tmp_path: Path) -> Callable[[], Path]:
    """A store with several files and a tail, closed; copies of it to spoil."""
    desk = Desk.of(terminal, clock)
    busy(desk)
    desk.store.close()
    made = [0]

    def fresh() -> Path:
        made[0] += 1
        data = tmp_path / f"copy{made[0]}"
        shutil.copytree(desk.terminal.data, data)
        return data

    return fresh


def files_of(data: Path) -> list[Path]:
    return sorted((data / "queue" / "journal").glob("*.log"))


def spoil(data: Path, statement: str, *bound: Any) -> None:
    connection = sqlite3.connect(data / "queue" / "queue.db")
    with connection:
        connection.execute(statement, bound)
    connection.close()


def test_an_untouched_copy_verifies(copy: Callable[[], Path]) -> None:
    report = verify_journal(copy())
    assert report.ok and report.findings == ()
    assert report.files >= 2 and report.checkpoints >= 2 and report.first_seq == 1
    assert report.records == report.last_seq > 16


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_a_file_is_found(copy: Callable[[], Path], data: st.DataObject) -> None:
    place = copy()
    path = data.draw(st.sampled_from(files_of(place)))
    raw = path.read_bytes()
    at = data.draw(st.integers(0, len(raw) - 1))
    match data.draw(st.sampled_from(["flip", "cut", "insert", "double", "remove"])):
        case "flip":
            changed = raw[:at] + bytes([raw[at] ^ data.draw(st.integers(1, 255))]) + raw[at + 1 :]
        case "cut":
            changed = raw[:at]
        case "insert":
            changed = raw[:at] + data.draw(st.binary(min_size=1, max_size=40)) + raw[at:]
        case "double":
            changed = raw + raw[at:]
        case _:
            changed = raw[:at] + raw[min(len(raw), at + data.draw(st.integers(1, 200))) :]
    path.write_bytes(changed)
    assert changed == raw or not verify_journal(place).ok
    shutil.rmtree(place)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_the_table_is_found(copy: Callable[[], Path], data: st.DataObject) -> None:
    place = copy()
    connection = sqlite3.connect(place / "queue" / "queue.db")
    rows = connection.execute("select seq, body, hash from journal order by seq").fetchall()
    connection.close()
    seq, body, hash_ = data.draw(st.sampled_from(rows))
    match data.draw(st.sampled_from(["body", "hash", "delete", "tail", "double", "swap", "head"])):
        case "body":
            at = data.draw(st.integers(0, len(body) - 1))
            flipped = body[:at] + bytes([body[at] ^ data.draw(st.integers(1, 255))]) + body[at + 1 :]
            spoil(place, "update journal set body = ? where seq = ?", flipped, seq)
        case "hash":
            spoil(place, "update journal set hash = ? where seq = ?", bytes([hash_[0] ^ 1]) + hash_[1:], seq)
        case "delete":
            spoil(place, "delete from journal where seq = ?", seq)
        case "tail":
            spoil(place, "delete from journal where seq >= ?", seq)
        case "double":
            spoil(place, "insert into journal (seq, body, hash) values (?, ?, ?)", rows[-1][0] + 1, body, hash_)
        case "swap":
            other = rows[0] if seq != rows[0][0] else rows[-1]
            spoil(place, "update journal set body = ?, hash = ? where seq = ?", other[1], other[2], seq)
        case _:
            spoil(place, "update journal_state set seq = seq - 1")
    assert len(rows) > 1 and not verify_journal(place).ok
    shutil.rmtree(place)


def test_files_that_are_gone_swapped_or_doubled_are_found(copy: Callable[[], Path]) -> None:
    for number in range(len(files_of(copy()))):
        place = copy()
        files_of(place)[number].unlink()
        assert "missing" in {finding.code for finding in verify_journal(place).findings}
    place = copy()
    one, two, *_ = files_of(place)
    raw, other = one.read_bytes(), two.read_bytes()
    one.write_bytes(other)
    two.write_bytes(raw)
    assert not verify_journal(place).ok
    place = copy()
    one, two, *_ = files_of(place)
    two.write_bytes(one.read_bytes())
    assert not verify_journal(place).ok
    place = copy()
    shutil.rmtree(place / "queue" / "journal")
    assert not verify_journal(place).ok
    place = copy()
    (place / "queue" / "queue.db").unlink()
    assert [finding.code for finding in verify_journal(place).findings] == ["no_store"]


def test_a_forger_who_reckons_every_hash_anew_lacks_the_key(copy: Callable[[], Path]) -> None:
    """The whole chain made anew, hashes and all: only the checkpoints' signatures do not fit."""
    place = copy()
    files = SegmentFiles(place / "queue" / "journal")
    first = files.read(1)
    forged, walk = [], Walk(first.before)
    for body in first.bodies:
        record = parse_body(body)
        if record.as_dict()["kind"] == "put":
            body = body_of(record.seq, record.at_ms, Note(record.kind, (b"x" * 16, *record.fields[1:])))  # type: ignore[arg-type]
        forged.append(body)
        walk.step(body)
    files.write(1, first.before, forged)
    head = walk.head
    for number in files.numbers()[1:]:
        segment = files.read(number)
        files.write(number, head, segment.bodies)
        walk = Walk(head)
        for body in segment.bodies:
            walk.step(body)
        head = walk.head
    connection = sqlite3.connect(place / "queue" / "queue.db")
    with connection:
        connection.execute("update journal_state set cut_hash = ?", (head.hash,))
        for seq, body in connection.execute("select seq, body from journal order by seq").fetchall():
            walk.step(bytes(body))
            connection.execute("update journal set hash = ? where seq = ?", (walk.head.hash, seq))
        connection.execute("update journal_state set hash = ?", (walk.head.hash,))
    connection.close()
    assert {finding.code for finding in verify_journal(place).findings} == {"signature"}


# --- after trouble ---------------------------------------------------------------------------------------------------


def test_it_goes_on_after_a_damage_and_says_so(copy: Callable[[], Path], clock: FakeClock) -> None:
    place = copy()
    spoil(place, "delete from journal where seq = (select max(seq) from journal)")
    store = Store(place / "queue", clock=clock, journal=FEW)
    assert store.journal.write(journal_notes.stopped(1)) == Ok(None)
    store.close()
    report = verify_journal(place)
    assert [reason for _, reason in report.restarts] == ["damaged"]
    assert [finding.code for finding in report.findings] == ["order"]


def test_a_store_that_was_lost_goes_on_from_the_files(copy: Callable[[], Path], clock: FakeClock) -> None:
    place = copy()
    last = parse_body(parse_segment(files_of(place)[-1].read_bytes()).bodies[-1])
    for path in (place / "queue").glob("queue.db*"):
        path.unlink()
    store = Store(place / "queue", clock=clock, journal=FEW)
    assert store.journal.write(journal_notes.salvaged("corrupt", kept=0, lost=0)) == Ok(None)
    store.close()
    report = verify_journal(place)
    assert report.restarts == ((last.seq + 1, "lost"),)
    assert report.ok, "what is there is whole; that something is not there, the hall knows"


def test_a_salvaged_table_without_its_state_goes_on_where_it_ends(copy: Callable[[], Path], clock: FakeClock) -> None:
    place = copy()
    whole = verify_journal(place)
    spoil(place, "delete from journal_state")
    assert not verify_journal(place).ok
    store = Store(place / "queue", clock=clock, journal=FEW)
    store.close()
    report = verify_journal(place)
    assert (report.ok, report.restarts) == (True, ((whole.last_seq + 1, "lost"),))
    assert report.records == whole.records + 1


def test_a_torn_file_costs_only_its_torn_record(copy: Callable[[], Path]) -> None:
    place = copy()
    path = files_of(place)[-1]
    raw = path.read_bytes()
    path.write_bytes(raw[:-3])
    report = verify_journal(place)
    assert next(finding.code for finding in report.findings) in {"order", "torn"}
    assert report.records == verify_journal(copy()).records - 1


def test_a_file_that_was_closed_but_whose_rows_are_still_there(copy: Callable[[], Path], clock: FakeClock) -> None:
    """Killed between the rename and the transaction."""
    place = copy()
    connection = sqlite3.connect(place / "queue" / "queue.db")
    epoch, seq, hash_, files = connection.execute(
        "select cut_epoch, cut_seq, cut_hash, files from journal_state"
    ).fetchone()
    bodies = [bytes(row[0]) for row in connection.execute("select body from journal order by seq limit 2")]
    connection.close()
    SegmentFiles(place / "queue" / "journal").write(files + 1, Head(epoch, seq, hash_), bodies)
    assert verify_journal(place).ok
    store = Store(place / "queue", clock=clock, journal=FEW)
    for _ in range(20):
        assert store.journal.write(journal_notes.stopped(1)) == Ok(None)
    assert store.journal.rotate() == Ok(True)
    store.close()
    assert verify_journal(place).ok


@pytest.mark.parametrize("harm", ["torn", "gone", "changed"])
def test_a_harmed_file_is_written_down_once(desk: Desk, harm: str) -> None:
    busy(desk)
    *_, number = desk.store.journal.files.numbers()
    path = desk.store.journal.files.path(number)
    raw = path.read_bytes()
    for _ in range(4):
        assert desk.watch.keep_house() == Ok(None)
    assert "journal_damaged" not in desk.kinds()
    match harm:
        case "torn":
            path.write_bytes(raw[:-3])
        case "gone":
            path.unlink()
        case _:
            path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    for _ in range(6):
        assert desk.watch.keep_house() == Ok(None)
    rows = desk.store.db.run(lambda db: [bytes(row[0]) for row in db.execute("select body from journal")])
    assert isinstance(rows, Ok)
    told = [row for row in (parse_body(body).as_dict() for body in rows.value) if row["kind"] == "journal_damaged"]
    assert [row["number"] for row in told] == [number]
    assert not desk.check().ok


def test_the_check_may_run_while_the_queue_works(desk: Desk) -> None:
    busy(desk)
    before = verify_journal(desk.terminal.data)
    assert before.ok and before.records
    desk.file(11)
    desk.tick()
    after = verify_journal(desk.terminal.data)
    assert after.ok and after.records > before.records


def test_a_store_of_an_older_program_is_journalled_from_now_on(
    terminal: Terminal, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = Path(terminal.layout.queue)
    queue.mkdir(parents=True)
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:2])
    connection = connect(queue / "queue.db")
    monkeypatch.undo()
    sealed = terminal.filing(1)
    with connection:
        connection.execute(
            "insert into submissions (id, application_no, sha256, envelope, size, state, attempts, created_at)"
            " values (?, ?, ?, ?, ?, 'sealed', 0, ?)",
            (sealed.id, sealed.application_no, "ab" * 32, sealed.envelope, 5, int(NOW.timestamp())),
        )
    connection.close()
    assert [finding.code for finding in verify_journal(terminal.data).findings] == ["no_store"]
    desk = Desk.of(terminal, clock)
    desk.tick()
    assert [(row["kind"], row.get("id")) for row in desk.told()] == [("begin", None), ("put", sealed.id)]
    assert desk.check().ok
    desk.store.close()


def test_the_default_schedule_is_the_law_of_the_house() -> None:
    kept = Retention()
    assert (kept.owed, kept.history, kept.drafts) == (timedelta(hours=24), timedelta(days=7), timedelta(days=7))
    assert kept.logs >= timedelta(days=180)


def test_a_long_backlog_is_told_in_slices(desk: Desk) -> None:
    desk.file(1)

    def many(db: sqlite3.Connection) -> None:
        with transaction(db):
            db.executemany(
                "insert into submissions (id, application_no, sha256, size, state, attempts, created_at)"
                " values (?, ?, ?, 1, 'sealed', 0, 1)",
                [(f"01a202e6-1fd4-7035-a4b5-{n:012x}", str(n), "ab" * 32) for n in range(3000)],
            )

    assert desk.store.db.run(many) == Ok(None)
    desk.tick()
    assert desk.kinds().count("put") == 3001
    assert desk.store.journal.behind() == Ok(0)
    assert desk.check().ok
