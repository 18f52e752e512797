"""The journal's records: what they can hold, and that a chain is followed in one way only."""

from __future__ import annotations

import hashlib
import tracemalloc

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.contract.journal import (
    FIELDS,
    MAX_BATCH_BYTES,
    Begin,
    Head,
    JournalBatch,
    JournalError,
    JournalKind,
    Note,
    body_of,
    checkpoint,
    digest_of,
    follow,
    link,
    parse_body,
    verify_checkpoint,
)
from kiosk.contract.signing import SigningKey
from offline_queue.journal import notes as journal_notes

EPOCH, BOOT = b"e" * 16, b"b" * 16
KEY = SigningKey.generate()
ID = "01a202e6-1fd4-7035-a4b5-48ff01dfe6e3"


def begin(epoch: bytes = EPOCH, *, before: Head | None = None, reason: str = "new") -> Note:
    return Note.of(
        JournalKind.BEGIN,
        epoch=epoch,
        before_epoch=before.epoch if before else b"",
        before_seq=before.seq if before else 0,
        before_head=before.hash if before else b"",
        reason=reason,
    )


def chain(*notes: Note) -> list[bytes]:
    return [body_of(seq, 1000 + seq, note) for seq, note in enumerate((begin(), *notes), 1)]


def walk(bodies: list[bytes]) -> Head:
    head = Head.before(EPOCH, 0)
    for body in bodies:
        head, _ = follow(head, body)
    return head


def signed(head: Head) -> bytes:
    note = checkpoint(head, at_ms=5, monotonic_ms=7, boot=BOOT, terminal_id="T001", key=KEY)
    return body_of(head.seq + 1, 5, note)


NOTES = (
    journal_notes.put(ID, "ab" * 32, size=560, put_at_s=1_700_000_000),
    journal_notes.accepted(ID, b"receipt"),
    journal_notes.parked(ID, "answers_invalid"),
    journal_notes.requeued(ID),
    journal_notes.returned(ID, "licence_invalid"),
    journal_notes.exported("ab" * 32, 7),
    journal_notes.imported("cd" * 32, 7),
    journal_notes.started(software="1.2.3+abc", sqlite="3.40.1", boot=BOOT, monotonic=1.5),
    journal_notes.stopped(2.5),
    journal_notes.clock_jump(expected_ms=-5, found_ms=10**12, monotonic=3),
    journal_notes.admission(open_=False),
    journal_notes.salvaged("corrupt", kept=3, lost=1),
    journal_notes.printed("0190-1", paper="page", state="failed", fault="paper_jam", serial="GD000001"),
    journal_notes.sheets_loaded("GD000001", 500),
    journal_notes.sheet("GD000001", state="void", reason="damaged"),
    journal_notes.purged("slip", ids=("a", "b"), up_to=1_700_000_000),
    journal_notes.journal_large(10, 5),
    journal_notes.journal_damaged(3, seq=70, code="torn"),
)


def test_every_kind_that_the_queue_writes_is_read_back() -> None:
    bodies = chain(*NOTES)
    for body, note in zip(bodies, (begin(), *NOTES), strict=True):
        record = parse_body(body)
        assert (record.kind, record.fields) == (note.kind, note.fields)
        assert record.named().keys() == FIELDS[note.kind].keys()
        assert record.as_dict()["kind"] == note.kind.name.lower()
    written = {note.kind for note in NOTES} | {JournalKind.BEGIN}
    assert set(JournalKind) - written == {JournalKind.CHECKPOINT}, "that is written by the journal"
    assert walk(bodies).seq == len(bodies)


@pytest.mark.parametrize(
    "text",
    ["试验甲乙", "440699199001011236", "44069919900101123x", "Jia Yi", "a" * 65, "x\n"],
    ids=["name", "number", "small x", "words", "long", "line"],
)
def test_what_a_person_may_have_written_has_no_field(text: str) -> None:
    for kind, fields in FIELDS.items():
        good = {name: _example(check) for name, check in fields.items()}
        Note.of(kind, **good)
        for name in fields:
            with pytest.raises(JournalError) as caught:
                Note.of(kind, **{**good, name: text})
            assert text not in str(caught.value)
    printed = journal_notes.printed(text, paper="page", state="failed", fault=text, serial=text)
    assert text.encode() not in body_of(1, 1, printed)


def _example(check: object) -> int | str | bytes:
    assert callable(check)
    return next(value for value in (0, "", b"", b"x" * 4, b"x" * 16, b"x" * 32, b"x" * 64) if check(value))


def test_what_is_made_quickly_is_what_the_check_would_have_made() -> None:
    quick = journal_notes.put(ID, "ab" * 32, size=560, put_at_s=7), journal_notes.accepted(ID, b"receipt")
    for note in quick:
        assert Note.of(note.kind, **dict(zip(FIELDS[note.kind], note.fields, strict=True))) == note
    damaged = journal_notes.put("no id", "no hash", size=1, put_at_s=7)
    assert damaged.fields[:2] == (bytes(16), bytes(32)), "a damaged row keeps nobody from being told"


