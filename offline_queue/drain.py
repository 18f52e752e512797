"""Handing over: the store as the sync worker sees it. Contents are forgotten only in `accept_many`."""

from __future__ import annotations

import hashlib
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from kiosk.contract.envelope import BlobRef
from kiosk.core.ports import StoreError, StoreFault, SubmissionState
from kiosk.core.result import Err, Ok, Result
from offline_queue.damage.sanity import is_id, is_sha256
from offline_queue.disk.contents import release
from offline_queue.disk.database import transaction
from offline_queue.disk.rows import Waiting
from offline_queue.journal import notes as journal_notes
from offline_queue.store import Store

_ENVELOPE = "select envelope from submissions join contents using (place) where submissions.seq = ? and taken = 1"
_BLOBS_OF_WAITING = (
    "select seq, sha256, size from blobs where seq in"
    " (select seq from submissions where state = 'sealed' and seq > ? order by seq limit ?) order by seq, position"
)
_COLUMNS = "seq, id, sha256, size, attempts, coalesce(corrects, application_no)"
_STANDS_BEFORE = (
    "select 1 from submissions where application_no = ?1 and state = 'sealed'"
    " union all select 1 from submissions where corrects = ?1 and state = 'sealed' and seq < ?2 limit 1"
)
"""An earlier one of the same case (办件) that is not at the hall: what it corrects, or an earlier correction."""


