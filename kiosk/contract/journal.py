"""The terminal's journal (流水): an append-only chain of typed records, with signed checkpoints; the hall verifies it.

A record's body is a canonical CBOR array (RFC 8949 §4.2.1) ``[seq, unix ms, kind, field, …]``; its hash is SHA-256 of
``CWJ1`` + hash of the record before + body. A chain starts with a BEGIN record, whose predecessor is SHA-256 of
``CWJ0`` + the chain's 16-byte epoch. `seq` goes on from one epoch to the next and alone gives the order; wall time is
a remark.

A checkpoint is a record too. Its Ed25519 signature covers ``CWK1`` + terminal id + NUL + epoch + hash of the record
before + its body without the signature: one signature answers for everything before it.

Fields are ids, hashes, whole numbers and codes. There is no type for text that a person wrote.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal

import cbor2

from kiosk.contract.signing import PublicKeys, SignatureError, SigningKey, verify
from kiosk.contract.wire import Whole, Wire

MEDIA_TYPE = "application/cbor"
EPOCH_BYTES = 16
HASH_BYTES = 32
MAX_BODY_BYTES = 512
MAX_BATCH_BYTES = 64 * 1024
MAX_BATCH_RECORDS = 512
_MAX_INT = 2**53

Field = int | str | bytes
Check = Callable[[Field], bool]


class JournalKind(IntEnum):
    """What happened."""

    BEGIN = 1
    """A new chain, and what is known of the one before: new, lost, damaged or forked."""
    STARTED = 2
    STOPPED = 3
    CHECKPOINT = 4
    PUT = 10
    """Acknowledged to the citizen: durable."""
    ACCEPTED = 11
    """On the hall's verified receipt."""
    PARKED = 12
    REQUEUED = 13
    EXPORTED = 14
    IMPORTED = 15
    RETURNED = 16
    """An accepted filing came back for correction, with the hall's code; an empty one: that is over."""
    PRINT = 20
    """A step in the print ledger (打印台账)."""
    SHEETS_LOADED = 21
    SHEET = 22
    CLOCK_JUMP = 30
    ADMISSION = 31
    """New filings are refused because the disk fills up, or taken again."""
    SALVAGED = 32
    """A damaged store was set aside."""
    PURGED = 33
    """Data was deleted on schedule: what, how many, up to where, SHA-256 over the ids."""
    JOURNAL_LARGE = 34
    """The journal takes more room than it should."""
    JOURNAL_DAMAGED = 35
    """A closed file of the journal is gone, torn or changed."""


_WORD = re.compile(r"^[0-9A-Za-z._:+-]{0,64}$")
_CODE = re.compile(r"^[a-z0-9_.]{0,40}$")
_IDENTITY_NUMBER = re.compile(r"[0-9]{17}[0-9Xx]")


def _uint(value: Field) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_INT


def _int(value: Field) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_MAX_INT < value < _MAX_INT


def _raw(*lengths: int) -> Check:
    return lambda value: isinstance(value, bytes) and len(value) in lengths


def _code(value: Field) -> bool:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None and not _IDENTITY_NUMBER.search(value)


def _word(value: Field) -> bool:
    """A serial, a version, a job's number: what machines gave names to."""
    return isinstance(value, str) and _WORD.fullmatch(value) is not None and not _IDENTITY_NUMBER.search(value)


_ID, _SHA, _EPOCH = _raw(16), _raw(HASH_BYTES), _raw(EPOCH_BYTES)

FIELDS: Mapping[JournalKind, Mapping[str, Check]] = {
    JournalKind.BEGIN: {
        "epoch": _EPOCH,
        "before_epoch": _raw(0, EPOCH_BYTES),
        "before_seq": _uint,
        "before_head": _raw(0, HASH_BYTES),
        "reason": _code,
    },
    JournalKind.STARTED: {"software": _word, "sqlite": _word, "boot": _ID, "monotonic_ms": _uint},
    JournalKind.STOPPED: {"monotonic_ms": _uint},
    JournalKind.CHECKPOINT: {"boot": _ID, "monotonic_ms": _uint, "key": _raw(4), "signature": _raw(64)},
    JournalKind.PUT: {"id": _ID, "sha256": _SHA, "size": _uint, "put_at_s": _int},
    JournalKind.ACCEPTED: {"id": _ID, "receipt": _SHA},
    JournalKind.PARKED: {"id": _ID, "code": _code},
    JournalKind.REQUEUED: {"id": _ID},
    JournalKind.EXPORTED: {"sha256": _SHA, "count": _uint},
    JournalKind.IMPORTED: {"sha256": _SHA, "count": _uint},
    JournalKind.RETURNED: {"id": _ID, "code": _code},
    JournalKind.PRINT: {"job": _word, "paper": _code, "state": _code, "fault": _code, "serial": _word},
    JournalKind.SHEETS_LOADED: {"first": _word, "count": _uint},
    JournalKind.SHEET: {"serial": _word, "state": _code, "reason": _code},
    JournalKind.CLOCK_JUMP: {"expected_ms": _int, "found_ms": _int, "monotonic_ms": _uint},
    JournalKind.ADMISSION: {"open": _uint},
    JournalKind.SALVAGED: {"code": _code, "kept": _uint, "lost": _uint},
    JournalKind.PURGED: {"what": _code, "count": _uint, "up_to": _int, "ids": _SHA},
    JournalKind.JOURNAL_DAMAGED: {"number": _uint, "seq": _uint, "code": _code},
    JournalKind.JOURNAL_LARGE: {"bytes": _uint, "limit": _uint},
}
"""Names and types of each kind's fields, in the order of the body. New kinds and new last fields may be added."""

