"""Sealed filings of synthetic persons, as a real hall accepts them: some with materials, some of two chunks."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from kiosk.contract.numbers import ApplicationNumber, mint_query_code, mint_submission_id
from kiosk.contract.submission import AnswerRecord, Consent, IdentityProof, MaterialUse, Submission
from kiosk.core.identity import person_check_character
from kiosk.core.ports import SealedSubmission, SealSession
from offline_queue.seal import TerminalSealer

REGION = "440604"
SURNAME = "瞾彧"
"""Every planted name begins so; nothing else here does."""
BIRTH = "44069919550317"
"""Every planted identity number begins so."""
_PER_SESSION = 4


@dataclass(frozen=True)
class Person:
    """Somebody who does not exist."""

    name: str
    number: str
    address: str


def person(serial: int) -> Person:
    """The n-th of up to 999 × 100 persons."""
    body = f"{BIRTH}{serial % 1000:03d}"
    letters = "甲乙丙丁戊己庚辛壬癸"
    tail = "".join(letters[int(digit)] for digit in f"{serial:04d}")
    return Person(SURNAME + tail, body + person_check_character(body), f"{SURNAME}路{serial}号")


def filings(
    sealer: TerminalSealer, *, terminal_id: str, count: int, dice: random.Random, large: float = 0.01
) -> Iterator[SealedSubmission]:
    """`count` sealed filings, about a third with materials; `large`: the share of those with a blob of two chunks."""
    today = datetime.now(UTC)
    session: SealSession | None = None
    for serial in range(count):
        if serial % _PER_SESSION == 0:
            if session is not None:
                session.close()
            session = sealer.open_session()
        assert session is not None
        # Serial numbers of a day end at 9999.
        day = today.date() - timedelta(days=serial // 9000)
        yield filing(session, terminal_id, serial, day=day, dice=dice, large=large)
    if session is not None:
        session.close()


def filing(
    session: SealSession, terminal_id: str, serial: int, *, day: date, dice: random.Random, large: float = 0.0
) -> SealedSubmission:
    """One of them."""
    now = datetime.now(UTC)
    who = person(serial)
    id_ = mint_submission_id(unix_ms=int(now.timestamp() * 1000), random_bytes=dice.randbytes)
    number = str(ApplicationNumber(REGION, day, terminal_id, serial % 9000 + 1))
    common = {
        "id": id_,
        "application_no": number,
        "query_code": mint_query_code(dice.randbytes),
        "item_version": 1,
        "bundle": 1,
        "terminal_id": terminal_id,
        "created_at": now,
        "applicant": IdentityProof(
            method="id_card",
            card="resident",
            name=who.name,
            id_number=who.number,
            valid_to="长期",
            read_at=now,
            terminal_id=terminal_id,
        ),
    }

    def said(value: str | bool) -> AnswerRecord:
        return AnswerRecord(value=value, source="citizen", at=now)

    if dice.random() >= 0.34:
        answers = {"topic": said("traffic"), "question": said(f"{who.address}的灯什么时候修好")}
        return session.seal(Submission(item_code="440604-ZX-12345", answers=answers, **common), ())  # type: ignore[arg-type]
    size = 300_000 if dice.random() < large * 3 else dice.randrange(200, 20_000)
    picture = who.number.encode() + dice.randbytes(size)
    blob = session.seal_blob(id_, picture)
    renewal = Submission(
        item_code="440604-GA-0031",
        answers={"addr_same": said(True), "reason": said("home"), "phone": said("13800000000")},
        materials=(
            MaterialUse(id="id_card", source="card_reader", name="居民身份证", captured_at=now),
            MaterialUse(id="permit", source="licence_library", name="居住证", licence_id="none"),
            MaterialUse(
                id="housing",
                source="camera",
                name="租赁合同或房产证",
                blob=hashlib.sha256(blob).hexdigest(),
                original_sha256=hashlib.sha256(picture).hexdigest(),
                media_type="image/jpeg",
                size=len(picture),
                captured_at=now,
            ),
        ),
        consents=(Consent(purpose="居住证签注", subject="none", at=now),),
        **common,  # type: ignore[arg-type]
    )
    return session.seal(renewal, (blob,))


def planted(count: int) -> tuple[bytes, ...]:
    """The first `count` persons' names, numbers and addresses in every form in which a program might spill them."""
    words: list[bytes] = []
    for serial in range(count):
        who = person(serial)
        for text in (who.name, who.number, who.address):
            words += [text.encode(coding) for coding in ("utf-8", "gb18030", "utf-16-le", "utf-16-be")]
            words.append(text.encode("ascii", "backslashreplace"))
            # Base64 at each of the three positions that the text may begin at, without the ends that depend on it.
            for lead in range(3):
                words.append(base64.b64encode(bytes(lead) + text.encode())[4:-4])
    return tuple(words)
