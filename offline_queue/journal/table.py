"""The journal (流水) in the store: written in the transaction of what it tells, so it is never ahead nor behind.

The end of the chain lies in the table `journal`, closed pieces in files. A filing is journalled by the next transaction
after its own, out of its row, which holds all that there is to say: a put costs no byte and no fsync more. Wherever the
chain cannot go on, a new epoch begins that says so.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from kiosk.contract.journal import (
    EPOCH_BYTES,
    BeginReason,
    Head,
    JournalError,
    JournalKind,
    Note,
    Record,
    body_of,
    checkpoint,
    link,
    parse_body,
)
from kiosk.contract.signing import SigningKey
from kiosk.core.clock import Clock
from kiosk.core.ports import StoreError
from kiosk.core.result import Err, Ok, Result
from offline_queue.disk.database import OwnedDatabase, transaction
from offline_queue.journal.files import SegmentFiles, Walk
from offline_queue.journal.notes import purged, put

_PUTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class JournalLimits:
    """How the journal is cut and kept."""

    records: int = 2048
    """Records that lie in the table before a file is closed."""
    bytes: int = 256 * 1024 * 1024
    """Of files; more is warned of. At 200 bytes a record this is over a million."""


@dataclass(frozen=True, slots=True)
class JournalState:
    """The one row of `journal_state`."""

    head: Head
    cut: Head
    """The end of the last file."""
    files: int
    """Number of the last file."""
    checkpointed: int
    """Seq of the last checkpoint."""
    told: int
    """The hall has everything up to here."""
    puts: int
    """`submissions.seq` of the last filing that was journalled."""


class Journal:
    """The store's journal. `note` is called inside transactions; everything else makes its own."""

    def __init__(
        self,
        db: OwnedDatabase,
        folder: Path,
        *,
        clock: Clock,
        limits: JournalLimits | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.files = SegmentFiles(folder)
        self.limits = limits or JournalLimits()
        self._db = db
        self._clock = clock
        self._random = random

    def open(self) -> Result[None, StoreError]:
        """Go on where it ended, or begin a new epoch where it cannot go on."""

        def work(db: sqlite3.Connection) -> None:
            with transaction(db):
                state = self._opened(db)
                if not _tail_fits(db, state):
                    self._begin(db, state.head, reason="damaged", files=state.files)

        return self._db.run(work, draining=True)

    def state(self) -> Result[JournalState, StoreError]:
        """Where it stands."""

        def work(db: sqlite3.Connection) -> JournalState:
            if (state := _find_state(db)) is not None:
                return state
            with transaction(db):
                return self._opened(db)

        return self._db.run(work)

    def note(self, db: sqlite3.Connection, *notes: Note) -> None:
        """Write down, inside the caller's transaction; first the filings that came before."""
        state = self._opened(db)
        puts = db.execute(
            "select seq, id, sha256, size, created_at from submissions where seq > ? order by seq limit ?",
            (state.puts, _PUTS_AT_ONCE),
        ).fetchall()
        told = (put(id_, sha256, size=size, put_at_s=at) for _, id_, sha256, size, at in puts)
        self._append(db, state.head, [*told, *notes])
        if puts:
            db.execute("update journal_state set puts = ?", (puts[-1][0],))

    def backwards(self) -> Result[Iterator[Record], StoreError]:
        """All records that can be read, newest first; files are opened as they are come to."""
        rows = self._db.run(
            lambda db: [bytes(body) for (body,) in db.execute("select body from journal order by seq desc")]
        )
        return rows if isinstance(rows, Err) else Ok(_records(chain(rows.value, self._filed())))

    def write(self, *notes: Note) -> Result[None, StoreError]:
        """Write down in a transaction of its own."""

        def work(db: sqlite3.Connection) -> None:
            with transaction(db):
                self.note(db, *notes)

        return self._db.run(work)

    def behind(self) -> Result[int, StoreError]:
        """How many filings are not journalled yet."""

        def work(db: sqlite3.Connection) -> int:
            (count,) = db.execute(
                "select count(*) from (select 1 from submissions where seq > (select puts from journal_state) limit ?)",
                (_PUTS_AT_ONCE,),
            ).fetchone()
            return int(count)

        return self._db.run(work)

    def checkpoint(
        self, *, terminal_id: str, key: SigningKey, boot: bytes, monotonic: float
    ) -> Result[None, StoreError]:
        """Sign for everything so far."""

        def work(db: sqlite3.Connection) -> None:
            with transaction(db):
                self.note(db)
                head, at_ms = self._opened(db).head, self._now_ms()
                signed = checkpoint(
                    head,
                    at_ms=at_ms,
                    monotonic_ms=int(monotonic * 1000),
                    boot=boot,
                    terminal_id=terminal_id,
                    key=key,
                )
                self._append(db, head, [signed], at_ms=at_ms)
                db.execute("update journal_state set checkpointed = seq")

        return self._db.run(work)

    def fork(self) -> Result[None, StoreError]:
        """The hall holds other records under our numbers: this disk is a copy, or an older one came back."""

        def work(db: sqlite3.Connection) -> None:
            with transaction(db):
                state = self._opened(db)
                db.execute("update journal_state set told = seq")
                self._begin(db, state.head, reason="forked", files=state.files)

        return self._db.run(work, draining=True)

    def told(self, seq: int) -> Result[None, StoreError]:
        """The hall has confirmed everything up to `seq`."""

        def work(db: sqlite3.Connection) -> None:
            with transaction(db):
                db.execute("update journal_state set told = ?", (seq,))

        return self._db.run(work, draining=True)

    def rotate(self, *, at_least: int | None = None) -> Result[bool, StoreError]:
        """Close a file when there are records enough; True if there may be more. The last record stays here."""
        least = self.limits.records if at_least is None else at_least

        found = self.state()
        if isinstance(found, Err):
            return found
        state = found.value

        def take(db: sqlite3.Connection) -> list[tuple[int, bytes, bytes]]:
            return db.execute(
                "select seq, body, hash from journal where seq < ? order by seq limit ?",
                (state.head.seq, self.limits.records),
            ).fetchall()

        taken = self._db.run(take)
        if isinstance(taken, Err):
            return taken
        rows = taken.value
        if len(rows) < max(1, least):
            return Ok(False)

        def work(db: sqlite3.Connection) -> None:
            # The file comes first: killed in between, it is written once more with the same records and maybe others.
            bodies = tuple(bytes(body) for _, body, _ in rows)
            self.files.write(state.files + 1, state.cut, bodies)
            walk = Walk(state.cut)
            for body in bodies:
                walk.step(body)
            end = Head(walk.head.epoch, rows[-1][0], bytes(rows[-1][2]))
            with transaction(db):
                db.execute("delete from journal where seq <= ?", (end.seq,))
                db.execute(
                    "update journal_state set files = ?, cut_epoch = ?, cut_seq = ?, cut_hash = ?",
                    (state.files + 1, end.epoch, end.seq, end.hash),
                )
                if walk.head != end:
                    self._begin(db, self._opened(db).head, reason="damaged", files=state.files + 1)

        done = self._db.run(work, draining=True)
        return done if isinstance(done, Err) else Ok(len(rows) == self.limits.records)

    def shorten(self, *, older_than: float) -> Result[None, StoreError]:
        """Remove the oldest file if all of it is older than this (Unix seconds) and the hall has it; one at a time."""
        found = self.state()
        if isinstance(found, Err):
            return found
        try:
            numbers = self.files.numbers()
            if not numbers or self.files.modified(numbers[0]) >= older_than:
                return Ok(None)
            segment = self.files.read(numbers[0])
        except (JournalError, OSError):
            return Ok(None)  # what cannot be read stays where it is, for whoever checks the journal
        end = segment.before.seq + len(segment.bodies)
        if end > found.value.told:
            return Ok(None)
        # The proof comes first: killed in between, the file goes with the next try and a proof of its own.
        done = self.write(purged("journal", ids=(self.files.path(numbers[0]).name,), up_to=end))
        if isinstance(done, Ok):
            self.files.remove(numbers[0])
        return done

    # --- inside ----------------------------------------------------------------------------------------------------

    def _opened(self, db: sqlite3.Connection) -> JournalState:
        """Where it stands; inside a transaction, for the first time begins it."""
        if (state := _find_state(db)) is not None:
            return state
        before = self._end_of_all(db)
        self._begin(db, before, reason="lost" if before else "new", files=self._last_file())
        return self._opened(db)

    def _append(self, db: sqlite3.Connection, head: Head, notes: Iterable[Note], *, at_ms: int | None = None) -> None:
        at = self._now_ms() if at_ms is None else at_ms
        rows: list[tuple[int, bytes, bytes]] = []
        for note in notes:
            body = body_of(head.seq + 1, at, note)
            head = Head(head.epoch, head.seq + 1, link(head.hash, body))
            rows.append((head.seq, body, head.hash))
        if rows:
            db.executemany("insert into journal (seq, body, hash) values (?, ?, ?)", rows)
            db.execute("update journal_state set seq = ?, hash = ?", (head.seq, head.hash))

    def _begin(self, db: sqlite3.Connection, before: Head | None, *, reason: BeginReason, files: int) -> None:
        """A new epoch; what lies in the table stays with its own."""
        epoch, seq = self._random(EPOCH_BYTES), before.seq if before else 0
        (last,) = db.execute("select coalesce(max(seq), 0) from journal").fetchone()
        head = Head.before(epoch, max(seq, last))
        state = _find_state(db)
        if state is None:
            cut = self._end_of_files() or Head.before(before.epoch if before else epoch, 0 if before else head.seq)
            db.execute(
                "insert into journal_state (id, epoch, seq, hash, cut_epoch, cut_seq, cut_hash, files, checkpointed,"
                " told, puts) values (1, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0)",
                (epoch, head.seq, head.hash, cut.epoch, cut.seq, cut.hash, files),
            )
        else:
            db.execute("update journal_state set epoch = ?, seq = ?, hash = ?", (epoch, head.seq, head.hash))
        begin = Note.of(
            JournalKind.BEGIN,
            epoch=epoch,
            before_epoch=before.epoch if before else b"",
            before_seq=seq,
            before_head=before.hash if before else b"",
            reason=reason,
        )
        self._append(db, head, [begin])

    def _filed(self) -> Iterator[bytes]:
        for number in reversed(self.files.numbers()):
            # What cannot be read is told by whoever checks the journal.
            with suppress(JournalError, OSError):
                yield from reversed(self.files.read(number).bodies)

    def _last_file(self) -> int:
        return max(self.files.numbers(), default=0)

    def _end_of_all(self, db: sqlite3.Connection) -> Head | None:
        """The end of the chain as far as the last file, and what a salvaged table still holds, tell it."""
        walk = Walk(end) if (end := self._end_of_files()) else Walk.nowhere()
        for (body,) in db.execute("select body from journal order by seq"):
            walk.step(bytes(body))
        return walk.known

    def _end_of_files(self) -> Head | None:
        """The end of the chain as far as the last file tells it."""
        if not (number := self._last_file()):
            return None
        try:
            segment = self.files.read(number)
        except JournalError:
            return None
        walk = Walk(segment.before)
        for body in segment.bodies:
            walk.step(body)
        return walk.known

    def _now_ms(self) -> int:
        return round(self._clock.now().timestamp() * 1000)


def _records(bodies: Iterable[bytes]) -> Iterator[Record]:
    for body in bodies:
        with suppress(JournalError):
            yield parse_body(body)


def _find_state(db: sqlite3.Connection) -> JournalState | None:
    row = db.execute(
        "select epoch, seq, hash, cut_epoch, cut_seq, cut_hash, files, checkpointed, told, puts from journal_state"
    ).fetchone()
    if row is None:
        return None
    epoch, seq, hash_, cut_epoch, cut_seq, cut_hash, files, checkpointed, told, puts = row
    return JournalState(
        Head(bytes(epoch), seq, bytes(hash_)),
        Head(bytes(cut_epoch), cut_seq, bytes(cut_hash)),
        files,
        checkpointed,
        told,
        puts,
    )


def _tail_fits(db: sqlite3.Connection, state: JournalState) -> bool:
    """Is the last row the head? The whole chain is checked elsewhere."""
    row = db.execute("select seq, hash from journal order by seq desc limit 1").fetchone()
    return row is not None and (row[0], bytes(row[1])) == (state.head.seq, state.head.hash)
