"""The store's schema: migrations by `user_version`, and the pragmas without which a power cut loses filings."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

PAGE_BYTES = 1024
"""A commit writes whole pages: small ones wear the flash less. Only for a store that is new."""
WAL_PAGES = 1024
"""Checkpoint early, for a long WAL is room that a full disk does not have; but each costs two fsyncs."""
WAL_BYTES = 1152 * 1024
QUICK_CHECK_BYTES = 4 * 1024 * 1024
"""A few thousand waiting submissions; about 10 ms."""
_SYNCHRONOUS_FULL = 2
_HEADER_BYTES = 100
"""sqlite.org/fileformat2.html §1.3; bytes 18 and 19 are the write and read version, 2 for WAL."""


class SchemaError(RuntimeError):
    """This file must not be used as the queue's store."""


class StoreDamaged(SchemaError):
    """SQLite finds its own structures damaged."""


def _first(db: Database) -> None:
    """Submissions, the blobs that they need, and the day's counters. Instants are Unix seconds, UTC."""
    db.table("submissions").create(
        {
            "seq": int,
            "id": str,
            "application_no": str,
            "sha256": str,
            "envelope": bytes,
            "size": int,
            "state": str,
            "attempts": int,
            "next_at": int,
            "last_code": str,
            "created_at": int,
            "accepted_at": int,
            "receipt": bytes,
            "card_tag": bytes,
            "slip": bytes,
            "receipt_state": str,
        },
        pk="seq",
        not_null={"id", "application_no", "sha256", "size", "state", "attempts", "created_at", "receipt_state"},
        strict=True,
    )
    db.table("submissions").create_index(["id"], unique=True)
    db.table("submissions").create_index(["application_no"], unique=True)
    # Partial indexes: finding work stays quick when a long history of accepted rows lies in the table.
    db.execute("create index submissions_unsent on submissions (seq) where state = 'sealed'")
    db.execute("create index submissions_parked on submissions (seq) where state = 'parked'")
    db.execute("create index submissions_tag on submissions (card_tag) where card_tag is not null")
    db.table("blobs").create(
        {"seq": int, "position": int, "sha256": str, "size": int},
        pk=("seq", "position"),
        not_null={"sha256", "size"},
        foreign_keys=[("seq", "submissions", "seq")],
        strict=True,
    )
    db.table("blobs").create_index(["sha256"])
    db.table("counters").create({"day": str, "serial": int}, pk="day", not_null={"serial"}, strict=True)


def _second(db: Database) -> None:
    """The print ledger: what was known of receipts moves into it, pages and numbered sheets come new."""
    db.table("prints").create(
        {
            "job": str,
            "kind": str,
            "pages": int,
            "hall_job": str,
            "card_tag": bytes,
            "state": str,
            "attempt": str,
            "numbered": int,
            "serial": str,
            "fault": str,
            "reason": str,
            "denied": int,
            "replaces": str,
            "tries": int,
            "created_at": int,
            "changed_at": int,
            "sent_at": int,
        },
        pk="job",
        not_null={"kind", "pages", "hall_job", "state", "numbered", "denied", "tries", "created_at", "changed_at"},
        strict=True,
    )
    db.execute("create index prints_tag on prints (card_tag) where card_tag is not null")
    db.execute("create index prints_hall on prints (hall_job) where hall_job != ''")
    open_pages = "kind = 'page' and state in ('intended', 'sent', 'unknown')"
    db.execute(f"create index prints_open on prints (created_at) where {open_pages}")
    db.execute(
        "insert into prints (job, kind, pages, hall_job, card_tag, state, numbered, denied, tries, created_at,"
        " changed_at) select id, 'receipt', 1, '', nullif(card_tag, x''), case receipt_state when 'started' then 'sent'"
        " when 'proven' then 'proven' else 'intended' end, 0, 0, 1, created_at, created_at from submissions"
    )
    db.execute("drop index submissions_tag")
    db.execute("alter table submissions drop column receipt_state")
    db.execute("alter table submissions drop column card_tag")
    db.table("sheets").create(
        {"position": int, "serial": str, "state": str, "job": str, "reason": str, "changed_at": int},
        pk="position",
        not_null={"serial", "state", "changed_at"},
        strict=True,
    )
    db.table("sheets").create_index(["serial"], unique=True)
    db.execute("create index sheets_stock on sheets (position) where state in ('stock', 'taken')")
    # What the hall must hear, in the order in which it happened; a row goes when the hall has confirmed it.
    db.table("outcomes").create(
        {
            "seq": int,
            "hall_job": str,
            "job": str,
            "try": int,
            "outcome": str,
            "pages": int,
            "fault": str,
            "serial": str,
            "reason": str,
            "at": int,
            "refused": str,
        },
        pk="seq",
        not_null={"hall_job", "job", "try", "outcome", "pages", "fault", "serial", "reason", "at"},
        strict=True,
    )


