"""Keys, sessions and policy of sealing on the terminal; the primitives are in `kiosk.contract.sealing`.

Three locks: a submission opens at the hall only; a receipt's code is signed by the terminal; a slip that is kept for
a citizen whose screen died opens with the same card on the same terminal only.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from kiosk.contract.envelope import NONCE_BYTES
from kiosk.contract.sealing import SessionSeal, new_session, seal_blob, seal_submission
from kiosk.contract.signing import QrClaim, SigningKey, sign_qr
from kiosk.contract.submission import Submission
from kiosk.core.id_card import IdCard
from kiosk.core.ports import SealedSubmission, SealSession, StoreError, StoreFault
from kiosk.core.profile import DataLayout
from kiosk.core.result import Err, Ok, Result
from offline_queue.keys.identity import HallKeys, Identity, current_keys, load_identity

_SHA256_PREFIX_BYTES = 8


class SessionClosed(RuntimeError):
    """The session key is forgotten; sealing after the session's end is a fault of the caller."""


class TerminalSealSession:
    """The sealing key of one citizen session."""

    def __init__(self, seal: SessionSeal, signing: SigningKey) -> None:
        self._seal: SessionSeal | None = seal
        self._signing = signing

    def seal_blob(self, submission_id: str, data: bytes) -> bytes:
        """A material, sealed for this submission; its SHA-256 names it."""
        return seal_blob(self._open().key, submission_id=submission_id, data=data)

    def seal(self, submission: Submission, blobs: tuple[bytes, ...]) -> SealedSubmission:
        """A submission with its blobs, which `seal_blob` made."""
        envelope = seal_submission(submission, sealed_blobs=blobs, session=self._open(), signing=self._signing)
        return SealedSubmission(submission.id, submission.application_no, envelope, blobs, submission.corrects)

    def close(self) -> None:
        """Forget the key."""
        self._seal = None

    def _open(self) -> SessionSeal:
        if self._seal is None:
            raise SessionClosed
        return self._seal


class TerminalSealer:
    """Seals to the hall and signs for the terminal."""

    def __init__(self, identity: Identity, *, keys: Callable[[], HallKeys]) -> None:
        """`keys` is asked at every citizen session: a new bundle may bring a new sealing key."""
        self._identity = identity
        self._keys = keys

    @classmethod
    def of(cls, data: Path) -> TerminalSealer:
        """From a terminal's data directory; raises NotEnrolled."""
        identity = load_identity(data)
        return cls(identity, keys=lambda: current_keys(identity, data))

    def open_session(self) -> SealSession:
        """A new session key, wrapped to the hall and to the recovery key."""
        keys = self._keys()
        seal = new_session(
            terminal_id=self._identity.terminal_id, hall_public=keys.sealing, recovery_public=keys.recovery
        )
        return TerminalSealSession(seal, self._identity.signing)

    def sign_receipt(self, application_no: str, submission_sha256: str, at: datetime) -> str:
        """Text of the receipt's QR: number, instant and hash prefix under the terminal's signature."""
        claims: dict[int, str | int | bytes] = {
            QrClaim.TYPE: "R",
            QrClaim.NUMBER: application_no,
            QrClaim.AT: int(at.timestamp()),
            QrClaim.SHA256_PREFIX: bytes.fromhex(submission_sha256)[:_SHA256_PREFIX_BYTES],
        }
        return sign_qr(claims, self._identity.signing)


def card_secret(signing: SigningKey) -> bytes:
    """The terminal's part of every card's key, out of its first signing key."""
    return HKDF(SHA256(), 32, salt=None, info=b"card keys/1").derive(signing.pem())


@dataclass(frozen=True, slots=True)
class CardKey:
    """What one card unlocks on one terminal."""

    tag: bytes
    key: bytes = field(repr=False)


class TerminalCardKeys:
    """Keys derived from a card's contents and a secret of this terminal.

    The card's 1,024-byte photo is not on this disk and cannot be guessed; should a reader give none, scrypt makes
    trying out identity numbers slow even with the terminal's secret at hand.
    """

    def __init__(self, terminal_secret: bytes) -> None:
        self._secret = terminal_secret

    @classmethod
    def of(cls, data: Path) -> TerminalCardKeys:
        """From a terminal's data directory; raises NotEnrolled."""
        kept = Path(DataLayout(data).identity / "card.key")
        if kept.is_file():  # the signing key was renewed since; what cards unlock stays
            return cls(kept.read_bytes())
        return cls(card_secret(load_identity(data).signing))

    def card_key(self, card: IdCard) -> CardKey:
        """Tag and key of this card; about 50 ms and 16 MiB."""
        words = (card.type.value, card.id_number, card.name, card.birth.isoformat(), card.valid_from.isoformat())
        material = "\0".join(words).encode() + b"\0" + hashlib.sha256(card.photo).digest()
        root = Scrypt(salt=self._secret, length=32, n=2**14, r=8, p=1).derive(material)
        return CardKey(
            tag=HKDFExpand(SHA256(), 32, info=b"tag").derive(root),
            key=HKDFExpand(SHA256(), 32, info=b"slip").derive(root),
        )

    def tag(self, card: IdCard) -> bytes:
        """32 bytes that find this card's filings again and tell nothing about the card."""
        return self.card_key(card).tag

    def seal(self, card: IdCard, data: bytes) -> bytes:
        """`data`, readable again with the same card only."""
        card_key = self.card_key(card)
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(card_key.key).encrypt(nonce, data, card_key.tag)

    def open(self, card: IdCard, sealed: bytes) -> Result[bytes, StoreError]:
        """What `seal` was given; BROKEN when it was sealed for another card or is damaged."""
        card_key = self.card_key(card)
        try:
            return Ok(AESGCM(card_key.key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], card_key.tag))
        except (InvalidTag, ValueError):
            return Err(StoreError(StoreFault.BROKEN, "slip does not open with this card"))
