"""What a store needs when nobody needs it: freed room given back, contents looked at. In slices, for a citizen's put
waits for the same connection; nothing here holds it longer than a few milliseconds."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kiosk.core.ports import StoreError
from kiosk.core.result import Err, Ok, Result
from offline_queue.damage.sanity import makes_sense
from offline_queue.disk.contents import is_laid_out, lay_out
from offline_queue.disk.database import Arrived, OwnedDatabase, transaction
from offline_queue.disk.schema import WAL_BYTES

_PAGES_AT_ONCE = 128
_ROWS_AT_ONCE = 32
_ROWS_COMPARED = 512
_LAST_SEQ = 2**63 - 1
_SLACK_PAGES = 64
"""Room for the next filings; giving it back and taking it again would be for nothing."""
_LAY_OUT_BYTES = 4 * 1024 * 1024
_BLOCK = 4096
_INCREMENTAL = 2


@dataclass(frozen=True, slots=True)
class UpkeepLimits:
    """Seconds."""

    compact_s: float = 5.0
    look_s: float = 0.5
    """For looking at contents in one go, and for looking at their index; the next one goes on from there."""
    pause_s: float = 0.001
    """Between two slices, for whoever waits."""
    clear_s: float = 3600.0
    """Between two clearings of the log: each writes all of it, and flash wears out."""


class Upkeep:
    """Of one store; used from one thread."""

    def __init__(
        self,
        db: OwnedDatabase,
        *,
        set_aside: Callable[[sqlite3.Connection, str], None],
        roomy: Callable[[], bool],
        limits: UpkeepLimits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`set_aside` is told, inside a transaction, of a submission whose bytes the disk changed. `roomy`: is there
        more room on the disk than filings need?"""
        self._db = db
        self._roomy = roomy
        self._set_aside = set_aside
        self._limits = limits or UpkeepLimits()
        self._monotonic = monotonic
        self._sleep = sleep
        self._looked = self._compared = self._compared_blobs = 0
        # A process that was killed may have left the log as it was.
        self._log_tells = True
        self._clear_at = monotonic()

    def forgot(self) -> None:
        """Something was overwritten in the tables; the log has it still."""
        self._log_tells = True

    def compact(self) -> Result[None, StoreError]:
        """Give freed pages back to the file system, until hardly any are left or the time is over."""
        until = self._monotonic() + self._limits.compact_s
        while True:
            more = self._db.run(_give_back, draining=True, arrived=Arrived.COMMITTED)
            if isinstance(more, Err):
                return more
            if not more.value or self._monotonic() >= until:
                break
            self._sleep(self._limits.pause_s)
        return self._db.run(self._checkpoint, draining=True, arrived=Arrived.COMMITTED)

    def look(self) -> Result[int, StoreError]:
        """Read some of what waits and compare it with its hash; how many were set aside. SQLite would not notice.

        Nor that a filing waits of which its index does not know: such a store is salvaged.
        """
        for compare in (self._compare_some, self._compare_blobs):
            if isinstance(compared := self._in_slices(compare), Err):
                return compared
        return self._in_slices(self._look_at_some)

    def _in_slices(self, work: Callable[[sqlite3.Connection], tuple[int, bool]]) -> Result[int, StoreError]:
        """`work` says how many it has found and whether there is more; all it has found until the time is over."""
        until = self._monotonic() + self._limits.look_s
        total = 0
        while True:
            done = self._db.run(work)
            if isinstance(done, Err):
                return done
            found, more = done.value
            total += found
            if not more or self._monotonic() >= until:
                return Ok(total)
            self._sleep(self._limits.pause_s)

    def _checkpoint(self, db: sqlite3.Connection) -> None:
        """Begin the WAL anew; it keeps its place on the disk, unless that place is wanted, and what it held behind its
        new end, unless that was to be forgotten."""
        roomy = self._roomy()
        if roomy and not is_laid_out(db):
            with transaction(db):
                lay_out(db)
        clear = not roomy or (self._log_tells and self._monotonic() >= self._clear_at)
        (busy, *_) = db.execute(f"pragma wal_checkpoint({'truncate' if clear else 'restart'})").fetchone()
        if clear and not busy:
            self._log_tells = False
            self._clear_at = self._monotonic() + self._limits.clear_s
        if roomy:
            (_, _, path) = db.execute("pragma database_list").fetchone()
            _lay_out(Path(f"{path}-wal"))

    def _compare_some(self, db: sqlite3.Connection) -> tuple[int, bool]:
        """ValueError, which is nonsense in the store, when the index by which work is found says another thing."""
        count, last = db.execute(
            "select count(*), max(seq) from"
            " (select seq from submissions not indexed where seq > ? order by seq limit ?)",
            (self._compared, _ROWS_COMPARED),
        ).fetchone()
        more = count == _ROWS_COMPARED
        rows = "select seq from submissions {} where state = 'sealed' and seq > ? and seq <= ?"
        between = (self._compared, last if more else _LAST_SEQ)
        there = db.execute(rows.format("not indexed"), between).fetchall()
        if db.execute(rows.format("indexed by submissions_unsent"), between).fetchall() != there:
            raise ValueError("submissions_unsent")
        self._compared = last if more else 0
        return 0, more

    def _compare_blobs(self, db: sqlite3.Connection) -> tuple[int, bool]:
        """The same of the materials: a filing is not to be handed over without one of its own."""
        count, last, known = db.execute(
            "select count(*), max(row), sum(exists (select 1 from blobs indexed by sqlite_autoindex_blobs_1"
            " where seq = there.seq and position = there.position and blobs.rowid = there.row))"
            " from (select rowid as row, seq, position from blobs not indexed where rowid > ? order by rowid limit ?)"
            " as there",
            (self._compared_blobs, _ROWS_COMPARED),
        ).fetchone()
        if count and known != count:
            raise ValueError("blobs")
        more = count == _ROWS_COMPARED
        self._compared_blobs = last if more else 0
        return 0, more

    def _look_at_some(self, db: sqlite3.Connection) -> tuple[int, bool]:
        rows = db.execute(
            "select submissions.seq, submissions.id, submissions.sha256, envelope from submissions"
            " left join contents on contents.place = submissions.place and taken = 1"
            " where state = 'sealed' and submissions.seq > ? order by submissions.seq limit ?",
            (self._looked, _ROWS_AT_ONCE),
        ).fetchall()
        wrong = [id_ for _, id_, sha256, envelope in rows if hashlib.sha256(envelope or b"").hexdigest() != sha256]
        if any(envelope is None for *_, envelope in rows) and not makes_sense(db):
            raise ValueError("contents")  # a page has lost more than one row, maybe; a salvage finds them again
        if wrong:
            with transaction(db):
                for id_ in wrong:
                    self._set_aside(db, id_)
        more = len(rows) == _ROWS_AT_ONCE
        self._looked = rows[-1][0] if more else 0
        return len(wrong), more


