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
from typing import Literal

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
_ID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
_TERMINAL = re.compile(r"^[0-9A-Z]{4}$")
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


def header_bytes(header: EnvelopeHeader) -> bytes:
    """The bytes of a ``CWE2`` header; ValueError if it has more than 255 blobs."""
    writer = HeaderWriter(
        terminal_id=header.terminal_id,
        hall_key=header.hall_key,
        session_key=header.session_key,
        recovery_key=header.recovery_key,
        recovery_session_key=header.recovery_session_key,
        algorithm=header.algorithm,
        compression=header.compression,
    )
    return writer.write(
        header.id, header.created_at, signing_key=header.signing_key, nonce=header.nonce, blobs=header.blobs
    )


def _number(names: dict[int, Algorithm] | dict[int, Compression], name: str) -> int:
    return next(number for number, known in names.items() if known == name)


def parse_envelope(raw: bytes) -> Envelope:
    """Split and validate wire bytes; raises EnvelopeError. Does not check the signature."""
    if len(raw) > MAX_ENVELOPE_BYTES:
        raise EnvelopeError("envelope is larger than 1 MiB")
    match raw[:4]:
        case b"CWE2":
            return _parse(raw)
        case b"CWE1":
            return _parse_old(raw)
        case _:
            raise EnvelopeError("not an envelope")


# --- CWE2 ------------------------------------------------------------------------------------------------------------


def _parse(raw: bytes) -> Envelope:
    if len(raw) < _HEADER.size:
        raise EnvelopeError("envelope is torn")
    end = _HEADER.size + raw[_HEADER.size - 1] * _BLOB.size
    start = end + _BUCKETS.size
    if len(raw) < start:
        raise EnvelopeError("envelope is torn")
    (buckets,) = _BUCKETS.unpack_from(raw, end)
    size = buckets * BUCKET + TAG_BYTES
    if len(raw) != start + size + SIGNATURE_BYTES:
        raise EnvelopeError("envelope is torn or too long")
    return Envelope(_parse_header(raw), raw[:end], raw[start : start + size], raw[start + size :])


def _parse_header(raw: bytes) -> EnvelopeHeader:
    _, algorithm, compression, id_, terminal, created, hall, recovery, signer, wrap, other, nonce, count = (
        _HEADER.unpack_from(raw)
    )
    if algorithm not in _ALGORITHMS or compression not in _COMPRESSIONS:
        raise UnknownProfile(f"envelope has algorithm {algorithm}, compression {compression}")
    hexed = id_.hex()
    submission_id = f"{hexed[:8]}-{hexed[8:12]}-{hexed[12:16]}-{hexed[16:20]}-{hexed[20:]}"
    terminal_id = terminal.decode("latin-1")
    if not _ID.match(submission_id) or not _TERMINAL.match(terminal_id):
        raise EnvelopeError("envelope's id or terminal is none")
    try:
        created_at = _EPOCH + timedelta(microseconds=created)
    except OverflowError:
        raise EnvelopeError("envelope's instant is none") from None
    found = [_BLOB.unpack_from(raw, _HEADER.size + index * _BLOB.size) for index in range(count)]
    if any(size > _MAX_BLOB_BYTES for _, size in found):
        raise EnvelopeError("envelope names a blob that is too large")
    return EnvelopeHeader(
        id=submission_id,
        terminal_id=terminal_id,
        created_at=created_at,
        algorithm=_ALGORITHMS[algorithm],
        compression=_COMPRESSIONS[compression],
        hall_key=hall.hex(),
        session_key=wrap,
        recovery_key=recovery.hex(),
        recovery_session_key=other,
        nonce=nonce,
        signing_key=signer.hex(),
        blobs=tuple(BlobRef(sha256=sha256.hex(), size=size) for sha256, size in found),
    )


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
    (length,) = _LENGTH.unpack_from(raw)
    start = _LENGTH.size
    if len(raw) < start + length:
        raise EnvelopeError("envelope is torn")
    return raw[start : start + length], raw[start + length :]
