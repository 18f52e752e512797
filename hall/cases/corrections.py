"""补正: a department asks for a correction, a terminal brings it, or nobody does until the time is over.

A correction is a submission like any other, with an id, a number and a receipt of its own; what it does is an event in
the history of the case that it corrects. Everything here happens on the writer, in the transaction that also signs for
it: it has one effect, or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from hall.cases.filings import Opened, Refusal, conflict, note_licence_uses, number_is_used, refuse, sign_for
from hall.cases.history import EventType, append
from hall.cases.returns import send_back
from hall.store.database import Store
from hall.store.jobs import Job, NotYet, enqueue
from hall.store.moments import believed, due, from_ms, to_ms
from hall.store.schema import awaited_cases, cases, correction_calls, corrections
from hall.store.vault import Vault
from hall.trust.keys import HallKeys
from kiosk.contract.bundle import Calendar
from kiosk.contract.corrections import CorrectionReason
from kiosk.contract.problems import ProblemCode
from kiosk.contract.submission import Submission
from kiosk.contract.sync import Verdict
from kiosk.contract.wire import canonical_json
from kiosk.core.clock import Clock
from kiosk.core.item import Item, Span

DECIDE_AGAIN = "department.decide_again"
"""Of a correction, by its submission's id."""
EXPIRE = "correction.expire"
"""Of a call for a correction: application number, a blank, the event's number."""
_AGAIN_S = 60
"""When a terminal may bring a correction again whose case is not here."""


@dataclass(frozen=True, slots=True)
class CorrectionRules:
    """How long things may take."""

    days: int
    """Working days that a citizen has, where the item says nothing."""
    grace: timedelta
    """A case is closed so much later: what she filed in time may still lie in a terminal (P53). A hall that was down
    when the time was over listens as long before it closes anything."""
    awaits: timedelta
    """A correction waits so long for the case that it corrects."""


@dataclass(frozen=True, slots=True)
class Filing:
    """What a case is to be decided on: the first filing, or the latest correction that it waited for."""

    submission_id: str
    terminal_id: str
    item_version: int
    sealed: bytes

    def opened(self, vault: Vault) -> Submission:
        """In clear."""
        return Submission.model_validate_json(vault.open(self.sealed, purpose=f"submission:{self.submission_id}"))


def filing_of(connection: Connection, case: Row[tuple[object, ...]]) -> Filing:
    """The one that counts now."""
    row = case._mapping
    latest = connection.execute(
        select(corrections)
        .where(corrections.c.case_no == row["application_no"], corrections.c.counts == 1)
        .order_by(corrections.c.seq.desc())
        .limit(1)
    ).one_or_none()
    found = row if latest is None else latest._mapping
    return Filing(found["submission_id"], found["terminal_id"], found["item_version"], found["sealed_submission"])


def correct_by(connection: Connection, case_no: str) -> datetime | None:
    """Until when the latest call for a correction of this case wants it; None: there was none."""
    at = connection.execute(
        select(correction_calls.c.due_at)
        .where(correction_calls.c.case_no == case_no)
        .order_by(correction_calls.c.seq.desc())
        .limit(1)
    ).scalar()
    return None if at is None else from_ms(at)


