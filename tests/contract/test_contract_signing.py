"""Receipts, QR codes and bundles: ours verify, nothing that was changed does."""

from __future__ import annotations

import random
import zlib
from datetime import UTC, datetime

import base45
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.contract.bundle import Bundle, BundleError, parse_bundle
from kiosk.contract.signing import (
    QR_PREFIX,
    RECEIPT_BYTES,
    HallReceipt,
    QrClaim,
    SignatureError,
    SigningKey,
    sign_bundle,
    sign_qr,
    sign_receipt,
    verify_bundle,
    verify_qr,
    verify_receipt,
)

KEY, STRANGER = SigningKey.generate(), SigningKey.generate()
KEYS = {KEY.id: KEY.public}
RECEIPT = HallReceipt("01936b7e-1c2d-7abc-8def-0123456789ab", "ab" * 32, datetime(2026, 11, 22, 6, 30, tzinfo=UTC))
CLAIMS = {QrClaim.TYPE: "L", QrClaim.NUMBER: "CB44060420269", QrClaim.HOLDER: "陈*䶮", QrClaim.AT: 1795330000}


def test_a_receipt_is_126_bytes_and_read_back() -> None:
    raw = sign_receipt(RECEIPT, KEY)
    assert len(raw) == RECEIPT_BYTES == 126
    assert verify_receipt(raw, KEYS) == RECEIPT


def test_no_changed_receipt_verifies() -> None:
    raw = sign_receipt(RECEIPT, KEY)
    chance = random.Random(20261122)
    for _ in range(2000):
        changed = bytearray(raw)
        changed[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        with pytest.raises(SignatureError):
            verify_receipt(bytes(changed), KEYS)


def test_receipts_of_strangers_and_pieces_of_receipts_do_not_verify() -> None:
    with pytest.raises(SignatureError, match="unknown signing key"):
        verify_receipt(sign_receipt(RECEIPT, STRANGER), KEYS)
    for length in (0, 61, 125):
        with pytest.raises(SignatureError, match="126 bytes"):
            verify_receipt(sign_receipt(RECEIPT, KEY)[:length], KEYS)


def test_a_code_is_read_back_and_fits_alphanumeric_mode() -> None:
    text = sign_qr(CLAIMS, KEY)
    assert verify_qr(text, KEYS) == {int(claim): value for claim, value in CLAIMS.items()}
    assert set(text) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


@given(st.text(max_size=300))
def test_no_text_from_elsewhere_verifies(text: str) -> None:
    with pytest.raises(SignatureError):
        verify_qr(text, KEYS)
    with pytest.raises(SignatureError):
        verify_qr(QR_PREFIX + text, KEYS)


@settings(max_examples=300)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_changed_code_verifies(place: int, flip: int) -> None:
    message = bytearray(zlib.decompress(base45.b45decode(sign_qr(CLAIMS, KEY)[len(QR_PREFIX) :])))
    message[place % len(message)] ^= flip
    text = QR_PREFIX + base45.b45encode(zlib.compress(bytes(message))).decode()
    try:
        claims = verify_qr(text, KEYS)
    except SignatureError:
        return
    # The unprotected header is not signed; a change there that still names a known key changes no claim.
    assert claims == {int(claim): value for claim, value in CLAIMS.items()}


def test_a_zip_bomb_is_no_code() -> None:
    bomb = QR_PREFIX + base45.b45encode(zlib.compress(bytes(50_000_000))).decode()
    with pytest.raises(SignatureError):
        verify_qr(bomb, KEYS)


def _bundle() -> Bundle:
    return Bundle(
        number=3,
        published_at=RECEIPT.at,
        region="440604",
        hall_name="样本大厅",
        query_place="任何一台终端",
        keys=(),
        themes=(),
        items=(),
        terminals=(),
        windows=(),
    )


def test_a_bundle_is_read_back_and_every_changed_byte_is_found() -> None:
    raw = sign_bundle(_bundle(), KEY)
    assert verify_bundle(raw, KEYS) == _bundle()
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1
        with pytest.raises((SignatureError, BundleError)):
            verify_bundle(bytes(changed), KEYS)
    with pytest.raises(SignatureError):
        verify_bundle(sign_bundle(_bundle(), STRANGER), KEYS)


@given(st.binary(max_size=300))
def test_random_bytes_are_no_bundle(raw: bytes) -> None:
    with pytest.raises(BundleError):
        parse_bundle(b"CWB1" + raw)
    with pytest.raises(BundleError):
        parse_bundle(raw)
