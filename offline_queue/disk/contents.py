"""What was filed, sealed, until the hall has signed for it: one row for each filing, written once.

A filing touches ten places of the store: its row, its indexes, the print ledger. Written at once they cost several
times what is filed. So a put commits one row to a table without indexes, and whatever transaction comes next enters it
where everybody looks (`move`), at no cost of its own; the contents stay where they are. On the owner's connection
nobody can tell: before anything is read, the rows are entered in a transaction that stays open until somebody commits.
A kill or a power cut undoes that, and the contents are still there: not entered is whatever has a higher number than
the last submission.

Some places are laid out beforehand (`lay_out`). A filing that fits is written over what lay there, byte by byte into
the same pages: two instead of five, for no page is taken from anywhere. When they are taken, or when a filing is
larger, a row is added at the end; such rows go page by page when the hall has signed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from kiosk.contract.envelope import BlobRef

ROWS = 128
"""That many are entered by the put that brings the last of them."""
PLACES = 64
"""Laid out beforehand, 1 to this; a row at the end lies at its own number behind them."""
PLACE_BYTES = 480 + 2 * (1024 - 4)
"""Of a record: so that two share a page of the table, for a page that the disk loses should take few filings with it,
and two pages of their own follow, of which a short record leaves the second one alone (fileformat2.html §1.6)."""


def _of_new(statement: str, rest: str = "") -> str:
    return (
        f"{statement} from (select * from contents where place <= :places and taken = 1 and seq > :last"  # noqa: S608
        f" union all select * from contents where place > :places + :last) {rest}"
    )


_READ = _of_new("select id, sha256, application_no, seq")
_ENTER = (
    # The hour of the next try is set, so that the row never grows: it is dropped for what the hall's word needs.
    _of_new(
        "insert into submissions (seq, id, application_no, sha256, size, state, attempts, created_at, next_at, place,"
        " corrects) select seq, id, application_no, sha256, length(envelope), 'sealed', 0, created_at, created_at,"
        " place, corrects",
        "order by seq",
    ),
    # Filed is intended: from here on her receipt is owed to her.
    _of_new(
        "insert or ignore into prints (job, kind, pages, hall_job, card_tag, state, numbered, denied, tries,"
        " created_at, changed_at) select id, 'receipt', 1, '', card_tag, 'intended', 0, 0, 1, created_at, created_at",
        "order by seq",
    ),
    _of_new(
        "insert or replace into slips (seq, created_at, slip) select seq, created_at, slip",
        "where length(slip) > 0 order by seq",
    ),
    _of_new(
        "insert or replace into blobs (seq, position, sha256, size)"
        " select seq, ref.key, json_extract(ref.value, '$[0]'), json_extract(ref.value, '$[1]')",
        "join json_each(blobs) as ref where blobs is not null",
    ),
)
_LOOK = (
    "select id, sha256 from submissions where id = ?1"
    " union all select id, sha256 from submissions where application_no = ?2"
)
_ADD = (
    "insert into contents (taken, seq, id, application_no, sha256, created_at, card_tag, slip, blobs, envelope,"
    " corrects, place) values (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_OVER = (
    "update contents set taken = 1, seq = ?, id = ?, application_no = ?, sha256 = ?, created_at = ?, card_tag = ?,"
    " slip = ?, blobs = ?, envelope = ?, corrects = ?, spare = zeroblob(?) where place = ? and taken = 0"
)
_LAY = "insert or ignore into contents (place, taken, seq, spare) values (?, 0, 0, zeroblob(?))"

_TYPES = 1 + 13
"""Bytes of a record: the header's length, and a type for each column."""
_INTEGER_BYTES = (0,) * 2 + (1,) * 6 + (2,) * 8 + (3,) * 8 + (4,) * 8 + (6,) * 16 + (8,) * 16
"""By bits: 0 and 1 have a type of their own, and one bit is the sign's."""


class Filed(NamedTuple):
    """One filing as it is put; no dataclass, for a frozen one takes longer to make than its row takes to find."""

    id: str
    application_no: str
    sha256: str
    envelope: bytes
    blobs: Sequence[BlobRef]
    card_tag: bytes
    slip: bytes
    created_at: int
    """Unix seconds."""
    corrects: str = ""
    """The number of the case that it corrects (补正)."""


class Known(Enum):
    """What is known of an id and its number."""

    NEW = auto()
    SAME = auto()
    """Here already, with these bytes."""
    OTHER_BYTES = auto()
    """This id was filed with other bytes."""
    NUMBER_USED = auto()
    """By another filing."""


