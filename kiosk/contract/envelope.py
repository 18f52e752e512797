"""The envelope: one submission, sealed to the hall and signed by the terminal. The SHA-256 of all bytes names it.

``CWE2``, what terminals make. Integers big-endian; the header is everything up to the blobs::

    "CWE2" | u8 algorithm | u8 compression | 16 id (UUIDv7) | 4 terminal | i64 created, microseconds since 1970 |
    4 hall key | 4 recovery key | 4 signing key | 80 session key for the hall | 80 the same for recovery |
    12 nonce | u8 n | n times (32 SHA-256 of a blob, u32 its size)
    u16 buckets | ciphertext: 64 times that and 16 bytes | 64-byte Ed25519 signature

``CWE1``, what they used to make, is still read: ``"CWE1" | u32 length | header, canonical JSON | u32 length |
ciphertext | signature``.

The header is the AEAD's associated data. The signature covers the four letters, SHA-256(header), SHA-256(ciphertext).
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal, NamedTuple

from pydantic import ValidationError

from kiosk.contract.wire import Instant, KeyId, Sha256, Size, SubmissionId, TerminalId, Wire, canonical_json

MAGIC = b"CWE2"
OLD_MAGIC = b"CWE1"
SIGNATURE_BYTES = 64
MAX_ENVELOPE_BYTES = 1024 * 1024
BUCKET = 64
"""Lengths talk: what is sealed is a multiple of this."""
TAG_BYTES = 16
NONCE_BYTES = 12
MAX_BLOBS = 255

Algorithm = Literal["hpke-x25519-a256gcm"]
Compression = Literal["zlib", "zstd-1"]

_ALGORITHMS: dict[int, Algorithm] = {1: "hpke-x25519-a256gcm"}
"""2 is kept for sm2-sm4gcm-sm3: no library that we would keep offers SM2 today (docs/adr/0012)."""
_COMPRESSIONS: dict[int, Compression] = {1: "zlib", 2: "zstd-1"}
_HEADER = struct.Struct(">4sBB16s4sq4s4s4s80s80s12sB")
_BLOB = struct.Struct(">32sI")
_BUCKETS = struct.Struct(">H")
_LENGTH = struct.Struct(">I")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_INSTANT = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST_INSTANT = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_TERMINAL = re.compile(rb"[0-9A-Z]{4}")
_MAX_BLOB_BYTES = 64 * 1024 * 1024


class BlobRef(Wire):
    """A sealed material (材料): SHA-256 and size of the sealed bytes."""

    sha256: Sha256
    size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeHeader:
    """What the queue may know in clear: no name, no number, no item."""

    id: str
    terminal_id: str
    created_at: datetime
    """UTC."""
    algorithm: Algorithm = "hpke-x25519-a256gcm"
    compression: Compression = "zstd-1"
    hall_key: str
    """Which of the hall's sealing keys (8 hexadecimal digits)."""
    session_key: bytes
    """HPKE encapsulation and wrapped session key (one per citizen session), for the hall."""
    recovery_key: str
    recovery_session_key: bytes
    """The same session key wrapped to the offline recovery key."""
    nonce: bytes
    signing_key: str
    blobs: tuple[BlobRef, ...] = ()


class _OldHeader(Wire):
    """The header of ``CWE1``; bytes are base64."""

    id: SubmissionId
    terminal_id: TerminalId
    created_at: Instant
    algorithm: Algorithm
    compression: Literal["zlib"]
    hall_key: KeyId
    session_key: str
    recovery_key: KeyId
    recovery_session_key: str
    nonce: str
    signing_key: KeyId
    blobs: tuple[BlobRef, ...] = ()


@dataclass(frozen=True, slots=True)
class EnvelopeLabel:
    """What a store files an envelope under."""

    id: str
    blobs: tuple[BlobRef, ...]


class EnvelopeError(ValueError):
    """These bytes are no envelope; the message says why and quotes nothing of the content."""


class UnknownProfile(EnvelopeError):
    """An algorithm or a compression that this program does not know: made by a newer one, or for another country."""


