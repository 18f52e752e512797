"""Taking in: what is acknowledged here stays until the hall has signed for it.

Files first, row last: blobs are durable before the row that names them is written, in one transaction.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading

from kiosk.contract.envelope import Envelope, EnvelopeError, parse_envelope
from kiosk.contract.numbers import ApplicationNumber
from kiosk.core.clock import CHINA, Clock
from kiosk.core.ports import Owed, SealedSubmission, StoreError, StoreFault
from kiosk.core.print_ledger import PrintState
from kiosk.core.result import Err, Ok, Result
from offline_queue import inbox
from offline_queue.database import Inbox, fault_of, transaction
from offline_queue.store import Store

LAST_SERIAL = 9999
"""Four digits in an application number."""


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

        def work(db: sqlite3.Connection) -> int:
            with transaction(db):
                row = db.execute(
                    "insert into counters (day, serial) values (?, 1)"
                    " on conflict (day) do update set serial = serial + 1 returning serial",
                    (day.isoformat(),),
                ).fetchone()
            return int(row[0])

        serial = self._store.db.run(work)
        if isinstance(serial, Err):
            return serial
        if serial.value > LAST_SERIAL:
            return Err(StoreError(StoreFault.STORE_DOWN, "no numbers left today"))
        return Ok(str(ApplicationNumber(self._region, day, self._terminal_id, serial.value)))

    def put(self, sealed: SealedSubmission, *, card_tag: bytes, slip: bytes) -> Result[None, StoreError]:
        """Ok only when it is durable. The same id with the same bytes again is Ok, with other bytes CONFLICT."""
        try:
            envelope = parse_envelope(sealed.envelope)
        except EnvelopeError as error:
            return Err(StoreError(StoreFault.BROKEN, str(error)))
        if (broken := _unfit(sealed, envelope)) is not None:
            return Err(StoreError(StoreFault.BROKEN, broken))
        # One at a time: a second put of the same id must not bring back blobs that an acceptance just removed,
        # nor clean up blobs that the first put's row needs.
        with self._putting:
            known = self._known(sealed.id, envelope.sha256)
            if isinstance(known, Err):
                return known
            return Ok(None) if known.value else self._add(sealed, envelope, card_tag=card_tag, slip=slip)

    def owed(self, card_tag: bytes) -> Result[tuple[Owed, ...], StoreError]:
        """Filed under this card lately, receipt not proven; oldest first."""
        since = self._store.now() - int(self._store.retention.owed.total_seconds())

        def work(db: sqlite3.Connection) -> tuple[Owed, ...]:
            rows = db.execute(
                "select id, application_no, prints.state, slip from submissions join prints on prints.job = id"
                " where prints.card_tag = ? and prints.state != 'proven' and submissions.created_at >= ? order by seq",
                (card_tag, since),
            )
            return tuple(Owed(id_, number, PrintState(state), slip or b"") for id_, number, state, slip in rows)

        return self._store.db.run(work)

    def _known(self, submission_id: str, sha256: str) -> Result[bool, StoreError]:
        """Is it here already with these bytes? CONFLICT if with others."""

        found = self._store.db.run(lambda db: inbox.sha256_of(db, submission_id), inbox=Inbox.AS_IT_IS)
        if isinstance(found, Err):
            return found
        if found.value is None or found.value == sha256:
            return Ok(found.value is not None)
        return Err(StoreError(StoreFault.CONFLICT, "this id was filed with other bytes"))

    def _add(
        self, sealed: SealedSubmission, envelope: Envelope, *, card_tag: bytes, slip: bytes
    ) -> Result[None, StoreError]:
        if not self._store.space.accepting(len(sealed.envelope) + sum(map(len, sealed.blobs))):
            return Err(StoreError(StoreFault.DISK_FULL))
        done = self._write(sealed, envelope, card_tag=card_tag, slip=slip)
        if isinstance(done, Err):
            # Only what no row needs: after an I/O error the row may be there all the same.
            self._store.discard_blobs(ref.sha256 for ref in envelope.header.blobs)
        return done

    def _write(
        self, sealed: SealedSubmission, envelope: Envelope, *, card_tag: bytes, slip: bytes
    ) -> Result[None, StoreError]:
        filed = inbox.Filed(
            id=sealed.id,
            application_no=sealed.application_no,
            sha256=envelope.sha256,
            envelope=sealed.envelope,
            blobs=envelope.header.blobs,
            card_tag=card_tag,
            slip=slip,
            created_at=self._store.now(),
        )

        def work(db: sqlite3.Connection) -> bool:
            owner = inbox.owner_of(db, filed.application_no)
            if owner is not None:
                # Our own, if an I/O error hid that the first try succeeded.
                return owner == (filed.id, filed.sha256)
            with transaction(db):
                inbox.add(db, filed)
            return True

        try:
            for blob in sealed.blobs:
                self._store.blobs.write(blob)
        except OSError as error:
            return Err(StoreError(fault_of(error) or StoreFault.STORE_DOWN, type(error).__name__))
        added = self._store.db.run(work, inbox=Inbox.AS_IT_IS)
        if isinstance(added, Err):
            return added
        return Ok(None) if added.value else Err(StoreError(StoreFault.CONFLICT, "this application number was used"))


def _unfit(sealed: SealedSubmission, envelope: Envelope) -> str | None:
    """Why id, envelope and blobs do not belong together."""
    if envelope.header.id != sealed.id:
        return "envelope carries another id"
    actual = tuple((hashlib.sha256(blob).hexdigest(), len(blob)) for blob in sealed.blobs)
    if actual != tuple((ref.sha256, ref.size) for ref in envelope.header.blobs):
        return "blobs are not those of the envelope"
    return None