def _pragma(db: sqlite3.Connection, name: str) -> int:
    (value,) = db.execute(f"pragma {name}").fetchone()
    return int(value)


def _give_back(db: sqlite3.Connection) -> bool:
    """One slice; is there more to do?"""
    free, pages = _pragma(db, "freelist_count"), _pragma(db, "page_count")
    live = pages - free
    if free <= max(_SLACK_PAGES, live // 20):
        return False
    if _pragma(db, "auto_vacuum") != _INCREMENTAL:
        # From an older program. Once, and only while that is quick.
        if live * _pragma(db, "page_size") <= _LAY_OUT_BYTES:
            db.execute("pragma auto_vacuum = incremental")
            db.execute("vacuum")
        return False
    # As a script: `execute` would stop after the first page.
    db.executescript(f"pragma incremental_vacuum({_PAGES_AT_ONCE})")
    return True


def _lay_out(log: Path) -> None:
    """Zeros up to the WAL's full length: what is written over needs no new place on the disk, and its fsync is several
    times quicker. SQLite takes what does not belong to its last log for the log's end.

    Block by block, for Linux remembers a file in pieces as large as they were written, and a piece of a megabyte counts
    as changed, and is looked through, at every commit.
    """
    with log.open("r+b", buffering=0) as file:
        missing = WAL_BYTES - file.seek(0, os.SEEK_END)
        if missing <= 0:
            return
        # Its end first. Else a power cut may keep some zeros and not the cut: a part of the old log would be played
        # over a store that has all of it.
        os.fsync(file.fileno())
        for at in range(0, missing, _BLOCK):
            file.write(bytes(min(_BLOCK, missing - at)))
        os.fsync(file.fileno())
