"""Checks the whole journal of a data directory, without changing anything: files, table, chain, signatures.

What it cannot know is what somebody cut off together with every trace of it: that the hall knows, which holds the last
signed head it was told.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.contract.journal import Begin, Head, JournalError, JournalKind, Record, verify_checkpoint
from kiosk.core.profile import DataLayout
from offline_queue.journal.files import FOLDER, SegmentFiles, Walk
from offline_queue.keys.identity import NotEnrolled, load_identity


@dataclass(frozen=True, slots=True)
class JournalFinding:
    """Something wrong with the journal.

    `code`: missing (a file is gone), torn (a file ends in a record), unreadable, malformed, order (records left out,
    doubled or moved), changed (a record's bytes), begin (an epoch does not follow its forerunner), signature,
    truncated (the end is gone), no_store.
    """

    code: str
    seq: int
    """At or behind this record; 0 where none can be named."""
    where: str
    """File name, `files` or `table`."""


@dataclass(frozen=True, slots=True)
class JournalReport:
    """What the check found."""

    records: int = 0
    files: int = 0
    first_seq: int = 0
    last_seq: int = 0
    checkpoints: int = 0
    """With a signature that verifies."""
    foreign: int = 0
    """Checkpoints signed by a key that this terminal does not have (any more): the hall knows it."""
    unsigned: int = 0
    """Records since the last checkpoint: nobody has answered for them yet."""
    restarts: tuple[tuple[int, str], ...] = ()
    """Epochs that began because the one before could not go on: number and reason."""
    findings: tuple[JournalFinding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whole and unchanged, as far as this machine can tell."""
        return not self.findings


@dataclass(slots=True)
class _Check:
    walk: Walk
    terminal_id: str
    keys: dict[str, bytes]
    findings: list[JournalFinding] = field(default_factory=list)
    records: int = 0
    first_seq: int = 0
    checkpoints: int = 0
    foreign: int = 0
    unsigned: int = 0
    restarts: list[tuple[int, str]] = field(default_factory=list)
    purged_to: int = 0

    def found(self, code: str, seq: int, where: str) -> None:
        self.findings.append(JournalFinding(code, seq, where))

    def take(self, body: bytes, where: str) -> None:
        before = self.walk.head
        record, fault = self.walk.step(body)
        if fault is not None:
            self.found(fault.code, fault.seq or before.seq + 1, where)
        if record is None:
            return
        self.records += 1
        self.unsigned += 1
        self.first_seq = self.first_seq or record.seq
        match record.kind:
            case JournalKind.CHECKPOINT:
                self._checkpoint(before, record, where)
            case JournalKind.BEGIN if (begin := Begin.of(record)).reason != "new":
                self.restarts.append((record.seq, begin.reason))
            case JournalKind.PURGED if record.named()["what"] == FOLDER:
                self.purged_to = max(self.purged_to, int(record.named()["up_to"]))

    def _checkpoint(self, before: Head, record: Record, where: str) -> None:
        key = record.named()["key"]
        assert isinstance(key, bytes)
        if key.hex() not in self.keys:
            self.foreign += 1
            return
        try:
            verify_checkpoint(before, record, terminal_id=self.terminal_id, keys=self.keys)
        except JournalError as error:
            self.found(error.code, record.seq, where)
            return
        self.checkpoints += 1
        self.unsigned = 0

    def meet(self, head: Head, where: str) -> None:
        """The next piece says that it follows `head`."""
        if not self.walk.lost and self.walk.head != head:
            self.found("changed" if self.walk.head.seq == head.seq else "order", head.seq, where)
        if self.walk.lost or self.walk.head != head:
            self.walk.go_on(head)


def verify_journal(data: Path) -> JournalReport:
    """Check the journal below a terminal's data directory, whether its queue process runs or not."""
    layout = DataLayout(data)
    queue = Path(layout.queue)
    try:
        identity = load_identity(data)
        terminal_id, keys = identity.terminal_id, {identity.signing.id: identity.signing.public}
    except NotEnrolled:
        terminal_id, keys = "", {}
    files = SegmentFiles(queue / FOLDER)
    for _ in range(3):
        # A running queue may close a file while we read: then what we saw does not fit together, so look again.
        numbers = files.numbers()
        report = _verify(Path(layout.queue_db), files, numbers, terminal_id, keys)
        if report.ok or files.numbers() == numbers:
            break
    return report


def _verify(
    database: Path, files: SegmentFiles, numbers: tuple[int, ...], terminal_id: str, keys: dict[str, bytes]
) -> JournalReport:
    check = _Check(Walk(Head(bytes(16), 0, bytes(32))), terminal_id, keys)
    state, rows = _table(database, check)
    closed = tuple(number for number in numbers if state is None or number <= state.files)
    last = state.files if state else max(numbers, default=0)
    expected = range(closed[0], last + 1) if closed else range(0)
    for number in expected:
        _file(files, number, check, first=number == expected[0])
    if state is not None:
        if closed:
            check.meet(state.cut, "table")
        else:
            check.walk.go_on(state.cut)
        for seq, body, hash_ in rows:
            check.take(body, "table")
            if not check.walk.lost and (check.walk.head.seq, check.walk.head.hash) != (seq, hash_):
                check.found("changed", seq, "table")
                check.walk.go_on(Head(check.walk.head.epoch, seq, hash_))
        if not check.walk.lost and check.walk.head != state.head:
            check.found("truncated" if check.walk.head.seq < state.head.seq else "changed", state.head.seq, "table")
    _beginning(check)
    return JournalReport(
        records=check.records,
        files=len(closed),
        first_seq=check.first_seq,
        last_seq=check.walk.head.seq,
        checkpoints=check.checkpoints,
        foreign=check.foreign,
        unsigned=check.unsigned,
        restarts=tuple(check.restarts),
        findings=tuple(check.findings),
    )


def _file(files: SegmentFiles, number: int, check: _Check, *, first: bool) -> None:
    name = files.path(number).name
    try:
        segment = files.read(number)
    except FileNotFoundError:
        check.found("missing", check.walk.head.seq + 1, name)
        check.walk.lost = True
        return
    except (JournalError, OSError):
        check.found("unreadable", check.walk.head.seq + 1, name)
        check.walk.lost = True
        return
    if segment.number != number:
        check.found("order", segment.before.seq + 1, name)
    if first:
        check.walk.go_on(segment.before)
    else:
        check.meet(segment.before, name)
    for body in segment.bodies:
        check.take(body, name)
    if segment.torn:
        check.found("torn", check.walk.head.seq + 1, name)


def _beginning(check: _Check) -> None:
    """Is what is no longer there accounted for?"""
    if check.first_seq > 1 and check.purged_to < check.first_seq - 1:
        check.found("missing", check.first_seq - 1, "files")


@dataclass(frozen=True, slots=True)
class _State:
    head: Head
    cut: Head
    files: int


def _table(database: Path, check: _Check) -> tuple[_State | None, list[tuple[int, bytes, bytes]]]:
    """The table, read without touching it."""
    if not database.is_file():
        check.found("no_store", 0, database.name)
        return None, []
    try:
        connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=2)
        try:
            connection.execute("begin")
            state = connection.execute(
                "select epoch, seq, hash, cut_epoch, cut_seq, cut_hash, files from journal_state"
            ).fetchone()
            rows = connection.execute("select seq, body, hash from journal order by seq").fetchall()
        finally:
            connection.close()
    except sqlite3.Error:
        check.found("no_store", 0, database.name)
        return None, []
    if state is None:
        check.found("no_store", 0, database.name)
        return None, []
    epoch, seq, hash_, cut_epoch, cut_seq, cut_hash, files = state
    found = _State(Head(bytes(epoch), seq, bytes(hash_)), Head(bytes(cut_epoch), cut_seq, bytes(cut_hash)), files)
    return found, [(seq, bytes(body), bytes(hash_)) for seq, body, hash_ in rows]
