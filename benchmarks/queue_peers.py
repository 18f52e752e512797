"""Queues side by side: each takes a filing and is told later that it was delivered. All on the same disk.

Ours compresses, seals and signs what it puts; the peers store the JSON as it is. `durable` says what a power cut leaves
by each one's own settings, which are its defaults unless its name says more: measured by `make powercut`.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kiosk.contract.sealing import SealingKey, SessionSeal, new_session
from kiosk.contract.signing import SigningKey
from kiosk.contract.submission import Submission
from kiosk.core.clock import SystemClock
from kiosk.core.result import Err, Ok
from offline_queue.drain import Drain
from offline_queue.outbox import Intake
from offline_queue.seal import TerminalSealSession
from offline_queue.store import Store

RECEIPT_BYTES = 126
TERMINAL = "T001"


class Queue(Protocol):
    """What is measured."""

    def put(self, submission: Submission) -> None:
        """Returns when it is kept."""

    def deliver(self, count: int) -> None:
        """Take so many out, oldest first, and forget them."""

    def close(self) -> None:
        """The end."""


@dataclass(frozen=True)
class Contender:
    """One queue by name."""

    name: str
    about: str
    open: Callable[[Path], Queue]
    durable: bool = True


class Ours:
    """Seal session, intake and drain of the terminal, in the process that owns the store."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder, clock=SystemClock())
        self.store.keep_house()  # as every minute
        self.intake = Intake(self.store, clock=SystemClock(), region="440699", terminal_id=TERMINAL)
        self._drain = Drain(self.store)
        self.signing = SigningKey.generate()
        self._session = TerminalSealSession(self.seal(), self.signing)

    @staticmethod
    def seal() -> SessionSeal:
        """A citizen's session."""
        hall, recovery = SealingKey.generate(), SealingKey.generate()
        return new_session(terminal_id=TERMINAL, hall_public=hall.public, recovery_public=recovery.public)

    def put(self, submission: Submission) -> None:
        """Compress, seal, sign, make durable."""
        sealed = self._session.seal(submission, ())
        done = self.intake.put(sealed, card_tag=os.urandom(32), slip=b"")
        if isinstance(done, Err):
            raise RuntimeError(done.error.detail)

    def deliver(self, count: int) -> None:
        """A batch: read, look at the hash, then all receipts in one commit."""
        waiting = self._drain.waiting(limit=count)
        assert isinstance(waiting, Ok) and len(waiting.value) == count
        for item in waiting.value:
            assert isinstance(self._drain.envelope(item), Ok)
        accepted = [(item, os.urandom(RECEIPT_BYTES)) for item in waiting.value]
        assert self._drain.accept_many(accepted) == Ok(None)

    def close(self) -> None:
        """Let the store go."""
        self.store.close()


class Raw:
    """sqlite3 as one would write it: WAL, FULL, a row that is claimed and then deleted."""

    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "raw.db", isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.execute(
            "create table queue (seq integer primary key, id text not null unique, state integer not null,"
            " payload blob not null)"
        )
        self._db.execute("create index queue_open on queue (seq) where state = 0")

    def put(self, submission: Submission) -> None:
        """One commit."""
        self.keep(submission.id, payload(submission))

    def keep(self, id_: str, data: bytes) -> None:
        """What is put, whatever it is made of."""
        self._db.execute("insert into queue (id, state, payload) values (?, 0, ?)", (id_, data))

    def deliver(self, count: int) -> None:
        """Two commits each."""
        for _ in range(count):
            seq, _ = self._db.execute("select seq, payload from queue where state = 0 order by seq limit 1").fetchone()
            self._db.execute("update queue set state = 1 where seq = ?", (seq,))
            self._db.execute("delete from queue where seq = ?", (seq,))

    def close(self) -> None:
        """Checkpoint and close."""
        self._db.close()


