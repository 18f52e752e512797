"""What the hall must hear of pages (打证结果): in the order in which it happened, until the hall has confirmed it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from kiosk.contract.person import PrintOutcome
from kiosk.core.ports import StoreError
from kiosk.core.result import Err, Result
from offline_queue.disk.database import transaction
from offline_queue.hall_client import HallClient
from offline_queue.store import Store
from offline_queue.uplink.pacing import Lane, Pacer
from offline_queue.uplink.policy import CallError, Scope, Trouble, scope_of

_log = logging.getLogger(__name__)

_BATCH = 32
_FINAL = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)
"""The hall will never take it as it is; it is kept, and a technician sees it."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """One outcome that the hall has not confirmed."""

    seq: int
    hall_job: str
    outcome: PrintOutcome


class OutcomeBox:
    """The outcomes in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def waiting(self, limit: int = _BATCH) -> Result[tuple[Unheard, ...], StoreError]:
        """The oldest first, without those that the hall refused."""

        def work(db: sqlite3.Connection) -> tuple[Unheard, ...]:
            rows = db.execute(
                "select seq, hall_job, job, try, outcome, pages, fault, serial, reason, at from outcomes"
                " where refused is null order by seq limit ?",
                (limit,),
            )
            return tuple(_unheard(*row) for row in rows)

        return self._store.db.run(work)

    def heard(self, seq: int) -> Result[None, StoreError]:
        """The hall has it."""

        def work(db: sqlite3.Connection) -> None:
            with transaction(db):
                db.execute("delete from outcomes where seq = ?", (seq,))

        return self._store.db.run(work, draining=True)

    def refused(self, seq: int, code: str) -> Result[None, StoreError]:
        """The hall does not want it."""

        def work(db: sqlite3.Connection) -> None:
            with transaction(db):
                db.execute("update outcomes set refused = ? where seq = ?", (code, seq))

        return self._store.db.run(work, draining=True)


@dataclass(slots=True)
class OutcomeRound:
    """Brings them to the hall. They are few, and one after the other keeps their order."""

    box: OutcomeBox
    client: HallClient
    pacer: Pacer
    stopped: Callable[[], bool]

    def run(self) -> bool:
        """All that wait, up to a batch; True if there may be more. StepOver."""
        if self.pacer.wait(Lane.OUTCOME) > 0:
            return False
        waiting = self.box.waiting()
        if isinstance(waiting, Err):
            self.pacer.store_failed(waiting.error.fault.value)
        for unheard in waiting.value:
            if self.stopped() or not self._tell(unheard):
                return False
        return len(waiting.value) == _BATCH

    def _tell(self, unheard: Unheard) -> bool:
        told = self.client.print_outcome(unheard.hall_job, unheard.outcome)
        if not isinstance(told, Err):
            self.pacer.went_well(Lane.OUTCOME)
            self._must(self.box.heard(unheard.seq))
            return True
        if told.error.sent and scope_of(told.error, one_item=False) is Scope.LINK:
            self.pacer.broke(Lane.OUTCOME, told.error)
            return False
        if not _final(told.error):
            self.pacer.failed(Lane.OUTCOME, told.error)
            return False
        _log.warning("outcome refused: %s", told.error.name)
        self._must(self.box.refused(unheard.seq, told.error.name))
        return True

    def _must(self, result: Result[None, StoreError]) -> None:
        if isinstance(result, Err):
            self.pacer.store_failed(result.error.fault.value)


def _final(error: CallError) -> bool:
    return error.trouble is Trouble.PROBLEM and error.code is not None and error.status in _FINAL


def _unheard(
    seq: int,
    hall_job: str,
    job: str,
    attempt: int,
    outcome: str,
    pages: int,
    fault: str,
    serial: str,
    reason: str,
    at: int,
) -> Unheard:
    message = PrintOutcome.model_validate(
        {
            "outcome": outcome,
            "pages": pages,
            "fault": fault,
            "at": datetime.fromtimestamp(at, UTC),
            "number": job,
            "attempt": attempt,
            "serial": serial,
            "reason": reason,
        }
    )
    return Unheard(seq, hall_job, message)
