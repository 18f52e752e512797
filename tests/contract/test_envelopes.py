"""Envelopes of both formats: vectors, every field, hostile bytes, what a newer program would send."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import re
import tracemalloc
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.forms import UNSEEN, forms, pictures, references
from kiosk.contract import packing
from kiosk.contract.batch import framed_size
from kiosk.contract.envelope import (
    BUCKET,
    MAX_BLOBS,
    SIGNATURE_BYTES,
    TAG_BYTES,
    BlobRef,
    Envelope,
    EnvelopeError,
    EnvelopeHeader,
    EnvelopeLabel,
    HeaderWriter,
    UnknownProfile,
    envelope_bytes,
    parse_envelope,
    read_label,
    signed_bytes,
)
from kiosk.contract.packing import MAX_SUBMISSION_BYTES, DictionaryError, PackingError, pack, short_form, unpack
from kiosk.contract.sealing import (
    SealingError,
    SealingKey,
    new_session,
    open_envelope,
    open_session_key,
    seal_submission,
)
from kiosk.contract.signing import SignatureError, SigningKey, verify_envelope
from kiosk.contract.submission import Submission
from kiosk.contract.wire import canonical_json

HALL = SealingKey(X25519PrivateKey.from_private_bytes(b"\x01" * 32))
RECOVERY = SealingKey(X25519PrivateKey.from_private_bytes(b"\x02" * 32))
TERMINAL = SigningKey(Ed25519PrivateKey.from_private_bytes(b"\x03" * 32))
VECTORS = Path(__file__).with_name("vectors")
SAMPLES = tuple(itertools.islice(forms("test"), 18))


def vectors(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))["envelopes"]
    return found


def sealed(submission: Submission) -> bytes:
    session = new_session(terminal_id=submission.terminal_id, hall_public=HALL.public, recovery_public=RECOVERY.public)
    return seal_submission(submission, sealed_blobs=pictures(submission), session=session, signing=TERMINAL)


def header_bytes(header: EnvelopeHeader) -> bytes:
    writer = HeaderWriter(
        terminal_id=header.terminal_id,
        hall_key=header.hall_key,
        session_key=header.session_key,
        recovery_key=header.recovery_key,
        recovery_session_key=header.recovery_session_key,
        algorithm=header.algorithm,
        compression=header.compression,
    )
    return writer.write(
        header.id, header.created_at, signing_key=header.signing_key, nonce=header.nonce, blobs=header.blobs
    )


RAW = sealed(SAMPLES[0])
HEADER = parse_envelope(RAW).header


# --- what was sealed is read -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [HALL, RECOVERY], ids=["hall", "recovery"])
@pytest.mark.parametrize("name", ["cwe1", "cwe2"])
def test_the_hall_reads_every_envelope_that_a_terminal_ever_made(name: str, key: SealingKey) -> None:
    for vector in vectors(name):
        raw = base64.b64decode(vector["envelope"])
        assert raw[:4] == name.upper().encode()
        envelope = parse_envelope(raw)
        assert envelope.raw == raw
        verify_envelope(envelope, {TERMINAL.id: TERMINAL.public})
        opened = open_envelope(envelope, open_session_key(envelope.header, {key.id: key}))
        assert json.loads(canonical_json(opened)) == vector["submission"]


@pytest.mark.parametrize("submission", SAMPLES, ids=lambda submission: submission.item_code)
def test_what_is_sealed_comes_back_whole(submission: Submission) -> None:
    envelope = parse_envelope(sealed(submission))
    header = envelope.header
    assert (header.id, header.terminal_id, header.created_at) == (
        submission.id,
        submission.terminal_id,
        submission.created_at,
    )
    assert (header.hall_key, header.recovery_key, header.signing_key) == (HALL.id, RECOVERY.id, TERMINAL.id)
    assert header.blobs == references(submission)
    opened = open_envelope(envelope, open_session_key(header, {HALL.id: HALL}))
    assert canonical_json(opened) == canonical_json(submission)


def test_on_the_wire_a_form_is_two_fifths_of_its_json() -> None:
    """Q7, with the frame that it has in a batch; also a form that the dictionary has never seen."""
    for only in ("", UNSEEN):
        chosen = list(itertools.islice(forms("measured", only=only), 120))
        wire = sum(framed_size(len(sealed(submission))) for submission in chosen)
        assert wire <= 0.40 * sum(len(canonical_json(submission)) for submission in chosen)


def test_lengths_are_bucketed() -> None:
    lengths = {len(parse_envelope(sealed(submission)).ciphertext) - 16 for submission in SAMPLES}
    assert lengths and all(length % BUCKET == 0 for length in lengths)


# --- hostile bytes ---------------------------------------------------------------------------------------------------


@given(st.binary(max_size=900) | st.binary(max_size=900).map(lambda raw: b"CWE2" + raw))
def test_any_bytes_are_an_envelope_or_refused(raw: bytes) -> None:
    with contextlib.suppress(EnvelopeError):
        assert parse_envelope(raw).raw == raw


@given(st.data())
@settings(max_examples=300)
def test_no_changed_envelope_is_taken(data: st.DataObject) -> None:
    raw = bytearray(RAW)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((EnvelopeError, SignatureError)):
        verify_envelope(parse_envelope(bytes(raw)), {TERMINAL.id: TERMINAL.public})


def test_torn_and_lengthened_envelopes_are_refused() -> None:
    for wrong in (*(RAW[:length] for length in range(len(RAW))), RAW + b"\0", RAW + bytes(64)):
        with pytest.raises(EnvelopeError):
            parse_envelope(wrong)


@pytest.mark.parametrize(
    ("at", "wrong", "match"),
    [
        (4, b"\x02", "algorithm 2"),
        (5, b"\x09", "compression 9"),
        (12, b"\x40", "id or terminal"),  # the version of the UUID
        (22, b"t001", "id or terminal"),
        (26, b"\x7f" + b"\xff" * 7, "instant"),
    ],
)
def test_a_field_that_is_none_is_refused(at: int, wrong: bytes, match: str) -> None:
    with pytest.raises(EnvelopeError, match=match) as refused:
        parse_envelope(RAW[:at] + wrong + RAW[at + len(wrong) :])
    assert isinstance(refused.value, UnknownProfile) is (at in (4, 5))


def test_a_blob_that_is_too_large_is_refused() -> None:
    raw = next(sealed(submission) for submission in SAMPLES if pictures(submission))
    at = raw.index(bytes.fromhex(parse_envelope(raw).header.blobs[0].sha256)) + 32
    with pytest.raises(EnvelopeError, match="too large"):
        parse_envelope(raw[:at] + b"\xff" * 4 + raw[at + 4 :])


def test_an_old_envelope_of_an_unknown_profile_says_so() -> None:
    raw = base64.b64decode(vectors("cwe1")[0]["envelope"])
    for old, new in ((b"hpke-x25519-a256gcm", b"sm2-sm4gcm-sm3-0000"), (b'"zlib"', b'"zlob"')):
        with pytest.raises(UnknownProfile):
            parse_envelope(raw.replace(old, new))


def of_length(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


def uuid7(raw: bytes) -> str:
    number = int.from_bytes(raw) & ~(0xF << 76 | 0x3 << 62) | 0x7 << 76 | 0x2 << 62
    return str(uuid.UUID(int=number))


HEADERS = st.builds(
    EnvelopeHeader,
    id=of_length(16).map(uuid7),
    terminal_id=st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=4, max_size=4),
    created_at=st.datetimes(timezones=st.just(UTC)),
    compression=st.sampled_from(["zlib", "zstd-1"]),
    hall_key=of_length(4).map(bytes.hex),
    session_key=of_length(80),
    recovery_key=of_length(4).map(bytes.hex),
    recovery_session_key=of_length(80),
    nonce=of_length(12),
    signing_key=of_length(4).map(bytes.hex),
    blobs=st.lists(
        st.builds(BlobRef, sha256=of_length(32).map(bytes.hex), size=st.integers(0, 64 * 1024 * 1024)), max_size=9
    ).map(tuple),
)


def laid_out(header: EnvelopeHeader) -> bytes:
    """The header field by field, as the format is described."""
    parts = [
        b"CWE2\x01" + {"zlib": b"\x01", "zstd-1": b"\x02"}[header.compression],
        uuid.UUID(header.id).bytes + header.terminal_id.encode(),
        ((header.created_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)).to_bytes(8, signed=True),
        bytes.fromhex(header.hall_key + header.recovery_key + header.signing_key),
        header.session_key + header.recovery_session_key + header.nonce,
        len(header.blobs).to_bytes(),
        *(bytes.fromhex(blob.sha256) + blob.size.to_bytes(4) for blob in header.blobs),
    ]
    return b"".join(parts)


@given(HEADERS)
def test_any_header_is_written_as_the_format_says_and_read_back(header: EnvelopeHeader) -> None:
    clear = header_bytes(header)
    assert clear == laid_out(header)
    read = parse_envelope(envelope_bytes(clear, bytes(BUCKET + TAG_BYTES), bytes(SIGNATURE_BYTES)))
    assert read.header == header
    assert read.header_bytes == clear


def test_envelopes_of_a_session_share_what_the_session_is_and_nothing_else() -> None:
    session = new_session(terminal_id="T001", hall_public=HALL.public, recovery_public=RECOVERY.public)
    here = [submission.model_copy(update={"terminal_id": "T001"}) for submission in (*SAMPLES, *SAMPLES)]
    envelopes = [
        parse_envelope(
            seal_submission(submission, sealed_blobs=pictures(submission), session=session, signing=TERMINAL)
        )
        for submission in here
    ]
    assert len({envelope.header.nonce for envelope in envelopes}) == len(envelopes)
    assert len({envelope.ciphertext for envelope in envelopes}) == len(envelopes)
    for envelope, submission in zip(envelopes, here, strict=True):
        verify_envelope(envelope, {TERMINAL.id: TERMINAL.public})
        assert envelope.header_bytes == laid_out(envelope.header)
        assert open_envelope(envelope, open_session_key(envelope.header, {HALL.id: HALL})) == submission


def test_more_blobs_than_a_header_holds_are_not_sealed() -> None:
    blob = BlobRef(sha256="ab" * 32, size=1)
    many = {name: getattr(HEADER, name) for name in EnvelopeHeader.__dataclass_fields__}
    assert parse_envelope(RAW).header_bytes == header_bytes(HEADER)
    with pytest.raises(ValueError, match="255"):
        header_bytes(EnvelopeHeader(**many | {"blobs": (blob,) * (MAX_BLOBS + 1)}))


@given(
    st.sampled_from([RAW, *(base64.b64decode(v["envelope"]) for name in ("cwe1", "cwe2") for v in vectors(name))]),
    st.data(),
)
@settings(max_examples=500)
def test_a_label_is_read_from_what_is_an_envelope_and_from_nothing_else(whole: bytes, data: st.DataObject) -> None:
    raw = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 2))):  # most of what is checked lies in the first bytes
        raw[data.draw(st.integers(0, 320) | st.integers(0, len(raw) - 1)) % len(raw)] = data.draw(st.integers(0, 255))
    told = bytes(raw[: data.draw(st.just(len(raw)) | st.integers(0, len(raw)))])
    try:
        header = parse_envelope(told).header
    except EnvelopeError as error:
        with pytest.raises(type(error), match=re.escape(str(error))):
            read_label(told)
    else:
        assert read_label(told) == EnvelopeLabel(header.id, header.blobs)


# --- what a terminal that was turned may seal ------------------------------------------------------------------------


def resealed(plain: bytes) -> Envelope:
    """Rightly sealed and signed, whatever is inside."""
    session = new_session(terminal_id="T001", hall_public=HALL.public, recovery_public=RECOVERY.public)
    nonce = bytes(12)
    header = EnvelopeHeader(
        id=SAMPLES[0].id,
        terminal_id="T001",
        created_at=SAMPLES[0].created_at,
        hall_key=HALL.id,
        session_key=session.session_key,
        recovery_key=RECOVERY.id,
        recovery_session_key=session.recovery_session_key,
        nonce=nonce,
        signing_key=TERMINAL.id,
    )
    padded = plain + bytes(-len(plain) % BUCKET)
    clear = header_bytes(header)
    ciphertext = AESGCM(session.key).encrypt(nonce, padded, clear)
    return parse_envelope(Envelope(header, clear, ciphertext, TERMINAL.sign(signed_bytes(clear, ciphertext))).raw)


def framed(form: bytes, **options: Any) -> bytes:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, format=zstandard.FORMAT_ZSTD1_MAGICLESS, **options)
    packed = zstandard.ZstdCompressor(compression_params=parameters).compress(form)
    return len(packed).to_bytes(4, "big") + packed


def refused(plain: bytes, match: str) -> None:
    envelope = resealed(plain)
    with pytest.raises(SealingError, match=match):
        open_envelope(envelope, open_session_key(envelope.header, {HALL.id: HALL}))


def test_nonsense_inside_is_refused() -> None:
    refused(b"", "torn")
    refused(b"\xff" * 4, "torn")
    refused(b"\0\0\0\x05wrong", "decompress")
    refused(framed(b"\xff"), "cannot be read")
    refused(framed(cbor2.dumps([1])), "cannot be read")
    form = cbor2.loads(short_form(SAMPLES[0], ()))
    refused(framed(cbor2.dumps(form | {"materials": [{"blob": 0}]})), "cannot be read")
    refused(framed(cbor2.dumps(form | {"note": float("nan")})), "cannot be read")
    refused(framed(cbor2.dumps(form | {"applicant": {"read_at": 10**30}})), "cannot be read")
    refused(framed(cbor2.dumps(form | {"note": 1})), "faults")
    refused(framed(cbor2.dumps(form | {"more": "x"})), "faults")
    refused(framed(b"\x81" * 100_000), "cannot be read")


def test_a_bomb_is_not_unpacked() -> None:
    bomb = framed(bytes(MAX_SUBMISSION_BYTES + 1))
    assert len(bomb) < 2000
    refused(bomb, "larger")
    refused(framed(b"x" * 100, write_content_size=False), "larger")


@pytest.mark.parametrize("part", [[0], {"a": 0}, "x" * 1000])
def test_parts_that_are_pointed_at_are_not_written_out(part: Any) -> None:
    form, many = cbor2.loads(short_form(SAMPLES[0], ())), part
    for _ in range(7):
        many = [many] * 10
    bomb = framed(cbor2.dumps(form | {"note": many}, value_sharing=True, string_referencing=True))
    assert len(bomb) < 2000
    tracemalloc.start()
    refused(bomb, "larger")
    assert tracemalloc.get_traced_memory()[1] < 3 * MAX_SUBMISSION_BYTES
    tracemalloc.stop()


def test_a_form_that_holds_itself_is_refused() -> None:
    form = cbor2.loads(short_form(SAMPLES[0], ()))
    form["note"] = [*range(100_000), form]
    refused(framed(cbor2.dumps(form, value_sharing=True)), "larger")


def test_a_submission_under_another_id_is_refused() -> None:
    form = cbor2.loads(short_form(SAMPLES[0], ()))
    refused(framed(cbor2.dumps(form | {"id": SAMPLES[1].id})), "not the one")
    refused(framed(cbor2.dumps(form | {"terminal_id": "T002"})), "not the one")


@given(st.binary(max_size=400))
def test_any_short_form_is_a_submission_or_refused(form: bytes) -> None:
    with contextlib.suppress(PackingError):
        unpack(framed(form), HEADER)


def test_one_packer_serves_many_threads() -> None:
    with ThreadPoolExecutor(8) as threads:
        packed = list(threads.map(lambda submission: pack(submission, ()), SAMPLES * 20))
    assert packed == [pack(submission, ()) for submission in SAMPLES] * 20


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.binary(), lambda inner: st.lists(inner)))
def test_any_cbor_is_a_submission_or_refused(value: Any) -> None:
    form = cbor2.loads(short_form(SAMPLES[0], ()))
    with contextlib.suppress(PackingError):
        unpack(framed(cbor2.dumps(form | {"materials": value})), HEADER)


# --- the dictionary --------------------------------------------------------------------------------------------------


def test_the_dictionary_is_part_of_the_format() -> None:
    """Packed without it, the same submission cannot be read; with it, the same bytes every time."""
    first, second = (pack(SAMPLES[0], ()) for _ in range(2))
    assert first == second
    assert len(first) < len(framed(short_form(SAMPLES[0], ())))


def test_a_changed_dictionary_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    packing._dictionary.cache_clear()
    packing._packer.cache_clear()
    monkeypatch.setattr(packing, "DICTIONARY_SHA256", "00" * 32)
    try:
        with pytest.raises(DictionaryError):
            pack(SAMPLES[0], ())
    finally:
        monkeypatch.undo()
        packing._dictionary.cache_clear()
        packing._packer.cache_clear()