@dataclass(frozen=True)
class Envelope:
    """A parsed envelope; `raw` are the exact bytes that are stored, sent and hashed."""

    header: EnvelopeHeader
    header_bytes: bytes
    ciphertext: bytes
    signature: bytes

    @cached_property
    def raw(self) -> bytes:
        """The exact wire bytes."""
        if self.header_bytes[: len(MAGIC)] == MAGIC:
            return envelope_bytes(self.header_bytes, self.ciphertext, self.signature)
        lengths = _LENGTH.pack(len(self.header_bytes)), _LENGTH.pack(len(self.ciphertext))
        return b"".join((OLD_MAGIC, lengths[0], self.header_bytes, lengths[1], self.ciphertext, self.signature))

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of `raw`."""
        return hashlib.sha256(self.raw).hexdigest()

    def signed_bytes(self) -> bytes:
        """What the terminal's signature covers."""
        return signed_bytes(self.header_bytes, self.ciphertext)


def signed_bytes(header_bytes: bytes, ciphertext: bytes) -> bytes:
    """The format's four letters + SHA-256(header) + SHA-256(ciphertext)."""
    magic = MAGIC if header_bytes[: len(MAGIC)] == MAGIC else OLD_MAGIC
    return magic + hashlib.sha256(header_bytes).digest() + hashlib.sha256(ciphertext).digest()


