"""Signatures that both sides check: envelopes, bundles, the hall's receipts, and QR codes on paper.

Ed25519 (RFC 8032). QR text: ``ZZ1:`` + base45(RFC 9285) of zlib of a COSE_Sign1 message (RFC 9052 §4.2) over a CBOR
map with integer keys (`QrClaim`); 300-odd alphanumeric characters, checkable offline with the key list.
"""

from __future__ import annotations

import hashlib
import struct
import uuid
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

import base45
import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from kiosk.contract.bundle import Bundle, bundle_signed_bytes, join_bundle, parse_bundle
from kiosk.contract.envelope import Envelope
from kiosk.contract.wire import canonical_json

QR_PREFIX = "ZZ1:"
_RECEIPT = struct.Struct(">BB4s16s32sQ")
RECEIPT_BYTES = _RECEIPT.size + 64
_COSE_ALG_EDDSA = {1: -8}
_MAX_QR_PLAIN = 4096


class SignatureError(ValueError):
    """Not signed by a key we trust, or changed since."""


def key_id(public: bytes) -> str:
    """Name of a raw public key: first 4 bytes of its SHA-256, hexadecimal."""
    return hashlib.sha256(public).hexdigest()[:8]


class SigningKey:
    """An Ed25519 private key."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = key_id(self.public)

    @classmethod
    def generate(cls) -> SigningKey:
        """A fresh key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes) -> SigningKey:
        """From unencrypted PKCS#8 PEM; ValueError if it holds something else."""
        private = load_pem_private_key(pem, password=None)
        if not isinstance(private, Ed25519PrivateKey):
            raise ValueError("not an Ed25519 key")
        return cls(private)

    def pem(self) -> bytes:
        """Unencrypted PKCS#8 PEM."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, data: bytes) -> bytes:
        """64 bytes."""
        return self._private.sign(data)


PublicKeys = Mapping[str, bytes]
"""Raw public keys by key id."""


def verify(keys: PublicKeys, signer: str, data: bytes, signature: bytes) -> None:
    """SignatureError unless `signer` is known and signed exactly `data`."""
    public = keys.get(signer)
    if public is None:
        raise SignatureError("unknown signing key")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except InvalidSignature:
        raise SignatureError("signature does not verify") from None


def verify_envelope(envelope: Envelope, keys: PublicKeys) -> None:
    """SignatureError unless the envelope was signed by the terminal key it names."""
    verify(keys, envelope.header.signing_key, envelope.signed_bytes(), envelope.signature)


def sign_bundle(bundle: Bundle, key: SigningKey) -> bytes:
    """The bundle file."""
    body = canonical_json(bundle)
    return join_bundle(body, key.id, key.sign(bundle_signed_bytes(body)))


def verify_bundle(raw: bytes, keys: PublicKeys) -> Bundle:
    """The bundle, if a known hall key signed it; SignatureError or BundleError."""
    signed = parse_bundle(raw)
    verify(keys, signed.key_id, bundle_signed_bytes(signed.body), signed.signature)
    return signed.bundle


@dataclass(frozen=True, slots=True)
class HallReceipt:
    """The hall's signed word that it holds exactly these bytes under this id (受理凭证)."""

    submission_id: str
    sha256: str
    at: datetime


def sign_receipt(receipt: HallReceipt, key: SigningKey) -> bytes:
    """126 bytes: version 1, algorithm 1, key id 4, id 16, SHA-256 32, unix ms 8, signature 64."""
    body = _RECEIPT.pack(
        1,
        1,
        bytes.fromhex(key.id),
        uuid.UUID(receipt.submission_id).bytes,
        bytes.fromhex(receipt.sha256),
        round(receipt.at.timestamp() * 1000),
    )
    return body + key.sign(body)


def verify_receipt(raw: bytes, keys: PublicKeys) -> HallReceipt:
    """The receipt, if a known hall key signed it; SignatureError."""
    if len(raw) != RECEIPT_BYTES:
        raise SignatureError("receipt is not 126 bytes")
    version, algorithm, signer, submission_id, sha256, unix_ms = _RECEIPT.unpack(raw[: _RECEIPT.size])
    if (version, algorithm) != (1, 1):
        raise SignatureError("receipt version or algorithm unknown")
    verify(keys, signer.hex(), raw[: _RECEIPT.size], raw[_RECEIPT.size :])
    at = datetime.fromtimestamp(unix_ms / 1000, UTC)
    return HallReceipt(str(uuid.UUID(bytes=submission_id)), sha256.hex(), at)


