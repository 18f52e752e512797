"""Sealing: what the terminal locks and only the hall, or the offline recovery key, can open.

One 32-byte session key per citizen session, wrapped by HPKE (RFC 9180, base mode, DHKEM(X25519, HKDF-SHA256),
HKDF-SHA256, AES-256-GCM; ``info`` = ``CWS1`` + terminal id) once to the hall and once to the recovery key. Under it
AES-256-GCM per envelope (associated data: the header's bytes; plaintext: `kiosk.contract.packing`) and per blob
(associated data: the submission's id).

Blob: ``CWB1 | 12-byte nonce | ciphertext``. Who holds which key is the business of `offline_queue.seal` and the hall.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from kiosk.contract.envelope import (
    NONCE_BYTES,
    TAG_BYTES,
    BlobRef,
    Envelope,
    EnvelopeHeader,
    HeaderWriter,
    envelope_bytes,
    signed_bytes,
)
from kiosk.contract.packing import PackingError, pack, unpack
from kiosk.contract.signing import SigningKey, key_id
from kiosk.contract.submission import Submission

SESSION_KEY_BYTES = 32
BLOB_MAGIC = b"CWB1"
_INFO = b"CWS1"


class SealingError(ValueError):
    """Cannot be opened: other key, changed bytes, or not what it claims to be. Quotes nothing of the content."""


class UnknownSealingKey(SealingError):
    """Sealed to a key that is not among ours."""


class SealingKey:
    """An X25519 private key that opens session keys: the hall's, or the recovery key."""

    def __init__(self, private: X25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = key_id(self.public)

    @classmethod
    def generate(cls) -> SealingKey:
        """A fresh key."""
        return cls(X25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes) -> SealingKey:
        """From unencrypted PKCS#8 PEM; ValueError if it holds something else."""
        private = load_pem_private_key(pem, password=None)
        if not isinstance(private, X25519PrivateKey):
            raise ValueError("not an X25519 key")
        return cls(private)

    def pem(self) -> bytes:
        """Unencrypted PKCS#8 PEM."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def unwrap(self, wrapped: bytes, *, terminal_id: str) -> bytes:
        """The session key out of the HPKE message; SealingError."""
        try:
            session_key = _suite().decrypt(wrapped, self._private, info=_INFO + terminal_id.encode())
        except (InvalidTag, ValueError):
            raise SealingError("session key cannot be unwrapped") from None
        if len(session_key) != SESSION_KEY_BYTES:
            raise SealingError("session key is not 32 bytes")
        return session_key


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def wrap_session_key(session_key: bytes, public: bytes, *, terminal_id: str) -> bytes:
    """The HPKE message (encapsulated key, then ciphertext: 80 bytes) to a raw X25519 public key."""
    recipient = X25519PublicKey.from_public_bytes(public)
    return _suite().encrypt(session_key, recipient, info=_INFO + terminal_id.encode())


@dataclass(frozen=True)
class SessionSeal:
    """The session key and its two wraps, as every envelope of the session carries them."""

    key: bytes = field(repr=False)
    terminal_id: str
    hall_key: str
    session_key: bytes
    recovery_key: str
    recovery_session_key: bytes

    @cached_property
    def cipher(self) -> AESGCM:
        """The session key at work; goes with the session like the key itself."""
        return AESGCM(self.key)

    @cached_property
    def headers(self) -> HeaderWriter:
        """What the session's envelopes say in clear."""
        return HeaderWriter(
            terminal_id=self.terminal_id,
            hall_key=self.hall_key,
            session_key=self.session_key,
            recovery_key=self.recovery_key,
            recovery_session_key=self.recovery_session_key,
        )


def new_session(*, terminal_id: str, hall_public: bytes, recovery_public: bytes) -> SessionSeal:
    """A fresh session key, wrapped twice. Public keys are raw X25519."""
    key = os.urandom(SESSION_KEY_BYTES)
    return SessionSeal(
        key=key,
        terminal_id=terminal_id,
        hall_key=key_id(hall_public),
        session_key=wrap_session_key(key, hall_public, terminal_id=terminal_id),
        recovery_key=key_id(recovery_public),
        recovery_session_key=wrap_session_key(key, recovery_public, terminal_id=terminal_id),
    )


def seal_blob(session_key: bytes, *, submission_id: str, data: bytes) -> bytes:
    """A sealed material (材料): 32 bytes longer than `data`."""
    nonce = os.urandom(NONCE_BYTES)
    return BLOB_MAGIC + nonce + AESGCM(session_key).encrypt(nonce, data, submission_id.encode())


def open_blob(session_key: bytes, *, submission_id: str, sealed: bytes) -> bytes:
    """The material; SealingError."""
    start = len(BLOB_MAGIC)
    if sealed[:start] != BLOB_MAGIC or len(sealed) < start + NONCE_BYTES + TAG_BYTES:
        raise SealingError("not a sealed blob")
    nonce, ciphertext = sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :]
    return _decrypt(session_key, nonce, ciphertext, submission_id.encode())


def seal_submission(
    submission: Submission, *, sealed_blobs: tuple[bytes, ...], session: SessionSeal, signing: SigningKey
) -> bytes:
    """The envelope's wire bytes: compressed, padded, sealed to the hall, signed by the terminal."""
    nonce = os.urandom(NONCE_BYTES)
    blobs = tuple(BlobRef(sha256=hashlib.sha256(blob).hexdigest(), size=len(blob)) for blob in sealed_blobs)
    header = session.headers.write(
        submission.id, submission.created_at, signing_key=signing.id, nonce=nonce, blobs=blobs
    )
    ciphertext = session.cipher.encrypt(nonce, pack(submission, blobs), header)
    return envelope_bytes(header, ciphertext, signing.sign(signed_bytes(header, ciphertext)))


def open_session_key(header: EnvelopeHeader, keys: Mapping[str, SealingKey]) -> bytes:
    """The session key of an envelope, by a hall key or the recovery key by id; UnknownSealingKey or SealingError."""
    if (key := keys.get(header.hall_key)) is not None:
        return key.unwrap(header.session_key, terminal_id=header.terminal_id)
    if (key := keys.get(header.recovery_key)) is not None:
        return key.unwrap(header.recovery_session_key, terminal_id=header.terminal_id)
    raise UnknownSealingKey("sealed to a key that is not ours")


def open_envelope(envelope: Envelope, session_key: bytes) -> Submission:
    """The submission; SealingError if it does not open or is not the one that its header names.

    The signature is another question: `kiosk.contract.signing.verify_envelope`.
    """
    nonce = envelope.header.nonce
    if len(nonce) != NONCE_BYTES:
        raise SealingError("nonce is not 12 bytes")
    try:
        submission = unpack(_decrypt(session_key, nonce, envelope.ciphertext, envelope.header_bytes), envelope.header)
    except PackingError as error:
        raise SealingError(str(error)) from None
    if (submission.id, submission.terminal_id) != (envelope.header.id, envelope.header.terminal_id):
        raise SealingError("submission is not the one its envelope names")
    return submission


def _decrypt(session_key: bytes, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes:
    try:
        return AESGCM(session_key).decrypt(nonce, ciphertext, associated)
    except InvalidTag:
        raise SealingError("does not open with this key") from None
