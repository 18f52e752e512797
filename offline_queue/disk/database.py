"""One connection with one owner, that knows a full disk from a broken one and heals where it can.

After an I/O error SQLite may call a healthy file malformed until it is opened again, so: close, reopen, verify,
try once more, and only then say that the store is down.
"""

from __future__ import annotations

import errno
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from pathlib import Path
from typing import TypeVar

from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.result import Err, Ok, Result
from offline_queue.damage.salvage import Salvaged, finish, is_damage, salvage
from offline_queue.damage.sanity import makes_sense
from offline_queue.disk.contents import Arrivals
from offline_queue.disk.schema import SchemaError, StoreDamaged, connect, verify
from offline_queue.disk.space import DiskSpace

T = TypeVar("T")

_LOOKS = 2
"""A file is called damaged only when it is found so twice in a row."""
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_STORAGE = frozenset(
    {
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PROTOCOL,
    }
)


def fault_of(error: sqlite3.Error | OSError) -> StoreFault | None:
    """Disk full, store down, or None: a fault of this program, not of the storage."""
    if isinstance(error, OSError):
        return StoreFault.DISK_FULL if error.errno in _DISK_FULL else StoreFault.STORE_DOWN
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StoreFault.DISK_FULL
    return StoreFault.STORE_DOWN if code in _STORAGE else None


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; durable when it returns, together with the new filings that were entered before."""
    if not connection.in_transaction:
        connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        # Some storage errors end the transaction by themselves.
        if connection.in_transaction:
            connection.execute("rollback")
        raise


class Arrived(Enum):
    """What some work must find of filings that are not entered yet."""

    AS_IT_IS = auto()
    """It asks `Arrivals` itself."""
    ENTERED = auto()
    """All entered, maybe not committed: for whatever reads, or makes a `transaction`."""
    COMMITTED = auto()
    """No transaction open: for checkpoints and vacuum."""


class OwnedDatabase:
    """The only connection to the store in the whole machine; any thread of the owner process may use it in turn."""

    def __init__(self, path: Path, *, space: DiskSpace) -> None:
        """Open, migrate, verify; raises SchemaError or sqlite3.Error when this store must not be used."""
        self.path = path
        self._space = space
        self._lock = threading.RLock()
        self._closed = False
        self._connection: sqlite3.Connection | None = None
        self.arrivals = Arrivals()
        """Used inside `run` only."""
        self._suspect = False
        """SQLite called the file damaged just now: look at all of it."""
        self._nonsense = False
        """It is whole as SQLite sees it, and yet a row cannot have been written by us."""
        self.salvaged: Salvaged | None = None
        """What became of a store that was found damaged, if it was."""
        started = self.run(lambda connection: None, draining=True)
        if isinstance(started, Err):
            self._connection = self._open()

    def run(
        self, work: Callable[[sqlite3.Connection], T], *, draining: bool = False, arrived: Arrived = Arrived.ENTERED
    ) -> Result[T, StoreError]:
        """Do `work`, which must be safe to repeat; `draining` work may use up the ballast when the disk is full."""
        with self._lock:
            if self._closed:
                return Err(StoreError(StoreFault.STORE_DOWN, "closed"))
            outcome = self._attempt(work, arrived)
            if isinstance(outcome, Ok):
                return outcome
            match outcome.error.fault:
                case StoreFault.STORE_DOWN:
                    again = True
                case StoreFault.DISK_FULL:
                    again = draining and self._space.release_ballast()
                case StoreFault.CONFLICT | StoreFault.BROKEN | StoreFault.NO_SHEET | StoreFault.LIMIT:
                    again = False
            return self._attempt(work, arrived) if again else outcome

    def close(self) -> None:
        """Checkpoint and close for good: the lock file may be another process's now."""
        with self._lock:
            self.run(lambda connection: None, arrived=Arrived.COMMITTED)
            self._closed = True
            self._close()

    def _attempt(self, work: Callable[[sqlite3.Connection], T], arrived: Arrived) -> Result[T, StoreError]:
        try:
            if self._connection is None:
                self._connection = self._open()
            if arrived is not Arrived.AS_IT_IS:
                self.arrivals.enter(self._connection)
                if arrived is Arrived.COMMITTED and self._connection.in_transaction:
                    with transaction(self._connection):
                        pass
            return Ok(work(self._connection))
        except SchemaError as error:
            self._close()
            return Err(StoreError(StoreFault.STORE_DOWN, str(error)))
        except (sqlite3.Error, OSError) as error:
            fault = fault_of(error)
            if fault is None:
                self._or_nonsense(error)
                fault = StoreFault.STORE_DOWN
            if fault is StoreFault.STORE_DOWN:
                self._suspect = isinstance(error, sqlite3.Error) and is_damage(error)
                self._close()
                if self._space.exhausted():
                    fault = StoreFault.DISK_FULL
            return Err(StoreError(fault, getattr(error, "sqlite_errorname", type(error).__name__)))
        except ValueError as error:
            self._or_nonsense(error)
            self._close()
            return Err(StoreError(StoreFault.STORE_DOWN, "nonsense in a row"))

    def _or_nonsense(self, error: Exception) -> None:
        """Raise it, for it is a fault of this program; unless the disk has made nonsense of a row."""
        if self._connection is None or makes_sense(self._connection):
            raise error
        self._nonsense = True

    def _open(self) -> sqlite3.Connection:
        """A damaged file is set aside, and what can be read of it goes on in a new one."""
        finish(self.path)
        for _ in range(0 if self._nonsense else _LOOKS):
            try:
                return self._open_sound()
            except (StoreDamaged, UnicodeDecodeError):
                pass  # the latter: SQLite's own words about a damaged schema may be no text
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
        self.salvaged = salvage(self.path)
        self._suspect = self._nonsense = False
        return self._open_sound()

    def _open_sound(self) -> sqlite3.Connection:
        connection = connect(self.path)
        try:
            verify(connection, thorough=self._suspect)
        except BaseException:
            connection.close()
            raise
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self.arrivals.forget()