class RawSealed(Raw):
    """Our envelopes in sqlite3 as one would write it: what sealing takes whoever stores it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._session = TerminalSealSession(Ours.seal(), SigningKey.generate())

    def put(self, submission: Submission) -> None:
        """Compress, seal, sign; one commit."""
        self.keep(submission.id, self._session.seal(submission, ()).envelope)


class SqliteUtils:
    """sqlite-utils by its table methods, made durable."""

    def __init__(self, folder: Path) -> None:
        from sqlite_utils import Database

        self._db = Database(folder / "utils.db")
        self._db.enable_wal()
        self._db.conn.execute("pragma synchronous = full")
        self._table = self._db.table("queue")
        self._table.create({"seq": int, "id": str, "state": int, "payload": bytes}, pk="seq")
        self._table.create_index(["id"], unique=True)

    def put(self, submission: Submission) -> None:
        """One insert."""
        with self._db.atomic():
            self._table.insert({"id": submission.id, "state": 0, "payload": payload(submission)})

    def deliver(self, count: int) -> None:
        """Claim, then delete."""
        for _ in range(count):
            (row,) = self._table.rows_where("state = 0", order_by="seq", limit=1)
            with self._db.atomic():
                self._table.update(row["seq"], {"state": 1})
            with self._db.atomic():
                self._table.delete(row["seq"])

    def close(self) -> None:
        """Close."""
        self._db.conn.close()


class PersistQueue:
    """persist-queue's acknowledged queue."""

    def __init__(self, folder: Path) -> None:
        from persistqueue import SQLiteAckQueue

        self._queue = SQLiteAckQueue(str(folder), auto_commit=True)

    def put(self, submission: Submission) -> None:
        """Pickled by it."""
        self._queue.put(payload(submission))

    def deliver(self, count: int) -> None:
        """Get and ack."""
        for _ in range(count):
            self._queue.ack(self._queue.get())

    def close(self) -> None:
        """Close."""
        self._queue.close()


class LiteQueue:
    """litequeue."""

    def __init__(self, folder: Path) -> None:
        import litequeue

        self._queue = litequeue.LiteQueue(str(folder / "lite.db"))

    def put(self, submission: Submission) -> None:
        """One message."""
        self._queue.put(payload(submission).decode())

    def deliver(self, count: int) -> None:
        """Pop and done."""
        for _ in range(count):
            self._queue.done(self._queue.pop().message_id)

    def close(self) -> None:
        """Close."""
        self._queue.close()


class Huey:
    """huey's SQLite storage; what is taken out is gone, whatever becomes of it."""

    def __init__(self, folder: Path) -> None:
        from huey.storage import SqliteStorage

        self._queue = SqliteStorage("bench", filename=str(folder / "huey.db"))

    def put(self, submission: Submission) -> None:
        """Enqueue."""
        self._queue.enqueue(payload(submission))

    def deliver(self, count: int) -> None:
        """Dequeue."""
        for _ in range(count):
            assert self._queue.dequeue() is not None

    def close(self) -> None:
        """Close."""
        self._queue.close()


class DiskCache:
    """diskcache's deque; what is taken out is gone."""

    def __init__(self, folder: Path) -> None:
        from diskcache import Deque

        self._queue = Deque(directory=str(folder))

    def put(self, submission: Submission) -> None:
        """Append."""
        self._queue.append(payload(submission))

    def deliver(self, count: int) -> None:
        """Pop from the left."""
        for _ in range(count):
            self._queue.popleft()

    def close(self) -> None:
        """Close."""
        self._queue.cache.close()


CONTENDERS = (
    Contender("ours", "put = compress, seal, sign, durable; delivered 32 to a commit", Ours),
    Contender("raw", "sqlite3, WAL, FULL, plain JSON; claimed and deleted one by one", Raw),
    Contender("raw_sealed", "the same, of our envelopes instead of plain JSON", RawSealed),
    Contender("sqlite_utils", "sqlite-utils' table methods, WAL, FULL", SqliteUtils),
    Contender("persist_queue", "persist-queue SQLiteAckQueue", PersistQueue),
    Contender("huey", "huey SqliteStorage; at most once: a kill loses what was taken out", Huey),
    Contender("litequeue", "litequeue, NOT DURABLE: a power cut loses what it said it had", LiteQueue, durable=False),
    Contender("diskcache", "diskcache Deque, NOT DURABLE, at most once", DiskCache, durable=False),
)


def payload(submission: Submission) -> bytes:
    """What the peers store."""
    return submission.model_dump_json().encode()


def renamed(submission: Submission, serial: int) -> Submission:
    """The same form from this terminal under an id and a number of its own."""
    unix_ms = 1_795_000_000_000 + serial
    id_ = uuid.UUID(bytes=unix_ms.to_bytes(6, "big") + b"\x70\x00\x80" + os.urandom(7))
    number = f"440699261122{TERMINAL}{serial:07d}"
    return submission.model_copy(update={"id": str(id_), "application_no": number, "terminal_id": TERMINAL})


def opened(contenders: Sequence[Contender], root: Path) -> dict[str, Queue]:
    """Each in a folder of its own, empty."""
    queues: dict[str, Queue] = {}
    for contender in contenders:
        folder = root / contender.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        queues[contender.name] = contender.open(folder)
    return queues
