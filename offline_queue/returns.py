"""退回补正: what the hall says of filings that it has signed for, and that came back for correction.

Their contents are gone from here, so nothing is sent again: a technician sees them, and the citizen corrects at any
terminal. The hall's word is kept beside the filing, for it may come before the receipt does: a receipt may be on its
way by stick. Every word has a number that grows, and only a newer one counts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from kiosk.contract.sync import Returned
from kiosk.core.ports import StoreError
from kiosk.core.result import Err, Ok, Result
from offline_queue.disk.database import transaction
from offline_queue.journal import notes as journal_notes
from offline_queue.store import Store

_TAKE = (
    "insert into returns (id, seq, code, at) select ?1, ?2, ?3, ?4"
    " where exists (select 1 from submissions where id = ?1)"
    " on conflict (id) do update set seq = excluded.seq, code = excluded.code, at = excluded.at"
    " where excluded.seq > returns.seq returning id"
)


class ReturnBook:
    """What came back, in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._heard: int | None = None

    def heard(self) -> Result[int, StoreError]:
        """Up to which the hall's words are known here; after a restart, up to the last one that stands in the store."""
        if self._heard is not None:
            return Ok(self._heard)

        def work(db: sqlite3.Connection) -> int:
            (last,) = db.execute("select max(seq) from returns").fetchone()
            return int(last or 0)

        return self._store.db.run(work)

    def take(self, words: Sequence[Returned]) -> Result[None, StoreError]:
        """Write down what concerns a filing that is here; the same again is the same, an older one changes nothing."""
        if not words:
            return Ok(None)
        newest_last = sorted(words, key=lambda word: word.order)

        def work(db: sqlite3.Connection) -> None:
            with transaction(db):
                for word in newest_last:
                    values = (word.id, word.order, word.code, self._store.now())
                    if db.execute(_TAKE, values).fetchone() is not None:
                        self._store.journal.note(db, journal_notes.returned(word.id, word.code))

        done = self._store.db.run(work, draining=True)
        if isinstance(done, Err):
            return done
        self._heard = newest_last[-1].order
        return Ok(None)
