"""POST /v1/batches at a real hall: a verdict for each, and nothing of one spoils another."""

from __future__ import annotations

import base64
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from kiosk.contract.batch import MAX_BATCH_ITEMS, join_batch
from kiosk.contract.signing import key_id, verify_receipt
from kiosk.contract.sync import BatchVerdicts
from tests.hall.conftest import HallProcess, TestTerminal


def send(terminal: TestTerminal, envelopes: list[bytes]) -> BatchVerdicts:
    answer = terminal.post("/v1/batches", join_batch(envelopes))
    assert answer.status_code == 200, answer.text
    return BatchVerdicts.model_validate_json(answer.content)


def statuses(told: BatchVerdicts) -> list[str | None]:
    return [verdict and verdict.status for verdict in told.verdicts]


def test_all_are_accepted_with_a_receipt_each_and_again_with_the_same(terminal: TestTerminal) -> None:
    questions = [terminal.question() for _ in range(5)]
    envelopes = [terminal.seal(question) for question in questions]
    first, again = send(terminal, envelopes), send(terminal, envelopes)
    assert statuses(first) == ["accepted"] * 5
    assert statuses(again) == ["duplicate"] * 5
    assert datetime.now(UTC) - first.hall_time < timedelta(minutes=1)
    keys = terminal.keys()
    signer = key_id(keys["sign"])
    for question, one, other in zip(questions, first.verdicts, again.verdicts, strict=True):
        assert one is not None and other is not None
        assert one.id == question.id
        assert one.receipt == other.receipt
        raw = base64.b64decode(one.receipt)
        receipt = verify_receipt(raw, {signer: keys["sign"]})
        assert receipt.submission_id == question.id


def test_one_batch_is_one_moment_at_the_hall(terminal: TestTerminal, hall: HallProcess) -> None:
    questions = [terminal.question() for _ in range(40)]
    assert statuses(send(terminal, [terminal.seal(question) for question in questions])) == ["accepted"] * 40
    with sqlite3.connect(f"file:{hall.data / 'hall.db'}?mode=ro", uri=True) as db:
        ids = ",".join(f"'{question.id}'" for question in questions)
        (count, moments) = db.execute(
            f"select count(*), count(distinct received_at) from submissions where id in ({ids})"
        ).fetchone()
    db.close()
    assert (count, moments) == (40, 1)


def test_bad_ones_do_not_spoil_good_ones(terminal: TestTerminal, other_terminal: TestTerminal) -> None:
    good = [terminal.seal(terminal.question()) for _ in range(3)]
    unknown = terminal.seal(terminal.question(item_code="440604-XX-0000"))
    strangers = other_terminal.seal(other_terminal.question())
    flipped = bytearray(terminal.seal(terminal.question()))
    flipped[-1] ^= 1
    told = send(terminal, [b"nonsense", good[0], unknown, good[1], strangers, bytes(flipped), good[0], good[2]])
    assert statuses(told) == [None, "accepted", "rejected", "accepted", "rejected", "rejected", "duplicate", "accepted"]
    codes = [verdict.code for verdict in told.verdicts if verdict is not None]
    assert codes == [None, "item_unknown", None, "forbidden", "bad_signature", None, None]
    assert statuses(send(terminal, [unknown, good[2]])) == ["rejected", "duplicate"]


def test_what_lacks_its_materials_is_wanted_and_then_taken(terminal: TestTerminal) -> None:
    session = terminal.session()
    licence = terminal.get("/v1/me/licences", headers=terminal.bearer()).json()["licences"][0]["id"]
    submission, blob = terminal.renewal(session, licence_id=licence)
    envelope = terminal.seal(submission, blob, session=session)
    plain = terminal.seal(terminal.question())
    (wanted, accepted) = send(terminal, [envelope, plain]).verdicts
    assert wanted is not None and accepted is not None
    assert (wanted.status, len(wanted.missing), accepted.status) == ("wanted", 1, "accepted")
    assert terminal.put_blob(blob).status_code in (200, 201)
    assert statuses(send(terminal, [envelope])) == ["accepted"]


def test_same_id_with_other_bytes_is_a_conflict_also_within_one_batch(terminal: TestTerminal) -> None:
    question = terminal.question()
    one, other = terminal.seal(question), terminal.seal(question)
    assert one != other
    assert statuses(send(terminal, [one, other])) == ["accepted", "conflict"]
    assert statuses(send(terminal, [other, one])) == ["conflict", "duplicate"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed"),
        (b"CWS1", 400, "malformed"),
        (b"CWS1\x00\x00\x00\x09torn", 400, "malformed"),
        (join_batch([b"x"] * (MAX_BATCH_ITEMS + 1)), 400, "malformed"),
        (b"CWS1" + bytes(2 * 1024 * 1024), 413, "too_large"),
    ],
)
def test_what_is_no_batch_is_refused_as_a_whole(terminal: TestTerminal, body: bytes, status: int, code: str) -> None:
    answer = terminal.post("/v1/batches", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
