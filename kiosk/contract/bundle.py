"""The signed bundle: everything a terminal needs to serve without network (事项目录).

File: ``CWB1 | u32 body length | body | key id 4 | 64-byte Ed25519 signature over CWB1 + SHA-256(body)``;
the body is canonical JSON of `Bundle`.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from datetime import date
from typing import Self

from pydantic import JsonValue, ValidationError, model_validator

from kiosk.contract.wire import Instant, KeyId, Short, TerminalId, Text, Whole, Wire

MAGIC = b"CWB1"
_MARK_DIGITS = 16


class HallKey(Wire):
    """A public key of the hall: raw key, base64. Purpose `seal` (X25519), `sign` or `recovery`."""

    id: KeyId
    purpose: Short
    public: Short


class Theme(Wire):
    """A tile on the home screen (主题)."""

    id: Short
    title: Short
    subtitle: Short
    icon: Short
    items: tuple[Short, ...]
    """Item codes, most used first."""


class TerminalPlace(Wire):
    """Another terminal, for "the nearest one that can" (就近能办)."""

    id: TerminalId
    name: Short
    address: Short
    open: Short
    devices: tuple[Short, ...]


class Window(Wire):
    """A staffed window (综合窗口) where every item can also be done."""

    name: Short
    address: Short
    open: Short
    phone: Short


class Calendar(Wire):
    """放假调休: what is announced for whole years; other years go by the days of the week."""

    years: tuple[int, ...] = ()
    days_off: tuple[date, ...] = ()
    """Weekends among them may be left out."""
    workdays: tuple[date, ...] = ()
    """Weekends on which offices work."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if any(day.year not in self.years for day in (*self.days_off, *self.workdays)):
            raise ValueError("a day lies in a year that is not listed")
        if set(self.days_off) & set(self.workdays):
            raise ValueError("a day is both off and worked")
        return self


class Bundle(Wire):
    """One published catalogue. Items are `fuwu/1` documents; `kiosk.core.item` gives them meaning."""

    format: Short = "bundle/1"
    number: Whole
    published_at: Instant
    region: Short
    hall_name: Short
    query_place: Text
    """Where and how to query progress; printed on every receipt (P28)."""
    keys: tuple[HallKey, ...]
    themes: tuple[Theme, ...]
    items: tuple[dict[str, JsonValue], ...]
    terminals: tuple[TerminalPlace, ...]
    windows: tuple[Window, ...]
    calendar: Calendar = Calendar()
    withdrawn: tuple[Short, ...] = ()
    """Licences that are revoked or suspended, by `licence_mark`: their papers are genuine and yet not good."""


def licence_mark(number: str) -> str:
    """Finds a licence number (证照编号) in a list that nobody can read numbers from: 16 hexadecimal digits."""
    return hashlib.sha256(number.encode()).hexdigest()[:_MARK_DIGITS]


class BundleError(ValueError):
    """These bytes are no bundle."""


@dataclass(frozen=True, slots=True)
class SignedBundle:
    """A parsed bundle file; the signature is checked by `kiosk.contract.signing`."""

    body: bytes
    bundle: Bundle
    key_id: str
    signature: bytes


def bundle_signed_bytes(body: bytes) -> bytes:
    """What the hall signs."""
    return MAGIC + hashlib.sha256(body).digest()


def join_bundle(body: bytes, key_id: str, signature: bytes) -> bytes:
    """The bundle file."""
    return MAGIC + struct.pack(">I", len(body)) + body + bytes.fromhex(key_id) + signature


def parse_bundle(raw: bytes) -> SignedBundle:
    """Split and validate a bundle file; raises BundleError."""
    if raw[:4] != MAGIC or len(raw) < 8:
        raise BundleError("not a bundle")
    (length,) = struct.unpack(">I", raw[4:8])
    if len(raw) != 8 + length + 4 + 64:
        raise BundleError("bundle is torn")
    body = raw[8 : 8 + length]
    try:
        bundle = Bundle.model_validate_json(body)
    except ValidationError as error:
        raise BundleError(f"bundle has {error.error_count()} faults") from None
    return SignedBundle(body, bundle, raw[8 + length : 12 + length].hex(), raw[12 + length :])
