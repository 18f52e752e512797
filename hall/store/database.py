"""SQLite with one writer thread that commits in groups, and readers on connections of their own.

WAL with synchronous=FULL, set and read back: a commit that was acknowledged survives a power cut. One connection
writes, because of that and because SQLite before 3.51.3 can lose a commit when two do (sqlite.org/wal.html).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import QueuePool

from hall.store.schema import SCHEMA_VERSION, TAKEN_OVER, metadata

T = TypeVar("T")
MAX_GROUP = 200
MAX_WAITING = 2000
_BUSY_MS = 5000


class StoreError(RuntimeError):
    """The database cannot be used as it must be."""


class StoreBusy(StoreError):
    """Too much is waiting, or the disk is full; nothing was written."""


@dataclass(frozen=True, slots=True)
class _Work:
    do: Callable[[Connection], Any]
    done: Future[Any]


class Store:
    """The one owner of a hall's database."""

    def __init__(self, path: Path) -> None:
        """Open or create; StoreError."""
        path.touch(mode=0o600)
        self._readers = _engine(path, read_only=True)
        self._writer = _engine(path, read_only=False)
        self._queue: queue.Queue[_Work | None] = queue.Queue(MAX_WAITING)
        self._connection = self._writer.connect()
        _prepare(self._connection)
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Run `work` inside the next group; the future is done only after the commit."""
        done: Future[T] = Future()
        try:
            self._queue.put_nowait(_Work(work, done))
        except queue.Full:
            raise StoreBusy("too many writes are waiting") from None
        return done

    def write(self, work: Callable[[Connection], T]) -> T:
        """`submit`, and wait."""
        return self.submit(work).result()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that cannot write."""
        with self._readers.connect() as connection:
            yield connection

    def close(self) -> None:
        """Finish what is waiting and let go of the file."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()
        self._writer.dispose()
        self._readers.dispose()

    def _run(self) -> None:
        ending = False
        while not ending:
            group: list[_Work] = []
            ending = self._collect(group)
            if group:
                self._commit(group)

    def _collect(self, group: list[_Work]) -> bool:
        """Wait for one, then take what else is there; True at the end."""
        work = self._queue.get()
        while work is not None:
            group.append(work)
            if len(group) == MAX_GROUP:
                return False
            try:
                work = self._queue.get_nowait()
            except queue.Empty:
                return False
        return True

    def _commit(self, group: list[_Work]) -> None:
        try:
            with self._connection.begin():
                settled = [self._one(work) for work in group]
        except DBAPIError as error:
            # Disk full or I/O error: nothing of this group is on the disk, and every caller must hear it.
            busy = StoreBusy(str(error.orig))
            for work in group:
                work.done.set_exception(busy)
            return
        for settle in settled:
            settle()

    def _one(self, work: _Work) -> Callable[[], None]:
        """Run one piece in a savepoint of its own, so that its failure is nobody else's."""
        try:
            with self._connection.begin_nested():
                result = work.do(self._connection)
        except Exception as error:  # whatever went wrong belongs to the caller who waits for it
            if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError):
                raise
            failure = error
            return lambda: work.done.set_exception(failure)
        return lambda: work.done.set_result(result)


def _engine(path: Path, *, read_only: bool) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        hide_parameters=True,  # parameters are personal data and errors get logged
        poolclass=QueuePool,
        pool_size=1 if not read_only else 8,
        max_overflow=0 if not read_only else 40,
        connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000, "isolation_level": None},
    )

    @event.listens_for(engine, "connect")
    def on_connect(raw: Any, _: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "wal_autocheckpoint=256"):
            raw.execute(f"PRAGMA {pragma}")
        found = tuple(raw.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous"))
        if found != ("wal", 2):
            raise StoreError(f"database is not durable: journal and synchronous are {found}")
        if read_only:
            raw.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _prepare(connection: Connection) -> None:
    with connection.begin():
        found = connection.execute(text("PRAGMA user_version")).scalar_one()
        if found not in (0, SCHEMA_VERSION):
            raise StoreError(f"database has schema {found}, this program knows {SCHEMA_VERSION}")
        metadata.create_all(connection)
        for table in metadata.sorted_tables:
            for index in table.indexes:  # of a table that was there before its index was thought of
                index.create(connection, checkfirst=True)
        for old, take_over in TAKEN_OVER.items():
            if inspect(connection).has_table(old):
                connection.execute(text(take_over))
        connection.execute(text(f"PRAGMA user_version={SCHEMA_VERSION}"))
