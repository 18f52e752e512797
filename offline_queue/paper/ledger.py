"""The print ledger in the store (打印台账): every printing before it happens, and what became of it.

The rules are `kiosk.core.print_ledger`; here they are applied to rows, each step in one transaction together with the
numbered sheet that it moves and the outcome that the hall must hear.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from kiosk.core.devices import Fault
from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.print_ledger import (
    REPRINT_LIMIT,
    REPRINT_REASONS,
    Forbidden,
    PaperKind,
    PrintEntry,
    PrintOrder,
    PrintState,
    Settled,
    VoidReason,
    after_answer,
    after_intent,
    after_sending,
    after_word,
    spoiled,
)
from kiosk.core.result import Err, Ok, Result
from offline_queue.disk.database import transaction
from offline_queue.journal.notes import printed
from offline_queue.paper import sheets
from offline_queue.store import Store

T = TypeVar("T")

_ENTRY = "job, kind, pages, state, hall_job, serial, fault, reason, sent_at, attempt, numbered, denied, tries"
_OPEN = "kind = 'page' and state in ('intended', 'sent', 'unknown')"


_FAULTS = frozenset(Fault)


class Refused(Exception):
    """A step that is not taken; everything of its transaction is undone."""

    def __init__(self, fault: StoreFault, detail: str) -> None:
        super().__init__(detail)
        self.error = StoreError(fault, detail)


@dataclass(frozen=True, slots=True)
class _Row:
    """A printing with what only the ledger itself needs to know."""

    entry: PrintEntry
    attempt: str
    numbered: bool
    denied: int
    """How often a person said that nothing came out."""
    tries: int


class Ledger:
    """The store's side of the `PrintLedger` port."""

    def __init__(self, store: Store, *, wake: Callable[[], None], limit: int = REPRINT_LIMIT) -> None:
        """`wake` tells the sync worker that the hall has something to hear."""
        self._store = store
        self._wake = wake
        self._limit = limit

    def intend(self, order: PrintOrder, *, card_tag: bytes) -> Result[PrintEntry, StoreError]:
        """Write it down, with its numbered sheet; again after a failure. NO_SHEET, LIMIT, CONFLICT."""
        if not self._store.space.accepting():
            return Err(StoreError(StoreFault.DISK_FULL))

        def work(db: sqlite3.Connection) -> PrintEntry:
            row = _find(db, order.job)
            after_intent(row.entry.state if row else None)
            if row is None:
                self._insert(db, order, card_tag=card_tag)
            elif _purpose(row) != (order.kind, order.hall_job, order.numbered):
                raise Refused(StoreFault.CONFLICT, "this number is another printing's")
            elif row.entry.state is PrintState.FAILED:
                if row.denied and self._again(db, order.hall_job) > self._limit:
                    raise Refused(StoreFault.LIMIT, "made again often enough")
                self._once_more(db, row)
            return _must_find(db, order.job).entry

        return self._step(work)

    def sent(self, job: str, *, attempt: str) -> Result[None, StoreError]:
        """It goes to the printer now."""

        def work(db: sqlite3.Connection) -> None:
            row = _must_find(db, job)
            state = after_sending(row.entry.state, row.entry.kind, same_attempt=attempt == row.attempt)
            db.execute(
                "update prints set state = ?, attempt = ?, fault = null, changed_at = ?, sent_at = ? where job = ?",
                (state.value, attempt, self._store.now(), self._store.now(), job),
            )
            self._note(db, row.entry, state)

        return self._step(work)

    def settle(self, job: str, outcome: Settled, *, fault: str = "", pages: int = 0) -> Result[None, StoreError]:
        """The printer's word; a weaker one than is known changes nothing."""

        def work(db: sqlite3.Connection) -> None:
            row = _must_find(db, job)
            state = after_word(row.entry.state, outcome)
            if state is row.entry.state:
                return
            reason = spoiled(_fault(fault)) if state is PrintState.FAILED else None
            self._decide(db, row, state, fault=fault, pages=pages, sheet_spoiled=reason)

        return self._step(work)

    def answer(self, job: str, *, came_out: bool) -> Result[None, StoreError]:
        """A person's word. The sheet of a page that did not come out stays with its number until that is printed."""

        def work(db: sqlite3.Connection) -> None:
            row = _must_find(db, job)
            state = after_answer(row.entry.state, came_out=came_out)
            if state is row.entry.state:
                return
            self._decide(db, row, state, fault="", pages=row.entry.pages if came_out else 0, keep_sheet=not came_out)
            if not came_out:
                db.execute("update prints set denied = denied + 1 where job = ?", (job,))

        return self._step(work)

    def reprint(self, job: str, reason: VoidReason) -> Result[PrintEntry, StoreError]:
        """A proven page is void, another one intended in its place."""
        if reason not in REPRINT_REASONS:
            return Err(StoreError(StoreFault.BROKEN, "no reason to print again"))

        def work(db: sqlite3.Connection) -> PrintEntry:
            row = _must_find(db, job)
            if row.entry.kind is not PaperKind.PAGE or row.entry.state not in (PrintState.PROVEN, PrintState.VOID):
                raise Forbidden("only a page that came out is replaced")
            if row.entry.state is PrintState.VOID:
                return self._replacement(db, job)
            if self._again(db, row.entry.hall_job) >= self._limit:
                raise Refused(StoreFault.LIMIT, "made again often enough")
            self._decide(db, row, PrintState.VOID, fault="", pages=row.entry.pages, sheet_spoiled=reason)
            db.execute("update prints set reason = ? where job = ?", (reason.value, job))
            (papers,) = db.execute("select count(*) from prints where hall_job = ?", (row.entry.hall_job,)).fetchone()
            (tag,) = db.execute("select card_tag from prints where job = ?", (job,)).fetchone()
            number = f"{row.entry.hall_job}-{papers + 1}"
            order = PrintOrder(number, PaperKind.PAGE, row.entry.pages, row.entry.hall_job, row.numbered)
            self._insert(db, order, card_tag=tag or b"", replaces=job)
            return _must_find(db, number).entry

        return self._step(work)

    def open_pages(self, card_tag: bytes | None = None) -> Result[tuple[PrintEntry, ...], StoreError]:
        """Pages whose end is not known, oldest first."""
        mine, bound = ("", ()) if card_tag is None else (" and card_tag = ?", (card_tag,))

        def work(db: sqlite3.Connection) -> tuple[PrintEntry, ...]:
            rows = db.execute(f"select {_ENTRY} from prints where {_OPEN}{mine} order by created_at, job", bound)  # noqa: S608 - our own constants
            return tuple(_row(values).entry for values in rows)

        return self._store.db.run(work)

    # --- steps ---------------------------------------------------------------------------------------------------

    def _step(self, work: Callable[[sqlite3.Connection], T]) -> Result[T, StoreError]:
        """One transaction; marks may be written when the disk is nearly full, for they are small and must not wait."""
        heard: list[int] = []

        def whole(db: sqlite3.Connection) -> T:
            before = _outcomes(db)
            with transaction(db):
                done = work(db)
            heard[:] = [_outcomes(db) - before]
            return done

        try:
            done = self._store.db.run(whole, draining=True)
        except Refused as refused:
            return Err(refused.error)
        except Forbidden as forbidden:
            return Err(StoreError(StoreFault.CONFLICT, str(forbidden)))
        if isinstance(done, Ok) and any(heard):
            self._wake()
        return done

    def _note(self, db: sqlite3.Connection, entry: PrintEntry, state: PrintState, *, fault: str = "") -> None:
        self._store.journal.note(
            db, printed(entry.job, paper=entry.kind.value, state=state.value, fault=fault, serial=entry.serial)
        )

    def _insert(self, db: sqlite3.Connection, order: PrintOrder, *, card_tag: bytes, replaces: str = "") -> None:
        now = self._store.now()
        add_print(db, order, card_tag=card_tag, at=now, replaces=replaces)
        if order.numbered:
            self._take_sheet(db, order.job)
        self._note(db, _must_find(db, order.job).entry, PrintState.INTENDED)

    def _once_more(self, db: sqlite3.Connection, row: _Row) -> None:
        db.execute(
            "update prints set state = 'intended', attempt = null, fault = null, tries = tries + 1, changed_at = ?"
            " where job = ?",
            (self._store.now(), row.entry.job),
        )
        if row.numbered and not row.entry.serial:
            self._take_sheet(db, row.entry.job)
        self._note(db, _must_find(db, row.entry.job).entry, PrintState.INTENDED)

    def _take_sheet(self, db: sqlite3.Connection, job: str) -> None:
        serial = sheets.take(db, job, at=self._store.now())
        if serial is None:
            raise Refused(StoreFault.NO_SHEET, "no numbered sheet is ready")
        db.execute("update prints set serial = ? where job = ?", (serial, job))

    def _decide(
        self,
        db: sqlite3.Connection,
        row: _Row,
        state: PrintState,
        *,
        fault: str,
        pages: int,
        sheet_spoiled: VoidReason | None = None,
        keep_sheet: bool = False,
    ) -> None:
        """Write an end down, move the sheet with it, and note it for the hall."""
        entry, now = row.entry, self._store.now()
        keeps = entry.serial
        if entry.serial and not keep_sheet and state is not PrintState.UNKNOWN:
            if state is PrintState.PROVEN:
                sheets.use(db, entry.serial, at=now)
            elif sheet_spoiled is not None:
                sheets.void(db, entry.serial, sheet_spoiled, at=now)
            else:
                sheets.put_back(db, entry.serial, at=now)
            keeps = entry.serial if state in (PrintState.PROVEN, PrintState.VOID) else ""
        db.execute(
            "update prints set state = ?, fault = ?, serial = ?, changed_at = ? where job = ?",
            (state.value, fault or None, keeps or None, now, entry.job),
        )
        self._note(db, entry, state, fault=fault)
        if entry.hall_job:
            told = entry.serial if sheet_spoiled is not None or (keeps and not keep_sheet) else ""
            db.execute(
                "insert into outcomes (hall_job, job, try, outcome, pages, fault, serial, reason, at)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    entry.hall_job,
                    entry.job,
                    row.tries,
                    state.value,
                    pages,
                    fault,
                    told,
                    sheet_spoiled.value if sheet_spoiled else "",
                    now,
                ),
            )

    def _again(self, db: sqlite3.Connection, hall_job: str) -> int:
        """How many papers of this job were made again on a person's word."""
        (denied, replaced) = db.execute(
            "select coalesce(sum(denied), 0), count(replaces) from prints where hall_job = ?", (hall_job,)
        ).fetchone()
        return int(denied) + int(replaced)

    def _replacement(self, db: sqlite3.Connection, job: str) -> PrintEntry:
        """Of a void page: the answer to the first call got lost, or somebody wants a third paper of two."""
        found = db.execute(f"select {_ENTRY} from prints where replaces = ?", (job,)).fetchone()  # noqa: S608 - our own constants
        entry = _row(found).entry if found else None
        if entry is None or entry.state is not PrintState.INTENDED:
            raise Forbidden("it was replaced already")
        return entry


