"""重新收件: what was refused wrongly is asked for again, after the hall has put right what it was refused for.

The terminal still has it, parked. Staff say so with a reason; the terminal hears it with its next heartbeat, again and
again until the submission is here, and does it once for each order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert as upsert

from hall.store.database import Store
from hall.store.moments import from_ms, to_ms
from hall.store.schema import rejections, second_chances, submissions
from kiosk.contract.sync import MAX_SEND_AGAIN, SendAgain
from kiosk.core.clock import Clock

STANDS = timedelta(days=30)
SHOWN = 200
MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """Something that a terminal has set aside because this hall refused it."""

    id: str
    terminal_id: str
    code: str
    at: datetime
    reason: str
    """Why it was asked for again; empty: it was not."""
    actor: str
    asked_at: datetime | None


class SecondChances:
    """What staff want to see again."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def refused(self) -> tuple[RefusedRow, ...]:
        """Refused and not here since, newest first."""
        statement = (
            select(rejections, second_chances.c.reason, second_chances.c.actor, second_chances.c.asked_at)
            .outerjoin(second_chances, second_chances.c.submission_id == rejections.c.id)
            .outerjoin(submissions, submissions.c.id == rejections.c.id)
            .where(submissions.c.id.is_(None))
            .order_by(rejections.c.at.desc())
            .limit(SHOWN)
        )
        with self._store.read() as connection:
            rows = connection.execute(statement).all()
        return tuple(
            RefusedRow(
                id=row.id,
                terminal_id=row.terminal_id,
                code=row.code,
                at=from_ms(row.at),
                reason=row.reason or "",
                actor=row.actor or "",
                asked_at=None if row.asked_at is None else from_ms(row.asked_at),
            )
            for row in rows
        )

    def ask(self, submission_id: str, *, reason: str, actor: str) -> bool:
        """Ask for it again, at the terminal that brought it; False: it was not refused here. ValueError: no reason."""
        reason = reason.strip()
        if not reason or len(reason) > MAX_REASON:
            raise ValueError("a reason is wanted, of at most 200 characters")
        at = to_ms(self._clock.now())
        with self._store.read() as connection:
            terminal_id = connection.execute(
                select(rejections.c.terminal_id)
                .where(rejections.c.id == submission_id)
                .order_by(rejections.c.at.desc())
            ).scalar()
        if terminal_id is None:
            return False
        values = {"terminal_id": terminal_id, "reason": reason, "actor": actor, "asked_at": at}
        self._store.write(
            lambda connection: connection.execute(
                upsert(second_chances)
                .values(submission_id=submission_id, **values)
                .on_conflict_do_update(index_elements=["submission_id"], set_=values)
            )
        )
        return True

    def of(self, terminal_id: str) -> tuple[SendAgain, ...]:
        """What this terminal is to send again."""
        since = to_ms(self._clock.now() - STANDS)
        statement = (
            select(second_chances.c.submission_id, second_chances.c.asked_at)
            .outerjoin(submissions, submissions.c.id == second_chances.c.submission_id)
            .where(
                second_chances.c.terminal_id == terminal_id,
                second_chances.c.asked_at >= since,
                submissions.c.id.is_(None),
            )
            .order_by(second_chances.c.asked_at)
            .limit(MAX_SEND_AGAIN)
        )
        with self._store.read() as connection:
            rows = connection.execute(statement).all()
        return tuple(SendAgain(id=row.submission_id, order=row.asked_at) for row in rows)
