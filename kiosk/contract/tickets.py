"""The one-time enrolment ticket (登记码) as text, and the proof made with its secret; see `kiosk.contract.enrolment`.

Crockford base32 (https://www.crockford.com/base32.html): no I L O U; when read, I and L count as 1, O as 0.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from kiosk.contract.enrolment import MAC_CONTEXT

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FOLD = str.maketrans("ILO", "110")
ID_BYTES, SECRET_BYTES, PIN_BYTES = 5, 10, 10


class TicketError(ValueError):
    """This text is no enrolment ticket; the message never quotes it."""


def encode_base32(raw: bytes) -> str:
    """Crockford base32 of a whole number of 5-byte groups."""
    number = int.from_bytes(raw, "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(len(raw) * 8 - 5, -1, -5))


def decode_base32(text: str) -> bytes:
    """Back again, forgiving case and look-alikes; TicketError."""
    number = 0
    for character in text.upper().translate(_FOLD):
        value = _ALPHABET.find(character)
        if value < 0:
            raise TicketError("a character that no ticket has")
        number = number << 5 | value
    return number.to_bytes(len(text) * 5 // 8, "big")


@dataclass(frozen=True, slots=True)
class EnrolTicket:
    """``TTTTTTTT-SSSSSSSSSSSSSSSS-PPPPPPPPPPPPPPPP``: id, secret, and the pin of the hall's root key."""

    id: str
    """8 characters, as sent in `EnrolRequest.ticket_id`."""
    secret: bytes = field(repr=False)
    pin: bytes

    def text(self) -> str:
        """What is printed on the work order."""
        return "-".join((self.id, encode_base32(self.secret), encode_base32(self.pin)))

    @classmethod
    def parse(cls, text: str) -> EnrolTicket:
        """Read a ticket with or without hyphens and spaces; TicketError."""
        plain = "".join(text.replace("-", "").split())
        if len(plain) != 40:
            raise TicketError("a ticket has 40 characters")
        raw = decode_base32(plain)
        return cls(encode_base32(raw[:5]), raw[5:15], raw[15:])


def enrol_mac(secret: bytes, *, csr_der: bytes, signing_public: bytes) -> str:
    """Hexadecimal proof that whoever holds the ticket made this request with these keys."""
    return hmac.new(secret, MAC_CONTEXT + csr_der + signing_public, hashlib.sha256).hexdigest()


def key_pin(subject_public_key_info: bytes) -> bytes:
    """First 80 bits of the SHA-256 of a DER SubjectPublicKeyInfo."""
    return hashlib.sha256(subject_public_key_info).digest()[:PIN_BYTES]
