"""Any JSON as a real submission: for technicians and tests, who have no screen to fill a form on.

A submission as JSON (``"format": "submission/1"``) is taken as it is, under a new id and number. Anything else becomes
the answers of a form: one per leaf, named by its path. What fits no answer goes along as a material.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from kiosk.contract.envelope import MAX_ENVELOPE_BYTES
from kiosk.contract.numbers import mint_query_code, mint_submission_id
from kiosk.contract.submission import AnswerRecord, AnswerValue, IdentityProof, MaterialUse, Submission
from kiosk.contract.wire import canonical_json
from kiosk.core.ports import SealedSubmission, Sealer

ITEM = "TEST-ITEM"
MAX_PAYLOAD_BYTES = 32 * 1024 * 1024
_MAX_ANSWERS = 500
_MAX_TEXT = 2000


class PayloadError(ValueError):
    """This is no payload; the message quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Mint:
    """What makes a submission one of this terminal's."""

    terminal_id: str
    number: str
    now: datetime


def read_payload(raw: bytes) -> Any:
    """The JSON; PayloadError."""
    if len(raw) > MAX_PAYLOAD_BYTES:
        raise PayloadError("payload is larger than 32 MiB")
    try:
        payload = json.loads(raw)
        canonical_json(payload)  # half a character, or what is no number, has no JSON form
    except (ValueError, RecursionError):
        raise PayloadError("standard input holds no JSON") from None
    return payload


def seal_payload(payload: Any, *, mint: Mint, sealer: Sealer) -> SealedSubmission:
    """Seal it under a session key of its own; PayloadError."""
    session = sealer.open_session()
    try:
        id_ = mint_submission_id(unix_ms=int(time.time() * 1000), random_bytes=os.urandom)
        answers = _answers(payload, mint.now)
        if isinstance(payload, dict) and payload.get("format") == "submission/1":
            return _checked(session.seal(_given(payload, id_, mint), ()))
        if answers is not None:
            return _checked(session.seal(_form(id_, mint, answers), ()))
        plain = canonical_json(payload)
        blob = session.seal_blob(id_, plain)
        material = MaterialUse(
            id="payload",
            source="camera",
            name="payload",
            blob=hashlib.sha256(blob).hexdigest(),
            original_sha256=hashlib.sha256(plain).hexdigest(),
            media_type="application/json",
            size=len(plain),
            captured_at=mint.now,
        )
        return _checked(session.seal(_form(id_, mint, {}, (material,)), (blob,)))
    finally:
        session.close()


def _checked(sealed: SealedSubmission) -> SealedSubmission:
    if len(sealed.envelope) > MAX_ENVELOPE_BYTES:
        raise PayloadError("submission is larger than an envelope holds")
    return sealed


def _given(payload: dict[str, Any], id_: str, mint: Mint) -> Submission:
    own = {
        "id": id_,
        "application_no": mint.number,
        "query_code": mint_query_code(os.urandom),
        "terminal_id": mint.terminal_id,
        "created_at": mint.now.isoformat(),
        "materials": [],
    }
    nobody = {"method": "none", "read_at": mint.now.isoformat(), "terminal_id": mint.terminal_id}
    try:
        return Submission.model_validate_json(json.dumps({"bundle": 1, "applicant": nobody, **payload, **own}))
    except ValidationError as error:
        raise PayloadError(f"submission has {error.error_count()} faults") from None


def _form(
    id_: str, mint: Mint, answers: dict[str, AnswerRecord], materials: tuple[MaterialUse, ...] = ()
) -> Submission:
    return Submission(
        id=id_,
        application_no=mint.number,
        query_code=mint_query_code(os.urandom),
        item_code=ITEM,
        item_version=1,
        bundle=1,
        terminal_id=mint.terminal_id,
        created_at=mint.now,
        applicant=IdentityProof(method="none", read_at=mint.now, terminal_id=mint.terminal_id),
        answers=answers,
        materials=materials,
    )


def _answers(payload: Any, now: datetime) -> dict[str, AnswerRecord] | None:
    """One answer a leaf; None if this JSON does not fit into answers."""
    answers: dict[str, AnswerRecord] = {}
    for name, value in _leaves("", payload):
        if len(answers) == _MAX_ANSWERS or name in answers or (isinstance(value, str) and len(value) > _MAX_TEXT):
            return None
        answers[name] = AnswerRecord(value=value, source="citizen", at=now)
    return answers


def _leaves(path: str, value: Any) -> Iterator[tuple[str, AnswerValue]]:
    match value:
        case dict() if value:
            for name, inner in value.items():
                yield from _leaves(f"{path}.{name}" if path else str(name), inner)
        case list() if value:
            for position, inner in enumerate(value):
                yield from _leaves(f"{path}.{position}" if path else str(position), inner)
        case str() | bool() | int() | None:
            yield path or "value", value
        case _:  # a fraction, or nothing in brackets
            yield path or "value", json.dumps(value)
