"""Sealing primitives, both sides."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.contract.envelope import BUCKET, EnvelopeError, parse_envelope
from kiosk.contract.sealing import (
    SealingError,
    SealingKey,
    UnknownSealingKey,
    new_session,
    open_blob,
    open_envelope,
    open_session_key,
    seal_blob,
    seal_submission,
    wrap_session_key,
)
from kiosk.contract.signing import SignatureError, SigningKey, verify_envelope
from kiosk.contract.submission import IdentityProof, Submission

ID = "01a20244-e801-7b86-b273-ff34fce19d6b"
AT = datetime(2026, 11, 22, tzinfo=UTC)
HALL, RECOVERY, OTHER = SealingKey.generate(), SealingKey.generate(), SealingKey.generate()
TERMINAL = SigningKey.generate()
SESSION = new_session(terminal_id="T001", hall_public=HALL.public, recovery_public=RECOVERY.public)


def submission(note: str = "") -> Submission:
    return Submission(
        id=ID,
        application_no="440699261122T00100014",
        query_code="23456789",
        item_code="TEST-ITEM",
        item_version=1,
        bundle=1,
        terminal_id="T001",
        created_at=AT,
        applicant=IdentityProof(method="none", read_at=AT, terminal_id="T001"),
        note=note,
    )


def sealed(note: str = "") -> bytes:
    return seal_submission(submission(note), sealed_blobs=(), session=SESSION, signing=TERMINAL)


@pytest.mark.parametrize("key", [HALL, RECOVERY])
def test_hall_and_recovery_key_open_what_the_terminal_sealed(key: SealingKey) -> None:
    envelope = parse_envelope(sealed("你好"))
    verify_envelope(envelope, {TERMINAL.id: TERMINAL.public})
    assert open_envelope(envelope, open_session_key(envelope.header, {key.id: key})) == submission("你好")


def test_another_key_is_unknown() -> None:
    with pytest.raises(UnknownSealingKey):
        open_session_key(parse_envelope(sealed()).header, {OTHER.id: OTHER})


def test_a_session_key_wrapped_for_another_terminal_does_not_unwrap() -> None:
    wrapped = wrap_session_key(os.urandom(32), HALL.public, terminal_id="T002")
    with pytest.raises(SealingError):
        HALL.unwrap(wrapped, terminal_id="T001")


@given(st.binary(max_size=200))
def test_no_bytes_unwrap_by_accident(raw: bytes) -> None:
    with pytest.raises(SealingError):
        HALL.unwrap(raw, terminal_id="T001")


def test_a_short_session_key_is_refused() -> None:
    with pytest.raises(SealingError, match="32 bytes"):
        HALL.unwrap(wrap_session_key(b"short", HALL.public, terminal_id="T001"), terminal_id="T001")


@given(st.text(max_size=2000))
@settings(max_examples=50)
def test_any_note_comes_back_and_lengths_are_bucketed(note: str) -> None:
    try:
        note.encode()
    except UnicodeEncodeError:
        return
    envelope = parse_envelope(sealed(note))
    assert (len(envelope.ciphertext) - 16) % BUCKET == 0
    assert open_envelope(envelope, SESSION.key).note == note


@given(st.data())
@settings(max_examples=300)
def test_no_changed_envelope_is_taken(data: st.DataObject) -> None:
    raw = bytearray(RAW)
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= 1 << data.draw(st.integers(0, 7))
    try:
        envelope = parse_envelope(bytes(raw))
        verify_envelope(envelope, {TERMINAL.id: TERMINAL.public})
    except (EnvelopeError, SignatureError):
        return
    pytest.fail("a flipped bit went through")


@given(st.binary(max_size=600) | st.binary(max_size=200).map(lambda raw: b"CWE1" + raw))
def test_parsing_any_bytes_gives_an_envelope_or_envelope_error(raw: bytes) -> None:
    with contextlib.suppress(EnvelopeError):
        assert parse_envelope(raw).raw == raw


@given(st.data())
def test_every_torn_envelope_is_refused(data: st.DataObject) -> None:
    with pytest.raises(EnvelopeError):
        parse_envelope(RAW[: data.draw(st.integers(0, len(RAW) - 1))])


RAW = sealed("原文")


def test_a_ciphertext_under_a_changed_header_does_not_open() -> None:
    envelope = parse_envelope(RAW)
    moved = replace(envelope, header_bytes=envelope.header_bytes[:-1] + b"\x01")
    assert moved.header_bytes != envelope.header_bytes
    with pytest.raises(SealingError):
        open_envelope(moved, SESSION.key)


def test_a_submission_under_another_id_is_refused() -> None:
    other = submission().model_copy(update={"id": ID.replace("01a2", "01a3")})
    envelope = parse_envelope(seal_submission(other, sealed_blobs=(), session=SESSION, signing=TERMINAL))
    moved = replace(envelope, header_bytes=parse_envelope(RAW).header_bytes)
    with pytest.raises(SealingError):
        open_envelope(moved, SESSION.key)


@pytest.mark.parametrize("nonce", [b"", bytes(11), bytes(13), bytes(12)])
def test_a_bad_nonce_is_refused(nonce: bytes) -> None:
    envelope = parse_envelope(RAW)
    with pytest.raises(SealingError):
        open_envelope(replace(envelope, header=replace(envelope.header, nonce=nonce)), SESSION.key)


@given(st.binary(max_size=3000))
def test_a_blob_opens_for_its_submission_only(data: bytes) -> None:
    blob = seal_blob(SESSION.key, submission_id=ID, data=data)
    assert len(blob) == len(data) + 32
    assert open_blob(SESSION.key, submission_id=ID, sealed=blob) == data
    with pytest.raises(SealingError):
        open_blob(SESSION.key, submission_id=ID.replace("01a2", "01a3"), sealed=blob)
    with pytest.raises(SealingError):
        open_blob(os.urandom(32), submission_id=ID, sealed=blob)


@given(st.binary(max_size=100) | st.binary(max_size=100).map(lambda raw: b"CWB1" + raw))
def test_no_bytes_are_a_blob_by_accident(raw: bytes) -> None:
    with pytest.raises(SealingError):
        open_blob(SESSION.key, submission_id=ID, sealed=raw)


def test_keys_survive_pem_and_wrong_pem_is_refused() -> None:
    assert SealingKey.from_pem(HALL.pem()).id == HALL.id
    with pytest.raises(ValueError, match="X25519"):
        SealingKey.from_pem(TERMINAL.pem())


def test_the_session_key_is_not_in_its_repr() -> None:
    assert repr(SESSION.key) not in repr(SESSION)
