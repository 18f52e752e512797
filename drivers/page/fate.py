"""What a printer's words about jobs under one name prove; pure.

The printer's own word counts and never a queue's: CUPS calls jobs completed that its printer aborted, and counts
pages before they are printed. No trace of a job is no proof that it never came: printers forget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.page.client import Job
from drivers.page.facts import Facts
from drivers.page.ipp import JobState
from kiosk.core.ports import JobFate

HISTORY_S = 60
"""A job that is over is remembered so long (PWG, job-history-interval-configured: "SHOULD … at least 60 seconds")."""
_CLOCK_S = 10 * 365 * 86400
"""A printer-up-time beyond is a clock (CUPS: seconds since 1970) and tells nothing of a restart."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Jobs under one name, oldest first: where they were handed in, and at the printer. Direct: the same."""

    desk: tuple[Job, ...]
    engine: tuple[Job, ...]

    @property
    def unfinished(self) -> bool:
        """May something come out yet?"""
        return any(not job.over for job in (*self.desk, *self.engine))

    @property
    def torn(self) -> Traces:
        """Jobs without their document, at the printer only where no desk is about to send it any more."""
        waited_for = any(not job.over for job in self.desk)
        return Traces(
            tuple(job for job in self.desk if job.lacks_document),
            () if waited_for else tuple(job for job in self.engine if job.lacks_document),
        )


def proven(job: Job, *, pages: int | None) -> bool:
    """Completed without errors, and no page fewer than wanted where the printer counts them."""
    wanted = pages or job.total or 0
    return (
        job.state == JobState.COMPLETED
        and "job-completed-with-errors" not in job.reasons
        and (not job.pages or job.pages >= wanted)
    )


def failed(job: Job, *, pages: int | None) -> bool:
    """Given up before its last page for sure."""
    if job.state not in (JobState.CANCELED, JobState.ABORTED):
        return False
    if job.pages is None:  # it does not count: aborted is its word that it did not get through, a cancel may be late
        return job.state == JobState.ABORTED
    wanted = pages or job.total
    return job.pages == 0 or (wanted is not None and job.pages < wanted)


def judge(traces: Traces, *, pages: int | None = None) -> JobFate | None:
    """None: the printer knows nothing of it."""
    if any(proven(job, pages=pages) for job in traces.engine):
        return JobFate.PRINTED
    if traces.unfinished:
        return JobFate.PRINTING
    if not traces.engine:
        return None
    return JobFate.NOT_PRINTED if all(failed(job, pages=pages) for job in traces.engine) else JobFate.UNKNOWN


def remembers(facts: Facts, history: Sequence[Job], *, age_s: float) -> bool:
    """Would this printer still know a job that it got within the last `age_s` seconds?

    Yes if it knows one that was over before, for histories forget the oldest first; or if it is up for longer than
    that and the time is within what histories hold at least.
    """
    now = facts.up_s
    if now is None:
        return False
    ended = [job.ended_s for job in history if job.over and job.ended_s]
    if any(now - then > age_s for then in ended if then <= now):
        return True
    return age_s < now < _CLOCK_S and age_s < (HISTORY_S if facts.history_s is None else facts.history_s)


def age_of(jobs: Sequence[Job], facts: Facts) -> float | None:
    """Seconds since the oldest of these jobs was created, by the clock of the one who tells; None: not told."""
    created = [job.created_s for job in jobs if job.created_s]
    if not created or facts.up_s is None or min(created) > facts.up_s:
        return None
    return float(facts.up_s - min(created))
