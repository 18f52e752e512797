"""The journal in pieces as the hall takes them: in order, one epoch at a time, only what a checkpoint answers for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

from kiosk.contract.journal import MAX_BATCH_BYTES, Head, JournalBatch, JournalError, JournalKind
from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.result import Err, Ok, Result
from offline_queue.disk.database import OwnedDatabase
from offline_queue.journal.files import Segment, Walk
from offline_queue.journal.table import Journal, JournalState

BATCH_RECORDS = 256
_BATCH_BYTES = MAX_BATCH_BYTES - 1024


@dataclass(slots=True)
class _Piece:
    """What has been gathered of a batch."""

    start: int
    end: int
    before: Head | None = None
    bodies: list[bytes] = field(default_factory=list)
    size: int = 0
    skipped: bool = False
    """Something that could not be read lies before."""

    def gather(self, walk: Walk, bodies: Iterator[bytes]) -> None:
        """As much as fits and belongs together."""
        for body in bodies:
            before = walk.head
            record, _ = walk.step(body)
            if record is None:
                if self.bodies:
                    return
                self.skipped = walk.lost
            elif record.seq > self.end:
                return
            elif record.seq >= self.start:
                full = len(self.bodies) == BATCH_RECORDS or self.size + len(body) + 5 > _BATCH_BYTES
                if self.bodies and (full or record.kind == JournalKind.BEGIN):
                    return
                if self.before is None:
                    begins = record.kind == JournalKind.BEGIN
                    self.before = Head.before(walk.head.epoch, record.seq - 1) if begins else before
                self.bodies.append(body)
                self.size += len(body) + 5


class JournalPieces:
    """Reads batches out of table and files."""

    def __init__(self, journal: Journal, db: OwnedDatabase) -> None:
        self._journal = journal
        self._db = db
        self._last_read: Segment | None = None

    def next(self, state: JournalState) -> Result[JournalBatch | None, StoreError]:
        """The next batch for the hall, None if it has everything that is signed for."""
        if state.checkpointed <= state.told:
            return Ok(None)
        piece = _Piece(state.told + 1, state.checkpointed)
        try:
            oldest = self._oldest(state)
            if piece.start <= state.cut.seq:
                segment = self._segment(piece.start)
                if segment is not None:
                    piece.gather(Walk(segment.before), iter(segment.bodies))
                    if not piece.bodies:
                        piece.start, piece.skipped = segment.before.seq + len(segment.bodies) + 1, True
                        return self._jump(state, piece)
                else:
                    piece.start, piece.skipped = state.cut.seq + 1, True
            if not piece.bodies:
                rows = self._rows(state.cut.seq)
                if isinstance(rows, Err):
                    return rows
                piece.gather(Walk(state.cut), iter(rows.value))
        except OSError as error:
            return Err(StoreError(StoreFault.STORE_DOWN, type(error).__name__))
        if piece.before is None:
            return Ok(None)
        first = piece.before.seq + 1
        return Ok(JournalBatch(piece.before, first if piece.skipped else oldest, tuple(piece.bodies)))

    def _jump(self, state: JournalState, piece: _Piece) -> Result[JournalBatch | None, StoreError]:
        """Nothing of this file can be read: behind it."""
        told = self._journal.told(min(piece.start - 1, state.checkpointed))
        return told if isinstance(told, Err) else Ok(None)

    def _rows(self, after: int) -> Result[list[bytes], StoreError]:
        def work(db: sqlite3.Connection) -> list[bytes]:
            return [
                bytes(row[0]) for row in db.execute("select body from journal where seq > ? order by seq", (after,))
            ]

        return self._db.run(work)

    def _segment(self, seq: int) -> Segment | None:
        """The file that holds record `seq`, or the next one that can be read."""
        if (last := self._last_read) is not None and last.before.seq < seq <= last.before.seq + len(last.bodies):
            return last
        found = None
        for number in reversed(self._journal.files.numbers()):
            try:
                segment = self._journal.files.read(number)
            except (JournalError, FileNotFoundError):
                continue
            if segment.before.seq + len(segment.bodies) < seq:
                break
            found = segment
            if segment.before.seq < seq:
                break
        self._last_read = found
        return found

    def _oldest(self, state: JournalState) -> int:
        for number in self._journal.files.numbers():
            try:
                return self._journal.files.read(number).before.seq + 1
            except (JournalError, FileNotFoundError):
                continue
        return state.cut.seq + 1