class Drain:
    """Unsent submissions: read, accept, park, postpone."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def waiting(self, *, after: int = 0, limit: int = 64) -> Result[tuple[Waiting, ...], StoreError]:
        """Unsent submissions in the order of filing, from behind row `after`."""

        def work(db: sqlite3.Connection) -> tuple[Waiting, ...]:
            rows = db.execute(
                f"select {_COLUMNS} from submissions where state = 'sealed' and seq > ? order by seq limit ?",  # noqa: S608
                (after, limit),
            ).fetchall()
            # One question for all: most have none, and asking for each takes longer than finding them.
            blobs: dict[int, list[BlobRef]] = {}
            for seq, sha256, size in db.execute(_BLOBS_OF_WAITING, (after, limit)):
                blobs.setdefault(seq, []).append(BlobRef(sha256=sha256, size=size))
            return tuple(_waiting(row, blobs.get(row[0], ())) for row in rows)

        return self._store.db.run(work)

    def named(self, ids: Iterable[str]) -> Result[tuple[Waiting, ...], StoreError]:
        """Those of these that are unsent and that nothing stands before, in the order of filing."""

        def work(db: sqlite3.Connection) -> tuple[Waiting, ...]:
            found = []
            for wanted in ids:
                row = db.execute(
                    f"select {_COLUMNS}, corrects from submissions where id = ? and state = 'sealed'",  # noqa: S608
                    (wanted,),
                ).fetchone()
                if row is None:
                    continue
                *columns, corrects = row
                if corrects and db.execute(_STANDS_BEFORE, (corrects, row[0])).fetchone() is not None:
                    continue
                found.append(_waiting(columns, _blobs_of(db, row[0])))
            return tuple(sorted(found, key=lambda item: item.seq))

        return self._store.db.run(work)

    def envelope(self, item: Waiting) -> Result[bytes, StoreError]:
        """The bytes to send; BROKEN if the disk changed them: SQLite itself would not notice."""

        def work(db: sqlite3.Connection) -> bytes:
            row = db.execute(_ENVELOPE, (item.seq,)).fetchone()
            return bytes(row[0] or b"") if row else b""

        raw = self._store.db.run(work)
        if isinstance(raw, Err):
            return raw
        if hashlib.sha256(raw.value).hexdigest() != item.sha256:
            return Err(StoreError(StoreFault.BROKEN, "envelope changed on disk"))
        if uuid.UUID(item.id).bytes not in raw.value and item.id.encode() not in raw.value:
            return Err(StoreError(StoreFault.BROKEN, "envelope of another submission"))
        return raw

    def blob(self, ref: BlobRef) -> Result[bytes, StoreError]:
        """A sealed material; BROKEN if the disk lost or changed it."""
        try:
            data = self._store.blobs.read(ref.sha256)
        except FileNotFoundError:
            return Err(StoreError(StoreFault.BROKEN, "blob is missing"))
        except OSError as error:
            return Err(StoreError(StoreFault.STORE_DOWN, type(error).__name__))
        if hashlib.sha256(data).hexdigest() != ref.sha256:
            return Err(StoreError(StoreFault.BROKEN, "blob changed on disk"))
        return Ok(data)

    def progress(self, item: Waiting, state: SubmissionState) -> None:
        """What is being done with it now; memory only."""
        self._store.progress(item.id, state)

    def accept(self, item: Waiting, receipt: bytes) -> Result[None, StoreError]:
        """`accept_many` for one."""
        return self.accept_many([(item, receipt)])

    def accept_many(self, accepted: Sequence[tuple[Waiting, bytes]]) -> Result[None, StoreError]:
        """The hall has signed for these: forget their contents, in one transaction.

        The caller has verified each receipt for exactly that id and hash.
        """

        def work(db: sqlite3.Connection) -> None:
            now = self._store.now()
            with transaction(db):
                found = [(item, receipt, *_found(db, item)) for item, receipt in accepted]
                # Also what was set aside meanwhile: the hall has signed for exactly these bytes.
                fresh = [(item, receipt) for item, receipt, state, _ in found if state in ("sealed", "parked")]
                db.executemany(
                    "update submissions set state = 'accepted', next_at = null, last_code = null where seq = ?",
                    [(item.seq,) for item, _ in fresh],
                )
                db.executemany(
                    "insert or replace into receipts (seq, accepted_at, receipt) values (?, ?, ?)",
                    [(item.seq, now, receipt) for item, receipt in fresh],
                )
                release(db, [place for _, _, _, place in found if place])
                self._store.journal.note(db, *(journal_notes.accepted(item.id, receipt) for item, receipt in fresh))
                db.executemany("delete from blobs where seq = ?", [(item.seq,) for item, _ in fresh if item.blobs])

        done = self._store.db.run(work, draining=True)
        if isinstance(done, Err):
            return done
        for item, _ in accepted:
            self._store.progress(item.id, SubmissionState.SEALED)
        names = [ref.sha256 for item, _ in accepted for ref in item.blobs]
        return self._store.discard_blobs(names) if names else Ok(None)

    def park(self, item: Waiting, *, code: str) -> Result[None, StoreError]:
        """A final word that is not a yes: keep everything, stop sending, show it to staff."""

        def work(db: sqlite3.Connection) -> None:
            with transaction(db):
                if _found(db, item)[0] == "sealed":
                    self._store.journal.note(db, journal_notes.parked(item.id, code))
                    db.execute(
                        "update submissions set state = 'parked', next_at = null, last_code = ? where seq = ?",
                        (code, item.seq),
                    )

        self._store.progress(item.id, SubmissionState.SEALED)
        return self._store.db.run(work, draining=True)

    def postpone(self, item: Waiting, *, code: str, seconds: float) -> Result[None, StoreError]:
        """It did not work this time. `next_at` is for the technician's eye; the worker waits on its own clock."""

        def work(db: sqlite3.Connection) -> None:
            with transaction(db):
                if _found(db, item)[0] == "sealed":
                    db.execute(
                        "update submissions set attempts = attempts + 1, next_at = ?, last_code = ? where seq = ?",
                        (self._store.now() + round(seconds), code, item.seq),
                    )

        self._store.progress(item.id, SubmissionState.SEALED)
        return self._store.db.run(work, draining=True)


def _found(db: sqlite3.Connection, item: Waiting) -> tuple[str, int]:
    """Its state, and where its contents lie (0: nowhere); by id and hash too, for a salvage numbers rows anew."""
    found = db.execute(
        "select state, coalesce(place, 0) from submissions where seq = ? and id = ? and sha256 = ?",
        (item.seq, item.id, item.sha256),
    ).fetchone()
    return found or ("absent", 0)


def _waiting(row: Sequence[Any], blobs: Sequence[BlobRef]) -> Waiting:
    """ValueError if the disk has made nonsense of it: one bad row must not stop the others."""
    seq, id_, sha256, size, attempts, case = row
    if not is_id(id_) or not is_sha256(sha256):
        raise ValueError("nonsense in a row")
    return Waiting(seq, id_, sha256, size, attempts, tuple(blobs), case)


def _blobs_of(db: sqlite3.Connection, seq: int) -> tuple[BlobRef, ...]:
    rows = db.execute("select sha256, size from blobs where seq = ? order by position", (seq,))
    return tuple(BlobRef(sha256=sha256, size=size) for sha256, size in rows)