BeginReason = Literal["new", "lost", "damaged", "forked"]


class JournalError(ValueError):
    """Not a record, or not the one that comes here; quotes nothing.

    `code`: malformed, order, begin or signature.
    """

    def __init__(self, code: str, seq: int = 0) -> None:
        super().__init__(f"{code} at {seq}" if seq else code)
        self.code = code
        self.seq = seq


@dataclass(frozen=True, slots=True)
class Note:
    """Something to be written down: a checked kind with its fields."""

    kind: JournalKind
    fields: tuple[Field, ...]

    @classmethod
    def of(cls, kind: JournalKind, **fields: Field) -> Note:
        """With exactly the kind's fields; JournalError names what is wrong, never the value."""
        spec = FIELDS[kind]
        if fields.keys() != spec.keys():
            raise JournalError("malformed")
        values = tuple(fields[name] for name in spec)
        if not all(check(value) for check, value in zip(spec.values(), values, strict=True)):
            raise JournalError("malformed")
        return cls(kind, values)


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain."""

    epoch: bytes
    seq: int
    hash: bytes

    @classmethod
    def before(cls, epoch: bytes, seq: int) -> Head:
        """What the first record of an epoch, number `seq` + 1, follows."""
        return cls(epoch, seq, hashlib.sha256(b"CWJ0" + epoch).digest())


@dataclass(frozen=True, slots=True)
class Record:
    """One parsed record."""

    seq: int
    at_ms: int
    kind: int
    """A `JournalKind`, or one that this program is too old to know."""
    fields: tuple[Field, ...]
    body: bytes

    def named(self) -> dict[str, Field]:
        """Fields by name; empty for an unknown kind."""
        if self.kind not in FIELDS:
            return {}
        return dict(zip(FIELDS[JournalKind(self.kind)], self.fields, strict=False))

    def as_dict(self) -> dict[str, Any]:
        """For people and machines: bytes as hexadecimal, ids as UUIDs."""
        known = self.named()
        shown = {name: _shown(name, value) for name, value in known.items()}
        kind = JournalKind(self.kind).name.lower() if self.kind in FIELDS else f"kind_{self.kind}"
        return {"seq": self.seq, "at_ms": self.at_ms, "kind": kind, **shown}


def _shown(name: str, value: Field) -> str | int:
    if not isinstance(value, bytes):
        return value
    return str(uuid.UUID(bytes=value)) if name == "id" else value.hex()


def body_of(seq: int, at_ms: int, note: Note) -> bytes:
    """Canonical bytes of a record."""
    return cbor2.dumps([seq, at_ms, int(note.kind), *note.fields], canonical=True)


def parse_body(body: bytes) -> Record:
    """Take a body apart; JournalError. Unknown kinds pass, with fields of the same few types."""
    if len(body) > MAX_BODY_BYTES:
        raise JournalError("malformed")
    try:
        values = cbor2.loads(body)
    except Exception:  # noqa: BLE001 - any decoder may fail in its own way on hostile bytes
        raise JournalError("malformed") from None
    if not isinstance(values, list) or len(values) < 3 or not _uint(values[0]) or not _int(values[1]):
        raise JournalError("malformed")
    seq, at_ms, kind, *fields = values
    if not _uint(kind):
        raise JournalError("malformed", seq)
    checks = tuple(FIELDS[JournalKind(kind)].values()) if kind in FIELDS else ()
    if len(fields) < len(checks) or not all(check(value) for check, value in zip(checks, fields, strict=False)):
        raise JournalError("malformed", seq)
    # Written anew only when it is known to be flat: CBOR can point at a part again and again (tag 29).
    if not all(_plain(value) for value in fields[len(checks) :]) or cbor2.dumps(values, canonical=True) != body:
        raise JournalError("malformed", seq)
    return Record(seq, at_ms, kind, tuple(fields), body)


def _plain(value: object) -> bool:
    return isinstance(value, int | str | bytes) and (_int(value) or _word(value) or _raw(*range(65))(value))


def link(before: bytes, body: bytes) -> bytes:
    """Hash of the record with this body."""
    return hashlib.sha256(b"CWJ1" + before + body).digest()


def follow(head: Head, body: bytes) -> tuple[Head, Record]:
    """The chain with one more record; JournalError if it is not the next one. A BEGIN starts the next epoch."""
    record = parse_body(body)
    if record.seq != head.seq + 1:
        raise JournalError("order", head.seq + 1)
    if record.kind != JournalKind.BEGIN:
        return Head(head.epoch, record.seq, link(head.hash, body)), record
    begin = Begin.of(record)
    genesis = Head.before(begin.epoch, head.seq)
    if head != genesis and (begin.before_epoch, begin.before_seq, begin.before_head) != (
        head.epoch,
        head.seq,
        head.hash,
    ):
        raise JournalError("begin", record.seq)
    return Head(begin.epoch, record.seq, link(genesis.hash, body)), record


@dataclass(frozen=True, slots=True)
class Begin:
    """What a BEGIN record says."""

    epoch: bytes
    before_epoch: bytes
    before_seq: int
    before_head: bytes
    reason: str

    @classmethod
    def of(cls, record: Record) -> Begin:
        """Out of a record that is one."""
        epoch, before_epoch, before_seq, before_head, reason = record.fields[:5]
        assert isinstance(epoch, bytes) and isinstance(before_epoch, bytes) and isinstance(before_seq, int)
        assert isinstance(before_head, bytes) and isinstance(reason, str)
        return cls(epoch, before_epoch, before_seq, before_head, reason)


# --- checkpoints -----------------------------------------------------------------------------------------------------


def checkpoint(head: Head, *, at_ms: int, monotonic_ms: int, boot: bytes, terminal_id: str, key: SigningKey) -> Note:
    """A signed checkpoint to follow `head` as the next record."""
    unsigned = [head.seq + 1, at_ms, int(JournalKind.CHECKPOINT), boot, monotonic_ms, bytes.fromhex(key.id)]
    signature = key.sign(_signed(head, terminal_id, unsigned))
    return Note.of(
        JournalKind.CHECKPOINT, boot=boot, monotonic_ms=monotonic_ms, key=bytes.fromhex(key.id), signature=signature
    )


def verify_checkpoint(head: Head, record: Record, *, terminal_id: str, keys: PublicKeys) -> None:
    """JournalError `signature` unless a key of this terminal signed the chain up to `head` and this record."""
    boot, monotonic_ms, key, signature = record.fields[:4]
    assert isinstance(key, bytes) and isinstance(signature, bytes)
    unsigned = [record.seq, record.at_ms, record.kind, boot, monotonic_ms, key]
    try:
        verify(keys, key.hex(), _signed(head, terminal_id, unsigned), signature)
    except SignatureError:
        raise JournalError("signature", record.seq) from None


def _signed(head: Head, terminal_id: str, unsigned: list[Any]) -> bytes:
    body = cbor2.dumps(unsigned, canonical=True)
    return b"CWK1" + terminal_id.encode() + b"\0" + head.epoch + head.hash + body


# --- telling the hall ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JournalBatch:
    """POST /v1/journal (application/cbor, at most 64 KiB): records of one epoch in their order.

    `before` is the head that the first of them follows, `oldest` the number of the oldest record that the terminal
    still has: the hall need not ask for what came before.
    """

    before: Head
    oldest: int
    bodies: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Wire bytes."""
        before = self.before
        return cbor2.dumps([1, before.epoch, before.seq, before.hash, self.oldest, list(self.bodies)], canonical=True)

    @classmethod
    def parse(cls, raw: bytes) -> JournalBatch:
        """JournalError `malformed`."""
        if len(raw) > MAX_BATCH_BYTES:
            raise JournalError("malformed")
        try:
            values = cbor2.loads(raw)
        except Exception:  # noqa: BLE001 - any decoder may fail in its own way on hostile bytes
            raise JournalError("malformed") from None
        if not isinstance(values, list) or len(values) != 6 or values[0] != 1:
            raise JournalError("malformed")
        _, epoch, seq, hash_, oldest, bodies = values
        fit = _EPOCH(epoch) and _uint(seq) and _SHA(hash_) and _uint(oldest) and isinstance(bodies, list)
        if not fit or not 1 <= len(bodies) <= MAX_BATCH_RECORDS or not all(isinstance(body, bytes) for body in bodies):
            raise JournalError("malformed")
        return cls(Head(epoch, seq, hash_), oldest, tuple(bodies))


class JournalMark(Wire):
    """The hall's word on one epoch of the caller's journal: it holds everything up to `seq`, whose hash is `head`.

    `unknown`: it holds nothing of this epoch. `forked`: it holds other records under these numbers; the terminal begins
    a new epoch, and people look into it.
    """

    epoch: str
    seq: Whole
    head: str
    state: Literal["known", "unknown", "forked"]


def digest_of(ids: Iterable[str]) -> bytes:
    """SHA-256 over ids in order of their code points, each with a line feed: what a deletion's proof record holds."""
    return hashlib.sha256("".join(f"{name}\n" for name in sorted(ids)).encode()).digest()
