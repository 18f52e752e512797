"""What the queue writes into the journal, in one line each. Nothing here can hold what a person said or wrote."""

from __future__ import annotations

import hashlib

from kiosk.contract.journal import HASH_BYTES, JournalError, JournalKind, Note, digest_of


def put(submission_id: str, sha256: str, *, size: int, put_at_s: int) -> Note:
    """Acknowledged to the citizen. Every filing comes by here and by `accepted`: made without `Note.of`, which would
    look once more at what can be nothing else."""
    return Note(JournalKind.PUT, (_id(submission_id), _sha256(sha256), size, put_at_s))


def accepted(submission_id: str, receipt: bytes) -> Note:
    """The hall has signed for it."""
    return Note(JournalKind.ACCEPTED, (_id(submission_id), hashlib.sha256(receipt).digest()))


def parked(submission_id: str, code: str) -> Note:
    """Set aside for staff."""
    return Note.of(JournalKind.PARKED, id=_id(submission_id), code=code)


def requeued(submission_id: str) -> Note:
    """Staff want it sent again."""
    return Note.of(JournalKind.REQUEUED, id=_id(submission_id))


def returned(submission_id: str, code: str) -> Note:
    """It came back for correction; without a code, that is over."""
    return Note.of(JournalKind.RETURNED, id=_id(submission_id), code=code)


def exported(sha256: str, count: int) -> Note:
    """A bundle with so many submissions left on a stick."""
    return Note.of(JournalKind.EXPORTED, sha256=bytes.fromhex(sha256), count=count)


def imported(sha256: str, count: int) -> Note:
    """A bundle with so many submissions, or receipts for them, came on a stick."""
    return Note.of(JournalKind.IMPORTED, sha256=bytes.fromhex(sha256), count=count)


def started(*, software: str, sqlite: str, boot: bytes, monotonic: float) -> Note:
    """The queue process is up."""
    return Note.of(JournalKind.STARTED, software=_word(software), sqlite=sqlite, boot=boot, monotonic_ms=_ms(monotonic))


def stopped(monotonic: float) -> Note:
    """It was asked to end; a start without this before it followed a kill or a power cut."""
    return Note.of(JournalKind.STOPPED, monotonic_ms=_ms(monotonic))


def clock_jump(*, expected_ms: int, found_ms: int, monotonic: float) -> Note:
    """The wall clock was set."""
    return Note.of(JournalKind.CLOCK_JUMP, expected_ms=expected_ms, found_ms=found_ms, monotonic_ms=_ms(monotonic))


def admission(*, open_: bool) -> Note:
    """New filings are taken again, or refused because the disk fills up."""
    return Note.of(JournalKind.ADMISSION, open=int(open_))


def salvaged(code: str, *, kept: int, lost: int) -> Note:
    """A damaged store was set aside: so many submissions were brought over, of so many nothing could be read."""
    return Note.of(JournalKind.SALVAGED, code=code, kept=kept, lost=lost)


def printed(job: str, *, paper: str, state: str, fault: str = "", serial: str = "") -> Note:
    """A step in the print ledger."""
    return Note.of(
        JournalKind.PRINT, job=_word(job), paper=paper, state=state, fault=_code(fault), serial=_word(serial)
    )


def sheets_loaded(first: str, count: int) -> Note:
    """Numbered paper was put into the tray."""
    return Note.of(JournalKind.SHEETS_LOADED, first=_word(first), count=count)


def sheet(serial: str, *, state: str, reason: str = "") -> Note:
    """A technician's word on one numbered sheet."""
    return Note.of(JournalKind.SHEET, serial=_word(serial), state=state, reason=_code(reason))


def purged(what: str, *, ids: tuple[str, ...], up_to: int) -> Note:
    """Deleted on schedule; `up_to`: Unix seconds, or the last number that went."""
    return Note.of(JournalKind.PURGED, what=what, count=len(ids), up_to=up_to, ids=digest_of(ids))


def journal_damaged(number: int, *, seq: int, code: str) -> Note:
    """A closed file is gone, torn or changed; what it held may be at the hall."""
    return Note.of(JournalKind.JOURNAL_DAMAGED, number=number, seq=seq, code=code)


def journal_large(size: int, limit: int) -> Note:
    """The journal's files take more room than they should."""
    return Note.of(JournalKind.JOURNAL_LARGE, bytes=size, limit=limit)


def _id(text: str) -> bytes:
    """Of a UUID; zeros for what is none: a row that the disk damaged must not keep its neighbours from being told."""
    return _raw(text.replace("-", ""), 16)


def _sha256(text: str) -> bytes:
    return _raw(text, HASH_BYTES)


def _raw(text: str, length: int) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    return raw if len(raw) == length else bytes(length)


def _ms(seconds: float) -> int:
    return max(0, int(seconds * 1000))


def _word(text: str) -> str:
    """As it is if it is a machine's word; else a digest of it: journals take nothing that somebody may have written."""
    return text if _fits(text) else f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _code(text: str) -> str:
    try:
        Note.of(JournalKind.PARKED, id=bytes(16), code=text)
    except JournalError:
        return "other"
    return text


def _fits(text: str) -> bool:
    try:
        Note.of(JournalKind.SHEETS_LOADED, first=text, count=0)
    except JournalError:
        return False
    return True
