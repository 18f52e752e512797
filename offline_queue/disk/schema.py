"""Opening the store: its migrations, and the pragmas without which a power cut loses filings."""

from __future__ import annotations

import sqlite3
import zlib
from pathlib import Path

from offline_queue.disk.migrations import MIGRATIONS

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
    """StoreDamaged if the first page names versions that SQLite does not write: it would call the file read-only.

    Not while a rollback journal lies there: a power cut came between the file's first bytes, and SQLite undoes them.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        return
    journal = path.with_name(f"{path.name}-journal")
    if journal.exists() and journal.stat().st_size:
        return
    if len(head) == _HEADER_BYTES and (head[18] not in (1, 2) or head[19] not in (1, 2)):
        raise StoreDamaged("header is damaged")


def _make_durable(connection: sqlite3.Connection) -> None:
    # These two take effect only before the first table.
    connection.execute(f"pragma page_size = {PAGE_BYTES}")
    connection.execute("pragma auto_vacuum = incremental")
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    # `fast` would leave slips and card tags in pages that nobody uses any more. A put frees none.
    connection.execute("pragma secure_delete = on").fetchall()
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

    That takes time by size: a large store is looked at when idle (`upkeep`), for a citizen waits for it.
    """
    (pages,) = connection.execute("pragma page_count").fetchone()
    (size,) = connection.execute("pragma page_size").fetchone()
    if pages * size > QUICK_CHECK_BYTES and not thorough:
        return
    rows = connection.execute(f"pragma {'integrity_check' if thorough else 'quick_check'}(1)").fetchall()
    if rows != [("ok",)]:
        raise StoreDamaged("store is damaged")
