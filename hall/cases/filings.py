"""What every accepted filing leaves in the database, whether it opens a case or corrects one; on the writer."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from hall.store.moments import to_ms
from hall.store.schema import cases, corrections, licence_uses, rejections, submissions
from hall.trust.keys import HallKeys
from kiosk.contract.envelope import Envelope
from kiosk.contract.problems import ProblemCode
from kiosk.contract.signing import HallReceipt, sign_receipt
from kiosk.contract.submission import Submission
from kiosk.contract.sync import Verdict
from kiosk.core.item import Item

# Made once: building a statement costs more than running it.
_SUBMISSION = select(submissions.c.sha256, submissions.c.receipt).where(submissions.c.id == bindparam("id"))
_NUMBER = (
    select(cases.c.application_no)
    .where(cases.c.application_no == bindparam("number"))
    .union_all(select(corrections.c.application_no).where(corrections.c.application_no == bindparam("number")))
)
_INSERT_SUBMISSION = insert(submissions)


@dataclass(frozen=True, slots=True)
class Opened:
    """A submission that passed every check."""

    envelope: Envelope
    raw: bytes
    sha256: str
    submission: Submission
    item: Item


@dataclass(frozen=True, slots=True)
class Refusal:
    """A submission that no check will ever let pass."""

    id: str
    sha256: str
    code: ProblemCode


def known(connection: Connection, submission_id: str, sha256: str) -> Verdict | None:
    """The verdict on an id that was accepted before; None if it was not."""
    row = connection.execute(_SUBMISSION, {"id": submission_id}).one_or_none()
    if row is None:
        return None
    if row.sha256 != sha256:
        return Verdict(id=submission_id, status="conflict", code=ProblemCode.CONFLICT)
    return Verdict(id=submission_id, status="duplicate", receipt=base64.b64encode(row.receipt).decode())


def number_is_used(connection: Connection, application_no: str) -> bool:
    """By a case, or by a correction."""
    return connection.execute(_NUMBER, {"number": application_no}).first() is not None


def sign_for(connection: Connection, opened: Opened, *, keys: HallKeys, now: datetime) -> Verdict:
    """Keep the bytes for ever and sign for them."""
    submission = opened.submission
    receipt = sign_receipt(HallReceipt(submission.id, opened.sha256, now), keys.signing)
    connection.execute(
        _INSERT_SUBMISSION,
        {
            "id": submission.id,
            "sha256": opened.sha256,
            "terminal_id": submission.terminal_id,
            "received_at": to_ms(now),
            "envelope": opened.raw,
            "receipt": receipt,
        },
    )
    return Verdict(id=submission.id, status="accepted", receipt=base64.b64encode(receipt).decode())


def refuse(connection: Connection, refusal: Refusal, *, terminal_id: str, at: int) -> Verdict:
    """Note it for the clerk; the terminal parks it."""
    connection.execute(
        upsert(rejections)
        .values(id=refusal.id, sha256=refusal.sha256, terminal_id=terminal_id, code=refusal.code.value, at=at)
        .on_conflict_do_nothing()
    )
    return Verdict(id=refusal.id, status="rejected", code=refusal.code)


def conflict(connection: Connection, opened: Opened, *, terminal_id: str, at: int) -> Verdict:
    """Its application number is another filing's: noted for the clerk, too."""
    refusal = Refusal(opened.submission.id, opened.sha256, ProblemCode.CONFLICT)
    return refuse(connection, refusal, terminal_id=terminal_id, at=at).model_copy(update={"status": "conflict"})


def note_licence_uses(connection: Connection, submission: Submission, *, case_no: str) -> None:
    """The citizen's yes to each reuse."""
    for consent in submission.consents:
        connection.execute(
            upsert(licence_uses)
            .values(licence_id=consent.subject, application_no=case_no, purpose=consent.purpose, at=to_ms(consent.at))
            .on_conflict_do_nothing()
        )
