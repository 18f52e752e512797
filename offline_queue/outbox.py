"""Taking in: what is acknowledged here stays until the hall has signed for it.

Files first, row last: blobs are durable before the row that names them is written, in one transaction.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Sequence
from typing import assert_never

from kiosk.contract.envelope import EnvelopeError, EnvelopeLabel, read_label
from kiosk.contract.numbers import ApplicationNumber
from kiosk.core.clock import CHINA, Clock
from kiosk.core.ports import Owed, SealedSubmission, StoreError, StoreFault
from kiosk.core.print_ledger import PrintState
from kiosk.core.result import Err, Ok, Result
from offline_queue.disk.contents import Filed, Known
from offline_queue.disk.database import Arrived, fault_of, transaction
from offline_queue.store import Store

LAST_SERIAL = 9999
"""Four digits in an application number."""
_NEXT_SERIAL = (
    "insert into counters (day, serial) values (?, 1)"
    " on conflict (day) do update set serial = serial + 1 returning serial"
)


class Intake:
    """The store's side of the `Outbox` port, in the process that owns the store."""

    def __init__(self, store: Store, *, clock: Clock, region: str, terminal_id: str) -> None:
        self._store = store
        self._clock = clock
        self._region = region
        self._terminal_id = terminal_id
        self._putting = threading.Lock()

    def reserve_number(self) -> Result[str, StoreError]:
        """A fresh application number. A day's counter only grows, also if the clock comes back to that day."""
        if not self._store.space.accepting():
            return Err(StoreError(StoreFault.DISK_FULL))
        day = self._clock.now().astimezone(CHINA).date()

        def work(db: sqlite3.Connection) -> str | None:
            with transaction(db):
                while True:
                    (serial,) = db.execute(_NEXT_SERIAL, (day.isoformat(),)).fetchone()
                    if serial > LAST_SERIAL:
                        return None
                    number = str(ApplicationNumber(self._region, day, self._terminal_id, serial))
                    # Whoever's stick was taken in may have brought it.
                    if db.execute("select 1 from submissions where application_no = ?", (number,)).fetchone() is None:
                        return number

        number = self._store.db.run(work)
        if isinstance(number, Err):
            return number
        if number.value is None:
            return Err(StoreError(StoreFault.STORE_DOWN, "no numbers left today"))
        return Ok(number.value)

    def put(self, sealed: SealedSubmission, *, card_tag: bytes, slip: bytes) -> Result[None, StoreError]:
        """Ok only when it is durable. The same id with the same bytes again is Ok, with other bytes CONFLICT."""
        try:
            label = read_label(sealed.envelope)
        except EnvelopeError as error:
            return Err(StoreError(StoreFault.BROKEN, str(error)))
        if (broken := _unfit(sealed, label)) is not None:
            return Err(StoreError(StoreFault.BROKEN, broken))
        filed = Filed(
            id=sealed.id,
            application_no=sealed.application_no,
            sha256=hashlib.sha256(sealed.envelope).hexdigest(),
            envelope=sealed.envelope,
            blobs=label.blobs,
            card_tag=card_tag,
            slip=slip,
            created_at=self._store.now(),
            corrects=sealed.corrects,
        )
        # One at a time: a second put of the same id must not bring back blobs that an acceptance just removed,
        # nor clean up blobs that the first put's row needs.
        with self._putting:
            return self._file(filed) if not sealed.blobs else self._file_with(filed, sealed.blobs)

    def owed(self, card_tag: bytes) -> Result[tuple[Owed, ...], StoreError]:
        """Filed under this card lately, receipt not proven; oldest first."""
        since = self._store.now() - int(self._store.retention.owed.total_seconds())

        def work(db: sqlite3.Connection) -> tuple[Owed, ...]:
            rows = db.execute(
                "select id, application_no, prints.state, slip from submissions join prints on prints.job = id"
                " left join slips on slips.seq = submissions.seq where prints.card_tag = ? and prints.state != 'proven'"
                " and submissions.created_at >= ? order by submissions.seq",
                (card_tag, since),
            )
            return tuple(Owed(id_, number, PrintState(state), slip or b"") for id_, number, state, slip in rows)

        return self._store.db.run(work)

    def _file_with(self, filed: Filed, blobs: Sequence[bytes]) -> Result[None, StoreError]:
        """Files first, row last; no file for what is known."""
        known = self._store.db.run(lambda db: self._store.db.arrivals.look(db, filed), arrived=Arrived.AS_IT_IS)
        if isinstance(known, Err):
            return known
        if known.value is not Known.NEW:
            return _answer(known.value)
        if not self._store.space.accepting(len(filed.envelope) + sum(map(len, blobs))):
            return Err(StoreError(StoreFault.DISK_FULL))
        done = self._write(blobs)
        if isinstance(done, Ok):
            done = self._file(filed)
        if isinstance(done, Err):
            # Only what no row needs: after an I/O error the row may be there all the same.
            self._store.discard_blobs(ref.sha256 for ref in filed.blobs)
        return done

    def _write(self, blobs: Sequence[bytes]) -> Result[None, StoreError]:
        try:
            for blob in blobs:
                self._store.blobs.write(blob)
        except OSError as error:
            return Err(StoreError(fault_of(error) or StoreFault.STORE_DOWN, type(error).__name__))
        return Ok(None)

    def _file(self, filed: Filed) -> Result[None, StoreError]:
        """The row. What is SAME here may be our own, if an I/O error hid that the first try succeeded."""
        arrivals, accepting, size = self._store.db.arrivals, self._store.space.accepting, len(filed.envelope)

        def work(db: sqlite3.Connection) -> Known | None:
            known = arrivals.look(db, filed)
            if known is Known.NEW:
                if not accepting(size):
                    return None
                arrivals.add(db, filed)
            return known

        known = self._store.db.run(work, arrived=Arrived.AS_IT_IS)
        if isinstance(known, Err):
            return known
        return Err(StoreError(StoreFault.DISK_FULL)) if known.value is None else _answer(known.value)


def _answer(known: Known) -> Result[None, StoreError]:
    match known:
        case Known.NEW | Known.SAME:
            return Ok(None)
        case Known.OTHER_BYTES:
            return Err(StoreError(StoreFault.CONFLICT, "this id was filed with other bytes"))
        case Known.NUMBER_USED:
            return Err(StoreError(StoreFault.CONFLICT, "this application number was used"))
        case _:
            assert_never(known)


def _unfit(sealed: SealedSubmission, label: EnvelopeLabel) -> str | None:
    """Why id, envelope and blobs do not belong together."""
    if label.id != sealed.id:
        return "envelope carries another id"
    actual = tuple((hashlib.sha256(blob).hexdigest(), len(blob)) for blob in sealed.blobs)
    if actual != tuple((ref.sha256, ref.size) for ref in label.blobs):
        return "blobs are not those of the envelope"
    return None