def _journal(db: Database) -> None:
    """The end of the journal (流水); what is older lies in files. What is in the queue already is journalled anew."""
    db.table("journal").create(
        {"seq": int, "body": bytes, "hash": bytes}, pk="seq", not_null={"body", "hash"}, strict=True
    )
    db.table("journal_state").create(
        {
            "id": int,
            "epoch": bytes,
            "seq": int,
            "hash": bytes,
            "cut_epoch": bytes,
            "cut_seq": int,
            "cut_hash": bytes,
            "files": int,
            "checkpointed": int,
            "told": int,
            "puts": int,
        },
        pk="id",
        not_null={"epoch", "seq", "hash", "cut_epoch", "cut_seq", "cut_hash", "files", "checkpointed", "told", "puts"},
        strict=True,
    )
    # A submission is journalled after its row is durable, by its seq; numbers come back when the last row goes.
    db.execute(
        "create trigger journal_puts after delete on submissions"
        " when old.seq > (select coalesce(max(seq), 0) from submissions) begin"
        " update journal_state set puts = min(puts, (select coalesce(max(seq), 0) from submissions)); end"
    )


def _inbox(db: Database) -> None:
    """Where a filing comes to lie first; no index, no uniqueness: whoever adds has looked. Envelopes last, for they
    run over the page's end."""
    db.table("inbox").create(
        {
            "seq": int,
            "id": str,
            "application_no": str,
            "sha256": str,
            "created_at": int,
            "card_tag": bytes,
            "slip": bytes,
            "blobs": str,
            "envelope": bytes,
        },
        pk="seq",
        not_null={"id", "application_no", "sha256", "created_at", "envelope"},
        strict=True,
    )


MIGRATIONS: tuple[Callable[[Database], None], ...] = (_first, _second, _journal, _inbox)


def connect(path: Path) -> sqlite3.Connection:
    """Open the store for its one owner, migrated and with durability proven by reading the pragmas back.

    Raises SchemaError or sqlite3.Error. The connection is used by one thread at a time.
    """
    _check_header(path)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2)
    try:
        _make_durable(connection)
        _check_schema(connection)
        _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_header(path: Path) -> None:
    """StoreDamaged if the first page names versions that SQLite does not write: it would call the file read-only."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        return
    if len(head) == _HEADER_BYTES and (head[18] not in (1, 2) or head[19] not in (1, 2)):
        raise StoreDamaged("header is damaged")


def _make_durable(connection: sqlite3.Connection) -> None:
    # These two take effect only before the first table.
    connection.execute(f"pragma page_size = {PAGE_BYTES}")
    connection.execute("pragma auto_vacuum = incremental")
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    # What is deleted is sealed; zeroing pages that nobody uses any more would be written twice.
    connection.execute("pragma secure_delete = fast").fetchall()
    connection.execute(f"pragma wal_autocheckpoint = {WAL_PAGES}")
    connection.execute(f"pragma journal_size_limit = {WAL_BYTES}")
    connection.execute("pragma foreign_keys = on")
    require_durable(connection)


def require_durable(connection: sqlite3.Connection) -> None:
    """SchemaError unless a commit on this connection survives a power cut."""
    (journal,) = connection.execute("pragma journal_mode").fetchone()
    (synchronous,) = connection.execute("pragma synchronous").fetchone()
    if journal != "wal" or synchronous != _SYNCHRONOUS_FULL:
        raise SchemaError(f"store is not durable: journal {journal}, synchronous {synchronous}")


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("pragma user_version").fetchone()
    if version > len(MIGRATIONS):
        raise SchemaError(f"store has schema {version}; this program knows {len(MIGRATIONS)}")
    if version == len(MIGRATIONS):
        if version and not _pragma(connection, "application_id"):
            connection.execute(f"pragma application_id = {_fingerprint(connection)}")
        return
    # Imported only when there is something to migrate: it takes longer than everything else in a restart.
    from sqlite_utils import Database

    db = Database(connection, recursive_triggers=False, execute_plugins=False)
    for number, migrate in enumerate(MIGRATIONS[version:], start=version + 1):
        with db.atomic():
            migrate(db)
            connection.execute(f"pragma user_version = {number}")
            connection.execute(f"pragma application_id = {_fingerprint(connection)}")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"pragma {name}").fetchone()[0])


def _fingerprint(connection: sqlite3.Connection) -> int:
    """Of the words that made the tables; a positive number, never 0."""
    kept, connection.text_factory = connection.text_factory, bytes
    try:
        rows = connection.execute("select type, name, tbl_name, sql from sqlite_master order by name").fetchall()
    finally:
        connection.text_factory = kept
    return zlib.crc32(repr(rows).encode()) & 0x7FFFFFFF or 1


def _check_schema(connection: sqlite3.Connection) -> None:
    """StoreDamaged if the disk changed a letter of it: SQLite would take that for another name of a column."""
    if (known := _pragma(connection, "application_id")) and known != _fingerprint(connection):
        raise StoreDamaged("schema is damaged")


def verify(connection: sqlite3.Connection, *, thorough: bool = False) -> None:
    """StoreDamaged if SQLite finds its own structures damaged. Contents are checked by hash where they are used.

    That takes time by size: a large store is looked at when idle (`offline_queue.upkeep`), for a citizen waits for it.
    """
    (pages,) = connection.execute("pragma page_count").fetchone()
    (size,) = connection.execute("pragma page_size").fetchone()
    if pages * size > QUICK_CHECK_BYTES and not thorough:
        return
    rows = connection.execute(f"pragma {'integrity_check' if thorough else 'quick_check'}(1)").fetchall()
    if rows != [("ok",)]:
        raise StoreDamaged("store is damaged")