def envelope_bytes(header_bytes: bytes, ciphertext: bytes, signature: bytes) -> bytes:
    """The wire bytes of a ``CWE2`` envelope."""
    return b"".join((header_bytes, _BUCKETS.pack(len(ciphertext) // BUCKET), ciphertext, signature))


class HeaderWriter:
    """Writes ``CWE2`` headers: associated data of the AEAD. What those of one citizen session share is encoded once."""

    def __init__(
        self,
        *,
        terminal_id: str,
        hall_key: str,
        session_key: bytes,
        recovery_key: str,
        recovery_session_key: bytes,
        algorithm: Algorithm = "hpke-x25519-a256gcm",
        compression: Compression = "zstd-1",
    ) -> None:
        """As the fields of `EnvelopeHeader`."""
        self._profile = MAGIC, _number(_ALGORITHMS, algorithm), _number(_COMPRESSIONS, compression)
        self._terminal = terminal_id.encode()
        self._keys = bytes.fromhex(hall_key), bytes.fromhex(recovery_key)
        self._wraps = session_key, recovery_session_key

    def write(
        self,
        submission_id: str,
        created_at: datetime,
        *,
        signing_key: str,
        nonce: bytes,
        blobs: tuple[BlobRef, ...] = (),
    ) -> bytes:
        """The header of one envelope; ValueError if it has more than 255 blobs."""
        if len(blobs) > MAX_BLOBS:
            raise ValueError("an envelope has at most 255 blobs")
        fixed = _HEADER.pack(
            *self._profile,
            bytes.fromhex(submission_id.replace("-", "")),
            self._terminal,
            (created_at - _EPOCH) // _MICROSECOND,
            *self._keys,
            bytes.fromhex(signing_key),
            *self._wraps,
            nonce,
            len(blobs),
        )
        return fixed + b"".join([_BLOB.pack(bytes.fromhex(blob.sha256), blob.size) for blob in blobs])


def _number(names: dict[int, Algorithm] | dict[int, Compression], name: str) -> int:
    return next(number for number, known in names.items() if known == name)


def parse_envelope(raw: bytes) -> Envelope:
    """Split and validate wire bytes; raises EnvelopeError. Does not check the signature."""
    return _parse(raw) if _is_new(raw) else _parse_old(raw)


def read_label(raw: bytes) -> EnvelopeLabel:
    """What a store files an envelope under, validated as by `parse_envelope` in a third of its time; EnvelopeError."""
    if _is_new(raw):
        frame, blobs = _checked(raw)
        return EnvelopeLabel(_uuid_text(frame.id), blobs)
    header = _parse_old(raw).header
    return EnvelopeLabel(header.id, header.blobs)


def _is_new(raw: bytes) -> bool:
    if len(raw) > MAX_ENVELOPE_BYTES:
        raise EnvelopeError("envelope is larger than 1 MiB")
    magic = raw[: len(MAGIC)]
    if magic not in (MAGIC, OLD_MAGIC):
        raise EnvelopeError("not an envelope")
    return magic == MAGIC


# --- CWE2 ------------------------------------------------------------------------------------------------------------


class _Frame(NamedTuple):
    """The part of a header that is always there, in wire form."""

    magic: bytes
    algorithm: int
    compression: int
    id: bytes
    terminal: bytes
    created: int
    hall_key: bytes
    recovery_key: bytes
    signing_key: bytes
    session_key: bytes
    recovery_session_key: bytes
    nonce: bytes
    blobs: int


def _checked(raw: bytes) -> tuple[_Frame, tuple[BlobRef, ...]]:
    """The whole envelope is well formed; EnvelopeError."""
    if len(raw) < _HEADER.size:
        raise EnvelopeError("envelope is torn")
    frame = _Frame._make(_HEADER.unpack_from(raw))
    end = _HEADER.size + frame.blobs * _BLOB.size
    start = end + _BUCKETS.size
    if len(raw) < start:
        raise EnvelopeError("envelope is torn")
    (buckets,) = _BUCKETS.unpack_from(raw, end)
    if len(raw) != start + buckets * BUCKET + TAG_BYTES + SIGNATURE_BYTES:
        raise EnvelopeError("envelope is torn or too long")
    if frame.algorithm not in _ALGORITHMS or frame.compression not in _COMPRESSIONS:
        raise UnknownProfile(f"envelope has algorithm {frame.algorithm}, compression {frame.compression}")
    if frame.id[6] >> 4 != 7 or frame.id[8] >> 6 != 2 or not _TERMINAL.fullmatch(frame.terminal):
        raise EnvelopeError("envelope's id or terminal is none")
    if not _FIRST_INSTANT <= frame.created <= _LAST_INSTANT:
        raise EnvelopeError("envelope's instant is none")
    found = [_BLOB.unpack_from(raw, place) for place in range(_HEADER.size, end, _BLOB.size)]
    if any(size > _MAX_BLOB_BYTES for _, size in found):
        raise EnvelopeError("envelope names a blob that is too large")
    return frame, tuple([BlobRef(sha256=sha256.hex(), size=size) for sha256, size in found])


def _uuid_text(raw: bytes) -> str:
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _parse(raw: bytes) -> Envelope:
    frame, blobs = _checked(raw)
    header = EnvelopeHeader(
        id=_uuid_text(frame.id),
        terminal_id=frame.terminal.decode(),
        created_at=_EPOCH + frame.created * _MICROSECOND,
        algorithm=_ALGORITHMS[frame.algorithm],
        compression=_COMPRESSIONS[frame.compression],
        hall_key=frame.hall_key.hex(),
        session_key=frame.session_key,
        recovery_key=frame.recovery_key.hex(),
        recovery_session_key=frame.recovery_session_key,
        nonce=frame.nonce,
        signing_key=frame.signing_key.hex(),
        blobs=blobs,
    )
    end = _HEADER.size + len(blobs) * _BLOB.size
    return Envelope(header, raw[:end], raw[end + _BUCKETS.size : -SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:])


# --- CWE1 ------------------------------------------------------------------------------------------------------------


def _parse_old(raw: bytes) -> Envelope:
    header_raw, rest = _take(raw[len(OLD_MAGIC) :])
    ciphertext, signature = _take(rest)
    if len(signature) != SIGNATURE_BYTES:
        raise EnvelopeError("signature is not 64 bytes")
    try:
        old = _OldHeader.model_validate_json(header_raw)
    except ValidationError as error:
        if any(fault["loc"] in (("algorithm",), ("compression",)) for fault in error.errors()):
            raise UnknownProfile("envelope has an algorithm or compression that is not known") from None
        raise EnvelopeError(f"envelope header has {error.error_count()} faults") from None
    if canonical_json(old) != header_raw:
        raise EnvelopeError("envelope header is not canonical")
    header = EnvelopeHeader(
        id=old.id,
        terminal_id=old.terminal_id,
        created_at=old.created_at,
        algorithm=old.algorithm,
        compression=old.compression,
        hall_key=old.hall_key,
        session_key=_base64(old.session_key),
        recovery_key=old.recovery_key,
        recovery_session_key=_base64(old.recovery_session_key),
        nonce=_base64(old.nonce),
        signing_key=old.signing_key,
        blobs=old.blobs,
    )
    return Envelope(header, header_raw, ciphertext, signature)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise EnvelopeError("envelope header has something that is not base64") from None


def _take(raw: bytes) -> tuple[bytes, bytes]:
    """One length-prefixed part, and what follows it."""
    if len(raw) < _LENGTH.size:
        raise EnvelopeError("envelope is torn")
    (length,), rest = _LENGTH.unpack_from(raw), raw[_LENGTH.size :]
    if len(rest) < length:
        raise EnvelopeError("envelope is torn")
    return rest[:length], rest[length:]
