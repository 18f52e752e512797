"""Closed pieces of the journal as files ``journal/000001.log``, each written whole or not at all.

Bytes: ``CWJF`` then length-prefixed (u32, big-endian) parts: first canonical CBOR ``[number, epoch, seq, hash]`` (which
file this is and the head that its first record follows), then the records' bodies.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cbor2

from kiosk.contract.journal import (
    EPOCH_BYTES,
    HASH_BYTES,
    Begin,
    Head,
    JournalError,
    JournalKind,
    Record,
    follow,
    parse_body,
)
from offline_queue.disk.files import make_directory, sync_directory, write_durably

FOLDER = "journal"
"""Below the queue's directory."""
MAGIC = b"CWJF"
_SUFFIX = ".log"
_TEMPORARY = "closing.tmp"
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Segment:
    """One file's contents, as far as they could be read."""

    number: int
    before: Head
    bodies: tuple[bytes, ...]
    torn: bool
    """The file ends in the middle of a record."""


def encode_segment(number: int, before: Head, bodies: Iterable[bytes]) -> bytes:
    """The file's bytes."""
    head = cbor2.dumps([number, before.epoch, before.seq, before.hash], canonical=True)
    return MAGIC + b"".join(_LENGTH.pack(len(part)) + part for part in (head, *bodies))


def parse_segment(raw: bytes) -> Segment:
    """Take a file apart; JournalError if not even its head can be read. The records are not verified."""
    if raw[: len(MAGIC)] != MAGIC:
        raise JournalError("malformed")
    parts: list[bytes] = []
    place = len(MAGIC)
    while place + _LENGTH.size <= len(raw):
        (length,) = _LENGTH.unpack_from(raw, place)
        end = place + _LENGTH.size + length
        if end > len(raw):
            break
        parts.append(raw[place + _LENGTH.size : end])
        place = end
    if not parts:
        raise JournalError("malformed")
    try:
        values = cbor2.loads(parts[0])
    except Exception:  # noqa: BLE001 - any decoder may fail in its own way on damaged bytes
        raise JournalError("malformed") from None
    if not isinstance(values, list) or [type(value) for value in values] != [int, bytes, int, bytes]:
        raise JournalError("malformed")
    number, epoch, seq, hash_ = values
    if len(epoch) != EPOCH_BYTES or len(hash_) != HASH_BYTES:
        raise JournalError("malformed")
    return Segment(number, Head(epoch, seq, hash_), tuple(parts[1:]), torn=place != len(raw))


class Walk:
    """Follows a chain record by record. Where it breaks, goes on at the next BEGIN, or where it is told to."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self.lost = False

    @classmethod
    def nowhere(cls) -> Walk:
        """Until the first BEGIN."""
        walk = cls(Head(bytes(EPOCH_BYTES), 0, bytes(HASH_BYTES)))
        walk.lost = True
        return walk

    @property
    def known(self) -> Head | None:
        """The last head that was reached; None if there was none."""
        return self.head if self.head.seq else None

    def step(self, body: bytes) -> tuple[Record | None, JournalError | None]:
        """One more record: what it says, and what is wrong with it; nothing at all while the chain is lost."""
        fault: JournalError | None = None
        if not self.lost:
            try:
                self.head, record = follow(self.head, body)
                return record, None
            except JournalError as error:
                fault, self.lost = error, True
        try:
            record = parse_body(body)
        except JournalError:
            return None, fault
        if record.kind != JournalKind.BEGIN:
            return None, fault
        self.head, record = follow(Head.before(Begin.of(record).epoch, record.seq - 1), body)
        self.lost = False
        return record, fault

    def go_on(self, head: Head) -> None:
        """From here."""
        self.head, self.lost = head, False


class SegmentFiles:
    """The folder of closed pieces. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, number: int, before: Head, bodies: Iterable[bytes]) -> None:
        """Durable when it returns."""
        make_directory(self.folder)
        write_durably(self.path(number), encode_segment(number, before, bodies), temporary=self.folder / _TEMPORARY)

    def read(self, number: int) -> Segment:
        """JournalError if it is no segment, FileNotFoundError if it is gone."""
        return parse_segment(self.path(number).read_bytes())

    def fault_of(self, number: int, *, last: Head | None) -> JournalError | None:
        """What is wrong with this file, if anything is; it must end at `last`, or else where the next one begins."""
        try:
            segment = self.read(number)
        except FileNotFoundError:
            return JournalError("missing")
        except JournalError as error:
            return error
        walk = Walk(segment.before)
        for body in segment.bodies:
            _, fault = walk.step(body)
            if fault is not None and walk.lost:
                return fault
        if segment.torn:
            return JournalError("torn", walk.head.seq)
        following = last if last is not None else self._begins(number + 1)
        return None if following in (None, walk.head) else JournalError("changed", walk.head.seq)

    def _begins(self, number: int) -> Head | None:
        """Where this file begins; None if it does not say so any more."""
        try:
            return self.read(number).before
        except (JournalError, FileNotFoundError):
            return None

    def numbers(self) -> tuple[int, ...]:
        """Of the files that are there, oldest first."""
        if not self.folder.is_dir():
            return ()
        found = (path.stem for path in self.folder.glob(f"*{_SUFFIX}"))
        return tuple(sorted(int(stem) for stem in found if stem.isascii() and stem.isdigit()))

    def remove(self, number: int) -> None:
        """Durably."""
        self.path(number).unlink(missing_ok=True)
        sync_directory(self.folder)

    def modified(self, number: int) -> float:
        """When it was closed, Unix seconds by the clock of that moment."""
        return self.path(number).stat().st_mtime

    def size(self) -> int:
        """Bytes of all files together."""
        return sum(self.path(number).stat().st_size for number in self.numbers())

    def path(self, number: int) -> Path:
        """Where it lies."""
        return self.folder / f"{number:06}{_SUFFIX}"
