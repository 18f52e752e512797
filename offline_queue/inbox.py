"""What was filed just now (收件箱), durable by one short row; rows with their indexes follow with the next transaction.

A filing touches ten places of the store: its row, five indexes, the print ledger. Written at once they cost more than
three times what is filed. So a put commits one row to the end of a table without indexes, and whatever transaction
comes next takes it over, at no cost of its own. On the owner's connection nobody can tell: before anything is read,
the rows are moved in a transaction that stays open until somebody commits; a kill or a power cut undoes it, and the
inbox still has them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from kiosk.contract.envelope import BlobRef

ROWS = 128
"""That many are moved by the put that brings the last of them."""

_MOVE = (
    "insert into submissions (id, application_no, sha256, envelope, size, state, attempts, created_at, slip)"
    " select id, application_no, sha256, envelope, length(envelope), 'sealed', 0, created_at, slip from inbox"
    " order by seq",
    # Filed is intended: from here on her receipt is owed to her.
    "insert into prints (job, kind, pages, hall_job, card_tag, state, numbered, denied, tries, created_at, changed_at)"
    " select id, 'receipt', 1, '', card_tag, 'intended', 0, 0, 1, created_at, created_at from inbox order by seq",
    "insert into blobs (seq, position, sha256, size)"
    " select submissions.seq, ref.key, json_extract(ref.value, '$[0]'), json_extract(ref.value, '$[1]')"
    " from inbox join submissions on submissions.id = inbox.id join json_each(inbox.blobs) as ref"
    " where inbox.blobs is not null",
    "delete from inbox",
)


@dataclass(frozen=True, slots=True)
class Filed:
    """One filing as it is put."""

    id: str
    application_no: str
    sha256: str
    envelope: bytes
    blobs: Sequence[BlobRef]
    card_tag: bytes
    slip: bytes
    created_at: int
    """Unix seconds."""


def add(db: sqlite3.Connection, filed: Filed) -> None:
    """To the end; inside the caller's transaction."""
    refs = json.dumps([(ref.sha256, ref.size) for ref in filed.blobs]) if filed.blobs else None
    row = db.execute(
        "insert into inbox (id, application_no, sha256, created_at, card_tag, slip, blobs, envelope)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            filed.id,
            filed.application_no,
            filed.sha256,
            filed.created_at,
            filed.card_tag or None,
            filed.slip,
            refs,
            filed.envelope,
        ),
    ).lastrowid
    if row is not None and row >= ROWS:
        move(db)


def sha256_of(db: sqlite3.Connection, submission_id: str) -> str | None:
    """Of what was filed under this id, wherever its row is."""
    row = db.execute(
        "select sha256 from submissions where id = ?1 union all select sha256 from inbox where id = ?1",
        (submission_id,),
    ).fetchone()
    return None if row is None else str(row[0])


def owner_of(db: sqlite3.Connection, application_no: str) -> tuple[str, str] | None:
    """Id and hash of what was filed under this number."""
    row = db.execute(
        "select id, sha256 from submissions where application_no = ?1"
        " union all select id, sha256 from inbox where application_no = ?1",
        (application_no,),
    ).fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def is_empty(db: sqlite3.Connection) -> bool:
    """Nothing waits to be moved."""
    return db.execute("select 1 from inbox limit 1").fetchone() is None


def move(db: sqlite3.Connection) -> None:
    """To where everybody looks; inside a transaction."""
    for statement in _MOVE:
        db.execute(statement)
