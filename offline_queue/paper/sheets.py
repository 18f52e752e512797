"""Numbered licence paper (证照空白纸) in the store: every sheet ever loaded, and where it ended.

Sheets lie in the tray in the order of loading; the printer feeds the top one, so at most one may be in doubt at a
time. No row is ever deleted: the audit adds up.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.print_ledger import Sheet, SheetCount, SheetState, VoidReason, serials
from kiosk.core.result import Err, Ok, Result
from offline_queue.disk.database import transaction
from offline_queue.journal.notes import sheet, sheets_loaded
from offline_queue.store import Store

MAX_LOAD = 5000
"""Sheets at once; a tray holds fewer."""
PAGE = 2000
"""Sheets in one answer: they fit into a frame."""
_PAGE_BEHIND = (
    "select serial, state, job, reason, changed_at from sheets"
    " where position > coalesce((select position from sheets where serial = ?), -1) order by position limit ?"
)


class SheetBook:
    """What a technician does with sheets, and the audit."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self, first: str, count: int) -> Result[SheetCount, StoreError]:
        """`count` sheets from serial `first` on; CONFLICT if one of them is known."""
        if count > MAX_LOAD:
            return Err(StoreError(StoreFault.BROKEN, f"at most {MAX_LOAD} sheets at once"))
        try:
            fresh = serials(first, count)
        except ValueError as error:
            return Err(StoreError(StoreFault.BROKEN, str(error)))
        if not self._store.space.accepting():
            return Err(StoreError(StoreFault.DISK_FULL))
        now = self._store.now()

        def work(db: sqlite3.Connection) -> str | None:
            with transaction(db):
                known = [serial for serial in fresh if _state(db, serial) is not None]
                if known:
                    return known[0]
                db.executemany(
                    "insert into sheets (serial, state, changed_at) values (?, 'stock', ?)",
                    [(serial, now) for serial in fresh],
                )
                self._store.journal.note(db, sheets_loaded(first, count))
            return None

        known = self._store.db.run(work)
        if isinstance(known, Err):
            return known
        if known.value is not None:
            return Err(StoreError(StoreFault.CONFLICT, f"{known.value} is known already"))
        return self.count()

    def void(self, serial: str, reason: VoidReason) -> Result[None, StoreError]:
        """It will never be used, or what was printed on it does not count."""

        def work(db: sqlite3.Connection) -> StoreError | None:
            with transaction(db):
                state = _state(db, serial)
                if state is None:
                    return StoreError(StoreFault.BROKEN, "no such sheet")
                if state is SheetState.USED:
                    return StoreError(StoreFault.CONFLICT, "it was used: what is on it is made void at the terminal")
                if _in_hand(db, serial):
                    return StoreError(StoreFault.CONFLICT, "it is being printed on")
                if state is not SheetState.VOID:
                    void(db, serial, reason, at=self._store.now())
                    _let_go(db, serial)
                    self._store.journal.note(db, sheet(serial, state=SheetState.VOID.value, reason=reason.value))
            return None

        return _said(self._store.db.run(work, draining=True))

    def put_back(self, serial: str) -> Result[None, StoreError]:
        """A sheet in doubt lies in the tray."""

        def work(db: sqlite3.Connection) -> StoreError | None:
            with transaction(db):
                state = _state(db, serial)
                if state is None:
                    return StoreError(StoreFault.BROKEN, "no such sheet")
                if state in (SheetState.USED, SheetState.VOID):
                    return StoreError(StoreFault.CONFLICT, f"it is {state.value}")
                if _in_hand(db, serial):
                    return StoreError(StoreFault.CONFLICT, "it is being printed on")
                if state is SheetState.TAKEN:
                    put_back(db, serial, at=self._store.now())
                    _let_go(db, serial)
                    self._store.journal.note(db, sheet(serial, state=SheetState.STOCK.value))
            return None

        return _said(self._store.db.run(work, draining=True))

    def page(self, after: str = "") -> Result[tuple[Sheet, ...], StoreError]:
        """Some behind this serial, in the order of loading; empty: from the first."""

        def work(db: sqlite3.Connection) -> tuple[Sheet, ...]:
            rows = db.execute(_PAGE_BEHIND, (after, PAGE))
            return tuple(
                Sheet(serial, SheetState(state), job or "", reason or "", datetime.fromtimestamp(at, UTC))
                for serial, state, job, reason, at in rows
            )

        return self._store.db.run(work)

    def count(self) -> Result[SheetCount, StoreError]:
        """The audit in numbers."""
        return self._store.db.run(count)


def take(db: sqlite3.Connection, job: str, *, at: int) -> str | None:
    """The top sheet, for this printing; None if there is none, or if nobody knows which is on top."""
    found = db.execute(
        "select serial, state from sheets where state in ('stock', 'taken') order by state = 'stock', position limit 1"
    ).fetchone()
    if found is None or found[1] != SheetState.STOCK:
        return None
    db.execute("update sheets set state = 'taken', job = ?, changed_at = ? where serial = ?", (job, at, found[0]))
    return str(found[0])


def use(db: sqlite3.Connection, serial: str, *, at: int) -> None:
    """Printed on."""
    db.execute("update sheets set state = 'used', changed_at = ? where serial = ?", (at, serial))


def void(db: sqlite3.Connection, serial: str, reason: VoidReason, *, at: int) -> None:
    """Never to be used (again)."""
    db.execute(
        "update sheets set state = 'void', reason = ?, changed_at = ? where serial = ?", (reason.value, at, serial)
    )


def put_back(db: sqlite3.Connection, serial: str, *, at: int) -> None:
    """It lies on top of the tray as before."""
    db.execute("update sheets set state = 'stock', job = null, changed_at = ? where serial = ?", (at, serial))


def count(db: sqlite3.Connection) -> SheetCount:
    """How many are where."""
    by_state = dict(db.execute("select state, count(*) from sheets group by state").fetchall())
    numbers = {state.value: int(by_state.get(state.value, 0)) for state in SheetState}
    return SheetCount(loaded=sum(numbers.values()), **numbers)


def _let_go(db: sqlite3.Connection, serial: str) -> None:
    """A printing that still counted on this sheet takes another one when it is tried again."""
    db.execute("update prints set serial = null where serial = ? and state in ('failed', 'unknown')", (serial,))


def _in_hand(db: sqlite3.Connection, serial: str) -> bool:
    """Is a printing with this sheet under way?"""
    found = db.execute("select 1 from prints where serial = ? and state in ('intended', 'sent')", (serial,)).fetchone()
    return found is not None


def _state(db: sqlite3.Connection, serial: str) -> SheetState | None:
    row = db.execute("select state from sheets where serial = ?", (serial,)).fetchone()
    return None if row is None else SheetState(row[0])


def _said(result: Result[StoreError | None, StoreError]) -> Result[None, StoreError]:
    if isinstance(result, Err):
        return result
    return Ok(None) if result.value is None else Err(result.value)
