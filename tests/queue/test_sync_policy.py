"""Every decision of the sync worker, as tables."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.contract.problems import ProblemCode
from kiosk.contract.signing import HallReceipt, SigningKey, sign_receipt
from kiosk.contract.sync import Verdict
from kiosk.core.ports import HallFault, Link
from offline_queue.gateway import fault_of
from offline_queue.uplink.policy import (
    Accept,
    Backoff,
    CallError,
    Later,
    Park,
    Scope,
    Send,
    SyncDelays,
    Trouble,
    announce_was_poisoned,
    decide,
    link_after,
    pause_after,
    scope_of,
)

ID = "01a20244-e801-7b86-b273-ff34fce19d6b"
OTHER_ID = "01a20244-e801-7b86-b273-ff34fce19d6c"
SHA = "ab" * 32
KEY = SigningKey.generate()
KEYS = {KEY.id: KEY.public}
RECEIPT = sign_receipt(HallReceipt(ID, SHA, datetime(2026, 11, 22, tzinfo=UTC)), KEY)


def problem(status: int, code: ProblemCode | None = None, retry_after: int | None = None) -> CallError:
    return CallError(Trouble.PROBLEM, status, code, retry_after)


def verdict(status: str, *, receipt: bytes = b"", code: ProblemCode | None = None) -> Verdict:
    return Verdict.model_validate(
        {"id": ID, "status": status, "receipt": base64.b64encode(receipt).decode(), "code": code}
    )


@pytest.mark.parametrize(
    ("error", "for_all", "for_one", "link", "name"),
    [
        (CallError(Trouble.UNREACHABLE), Scope.LINK, Scope.LINK, Link.DOWN, "unreachable"),
        (CallError(Trouble.TIMEOUT), Scope.LINK, Scope.LINK, Link.DOWN, "timeout"),
        (CallError(Trouble.TLS), Scope.LINK, Scope.LINK, Link.DOWN, "tls"),
        (CallError(Trouble.REDIRECT, 302), Scope.LINK, Scope.LINK, Link.DOWN, "redirect"),
        (CallError(Trouble.GARBAGE, 200), Scope.TASK, Scope.ITEM, None, "garbage"),
        (CallError(Trouble.TOO_LARGE, 200), Scope.TASK, Scope.ITEM, None, "too_large"),
        (problem(400, ProblemCode.MALFORMED), Scope.TASK, Scope.ITEM, Link.UP, "malformed"),
        (problem(401, ProblemCode.UNAUTHENTICATED), Scope.HALL, Scope.HALL, Link.UP, "unauthenticated"),
        (problem(403, ProblemCode.FORBIDDEN), Scope.HALL, Scope.HALL, Link.UP, "forbidden"),
        (problem(404), Scope.TASK, Scope.ITEM, Link.UP, "http_404"),
        (problem(409, ProblemCode.OFFSET_MISMATCH), Scope.TASK, Scope.ITEM, Link.UP, "offset_mismatch"),
        (problem(413, ProblemCode.TOO_LARGE), Scope.TASK, Scope.ITEM, Link.UP, "too_large"),
        (problem(422, ProblemCode.CANNOT_OPEN), Scope.TASK, Scope.ITEM, Link.UP, "cannot_open"),
        (problem(429, ProblemCode.BUSY), Scope.HALL, Scope.HALL, Link.UP, "busy"),
        (problem(500), Scope.TASK, Scope.ITEM, Link.UP, "http_500"),
        (problem(502), Scope.TASK, Scope.ITEM, Link.UP, "http_502"),
        (problem(503, ProblemCode.BUSY), Scope.HALL, Scope.HALL, Link.UP, "busy"),
    ],
)
def test_whom_a_failure_concerns(
    error: CallError, for_all: Scope, for_one: Scope, link: Link | None, name: str
) -> None:
    assert scope_of(error, one_item=False) is for_all
    assert scope_of(error, one_item=True) is for_one
    assert link_after(error) is link
    assert error.name == name


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (problem(400), True),
        (problem(409), True),
        (problem(413), True),
        (problem(422), True),
        (problem(401), False),
        (problem(404), False),
        (problem(500), False),
        (CallError(Trouble.GARBAGE, 200), False),
        (CallError(Trouble.UNREACHABLE), False),
    ],
)
def test_which_refusals_one_bad_entry_may_cause(error: CallError, expected: bool) -> None:
    assert announce_was_poisoned(error) is expected


@pytest.mark.parametrize(
    ("given_verdict", "expected"),
    [
        (verdict("accepted", receipt=RECEIPT), Accept(RECEIPT)),
        (verdict("duplicate", receipt=RECEIPT), Accept(RECEIPT)),
        (verdict("accepted"), Later("receipt_unsigned")),
        (verdict("accepted", receipt=RECEIPT[:-1]), Later("receipt_unsigned")),
        (verdict("accepted", receipt=RECEIPT + b"x"), Later("receipt_unsigned")),
        (verdict("wanted"), Send(())),
        (verdict("rejected", code=ProblemCode.ANSWERS_INVALID), Park("answers_invalid")),
        (verdict("rejected"), Park("rejected")),
        (verdict("conflict", code=ProblemCode.CONFLICT), Park("conflict")),
        (verdict("retry", code=ProblemCode.BUSY), Later("busy", 0)),
    ],
)
def test_what_a_verdict_means(given_verdict: Verdict, expected: object) -> None:
    assert decide(given_verdict, id_=ID, sha256=SHA, keys=KEYS) == expected


def test_only_the_receipt_for_this_id_and_hash_by_a_known_key_counts() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    stranger = SigningKey.generate()
    for receipt, code in (
        (sign_receipt(HallReceipt(OTHER_ID, SHA, at), KEY), "receipt_of_another"),
        (sign_receipt(HallReceipt(ID, "cd" * 32, at), KEY), "receipt_of_another"),
        (sign_receipt(HallReceipt(ID, SHA, at), stranger), "receipt_unsigned"),
    ):
        assert decide(verdict("accepted", receipt=receipt), id_=ID, sha256=SHA, keys=KEYS) == Later(code)
    not_base64 = Verdict(id=ID, status="accepted", receipt="@@@")
    assert decide(not_base64, id_=ID, sha256=SHA, keys=KEYS) == Later("receipt_garbage")
    other = Verdict(id=OTHER_ID, status="accepted", receipt=base64.b64encode(RECEIPT).decode())
    assert decide(other, id_=ID, sha256=SHA, keys=KEYS) == Later("other_id")


@given(position=st.integers(0, len(RECEIPT) - 1), bit=st.integers(0, 7))
def test_no_mutated_receipt_is_accepted(position: int, bit: int) -> None:
    raw = bytearray(RECEIPT)
    raw[position] ^= 1 << bit
    assert isinstance(decide(verdict("accepted", receipt=bytes(raw)), id_=ID, sha256=SHA, keys=KEYS), Later)


@given(st.binary(min_size=126, max_size=126) | st.binary(max_size=200))
def test_no_bytes_are_a_receipt_by_accident(raw: bytes) -> None:
    assert isinstance(decide(verdict("accepted", receipt=raw), id_=ID, sha256=SHA, keys=KEYS), Later)


@given(failures=st.integers(1, 10_000), roll=st.floats(0, 1, exclude_max=True))
def test_backoff_is_full_jitter_between_floor_and_cap(failures: int, roll: float) -> None:
    backoff = Backoff(first=0.5, cap=15.0, floor=0.05)
    delay = backoff.delay(failures, lambda: roll)
    assert 0.05 <= delay <= 15.0
    assert delay <= max(0.05, 0.5 * 2 ** (min(failures, 40) - 1))


def test_backoff_grows() -> None:
    delays = [Backoff(first=1, cap=60).delay(failures, lambda: 0.999) for failures in range(1, 9)]
    assert delays == sorted(delays)
    assert delays[0] < 1 < delays[2]
    assert delays[-1] == pytest.approx(59.94)


@pytest.mark.parametrize(
    ("error", "scope", "least", "most"),
    [
        (problem(401), Scope.HALL, 60, 60),
        (problem(429, retry_after=7), Scope.HALL, 7, 8),
        (problem(503, retry_after=10**8), Scope.HALL, 300, 301),
        (problem(503), Scope.HALL, 0.05, 1),
        (problem(500, retry_after=5), Scope.ITEM, 5, 6),
        (problem(500), Scope.TASK, 0.05, 1),
        (CallError(Trouble.UNREACHABLE), Scope.LINK, 0.05, 0.5),
        (CallError(Trouble.GARBAGE, retry_after_s=-5), Scope.ITEM, 0, 1),
        (CallError(Trouble.GARBAGE), Scope.ITEM, 0.05, 2),
    ],
)
@given(roll=st.floats(0, 1, exclude_max=True))
def test_how_long_to_wait_after_the_first_failure(
    roll: float, error: CallError, scope: Scope, least: float, most: float
) -> None:
    seconds = pause_after(error, scope=scope, failures=1, delays=SyncDelays(), random=lambda: roll)
    assert least <= seconds <= most


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CallError(Trouble.UNREACHABLE), HallFault.UNREACHABLE),
        (CallError(Trouble.TIMEOUT), HallFault.UNREACHABLE),
        (CallError(Trouble.TLS), HallFault.UNREACHABLE),
        (CallError(Trouble.REDIRECT, 302), HallFault.UNREACHABLE),
        (CallError(Trouble.GARBAGE, 200), HallFault.GARBAGE),
        (CallError(Trouble.TOO_LARGE, 200), HallFault.GARBAGE),
        (problem(401, ProblemCode.PERSON_SESSION_EXPIRED), HallFault.REFUSED),
        (problem(403, ProblemCode.FORBIDDEN), HallFault.REFUSED),
        (problem(404, ProblemCode.NOT_FOUND), HallFault.REFUSED),
        (problem(422, ProblemCode.NOT_ELIGIBLE), HallFault.NOT_ELIGIBLE),
        (problem(422, ProblemCode.ANSWERS_INVALID), HallFault.REFUSED),
        (problem(429, ProblemCode.BUSY), HallFault.BUSY),
        (problem(500, ProblemCode.INTERNAL), HallFault.BUSY),
        (problem(503), HallFault.BUSY),
    ],
)
def test_what_a_failure_means_to_a_citizen(error: CallError, expected: HallFault) -> None:
    assert fault_of(error) is expected


def test_receipts_are_not_guessable_from_random_bytes_under_the_right_header() -> None:
    forged = RECEIPT[:-64] + os.urandom(64)
    assert decide(verdict("accepted", receipt=forged), id_=ID, sha256=SHA, keys=KEYS) == Later("receipt_unsigned")
