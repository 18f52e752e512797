"""What the queue forgets, when, and the proof of it: every deletion leaves a record in the journal (删除留痕).

| what | kept |
|---|---|
| slip and card tag of a filing or printing | 24 hours |
| accepted filing, returned or not: id, hash, receipt; printing at its end | 7 days |
| draft (草稿) | 7 days |
| parked filing | until staff decide |
| numbered sheet (证照空白纸) | for ever: their audit must add up |
| damaged store that was set aside, for a technician | 30 days, and the last 3 of them |
| journal, logs | 180 days at least, the journal until the hall has it |

The contents of a filing go at once when the hall has signed for it; that is no matter of age.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from stat import S_ISREG

from kiosk.contract.journal import Note
from offline_queue.damage.salvage import damaged_files
from offline_queue.disk.contents import clear, wipe
from offline_queue.disk.files import sync_directory
from offline_queue.journal.notes import purged

ROWS_AT_ONCE = 256
"""Of each kind in one run: whoever stands in front of the screen waits for the same connection."""
_ROWS_LOOKED_AT = 8 * ROWS_AT_ONCE


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what the hall has signed for is remembered here."""

    owed: timedelta = timedelta(hours=24)
    """Sealed slip and card tag."""
    history: timedelta = timedelta(days=7)
    """Id, hash and the hall's receipt: putting the same bytes again is still Ok. So long also for printings that have
    come to their end."""
    drafts: timedelta = timedelta(days=7)
    logs: timedelta = timedelta(days=180)
    """Journal and log files, at least."""
    damaged: timedelta = timedelta(days=30)
    """What salvages set aside, for a technician. What lies in it past its own time is sealed."""
    damaged_count: int = 3
    """The last so many of them: a disk that goes on failing must not fill up."""


def forget_rows(db: sqlite3.Connection, *, owed_before: int, history_before: int) -> tuple[Note, ...]:
    """Delete what is older than these instants (Unix seconds), inside the caller's transaction; the proofs."""
    done = (
        ("slip", owed_before, _forget_slips(db, owed_before)),
        ("card_tag", owed_before, _forget_tags(db, owed_before)),
        ("accepted", history_before, _forget_accepted(db, history_before)),
        ("print", history_before, _forget_prints(db, history_before)),
    )
    clear(db, before=owed_before)
    return tuple(purged(what, ids=ids, up_to=up_to) for what, up_to, ids in done if ids)


def _forget_slips(db: sqlite3.Connection, before: int) -> tuple[str, ...]:
    forgotten = _forget_from(db, "slips", "created_at", before)
    wipe(db, [seq for seq, _ in forgotten])
    return tuple(id_ for _, id_ in forgotten if id_ is not None)


def _forget_tags(db: sqlite3.Connection, before: int) -> tuple[str, ...]:
    jobs = _names(db, "select job from prints where card_tag is not null and created_at < ? limit ?", before)
    db.executemany("update prints set card_tag = null where job = ?", [(job,) for job in jobs])
    rows = (db.execute("select seq from submissions where id = ?", (job,)).fetchone() for job in jobs)
    wipe(db, [row[0] for row in rows if row is not None])
    return jobs


def _forget_accepted(db: sqlite3.Connection, before: int) -> tuple[str, ...]:
    rows = _forget_from(db, "receipts", "accepted_at", before)
    for table in ("slips", "submissions"):
        db.executemany(f"delete from {table} where seq = ?", [(seq,) for seq, _ in rows])  # noqa: S608
    db.executemany("delete from returns where id = ?", [(id_,) for _, id_ in rows])
    # A printed receipt goes with its submission.
    db.executemany("delete from prints where job = ? and kind = 'receipt'", [(id_,) for _, id_ in rows])
    return tuple(id_ for _, id_ in rows if id_ is not None)


def _forget_prints(db: sqlite3.Connection, before: int) -> tuple[str, ...]:
    """The pages of one job of the hall go together, for their number limits how often it may be printed again; not
    while one is open, or while the hall has not heard of one."""
    jobs = _names(
        db,
        "select job from prints indexed by prints_pages where kind = 'page' and hall_job not in"
        " (select hall_job from prints indexed by prints_pages where kind = 'page'"
        " and (state not in ('proven', 'failed', 'void') or changed_at >= ?))"
        " and hall_job not in (select hall_job from outcomes) limit ?",
        before,
    )
    db.executemany("delete from prints where job = ?", [(job,) for job in jobs])
    return jobs


def _forget_from(db: sqlite3.Connection, table: str, moment: str, before: int) -> list[tuple[int, str | None]]:
    """Rows of a table that grows at its end (seq), with the ids of their submissions; None: a damage took that.

    The first ones are the oldest, but for a clock that was wrong: among the first few thousand all are found, and the
    others when those have gone.
    """
    rows = db.execute(
        f"select old.seq, id from (select seq, {moment} as at from {table} order by seq limit ?) as old"  # noqa: S608
        " left join submissions using (seq) where at < ? limit ?",
        (_ROWS_LOOKED_AT, before, ROWS_AT_ONCE),
    ).fetchall()
    db.executemany(f"delete from {table} where seq = ?", [(seq,) for seq, _ in rows])  # noqa: S608
    return rows


def _names(db: sqlite3.Connection, query: str, before: int) -> tuple[str, ...]:
    return tuple(str(row[0]) for row in db.execute(query, (before, ROWS_AT_ONCE)))


def old_files(folder: Path, pattern: str, *, before: float) -> list[Path]:
    """Files last written before this instant (Unix seconds). OSError."""
    return [path for path in sorted(folder.glob(pattern)) if _is_older(path, before)]


def old_evidence(database: Path, *, before: float, count: int) -> list[Path]:
    """What salvages set aside before this instant, and all but the last `count` of these whatever the clock says."""
    kept = damaged_files(database)
    old = [path for path in kept if path in kept[: max(0, len(kept) - count)] or _is_older(path, before)]
    # The log first: without its store nobody would find it any more.
    return [each for path in old for each in (path.with_name(f"{path.name}-wal"), path) if each.exists()]


def delete(paths: Iterable[Path]) -> None:
    """Durably; some may have gone before. OSError."""
    folders = set()
    for path in paths:
        path.unlink(missing_ok=True)
        folders.add(path.parent)
    for folder in folders:
        sync_directory(folder)


def _is_older(path: Path, instant: float) -> bool:
    try:
        status = path.stat()
    except FileNotFoundError:
        return False  # its owner was quicker
    return S_ISREG(status.st_mode) and status.st_mtime < instant