class Arrivals:
    """What one connection knows of the filings that are not entered; used by one thread at a time.

    It knows nothing that the file does not say: `forget` it when the connection is lost.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """The connection is another one."""
        self._new: dict[str, str] | None = None
        """Hash by id, of what may not be entered yet."""
        self._owners: dict[str, str] = {}
        """Id by application number."""
        self._last = 0
        self._place = 0

    def enter(self, db: sqlite3.Connection) -> None:
        """Enter what is new, in a transaction that stays open; does nothing inside one, for there it was done."""
        if db.in_transaction or self._new == {} or not self._read(db):
            return
        db.execute("begin immediate")
        try:
            move(db)
        except BaseException:
            _roll_back(db)
            raise

    def look(self, db: sqlite3.Connection, filed: Filed) -> Known:
        """Was it filed before, wherever its row is?"""
        new = self._read(db) if self._new is None else self._new
        found = db.execute(_LOOK, (filed.id, filed.application_no)).fetchall()
        if filed.id in new:
            found.append((filed.id, new[filed.id]))
        if filed.application_no in self._owners:
            owner = self._owners[filed.application_no]
            found.append((owner, new[owner]))
        for id_, sha256 in found:
            if id_ == filed.id:
                return Known.SAME if sha256 == filed.sha256 else Known.OTHER_BYTES
        return Known.NUMBER_USED if found else Known.NEW

    def add(self, db: sqlite3.Connection, filed: Filed) -> None:
        """Durable when it returns, together with whatever transaction was open. `look` has said that it is new."""
        new = self._read(db) if self._new is None or len(self._new) + 1 >= ROWS else self._new
        try:
            if len(new) + 1 >= ROWS:
                if not db.in_transaction:
                    db.execute("begin immediate")
                self._write(db, filed)
                move(db)
            else:
                self._write(db, filed)
            if db.in_transaction:
                db.execute("commit")
        except BaseException:
            _roll_back(db)
            raise
        new[filed.id] = filed.sha256
        self._owners[filed.application_no] = filed.id
        if len(new) >= ROWS:
            self._new = None

    def _read(self, db: sqlite3.Connection) -> dict[str, str]:
        last = last_entered(db)
        rows = db.execute(_READ, {"places": PLACES, "last": last}).fetchall()
        self._new = {id_: sha256 for id_, sha256, _, _ in rows}
        self._owners = {number: id_ for id_, _, number, _ in rows}
        # Never a number that a row of this store has, nor one that was given since it was opened.
        self._last = max(self._last, last, *(seq for _, _, _, seq in rows))
        return self._new

    def _write(self, db: sqlite3.Connection, filed: Filed) -> None:
        self._last = seq = self._last + 1
        refs = json.dumps([(ref.sha256, ref.size) for ref in filed.blobs]) if filed.blobs else None
        spare = spare_bytes(
            (seq, filed.created_at),
            (
                len(filed.id),
                len(filed.application_no),
                len(filed.sha256),
                len(filed.card_tag),
                len(filed.slip),
                len(refs or ""),
                len(filed.envelope),
                len(filed.corrects),
            ),
        )
        values = (
            seq,
            filed.id,
            filed.application_no,
            filed.sha256,
            filed.created_at,
            filed.card_tag or None,
            filed.slip,
            refs,
            filed.envelope,
            filed.corrects or None,
        )
        if spare is not None:
            # Round and round: the next one was delivered longest ago. One that is still taken is passed over.
            self._place = self._place % PLACES + 1
            if db.execute(_OVER, (*values, spare, self._place)).rowcount == 1:
                return
        db.execute(_ADD, (*values, PLACES + seq))


def _roll_back(db: sqlite3.Connection) -> None:
    # Some storage errors end the transaction by themselves.
    if db.in_transaction:
        db.execute("rollback")


def last_entered(db: sqlite3.Connection) -> int:
    """The highest number that a submission has."""
    (last,) = db.execute("select max(seq) from submissions").fetchone()
    return int(last or 0)


def move(db: sqlite3.Connection) -> None:
    """Enter what is new where everybody looks; inside a transaction."""
    # Asked once: the first statement makes them the last submissions.
    new = {"places": PLACES, "last": last_entered(db)}
    for statement in _ENTER:
        db.execute(statement, new)


def release(db: sqlite3.Connection, places: Sequence[int]) -> None:
    """Forget what lies there: the hall has signed for it. Inside a transaction."""
    # Its bytes stay until they are written over: sealed, as in every page that SQLite frees.
    db.executemany("update contents set taken = 0 where place = ?", [(place,) for place in places if place <= PLACES])
    db.executemany("delete from contents where place = ?", [(place,) for place in places if place > PLACES])


def wipe(db: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Overwrite slip and card tag of these submissions, wherever their contents lie: no byte longer or shorter."""
    db.executemany(
        "update contents set slip = zeroblob(length(slip)), card_tag = zeroblob(length(card_tag))"
        " where place = (select place from submissions where seq = ?1) and seq = ?1",
        [(seq,) for seq in numbers],
    )


def clear(db: sqlite3.Connection, *, before: int) -> None:
    """Overwrite what lies in free places since before this instant (Unix seconds). Inside a transaction."""
    db.execute(
        "update contents set seq = 0, id = null, application_no = null, sha256 = null, created_at = null,"
        " card_tag = null, slip = null, blobs = null, envelope = null, corrects = null, spare = zeroblob(?)"
        " where place <= ? and taken = 0 and created_at < ?",
        (spare_bytes((), ()), PLACES, before),
    )


def lay_out(db: sqlite3.Connection) -> None:
    """Make the places that are missing; inside a transaction."""
    db.executemany(_LAY, [(place, spare_bytes((), ())) for place in range(1, PLACES + 1)])


def is_laid_out(db: sqlite3.Connection) -> bool:
    """Are all places there?"""
    (count,) = db.execute("select count(*) from contents where place <= ?", (PLACES,)).fetchone()
    return bool(count == PLACES)


def spare_bytes(numbers: Sequence[int], lengths: Sequence[int]) -> int | None:
    """How long the last column must be, so that a record fills a place: only then is it written over what lies there.

    None: it cannot. `numbers`: integers in the record besides `place` and `taken`, not negative; `lengths`: of its
    texts (ASCII) and blobs, 0 for null.
    """
    left = PLACE_BYTES - _TYPES
    for number in numbers:
        left -= _INTEGER_BYTES[number.bit_length()]
    for length in lengths:
        # The number of its type, which is twice the length and 12 or 13, is written with seven bits to a byte.
        left -= length + (length > 57) + (length > 8185)
    # And so is that of the last column; 58 is what no length adds up to.
    if left > 58:
        return left - 1
    return left if 0 <= left < 58 else None