class Corrections:
    """Asked for, brought, given up."""

    def __init__(self, *, store: Store, vault: Vault, keys: HallKeys, rules: CorrectionRules, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._keys = keys
        self._rules = rules
        self._clock = clock
        self._opened = clock.monotonic()

    def want(
        self,
        connection: Connection,
        case: Row[tuple[object, ...]],
        item: Item,
        *,
        message: str,
        reason: CorrectionReason,
        now: datetime,
        calendar: Calendar,
    ) -> None:
        """补正告知: the case waits, and is closed when nothing comes. `case`: as it is in this transaction."""
        row = case._mapping
        number, seq = str(row["application_no"]), int(row["events"])
        days = item.limits.correction_days if item.limits and item.limits.correction_days else self._rules.days
        until = due(now, Span(days=days), calendar)
        append(
            connection,
            self._vault,
            number,
            what=EventType.CORRECTION_WANTED,
            actor=item.department,
            at=to_ms(now),
            data={"message": message, "reason": reason.value, "until": until.isoformat()},
        )
        connection.execute(insert(correction_calls).values(case_no=number, seq=seq, due_at=to_ms(until)))
        enqueue(connection, EXPIRE, f"{number} {seq}", due_at=to_ms(until + self._rules.grace))
        returned = filing_of(connection, case)
        send_back(
            connection,
            number,
            submission_id=returned.submission_id,
            terminal_id=returned.terminal_id,
            code=reason.value,
            at=to_ms(now),
        )

    def expire(self, job: Job) -> None:
        """补正不来: the time of this call is over; nothing to do if it was answered."""
        number, seq = job.subject.split(" ")
        now = self._clock.now()

        def write(connection: Connection) -> None:
            case = connection.execute(select(cases).where(cases.c.application_no == number)).one()
            calls = select(correction_calls).where(correction_calls.c.case_no == number)
            latest = connection.execute(calls.order_by(correction_calls.c.seq.desc()).limit(1)).one()
            if case.state == "correction_wanted" and latest.seq == int(seq):
                self._hear_first(from_ms(latest.due_at), now)
                data = {"message": "到期没有收到补交的材料，这件事已办结。还需要办的，请重新申请。"}
                append(connection, self._vault, number, what=EventType.EXPIRED, actor="hall", at=to_ms(now), data=data)

        self._store.write(write)

    def _hear_first(self, until: datetime, now: datetime) -> None:
        """NotYet, if this hall was down when the time was over: the terminals could not reach it."""
        open_for = timedelta(seconds=self._clock.monotonic() - self._opened)
        if now - open_for > until and open_for < self._rules.grace:
            raise NotYet(ceil((self._rules.grace - open_for) / timedelta(milliseconds=1)))

    def take(
        self,
        connection: Connection,
        opened: Opened,
        *,
        person: str,
        terminal_id: str,
        now: datetime,
        calendar: Calendar,
    ) -> Verdict:
        """Sign for a correction and let it do what it can; or say that its case is not here, or not hers."""
        submission, at = opened.submission, to_ms(now)
        number = submission.corrects
        if number_is_used(connection, submission.application_no):
            return conflict(connection, opened, terminal_id=terminal_id, at=at)
        case = connection.execute(select(cases).where(cases.c.application_no == number)).one_or_none()
        if case is None and self._may_wait(connection, submission.id, now):
            return Verdict(id=submission.id, status="retry", code=ProblemCode.CASE_AWAITED, retry_after_s=_AGAIN_S)
        if case is None or case.person != person or case.item_code != submission.item_code:
            refusal = Refusal(submission.id, opened.sha256, ProblemCode.CASE_UNKNOWN)
            _wait_no_more(connection, submission.id)
            return refuse(connection, refusal, terminal_id=terminal_id, at=at)
        _wait_no_more(connection, submission.id)
        verdict = sign_for(connection, opened, keys=self._keys, now=now)
        counts = case.state == "correction_wanted"
        connection.execute(
            insert(corrections).values(
                submission_id=submission.id,
                application_no=submission.application_no,
                case_no=number,
                item_version=submission.item_version,
                sealed_submission=self._vault.seal(canonical_json(submission), purpose=f"submission:{submission.id}"),
                terminal_id=submission.terminal_id,
                filed_at=believed(submission.created_at, now),
                received_at=at,
                seq=case.events,
                counts=int(counts),
            )
        )
        append(
            connection,
            self._vault,
            number,
            what=EventType.CORRECTED if counts else EventType.SUPPLEMENTED,
            actor=f"terminal:{submission.terminal_id}",
            at=at,
            data={"submission_id": submission.id, "sha256": opened.sha256},
        )
        note_licence_uses(connection, submission, case_no=number)
        if counts:
            self._go_on(connection, opened, now, calendar)
        return verdict

    @staticmethod
    def _go_on(connection: Connection, opened: Opened, now: datetime, calendar: Calendar) -> None:
        """The promised time begins anew with what was wanted (补正之日起), and the department decides again."""
        limits = opened.item.limits
        if limits is not None:
            connection.execute(
                update(cases)
                .where(cases.c.application_no == opened.submission.corrects)
                .values(due_at=to_ms(due(now, limits.promised, calendar)))
            )
        enqueue(connection, DECIDE_AGAIN, opened.submission.id)

    def _may_wait(self, connection: Connection, submission_id: str, now: datetime) -> bool:
        """Its case may lie in another terminal, or behind it in the queue of this one; not for ever."""
        connection.execute(
            upsert(awaited_cases).values(submission_id=submission_id, since=to_ms(now)).on_conflict_do_nothing()
        )
        since = connection.execute(
            select(awaited_cases.c.since).where(awaited_cases.c.submission_id == submission_id)
        ).scalar_one()
        return now - from_ms(since) < self._rules.awaits


def _wait_no_more(connection: Connection, submission_id: str) -> None:
    connection.execute(delete(awaited_cases).where(awaited_cases.c.submission_id == submission_id))