def add_print(db: sqlite3.Connection, order: PrintOrder, *, card_tag: bytes, at: int, replaces: str = "") -> None:
    """A new printing, intended; inside the caller's transaction."""
    db.execute(
        "insert into prints (job, kind, pages, hall_job, card_tag, state, numbered, denied, replaces, tries,"
        " created_at, changed_at) values (?, ?, ?, ?, ?, 'intended', ?, 0, ?, 1, ?, ?)",
        (
            order.job,
            order.kind.value,
            order.pages,
            order.hall_job,
            card_tag or None,
            int(order.numbered),
            replaces or None,
            at,
            at,
        ),
    )


def _find(db: sqlite3.Connection, job: str) -> _Row | None:
    found = db.execute(f"select {_ENTRY} from prints where job = ?", (job,)).fetchone()  # noqa: S608 - our own constants
    return None if found is None else _row(found)


def _must_find(db: sqlite3.Connection, job: str) -> _Row:
    row = _find(db, job)
    if row is None:
        raise Refused(StoreFault.BROKEN, "no such printing")
    return row


def _row(values: tuple[object, ...]) -> _Row:
    job, kind, pages, state, hall_job, serial, fault, reason, sent_at, attempt, numbered, denied, tries = values
    assert isinstance(pages, int) and isinstance(denied, int) and isinstance(tries, int)
    entry = PrintEntry(
        job=str(job),
        kind=PaperKind(str(kind)),
        pages=pages,
        state=PrintState(str(state)),
        hall_job=str(hall_job),
        serial=str(serial or ""),
        fault=str(fault or ""),
        reason=str(reason or ""),
        sent_at=datetime.fromtimestamp(sent_at, UTC) if isinstance(sent_at, int) else None,
    )
    return _Row(entry, str(attempt or ""), bool(numbered), denied, tries)


def _purpose(row: _Row) -> tuple[PaperKind, str, bool]:
    return row.entry.kind, row.entry.hall_job, row.numbered


def _outcomes(db: sqlite3.Connection) -> int:
    (last,) = db.execute("select coalesce(max(seq), 0) from outcomes").fetchone()
    return int(last)


def _fault(name: str) -> Fault | None:
    return Fault(name) if name in _FAULTS else None