def test_parts_that_are_pointed_at_are_not_written_out() -> None:
    many: object = 0
    for _ in range(6):
        many = [many] * 10
    body = cbor2.dumps([1, 0, 99, many], value_sharing=True)
    assert len(body) < 512
    tracemalloc.start()
    with pytest.raises(JournalError):
        parse_body(body)
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


def test_unknown_kinds_pass_with_plain_fields_only() -> None:
    body = cbor2.dumps([2, 5, 99, 1, "code", b"x" * 32], canonical=True)
    record = parse_body(body)
    assert (record.named(), record.as_dict()["kind"]) == ({}, "kind_99")
    for hostile in ("试验甲乙", {"a": 1}, 1.5, b"x" * 65, None, [1]):
        with pytest.raises(JournalError):
            parse_body(cbor2.dumps([2, 5, 99, hostile], canonical=True))


@given(st.binary(max_size=600))
def test_any_bytes_are_a_record_or_an_error(raw: bytes) -> None:
    try:
        record = parse_body(raw)
    except JournalError:
        return
    assert record.body == raw
    assert cbor2.dumps([record.seq, record.at_ms, record.kind, *record.fields], canonical=True) == raw


@given(st.binary(max_size=300))
def test_any_bytes_are_a_batch_or_an_error(raw: bytes) -> None:
    try:
        batch = JournalBatch.parse(raw)
    except JournalError:
        return
    assert JournalBatch.parse(batch.encode()) == batch


def test_a_batch_comes_back_and_has_a_limit() -> None:
    bodies = tuple(chain(*NOTES))
    batch = JournalBatch(Head.before(EPOCH, 0), 1, bodies)
    assert JournalBatch.parse(batch.encode()) == batch
    for wrong in (b"", b"x" * (MAX_BATCH_BYTES + 1), cbor2.dumps([2]), cbor2.dumps([1, EPOCH, 0, b"h" * 32, 1, []])):
        with pytest.raises(JournalError):
            JournalBatch.parse(wrong)


def test_a_record_elsewhere_in_the_chain_is_found() -> None:
    bodies = chain(*NOTES)
    for wrong in (bodies[:3] + bodies[4:], [*bodies[:3], bodies[3], *bodies[3:]], bodies[:2] + bodies[2:4][::-1]):
        with pytest.raises(JournalError, match="order"):
            walk(wrong)


@given(st.integers(0, len(NOTES)), st.data())
def test_any_changed_byte_changes_the_head_or_is_no_record(place: int, data: st.DataObject) -> None:
    bodies = chain(*NOTES)
    honest = walk(bodies)
    body = bytearray(bodies[place])
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    bodies[place] = bytes(body)
    try:
        assert walk(bodies) != honest
    except JournalError:
        return


def test_an_epoch_must_follow_the_end_of_the_one_before() -> None:
    head = walk(chain(*NOTES))
    after, record = follow(head, body_of(head.seq + 1, 1, begin(b"f" * 16, before=head, reason="damaged")))
    assert (after.epoch, Begin.of(record).reason) == (b"f" * 16, "damaged")
    for other in (Head(head.epoch, head.seq - 1, head.hash), Head(head.epoch, head.seq, b"x" * 32)):
        with pytest.raises(JournalError, match="begin"):
            follow(head, body_of(head.seq + 1, 1, begin(b"f" * 16, before=other)))


def test_a_checkpoint_answers_for_everything_before_it() -> None:
    head = walk(chain(*NOTES))
    body = signed(head)
    record = parse_body(body)
    keys = {KEY.id: KEY.public}
    verify_checkpoint(head, record, terminal_id="T001", keys=keys)
    other = SigningKey.generate()
    for wrong_head, terminal, believed in (
        (Head(head.epoch, head.seq, b"x" * 32), "T001", keys),
        (Head(b"x" * 16, head.seq, head.hash), "T001", keys),
        (head, "T002", keys),
        (head, "T001", {other.id: other.public}),
        (head, "T001", {KEY.id: other.public}),
    ):
        with pytest.raises(JournalError, match="signature"):
            verify_checkpoint(wrong_head, record, terminal_id=terminal, keys=believed)


@given(st.integers(0, 2**32), st.integers(1, 255))
def test_a_changed_checkpoint_does_not_verify(place: int, flip: int) -> None:
    head = walk(chain())
    raw = bytearray(signed(head))
    raw[place % len(raw)] ^= flip
    try:
        record = parse_body(bytes(raw))
        assert record.kind == JournalKind.CHECKPOINT
        verify_checkpoint(head, record, terminal_id="T001", keys={KEY.id: KEY.public})
    except (JournalError, AssertionError):
        return
    pytest.fail("a changed checkpoint verifies")


def test_the_chain_is_what_the_document_says() -> None:
    """Worked out by hand, so that another implementation can be written from the page."""
    body = body_of(1, 2, begin())
    genesis = hashlib.sha256(b"CWJ0" + EPOCH).digest()
    assert Head.before(EPOCH, 0).hash == genesis
    assert walk([body]).hash == hashlib.sha256(b"CWJ1" + genesis + body).digest() == link(genesis, body)
    assert digest_of(["b", "a"]) == hashlib.sha256(b"a\nb\n").digest()
