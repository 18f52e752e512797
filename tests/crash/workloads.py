"""What a queue does while its power is cut: filings, migrations, vacuum, drafts; and what must be left of it."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path

from kiosk.contract.envelope import parse_envelope
from kiosk.core.clock import SystemClock
from kiosk.core.ports import SealedSubmission, SubmissionState
from kiosk.core.result import Err, Ok
from offline_queue.disk import files, schema
from offline_queue.disk.database import Arrived
from offline_queue.disk.rows import Waiting
from offline_queue.disk.space import SpaceLimits
from offline_queue.drafts import DraftFiles
from offline_queue.drain import Drain
from offline_queue.outbox import Intake
from offline_queue.store import Store
from tests.crash.filings import REGION

LIMITS = SpaceLimits(ballast=64 * 1024, floor=0)
MOST = 10_000
Mark = Callable[[str], None]


class Day(StrEnum):
    """Kinds of days."""

    ORDINARY = "ordinary"
    MIGRATION = "migration"
    VACUUM = "vacuum"


class Careless(StrEnum):
    """A fault that the power-cut test must find."""

    NOT = "not"
    SYNCHRONOUS_NORMAL = "synchronous_normal"
    NO_DIRECTORY_SYNC = "no_directory_sync"
    NO_FILE_SYNC = "no_file_sync"


class Failed(AssertionError):
    """The store did what it must not do."""


def open_store(queue: Path) -> Store:
    """As the queue process does."""
    return Store(queue, clock=SystemClock(), limits=LIMITS)


def intake_of(store: Store) -> Intake:
    """Of the terminal that the filings are of."""
    return Intake(store, clock=SystemClock(), region=REGION, terminal_id="T001")


def be_careless(careless: Careless) -> None:
    """Spoil this process."""
    match careless:
        case Careless.NO_DIRECTORY_SYNC:
            files.sync_directory = lambda directory: None
        case Careless.NO_FILE_SYNC:
            os.fsync = lambda descriptor: None  # type: ignore[assignment]
        case Careless.NOT | Careless.SYNCHRONOUS_NORMAL:
            pass


def yesterdays_store(queue: Path, filings: Sequence[SealedSubmission], *, version: int) -> None:
    """A store that an older program left, with these filings in it."""
    from sqlite_utils import Database

    queue.mkdir(parents=True)
    connection = sqlite3.connect(queue / "queue.db", isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    db = Database(connection)
    for number, migrate in enumerate(schema.MIGRATIONS[:version], start=1):
        migrate(db)
        connection.execute(f"pragma user_version = {number}")
    for sealed in filings:
        envelope = parse_envelope(sealed.envelope)
        values: dict[str, str | int | bytes] = {
            "id": sealed.id,
            "application_no": sealed.application_no,
            "sha256": envelope.sha256,
            "envelope": sealed.envelope,
            "size": len(sealed.envelope),
            "state": "sealed",
            "attempts": 0,
            "created_at": 1_795_000_000,
            "slip": b"slip",
        }
        if version == 1:
            values |= {"card_tag": b"t" * 32, "receipt_state": "intended"}
        else:
            connection.execute(
                "insert into prints (job, kind, pages, hall_job, card_tag, state, numbered, denied, tries, created_at,"
                " changed_at) values (?, 'receipt', 1, '', ?, 'intended', 0, 0, 1, 1795000000, 1795000000)",
                (sealed.id, b"t" * 32),
            )
        names = ", ".join(values)
        row = connection.execute(
            f"insert into submissions ({names}) values ({', '.join('?' * len(values))})", tuple(values.values())
        ).lastrowid
        for position, blob in enumerate(sealed.blobs):
            sha256 = hashlib.sha256(blob).hexdigest()
            connection.execute("insert into blobs values (?, ?, ?, ?)", (row, position, sha256, len(blob)))
            place = queue / "blobs" / sha256[:2]
            place.mkdir(parents=True, exist_ok=True)
            (place / sha256).write_bytes(blob)
    connection.close()


@dataclass
class Work:
    """One day of one queue; says through `mark` what it has begun and what it has promised."""

    data: Path
    filings: Sequence[SealedSubmission]
    mark: Mark
    dice: random.Random
    steps: int
    day: Day = Day.ORDINARY
    careless: Careless = Careless.NOT
    _store: Store | None = field(default=None)
    _next: int = 0

    def run(self) -> None:
        """All of it."""
        be_careless(self.careless)
        self._open()
        self.drafts = DraftFiles(self.data / "drafts", floor=0)
        for _ in range(self.steps):
            self.step()
        self._store_now().close()

    def step(self) -> None:
        """Something that queues do."""
        roll = self.dice.random()
        if roll < 0.52:
            self._put()
        elif roll < 0.74:
            self._drain()
        elif roll < 0.80:
            number = self._intake.reserve_number()
            assert isinstance(number, Ok), number
            self.mark(f"number {number.value}")
        elif roll < 0.88:
            self._draft()
        elif roll < 0.93:
            must(self._store_now().keep_house())
        elif roll < 0.96:
            self._store_now().close()
            self._open()
        elif self.day is Day.VACUUM:
            self._vacuum()
        else:
            self._put()

    def _open(self) -> None:
        self._store = open_store(self.data / "queue")
        if self.careless is Careless.SYNCHRONOUS_NORMAL:
            must(self._store.db.run(lambda db: db.execute("pragma synchronous = normal") and None))
        self._intake = intake_of(self._store)
        self.mark("open")

    def _store_now(self) -> Store:
        assert self._store is not None
        return self._store

    def _put(self) -> None:
        if self._next == len(self.filings):
            return
        sealed = self.filings[self._next]
        self.mark(f"putting {self._next}")
        must(self._intake.put(sealed, card_tag=b"t" * 32, slip=b"s" * 600))
        self.mark(f"put {self._next}")
        self._next += 1

    def _drain(self) -> None:
        drain = Drain(self._store_now())
        waiting = drain.waiting(limit=3)
        assert isinstance(waiting, Ok), waiting
        for item in waiting.value:
            roll = self.dice.random()
            if roll < 0.75:
                self.mark(f"accepting {item.id}")
                must(drain.accept(item, b"r" * 126))
                self.mark(f"accepted {item.id}")
            elif roll < 0.85:
                must(drain.park(item, code="rejected"))
            else:
                must(drain.postpone(item, code="timeout", seconds=3.0))

    def _draft(self) -> None:
        slot = str(self.dice.randrange(3))
        if self.dice.random() < 0.7:
            content = self.dice.randbytes(self.dice.randrange(10, 5000))
            name = hashlib.sha256(content).hexdigest()
            self.mark(f"keeping {slot} {name}")
            must(self.drafts.keep(b"t" * 32, slot, content))
            self.mark(f"kept {slot} {name}")
        else:
            self.mark(f"dropping {slot}")
            self.drafts.drop(b"t" * 32, slot)
            self.mark(f"dropped {slot}")

    def _vacuum(self) -> None:
        for word in ("vacuum", "pragma incremental_vacuum", "pragma wal_checkpoint(restart)"):
            must(self._store_now().db.run(partial(_execute, word), arrived=Arrived.COMMITTED))


def _execute(word: str, db: sqlite3.Connection) -> None:
    db.execute(word).fetchall()


def must(result: object) -> None:
    """Nothing fails on a healthy disk."""
    if isinstance(result, Err):
        raise Failed(repr(result))


@dataclass
class Expected:
    """What the marks up to a cut promise."""

    put: set[int] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    """Acceptance at least begun."""
    done: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    drafts: dict[str, set[str | None]] = field(default_factory=dict)
    """What may lie in each slot: hashes, None for nothing."""

    @classmethod
    def of(cls, marks: Sequence[str]) -> Expected:
        """From marks in order."""
        made = cls()
        for mark in marks:
            match mark.split():
                case ["put", number]:
                    made.put.add(int(number))
                case ["accepting", id_]:
                    made.ended.add(id_)
                case ["accepted", id_]:
                    made.done.add(id_)
                case ["number", number]:
                    made.numbers.add(number)
                case ["keeping", slot, name]:
                    made.drafts.setdefault(slot, {None}).add(name)
                case ["kept", slot, name]:
                    made.drafts[slot] = {name}
                case ["dropping", slot]:
                    made.drafts.setdefault(slot, {None}).add(None)
                case ["dropped", slot]:
                    made.drafts[slot] = {None}
                case ["putting", _] | ["open"]:
                    pass
                case _:
                    raise ValueError(mark)
        return made


def check_store(store: Store, filings: Sequence[SealedSubmission], expected: Expected) -> list[str]:
    """What is missing or spoilt, in words; filings that were acknowledged are there with all their bytes."""
    wrong: list[str] = []
    drain = Drain(store)
    listed = drain.waiting(limit=MOST)
    entries = store.entries(limit=MOST)
    if isinstance(listed, Err) or isinstance(entries, Err):
        return ["the store does not answer"]
    waiting: dict[str, Waiting] = {item.id: item for item in listed.value}
    states = {entry.id: entry.state for entry in entries.value}
    for number in sorted(expected.put):
        sealed = filings[number]
        state = states.get(sealed.id)
        if state is SubmissionState.ACCEPTED and sealed.id in expected.ended:
            continue
        if state is SubmissionState.PARKED:
            continue
        if state is None or sealed.id not in waiting:
            wrong.append(f"lost: filing {number} is {state}")
        elif (fault := _differs(drain, waiting[sealed.id], sealed)) is not None:
            wrong.append(f"lost: filing {number}: {fault}")
    for id_, state in states.items():
        if state is SubmissionState.ACCEPTED and id_ not in expected.ended:
            wrong.append(f"lost: {id_} counts as accepted")
    return wrong


def _differs(drain: Drain, item: Waiting, sealed: SealedSubmission) -> str | None:
    if drain.envelope(item) != Ok(sealed.envelope):
        return "envelope"
    if len(item.blobs) != len(sealed.blobs):
        return "materials"
    if any(drain.blob(ref) != Ok(blob) for ref, blob in zip(item.blobs, sealed.blobs, strict=True)):
        return "a material"
    return None


def check(data: Path, filings: Sequence[SealedSubmission], marks: Sequence[str]) -> list[str]:
    """Open what a power cut left, as the queue process does, and compare it with what was promised."""
    expected = Expected.of(marks)
    try:
        store = open_store(data / "queue")
    except (sqlite3.Error, schema.SchemaError, OSError) as error:
        return [f"unreadable: {type(error).__name__} {error}"]
    try:
        wrong = check_store(store, filings, expected)
        sound = store.db.run(lambda db: db.execute("pragma integrity_check").fetchall())
        if sound != Ok([("ok",)]):
            wrong.append("unreadable: integrity_check")
        if set_aside := list((data / "queue").glob("queue.db.damaged-*")):
            wrong.append(f"unreadable: {len(set_aside)} set aside")
        number = intake_of(store).reserve_number()
        if isinstance(number, Err) or number.value in expected.numbers:
            wrong.append("lost: a number is given twice")
    finally:
        store.close()
    drafts = DraftFiles(data / "drafts", floor=0)
    found = {hashlib.sha256(content).hexdigest() for content in drafts.load(b"t" * 32)}
    for slot, may in expected.drafts.items():
        if None not in may and not may & found:
            wrong.append(f"lost: the draft in slot {slot}")
    return wrong
