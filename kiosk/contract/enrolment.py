"""Enrolment of a terminal (终端登记): one-time ticket, key made on the terminal, certificate from the hall.

Ticket text: ``TTTTTTTT-SSSSSSSSSSSSSSSS-PPPPPPPPPPPPPPPP`` in Crockford base32: 40-bit id, 80-bit secret and the
first 80 bits of the SHA-256 of the hall root's SubjectPublicKeyInfo, so the terminal never trusts on first use.
The secret is not sent: ``mac = HMAC-SHA256(secret, "enrol1" + csr_der + signing_public)``.
"""

from __future__ import annotations

import hashlib

from pydantic import Field

from kiosk.contract.bundle import HallKey
from kiosk.contract.wire import Instant, Short, TerminalId, Wire

MAC_CONTEXT = b"enrol1"
RENEW_CONTEXT = b"renew1"


class EnrolRequest(Wire):
    """POST /v1/enrol, no client certificate."""

    ticket_id: Short
    csr: str
    """PEM of a PKCS#10 request for a P-256 key that was made on the terminal."""
    signing_public: Short
    """Base64 raw Ed25519 public key for envelopes and receipts."""
    mac: Short
    """Hexadecimal."""


class EnrolResponse(Wire):
    """The terminal's identity; the same request again gets the same answer."""

    terminal_id: TerminalId
    region: Short
    site_name: Short
    certificate: str
    """PEM: terminal certificate, then intermediate."""
    ca: str
    """PEM of the hall's root; its key hash must match the ticket."""
    keys: tuple[HallKey, ...]
    expires_at: Instant
    counters: dict[str, int] = Field(default={})
    """By ISO date: serials of application numbers up to this one may have been given under this terminal's id, by a
    machine before this one or before its disk was lost; they are not given again."""


class RenewRequest(Wire):
    """POST /v1/renew over mutual TLS with the certificate that is to be replaced (证书续期)."""

    csr: str
    """PEM of a PKCS#10 request for a fresh P-256 key."""
    signing_public: Short
    """Base64 raw Ed25519 public key for what is signed from now on; the old one stays good for what it signed."""
    proof: Short
    """Base64: the new signing key's signature over `renewal_signed_bytes`."""


def renewal_signed_bytes(terminal_id: str, csr_der: bytes) -> bytes:
    """What a `RenewRequest` proves: the terminal holds both new keys."""
    return RENEW_CONTEXT + terminal_id.encode() + hashlib.sha256(csr_der).digest()
