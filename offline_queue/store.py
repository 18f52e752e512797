"""The queue's directory and its one owner: ``queue.db``, ``blobs/``, ``journal/``, ``ballast``, ``lock``.

`offline_queue.outbox` takes submissions in, `offline_queue.drain` hands them to the hall; both go through here.
What is being sent lives in memory only (`progress`), so a killed process leaves nothing half-way: at the next start
everything unsent is simply due.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

from kiosk.core.clock import Clock
from kiosk.core.ports import StoreError, StoreFault, SubmissionState
from kiosk.core.print_ledger import PrintState
from kiosk.core.result import Err, Ok, Result, first_error
from offline_queue.disk.blobs import BlobSpool
from offline_queue.disk.database import OwnedDatabase, transaction
from offline_queue.disk.files import OwnerLock, make_directory, sync_directory
from offline_queue.disk.rows import Backlog, Entry
from offline_queue.disk.space import DiskSpace, SpaceLimits, free_bytes
from offline_queue.disk.upkeep import Upkeep, UpkeepLimits
from offline_queue.journal import notes as journal_notes
from offline_queue.journal.files import FOLDER
from offline_queue.journal.table import Journal, JournalLimits
from offline_queue.retention import Retention, forget_rows, old_evidence

__all__ = ["Retention", "Store"]


_STATE = "case when submissions.state = 'accepted' and returns.code != '' then 'returned' else submissions.state end"
"""With the hall's word on what it has signed for, see `offline_queue.returns`."""