class QrClaim(IntEnum):
    """Keys of the CBOR map in a QR code; no full identity number is ever among them."""

    TYPE = 1
    """`R` receipt, `L` licence."""
    NUMBER = 2
    HOLDER = 3
    MASKED_ID = 4
    ISSUER = 5
    VALID_FROM = 6
    VALID_TO = 7
    ITEM = 9
    AT = 10
    """Unix seconds."""
    SHA256_PREFIX = 11
    """First 8 bytes."""
    TITLE = 12


QrClaims = Mapping[int, str | int | bytes]


def _cose_message(protected: bytes, signer: bytes, payload: bytes, signature: bytes) -> bytes:
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {4: signer}, payload, signature]))


def _cose_to_be_signed(protected: bytes, payload: bytes) -> bytes:
    return cbor2.dumps(["Signature1", protected, b"", payload])


def sign_qr(claims: QrClaims, key: SigningKey) -> str:
    """Text for a QR code in alphanumeric mode."""
    protected = cbor2.dumps(_COSE_ALG_EDDSA)
    payload = cbor2.dumps({int(name): value for name, value in sorted(claims.items())})
    signature = key.sign(_cose_to_be_signed(protected, payload))
    message = _cose_message(protected, bytes.fromhex(key.id), payload, signature)
    encoded: bytes = base45.b45encode(zlib.compress(message, 9))
    return QR_PREFIX + encoded.decode()


@dataclass(frozen=True, slots=True)
class SignedCode:
    """A QR code on paper, taken apart and not yet believed."""

    signer: str
    """Key id."""
    claims: QrClaims
    _signed: bytes
    _signature: bytes

    def verify(self, keys: PublicKeys) -> None:
        """SignatureError unless one of these keys signed it."""
        verify(keys, self.signer, self._signed, self._signature)


def read_qr(text: str) -> SignedCode:
    """Take a QR text apart; SignatureError if it is none of ours or damaged."""
    if not text.startswith(QR_PREFIX):
        raise SignatureError("not one of our codes")
    try:
        packed = base45.b45decode(text[len(QR_PREFIX) :])
        unpack = zlib.decompressobj()
        plain = unpack.decompress(packed, _MAX_QR_PLAIN)
        message = cbor2.loads(plain)
        protected, unprotected, payload, signature = message.value
        if message.tag != 18 or cbor2.loads(protected) != _COSE_ALG_EDDSA:
            raise SignatureError("not a COSE_Sign1 message with EdDSA")
        # One spelling only: the signature covers neither what surrounds the claims nor how it is packed.
        whole = unpack.eof and not unpack.unused_data and base45.b45encode(packed).decode() == text[len(QR_PREFIX) :]
        same = plain == _cose_message(protected, unprotected[4], payload, signature)
        if not (whole and same) or _padded_otherwise(packed, plain):
            raise SignatureError("code was changed")
        claims = {int(name): value for name, value in cbor2.loads(payload).items()}
        return SignedCode(unprotected[4].hex(), claims, _cose_to_be_signed(protected, payload), bytes(signature))
    except SignatureError:
        raise
    except Exception as error:  # noqa: BLE001 - any decoder may fail in its own way on hostile bytes
        raise SignatureError(f"code is damaged ({type(error).__name__})") from None


def _padded_otherwise(packed: bytes, plain: bytes) -> bool:
    """Is a bit set in the padding of a block (RFC 1951 §3.1.1, §3.2.4)? Inflate ignores it; no encoder sets one."""
    for place in (2, len(packed) - 5):  # behind the header of a stored block; at the end, before the checksum
        for bit in range(8):
            if packed[place] >> bit & 1:
                other = bytearray(packed)
                other[place] ^= 1 << bit
                with suppress(zlib.error):
                    if zlib.decompress(other) == plain:
                        return True
    return False


def verify_qr(text: str, keys: PublicKeys) -> dict[int, str | int | bytes]:
    """The claims of a QR text, if a known key signed them; SignatureError."""
    code = read_qr(text)
    code.verify(keys)
    return dict(code.claims)
