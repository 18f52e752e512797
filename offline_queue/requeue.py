"""Parked submissions go back into the queue: a technician says so, or the hall, after it has put itself right."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from kiosk.contract.sync import SendAgain
from kiosk.core.ports import StoreError
from kiosk.core.result import Ok, Result
from offline_queue.disk.database import transaction
from offline_queue.journal import notes as journal_notes
from offline_queue.store import Store

_PARKED = "select seq, id from submissions where state = 'parked' and last_code is not 'damaged'"


def requeue(store: Store, ids: Iterable[str] | None) -> Result[int, StoreError]:
    """How many are to be sent again; None: all. Never one whose bytes the disk has damaged."""
    wanted = None if ids is None else tuple(ids)

    def work(db: sqlite3.Connection) -> int:
        with transaction(db):
            if wanted is None:
                rows = db.execute(_PARKED).fetchall()
            else:
                rows = [row for id_ in wanted for row in db.execute(_PARKED + " and id = ?", (id_,)).fetchall()]
            db.executemany(
                "update submissions set state = 'sealed', attempts = 0, next_at = null, last_code = null where seq = ?",
                [(seq,) for seq, _ in rows],
            )
            store.journal.note(db, *(journal_notes.requeued(id_) for _, id_ in rows))
        return len(rows)

    return store.db.run(work, draining=True)


class SecondChances:
    """Does what the hall asks for, each order once: it is repeated until the hall has what it asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._done: set[SendAgain] = set()

    def take(self, orders: tuple[SendAgain, ...]) -> Result[int, StoreError]:
        """How many are to be sent again. An order that could not be written is taken at the next heartbeat."""
        fresh = [order for order in orders if order not in self._done]
        if not fresh:
            return Ok(0)
        done = requeue(self._store, (order.id for order in fresh))
        if isinstance(done, Ok):
            self._done = set(orders)
        return done