class Store:
    """One queue directory. Safe to use from several threads of the process that owns it."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock,
        limits: SpaceLimits | None = None,
        retention: Retention | None = None,
        journal: JournalLimits | None = None,
        upkeep: UpkeepLimits | None = None,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        """Take the lock, open, sweep. Raises Locked, SchemaError, sqlite3.Error or OSError."""
        make_directory(directory)
        self._clock = clock
        self.retention = retention or Retention()
        self._lock = OwnerLock(directory / "lock")
        try:
            self.space = DiskSpace(directory, limits=limits or SpaceLimits(), free=free)
            self.db = OwnedDatabase(directory / "queue.db", space=self.space)
            sync_directory(directory)
            self.journal = Journal(self.db, directory / FOLDER, clock=clock, limits=journal)
            self.journal.open()
            if (found := self.db.salvaged) is not None:
                self.journal.write(journal_notes.salvaged("store_damaged", kept=found.kept, lost=found.lost))
            self.blobs = BlobSpool(directory / "blobs")
            self._upkeep = Upkeep(
                self.db,
                set_aside=self._set_aside,
                roomy=self.space.accepting,
                limits=upkeep,
                monotonic=clock.monotonic,
            )
            self.swept = self._sweep()
            self.space.keep_ballast()
        except BaseException:
            self._lock.release()
            raise
        self._progress: dict[str, SubmissionState] = {}

    def close(self) -> None:
        """Checkpoint, close, release the lock."""
        self.db.close()
        self._lock.release()

    def now(self) -> int:
        """Unix seconds."""
        return int(self._clock.now().timestamp())

    def progress(self, submission_id: str, state: SubmissionState) -> None:
        """What is being done with it now; memory only."""
        if state is SubmissionState.SEALED:
            self._progress.pop(submission_id, None)
        else:
            self._progress[submission_id] = state

    def state(self, submission_id: str) -> Result[SubmissionState, StoreError]:
        """Where it stands, including what is being done with it just now."""

        def work(db: sqlite3.Connection) -> SubmissionState:
            row = db.execute(
                f"select {_STATE} from submissions left join returns using (id) where id = ?",  # noqa: S608
                (submission_id,),
            ).fetchone()
            return SubmissionState(row[0]) if row else SubmissionState.ABSENT

        state = self.db.run(work)
        if isinstance(state, Ok) and state.value is SubmissionState.SEALED:
            return Ok(self._progress.get(submission_id, SubmissionState.SEALED))
        return state

    def backlog(self) -> Result[Backlog, StoreError]:
        """How much is waiting."""

        def work(db: sqlite3.Connection) -> Backlog:
            pending, oldest = db.execute(
                "select count(*), min(created_at) from submissions where state = 'sealed'"
            ).fetchone()
            (parked,) = db.execute("select count(*) from submissions where state = 'parked'").fetchone()
            (returned,) = db.execute(
                "select count(*) from returns join submissions using (id) where code != '' and state = 'accepted'"
            ).fetchone()
            return Backlog(pending, parked, max(0, self.now() - oldest) if pending else 0, returned)

        return self.db.run(work)

    def entries(self, *, limit: int = 1000) -> Result[tuple[Entry, ...], StoreError]:
        """Rows for a technician: what is not accepted first, oldest first."""

        def work(db: sqlite3.Connection) -> tuple[Entry, ...]:
            rows = db.execute(
                f"select submissions.id, application_no, {_STATE} as stands, prints.state, attempts,"  # noqa: S608
                " coalesce(last_code, returns.code), submissions.created_at, size from submissions"
                " join prints on prints.job = submissions.id left join returns on returns.id = submissions.id"
                " order by stands = 'accepted', submissions.seq limit ?",
                (limit,),
            )
            return tuple(
                Entry(
                    id=id_,
                    application_no=number,
                    state=SubmissionState(state),
                    receipt=PrintState(receipt),
                    attempts=attempts,
                    last_code=code or "",
                    age_s=max(0, self.now() - created),
                    size=size,
                )
                for id_, number, state, receipt, attempts, code, created, size in rows
            )

        return self.db.run(work)

    def discard_blobs(self, names: Iterable[str]) -> Result[None, StoreError]:
        """Remove those blobs that no row needs."""
        wanted = tuple(names)

        def work(db: sqlite3.Connection) -> tuple[str, ...]:
            select = "select 1 from blobs where sha256 = ?"
            return tuple(name for name in wanted if db.execute(select, (name,)).fetchone() is None)

        orphans = self.db.run(work)
        if isinstance(orphans, Err):
            return orphans
        try:
            self.blobs.remove(orphans.value)
        except OSError as error:
            return Err(StoreError(StoreFault.STORE_DOWN, type(error).__name__))
        return Ok(None)

    def keep_house(self, *, forget: bool = True) -> Result[None, StoreError]:
        """Forget what is long done, give freed room back, look at what waits, restore the ballast. When idle.

        `forget`: is the wall clock good enough to say how old something is?
        """
        owed = self.now() - int(self.retention.owed.total_seconds())
        history = self.now() - int(self.retention.history.total_seconds())

        def work(db: sqlite3.Connection) -> bool:
            before = db.total_changes
            with transaction(db):
                if forget and (proofs := forget_rows(db, owed_before=owed, history_before=history)):
                    self.journal.note(db, *proofs)
            return db.total_changes > before

        done = self.db.run(work, draining=True)
        if done == Ok(True):
            self._upkeep.forgot()
        compacted = self._upkeep.compact()
        looked = self._upkeep.look()
        self.space.keep_ballast()
        return first_error((done, compacted, looked))

    def old_evidence(self, *, before: float) -> list[Path]:
        """What salvages set aside before this instant (Unix seconds), or too many times. OSError."""
        return old_evidence(self.db.path, before=before, count=self.retention.damaged_count)

    def _set_aside(self, db: sqlite3.Connection, submission_id: str) -> None:
        """The disk changed it: no hall could open it. It stays for staff, and the others go on."""
        db.execute("update submissions set state = 'parked', last_code = 'damaged' where id = ?", (submission_id,))
        self.journal.note(db, journal_notes.parked(submission_id, "damaged"))

    def _sweep(self) -> int:
        """Remove files that no row needs: a put that did not come to its row, an acceptance cut short."""
        keep = self.db.run(lambda db: {str(row[0]) for row in db.execute("select sha256 from blobs")})
        return self.blobs.sweep(keep.value) if isinstance(keep, Ok) else 0
