"""Personal data at rest: sealed with the hall's data key, found again by a blind index, never in clear on the disk.

Sub-keys by HKDF-SHA256 (RFC 5869) from `data.key`; AES-256-GCM with a random nonce; every ciphertext is bound to what
it is for, so that one row's bytes do not open in another's place.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import struct
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class VaultError(ValueError):
    """Does not open: other key, other place, changed or too old."""


@dataclass(frozen=True, slots=True)
class PersonToken:
    """Who a bearer token stands for, and on which terminal."""

    person: str
    terminal_id: str
    expires_at: int


class Vault:
    """Seals, opens, indexes and chains with the hall's data key."""

    def __init__(self, data_key: bytes) -> None:
        self._personal = AESGCM(_derive(data_key, b"personal"))
        self._token = AESGCM(_derive(data_key, b"token"))
        self._index_key = _derive(data_key, b"index")
        self._chain_key = _derive(data_key, b"chain")

    def seal(self, data: bytes, *, purpose: str) -> bytes:
        """Nonce and ciphertext."""
        return _seal(self._personal, data, purpose)

    def open(self, sealed: bytes, *, purpose: str) -> bytes:
        """VaultError."""
        return _open(self._personal, sealed, purpose)

    def index(self, id_number: str) -> str:
        """The name under which a person is found again: HMAC-SHA256 of the identity number, hexadecimal."""
        return hmac.new(self._index_key, id_number.strip().upper().encode(), hashlib.sha256).hexdigest()

    def chain(self, previous: str, entry: bytes) -> str:
        """The next link of a history: only who holds the key can make one."""
        return hmac.new(self._chain_key, bytes.fromhex(previous) + entry, hashlib.sha256).hexdigest()

    def person_token(self, token: PersonToken) -> str:
        """An opaque bearer token; the hall keeps nothing of it."""
        plain = bytes.fromhex(token.person) + token.terminal_id.encode() + struct.pack(">Q", token.expires_at)
        return base64.urlsafe_b64encode(_seal(self._token, plain, "person")).decode().rstrip("=")

    def open_person_token(self, text: str, *, now: datetime) -> PersonToken:
        """VaultError if it is not ours or too old."""
        plain = _open(self._token, _from_url(text), "person")
        token = PersonToken(plain[:32].hex(), plain[32:36].decode(), struct.unpack(">Q", plain[36:])[0])
        if now.timestamp() >= token.expires_at:
            raise VaultError("too old")
        return token

    def staff_token(self, name: str, *, purpose: str, expires_at: int) -> str:
        """A sign-in link's or a cookie's text."""
        plain = struct.pack(">Q", expires_at) + name.encode()
        return base64.urlsafe_b64encode(_seal(self._token, plain, purpose)).decode().rstrip("=")

    def open_staff_token(self, text: str, *, purpose: str, now: datetime) -> str:
        """The staff member's name; VaultError."""
        plain = _open(self._token, _from_url(text), purpose)
        if now.timestamp() >= struct.unpack(">Q", plain[:8])[0]:
            raise VaultError("too old")
        return plain[8:].decode()


def _derive(data_key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"hall1 " + info).derive(data_key)


def _seal(cipher: AESGCM, data: bytes, purpose: str) -> bytes:
    nonce = os.urandom(12)
    return nonce + cipher.encrypt(nonce, data, purpose.encode())


def _open(cipher: AESGCM, sealed: bytes, purpose: str) -> bytes:
    try:
        return cipher.decrypt(sealed[:12], sealed[12:], purpose.encode())
    except (InvalidTag, ValueError):
        raise VaultError("does not open") from None


def _from_url(text: str) -> bytes:
    try:
        raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise VaultError("not a token") from None
    # One spelling only: a link is spent by its text.
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != text:
        raise VaultError("not a token")
    return raw
