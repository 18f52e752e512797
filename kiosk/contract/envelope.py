"""The envelope: one submission, sealed to the hall and signed by the terminal.

Bytes: ``CWE1 | u32 header length | header | u32 ciphertext length | ciphertext | 64-byte Ed25519 signature``,
integers big-endian. The header is canonical JSON of `EnvelopeHeader`; it is the AEAD's associated data. The
signature covers ``CWE1`` + SHA-256(header) + SHA-256(ciphertext). The SHA-256 of all bytes names the envelope.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from kiosk.contract.wire import Instant, KeyId, Sha256, Size, SubmissionId, TerminalId, Wire, canonical_json

MAGIC = b"CWE1"
SIGNATURE_BYTES = 64
MAX_ENVELOPE_BYTES = 1024 * 1024

Algorithm = Literal["hpke-x25519-a256gcm"]
Compression = Literal["zlib"]


class BlobRef(Wire):
    """A sealed material (材料): SHA-256 and size of the sealed bytes."""

    sha256: Sha256
    size: Size


class EnvelopeHeader(Wire):
    """What the queue may know in clear: no name, no number, no item."""

    id: SubmissionId
    terminal_id: TerminalId
    created_at: Instant
    algorithm: Algorithm = "hpke-x25519-a256gcm"
    compression: Compression = "zlib"
    hall_key: KeyId
    """Which of the hall's sealing keys."""
    session_key: str
    """Base64 of the HPKE encapsulation and wrapped session key (one per citizen session), for the hall."""
    recovery_key: KeyId
    recovery_session_key: str
    """The same session key wrapped to the offline recovery key."""
    nonce: str
    """Base64, 12 bytes."""
    signing_key: KeyId
    blobs: tuple[BlobRef, ...] = ()


class EnvelopeError(ValueError):
    """These bytes are no envelope; the message says why and quotes nothing of the content."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A parsed envelope; `raw` are the exact bytes that are stored, sent and hashed."""

    header: EnvelopeHeader
    header_bytes: bytes
    ciphertext: bytes
    signature: bytes

    @property
    def raw(self) -> bytes:
        """The exact wire bytes."""
        return b"".join(
            (
                MAGIC,
                struct.pack(">I", len(self.header_bytes)),
                self.header_bytes,
                struct.pack(">I", len(self.ciphertext)),
                self.ciphertext,
                self.signature,
            )
        )

    @property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of `raw`."""
        return hashlib.sha256(self.raw).hexdigest()

    def signed_bytes(self) -> bytes:
        """What the terminal's signature covers."""
        return signed_bytes(self.header_bytes, self.ciphertext)


def signed_bytes(header_bytes: bytes, ciphertext: bytes) -> bytes:
    """``CWE1`` + SHA-256(header) + SHA-256(ciphertext)."""
    return MAGIC + hashlib.sha256(header_bytes).digest() + hashlib.sha256(ciphertext).digest()


def header_bytes(header: EnvelopeHeader) -> bytes:
    """Canonical bytes of a header: associated data of the AEAD."""
    return canonical_json(header)


def parse_envelope(raw: bytes) -> Envelope:
    """Split and validate wire bytes; raises EnvelopeError. Does not check the signature."""
    if len(raw) > MAX_ENVELOPE_BYTES:
        raise EnvelopeError("envelope is larger than 1 MiB")
    if raw[:4] != MAGIC:
        raise EnvelopeError("not an envelope")
    try:
        header_raw, rest = _take(raw[4:])
        ciphertext, signature = _take(rest)
        if len(signature) != SIGNATURE_BYTES:
            raise EnvelopeError("signature is not 64 bytes")
        header = EnvelopeHeader.model_validate_json(header_raw)
    except ValidationError as error:
        raise EnvelopeError(f"envelope header has {error.error_count()} faults") from None
    if header_bytes(header) != header_raw:
        raise EnvelopeError("envelope header is not canonical")
    return Envelope(header, header_raw, ciphertext, signature)


def _take(raw: bytes) -> tuple[bytes, bytes]:
    """One length-prefixed part, and what follows it."""
    if len(raw) < 4:
        raise EnvelopeError("envelope is torn")
    (length,) = struct.unpack(">I", raw[:4])
    if len(raw) < 4 + length:
        raise EnvelopeError("envelope is torn")
    return raw[4 : 4 + length], raw[4 + length :]
