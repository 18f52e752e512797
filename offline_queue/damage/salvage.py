"""A damaged store is set aside as evidence (``queue.db.damaged-1``), and what can still be read goes on in a new one.

First what SQLite itself still gives, table by table; then filings out of the raw pages, for an envelope says by itself
what it is. A filing that the hall has long signed for may be found again: it is announced again, and the hall knows it.
A power cut at any moment leaves the old file or the new one, never a mixture.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from kiosk.contract.envelope import Envelope, EnvelopeError, parse_envelope
from kiosk.contract.numbers import ApplicationNumber
from kiosk.core.ports import SubmissionState
from offline_queue.damage import pages
from offline_queue.damage.sanity import fits, is_sha256
from offline_queue.disk.contents import PLACES
from offline_queue.disk.files import sync_directory
from offline_queue.disk.schema import connect

_log = logging.getLogger(__name__)
_DAMAGED = ".damaged-"
_COPY = ".reading"
"""What is read; the evidence stays as it was found."""
_UNFINISHED = ".new"
_FRESH = ".fresh"
"""Whole and durable; takes the place of the damaged one, at the next start if need be."""
_BESIDE = ("", "-wal", "-shm")
_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_NUMBER_LENGTH = 21
_SECTOR, _STRIDE = 512, 1024 * 1024
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""SQLite's words about a damaged schema may be no text themselves."""
_CONTENTS_COLUMNS, _TAKEN = (12, 13), 1
"""A row that was written before there were corrections ends one column earlier."""
_SINCE, _UNTIL = 1_600_000_000, 4_000_000_000
"""Unix seconds that can be a filing's."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """Submissions that were brought over, and those of which only a trace is left."""

    kept: int
    lost: int


def is_damage(error: sqlite3.Error) -> bool:
    """Does SQLite say that the file itself is spoilt, not that it cannot get at it?"""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _CORRUPT


def salvage(path: Path) -> Salvaged:
    """Make a new store of what can be read in the damaged one at `path`, and put it in its place.

    Raises OSError or sqlite3.Error if this disk does not let us; then nothing has changed.
    """
    copy, unfinished = _sibling(path, _COPY), _sibling(path, _UNFINISHED)
    for leftover in (copy, unfinished):
        _forget(leftover)
    try:
        for beside in _BESIDE[:2]:
            with suppress(FileNotFoundError):
                _copy(_sibling(path, beside), _sibling(copy, beside))
        with closing(connect(unfinished)) as fresh:
            found = _bring_over(copy, fresh)
            fresh.execute("pragma wal_checkpoint(truncate)").fetchall()
        _sync_file(unfinished)
        unfinished.rename(_sibling(path, _FRESH))
        sync_directory(path.parent)
    finally:
        for leftover in (copy, unfinished):
            _forget(leftover)
    finish(path)
    _log.error("store was damaged: %d submissions brought over, %d lost", found.kept, found.lost)
    return found


def _copy(source: Path, target: Path) -> None:
    """All that the disk still gives, zeros for the sectors that it does not."""
    with source.open("rb", buffering=0) as there, target.open("wb") as here:
        size = os.fstat(there.fileno()).st_size
        for at in range(0, size, _STRIDE):
            here.write(_read(there.fileno(), at, min(_STRIDE, size - at)))


def _read(descriptor: int, at: int, length: int) -> bytes:
    try:
        return os.pread(descriptor, length, at)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
    if length <= _SECTOR:
        return bytes(length)
    end = at + length
    return b"".join(_read(descriptor, here, min(_SECTOR, end - here)) for here in range(at, end, _SECTOR))


def finish(path: Path) -> None:
    """Put a salvaged store in the place of the damaged one; nothing to do if there is none. OSError."""
    for copy in (_COPY, _UNFINISHED):  # of a salvage that was killed: nobody else would ever find them
        _forget(_sibling(path, copy))
    fresh = _sibling(path, _FRESH)
    if not fresh.exists():
        return
    _keep_evidence(path)
    # Before the new file has this name: another store's log must not be played into it.
    for beside in _BESIDE[1:]:
        _sibling(path, beside).unlink(missing_ok=True)
    sync_directory(path.parent)
    fresh.rename(path)
    sync_directory(path.parent)


def damaged_files(path: Path) -> list[Path]:
    """The evidence, oldest first, without what lies beside each."""
    found = path.parent.glob(f"{path.name}{_DAMAGED}*")
    return sorted((each for each in found if each.suffix[len(_DAMAGED) :].isdigit()), key=_number)


def _keep_evidence(path: Path) -> None:
    """Further names for the damaged files; once, however often this is cut off."""
    kept = damaged_files(path)
    if not path.exists() or any(each.samefile(path) for each in kept):
        return
    number = 1 + max(map(_number, kept), default=0)
    for beside in reversed(_BESIDE[:2]):
        with suppress(FileNotFoundError):
            os.link(_sibling(path, beside), evidence := _sibling(path, f"{_DAMAGED}{number}{beside}"))
            os.utime(evidence)  # its days begin when it is set aside
    sync_directory(path.parent)


def _number(path: Path) -> int:
    return int(path.suffix[len(_DAMAGED) :])


def _sibling(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _forget(path: Path) -> None:
    for beside in _BESIDE:
        _sibling(path, beside).unlink(missing_ok=True)


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


# --- what can be read ------------------------------------------------------------------------------------------------


def _bring_over(copy: Path, fresh: sqlite3.Connection) -> Salvaged:
    fresh.execute("pragma foreign_keys = off")
    tables = [str(name) for (name,) in fresh.execute("select name from sqlite_master where type = 'table'").fetchall()]
    fresh.execute("begin immediate")
    with closing(sqlite3.connect(copy, isolation_level=None)) as old:
        old.text_factory = bytes
        for table in tables:
            if not table.startswith("sqlite_"):
                _copy_table(old, fresh, table)
        with suppress(*_UNREADABLE):
            old.execute("pragma wal_checkpoint(truncate)").fetchall()
    _enter_again(fresh)
    for row in pages.rows_of(copy.read_bytes()):
        _find_filing(fresh, row)
    _mend(fresh)
    lost = fresh.execute(
        "select count(*) from prints where kind = 'receipt' and job not in (select id from submissions)"
        " and job not in (select id from contents where taken = 1)"
    ).fetchone()[0]
    kept = fresh.execute(
        "select (select count(*) from submissions) + (select count(*) from contents where taken = 1"
        " and id not in (select id from submissions))"
    ).fetchone()[0]
    fresh.execute("commit")
    return Salvaged(int(kept), int(lost))


def _copy_table(old: sqlite3.Connection, fresh: sqlite3.Connection, table: str) -> None:
    """Every row that can be read, from both ends towards the damage."""
    wanted = [str(row[1]) for row in fresh.execute(f"pragma table_info({table})")]
    try:
        there = {bytes(row[1]).decode() for row in old.execute(f"pragma table_info({table})")}
    except _UNREADABLE:
        return
    columns = [name for name in wanted if name in there]
    if not columns:
        return
    kinds = {str(row[1]): str(row[2]) for row in fresh.execute(f"pragma table_info({table})")}
    names = ", ".join(f'"{name}"' for name in columns)
    insert = f'insert or ignore into "{table}" ({names}) values ({", ".join("?" * len(columns))})'  # noqa: S608
    for row in _readable(old, f'select {names} from "{table}" not indexed'):  # noqa: S608
        with suppress(*_UNREADABLE):  # a row that its own table refuses
            values = {name: _typed(value, kinds[name]) for value, name in zip(row, columns, strict=True)}
            if fits(table, values):
                fresh.execute(insert, tuple(values.values()))


def _readable(old: sqlite3.Connection, select: str) -> Iterator[tuple[object, ...]]:
    for order in ("", " order by rowid desc"):
        with suppress(*_UNREADABLE):
            cursor = old.execute(select + order)
            while (row := cursor.fetchone()) is not None:
                yield row
            return


def _typed(value: object, kind: str) -> object:
    """Text comes as bytes, because damaged text may be none."""
    return value.decode() if isinstance(value, bytes) and kind == "TEXT" else value


def _enter_again(fresh: sqlite3.Connection) -> None:
    """Contents that have lost their submission are as good as new, and are entered as new ones are."""
    fresh.execute(
        "delete from contents where taken = 1"
        " and (id is null or envelope is null or id in (select id from submissions where state = 'accepted')"
        # What lies elsewhere than its submission says is found once more, page by page, and laid where it belongs.
        " or exists (select 1 from submissions where submissions.id = contents.id and submissions.place"
        " is not contents.place))"
    )
    fresh.execute(
        "update contents set seq = (select seq from submissions where submissions.id = contents.id)"
        " where taken = 1 and id in (select id from submissions)"
    )
    lost = fresh.execute(
        "select place from contents where taken = 1 and id not in (select id from submissions) order by seq"
    ).fetchall()
    (last,) = fresh.execute(
        "select max((select coalesce(max(seq), 0) from submissions), (select coalesce(max(seq), 0) from contents))"
    ).fetchone()
    for seq, (place,) in enumerate(lost, start=last + 1):
        # A number that another filing has by now, for a bit of it has changed, must not stop everything.
        fresh.execute(
            "update contents set seq = ?1, place = iif(place > ?2, ?2 + ?1, place), application_no = iif("
            "application_no is null or application_no in (select application_no from submissions), id, application_no)"
            " where place = ?3",
            (seq, PLACES, place),
        )


def _find_filing(fresh: sqlite3.Connection, row: pages.Row) -> None:
    """A row that holds an envelope is a filing, whatever became of the rest of its table."""
    found = _envelope(row)
    if found is None or _is_over(row):
        return
    raw, envelope = found
    known = fresh.execute(
        "select submissions.seq, submissions.state, contents.envelope is not null from submissions"
        " left join contents on contents.place = submissions.place and contents.id = submissions.id"
        " where submissions.id = ?",
        (envelope.header.id,),
    ).fetchone()
    if known is not None:
        seq, state, whole = known
        if state != SubmissionState.ACCEPTED and not whole:
            _lay(fresh, seq, raw)
        return
    header = envelope.header
    texts = [value for value in row.values if isinstance(value, str)]
    # The number's first writing is in the envelope; this one is for people, and may be as damaged as the rest.
    number = min(texts, key=lambda text: (not _is_number(text), len(text) != _NUMBER_LENGTH), default=header.id)
    if fresh.execute("select 1 from submissions where application_no = ?", (number,)).fetchone() is not None:
        number = header.id
    moments = [value for value in row.values if isinstance(value, int) and _SINCE < value < _UNTIL]
    with suppress(*_UNREADABLE):
        fresh.execute(
            "insert into submissions (seq, id, application_no, sha256, size, state, attempts, created_at)"
            " select max(coalesce(max(seq), 0), (select coalesce(max(seq), 0) from contents)) + 1,"
            " ?1, ?2, ?3, ?4, ?5, 0, ?6 from submissions"
            " where not exists (select 1 from contents where id = ?1 and taken = 1)",
            (
                header.id,
                number,
                # As it was written beside it, so that an envelope that has changed since is found out.
                next(filter(is_sha256, texts), envelope.sha256),
                len(raw),
                "parked" if "parked" in texts else "sealed",
                min(moments, default=int(header.created_at.timestamp())),
            ),
        )
        entered = fresh.execute("select seq from submissions where id = ?", (header.id,)).fetchone()
        if entered is not None:
            _lay(fresh, entered[0], raw)


def _lay(fresh: sqlite3.Connection, seq: int, envelope: bytes) -> None:
    """The contents of a submission."""
    fresh.execute("update submissions set place = ? where seq = ?", (PLACES + seq, seq))
    fresh.execute(
        "insert or replace into contents (place, taken, seq, id, application_no, sha256, created_at, envelope)"
        " select place, 1, seq, id, application_no, sha256, created_at, ? from submissions where seq = ?",
        (envelope, seq),
    )


def _is_over(row: pages.Row) -> bool:
    """What lies in a place that was laid out, and that the hall has signed for, maybe long ago."""
    return 1 <= row.rowid <= PLACES and len(row.values) in _CONTENTS_COLUMNS and row.values[_TAKEN] == 0


def _envelope(row: pages.Row) -> tuple[bytes, Envelope] | None:
    for value in row.values:
        if isinstance(value, bytes):
            with suppress(EnvelopeError):
                return value, parse_envelope(value)
    return None


def _is_number(text: str) -> bool:
    try:
        return str(ApplicationNumber.parse(text)) == text
    except ValueError:
        return False


def _mend(fresh: sqlite3.Connection) -> None:
    """What belongs to each submission and can be had from its envelope: materials, and the receipt that is owed."""
    fresh.execute("delete from blobs where seq not in (select seq from submissions)")
    rows = fresh.execute(
        "select submissions.seq, submissions.id, envelope, submissions.created_at from submissions"
        " join contents using (place) where envelope is not null and taken = 1"
    ).fetchall()
    for seq, id_, raw, created in rows:
        with suppress(EnvelopeError, sqlite3.Error):
            blobs = parse_envelope(bytes(raw)).header.blobs
            fresh.execute("delete from blobs where seq = ?", (seq,))
            fresh.executemany(
                "insert into blobs (seq, position, sha256, size) values (?, ?, ?, ?)",
                [(seq, position, ref.sha256, ref.size) for position, ref in enumerate(blobs)],
            )
        fresh.execute(
            "insert or ignore into prints (job, kind, pages, hall_job, state, numbered, denied, tries, created_at,"
            " changed_at) values (?, 'receipt', 1, '', 'intended', 0, 0, 1, ?, ?)",
            (id_, created, created),
        )
