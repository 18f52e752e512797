"""What becomes of paper: marks in the print ledger, and the report to the hall. Goes on when the citizen has left."""

from __future__ import annotations

from dataclasses import replace

from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.ports import ReceiptState
from kiosk.core.result import Ok
from kiosk.services.effects import ForgetPerson, Mark, ReportOutcome
from kiosk.services.messages import Marked, OutcomeReported
from kiosk.services.model import PageJob, PendingMark
from kiosk.services.turn import Turn


def mark(turn: Turn, filing: str, state: ReceiptState) -> None:
    """Write down what is known of a receipt; a newer mark replaces an older one that still waits."""
    pending = PendingMark(filing, state, turn.monotonic + turn.around.delays.mark_deadline)
    others = tuple(one for one in turn.model.marks if one.filing != filing)
    turn.set(marks=(*others, pending))
    turn.do(Mark(filing, state))


def marked(turn: Turn, message: Marked) -> None:
    """The queue has written it down, or will be asked again."""
    kept: list[PendingMark] = []
    for one in turn.model.marks:
        if (one.filing, one.state) != (message.filing, message.state):
            kept.append(one)
        elif not isinstance(message.result, Ok):
            if turn.monotonic < one.deadline:
                kept.append(replace(one, retry_at=turn.monotonic + turn.around.delays.mark_retry))
            else:
                turn.log(Event.of(EventName.STORE_REFUSED, fault=message.result.error.fault))
    turn.set(marks=tuple(kept))


def retry_marks(turn: Turn) -> None:
    """On a tick."""
    due = [one for one in turn.model.marks if one.retry_at is not None and one.retry_at <= turn.monotonic]
    for one in due:
        turn.do(Mark(one.filing, one.state))
    turn.set(marks=tuple(replace(one, retry_at=None) if one in due else one for one in turn.model.marks))


def page_job(turn: Turn, job_id: str) -> PageJob | None:
    """The job, if it is not reported yet."""
    return next((job for job in turn.model.page_jobs if job.job_id == job_id), None)


def put_page_job(turn: Turn, job: PageJob) -> None:
    """Remember it, instead of what was known of it."""
    others = tuple(one for one in turn.model.page_jobs if one.job_id != job.job_id)
    turn.set(page_jobs=(*others, job))


def settle_page_jobs(turn: Turn, generation: int) -> None:
    """Tell the hall about every job of this session that the printer has answered for."""
    settled = [job for job in turn.model.page_jobs if job.generation == generation and not job.in_flight]
    for job in settled:
        turn.do(ReportOutcome(job.generation, job.job_id, job.outcome, job.pages, job.fault))
    turn.set(page_jobs=tuple(job for job in turn.model.page_jobs if job not in settled))
    if not turn.current(generation) and not any(job.generation == generation for job in turn.model.page_jobs):
        turn.do(ForgetPerson(generation))


def reported(turn: Turn, message: OutcomeReported) -> None:
    """The hall knows; or it does not, and the log says so (the hall asks terminals for open jobs itself)."""
    if not isinstance(message.result, Ok):
        turn.log(Event.of(EventName.OUTCOME_UNREPORTED, fault=message.result.error.fault))
