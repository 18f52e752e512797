"""Slips and card tags are gone after their day, from every file in which they have lain (到期清除)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.contract.journal import digest_of, parse_body
from kiosk.core.result import Ok
from offline_queue.disk.schema import WAL_BYTES
from offline_queue.drain import Drain
from offline_queue.journal.watch import JournalWatch
from offline_queue.outbox import Intake
from offline_queue.retention import Retention
from offline_queue.store import Store
from tests.queue.conftest import FakeClock, Terminal

HOUR, DAY = 3600.0, 86_400.0
FILED = 150
"""More than there are places laid out."""
MARK = b"what lay here before"


class Desk:
    """One terminal's store and its watch."""

    def __init__(self, terminal: Terminal, clock: FakeClock) -> None:
        self.terminal, self.clock = terminal, clock
        self.queue = Path(terminal.layout.queue)
        self.secrets: list[bytes] = []
        self.open()

    def open(self) -> None:
        self.store = Store(self.queue, clock=self.clock)
        self.watch = JournalWatch(self.store, clock=self.clock, boot=bytes(16))
        self.intake = Intake(self.store, clock=self.clock, region="440699", terminal_id="T001")

    def file(self, *serials: int) -> None:
        for serial in serials:
            tag, slip = os.urandom(32), os.urandom(200)
            self.secrets += [tag, slip[:64], slip[64:128]]
            assert self.intake.put(self.terminal.filing(serial), card_tag=tag, slip=slip) == Ok(None)

    def deliver(self) -> None:
        drain = Drain(self.store)
        waiting = drain.waiting(limit=FILED)
        assert isinstance(waiting, Ok)
        assert drain.accept_many([(item, b"receipt") for item in waiting.value]) == Ok(None)

    def keep_house(self, *, hours: int = 0) -> None:
        """Once, and every hour from then on."""
        for hour in range(hours + 1):
            self.clock.advance(HOUR if hour else 60.0)
            assert self.watch.keep_house() == Ok(None)

    def telling(self) -> dict[str, int]:
        """Files in which something of hers lies, and how many pieces of it."""
        contents = {path.name: path.read_bytes() for path in self.queue.rglob("*") if path.is_file()}
        found = {name: sum(secret in raw for secret in self.secrets) for name, raw in contents.items()}
        return {name: count for name, count in found.items() if count}

    @staticmethod
    def mark(queue: Path) -> None:
        """Something lies at the log's far end."""
        with (queue / "queue.db-wal").open("r+b") as file:
            file.seek(-len(MARK), os.SEEK_END)
            file.write(MARK)

    @staticmethod
    def is_marked(queue: Path) -> bool:
        return (queue / "queue.db-wal").read_bytes().endswith(MARK)

    def damage(self) -> None:
        """Half of the schema's page is noise; what can be read goes on in a new store."""
        self.store.close()
        with (self.queue / "queue.db").open("r+b") as file:
            file.seek(100)
            file.write(os.urandom(400))
        self.open()

    def evidence(self) -> list[str]:
        return sorted(path.name for path in self.queue.glob("queue.db.damaged-*"))

    def proofs(self) -> list[dict[str, object]]:
        rows = self.store.db.run(lambda db: [bytes(row[0]) for row in db.execute("select body from journal")])
        assert isinstance(rows, Ok)
        return [told for told in (parse_body(body).as_dict() for body in rows.value) if told["kind"] == "purged"]


@pytest.fixture
def desk(terminal: Terminal, clock: FakeClock) -> Iterator[Desk]:
    made = Desk(terminal, clock)
    made.keep_house()
    yield made
    made.store.close()


@pytest.mark.parametrize("delivered", [False, True])
def test_slips_are_gone_from_every_file_after_a_day(desk: Desk, delivered: bool) -> None:
    desk.file(*range(FILED))
    if delivered:
        desk.deliver()
    desk.keep_house(hours=23)
    assert desk.telling(), "they are owed to her"
    desk.keep_house(hours=3)
    assert desk.telling() == {}


def test_the_log_is_cleared_when_something_was_forgotten_but_once_an_hour_at_most(desk: Desk) -> None:
    desk.file(1)
    desk.clock.advance(HOUR / 2)
    desk.file(2)
    desk.clock.advance(DAY - HOUR / 2)
    desk.mark(desk.queue)
    desk.keep_house()
    assert not desk.is_marked(desk.queue), "the first one is forgotten"
    desk.mark(desk.queue)
    desk.clock.advance(HOUR / 2)
    desk.keep_house()
    assert desk.is_marked(desk.queue), "the second one too, within the hour"
    desk.keep_house(hours=1)
    assert not desk.is_marked(desk.queue)
    desk.mark(desk.queue)
    desk.keep_house(hours=10)
    assert desk.is_marked(desk.queue), "there was nothing to forget"


def test_the_log_is_cut_durably_before_it_is_laid_out_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut that kept the zeros and not the cut would leave a part of the old log, and SQLite would play it."""
    synced: list[int] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "queue.db-wal":
            synced.append(os.fstat(descriptor).st_size)
        fsync(descriptor)

    desk.file(1)
    desk.clock.advance(DAY)
    monkeypatch.setattr(os, "fsync", watched)
    desk.keep_house()
    assert synced == [0, WAL_BYTES]


def test_what_a_killed_process_left_in_the_log_is_cleared(desk: Desk, tmp_path: Path) -> None:
    desk.mark(desk.queue)
    left = shutil.copytree(desk.queue, tmp_path / "left")
    store = Store(left, clock=desk.clock)
    assert desk.is_marked(left)
    assert store.keep_house() == Ok(None)
    assert not desk.is_marked(left)
    store.close()


def test_a_damaged_store_is_evidence_for_a_month(desk: Desk, expected_logs: set[str]) -> None:
    expected_logs.add("offline_queue")
    desk.file(1)
    desk.damage()
    assert desk.evidence() == ["queue.db.damaged-1"]
    desk.clock.advance(DAY * 29 - 100)
    desk.keep_house()
    assert list(desk.telling()) == ["queue.db.damaged-1"]
    desk.clock.advance(DAY * 3)
    desk.keep_house()
    assert desk.telling() == {}
    (proof,) = (proof for proof in desk.proofs() if proof["what"] == "damaged_store")
    assert (proof["count"], proof["ids"]) == (1, digest_of(["queue.db.damaged-1"]).hex())


def test_of_many_damages_the_last_ones_are_kept(desk: Desk, expected_logs: set[str]) -> None:
    expected_logs.add("offline_queue")
    for number in range(Retention().damaged_count + 2):
        desk.file(number)
        desk.damage()
    (desk.queue / "queue.db.damaged-1-wal").write_bytes(b"its log")
    desk.keep_house()
    assert desk.evidence() == [f"queue.db.damaged-{number}" for number in (3, 4, 5)]


def test_a_salvage_that_was_killed_leaves_no_copy(desk: Desk) -> None:
    desk.file(1)
    desk.store.close()
    for ending in (".reading", ".reading-wal", ".new"):
        (desk.queue / f"queue.db{ending}").write_bytes((desk.queue / "queue.db").read_bytes())
    desk.open()
    assert {name for name in desk.telling() if name != "queue.db-wal"} == {"queue.db"}
