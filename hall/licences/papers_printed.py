"""What became of paper (打证结果): every paper that a terminal printed, or tried to, for a print job.

Terminals tell in their own name and repeat until they are answered; the same again changes nothing, and a weaker word
never takes back a stronger one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select, update

from hall.problem import Refused
from hall.store.database import Store
from hall.store.moments import believed, from_ms, to_ms
from hall.store.schema import print_jobs, print_papers
from kiosk.contract.person import PrintOutcome
from kiosk.contract.problems import ProblemCode
from kiosk.core.clock import Clock

_STRENGTH = {"unknown": 0, "failed": 1, "proven": 2, "void": 3}


@dataclass(frozen=True, slots=True)
class PrintedPaper:
    """One paper, or one try."""

    number: str
    attempt: int
    outcome: str
    pages: int
    fault: str
    serial: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PrintedJob:
    """A print job with all its papers. Whose it is, is not said."""

    id: str
    terminal_id: str
    title: str
    licence_number: str
    pages: int
    created_at: datetime
    outcome: str
    """Empty: nothing has been heard yet."""
    papers: tuple[PrintedPaper, ...]

    @property
    def serials(self) -> tuple[str, ...]:
        """Of the sheets that count."""
        return tuple(paper.serial for paper in self.papers if paper.outcome == "proven" and paper.serial)


class PapersPrinted:
    """Hears outcomes, and lists them."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def heard(self, job_id: str, told: PrintOutcome, *, terminal_id: str) -> None:
        """Write it down; Refused if this terminal has no such job."""
        now = self._clock.now()
        self._store.write(lambda connection: _write(connection, job_id, told, terminal_id=terminal_id, now=now))

    def jobs(self, *, limit: int = 200) -> tuple[PrintedJob, ...]:
        """Newest first."""
        with self._store.read() as connection:
            rows = connection.execute(select(print_jobs).order_by(print_jobs.c.created_at.desc()).limit(limit)).all()
            papers = connection.execute(
                select(print_papers)
                .where(print_papers.c.job_id.in_([row.id for row in rows]))
                .order_by(print_papers.c.at, print_papers.c.number, print_papers.c.attempt)
            ).all()
        by_job: dict[str, list[PrintedPaper]] = {}
        for row in papers:
            by_job.setdefault(row.job_id, []).append(_paper(row))
        return tuple(_job(row, tuple(by_job.get(row.id, ()))) for row in rows)


def summary(outcomes: Iterable[str]) -> str:
    """One word for a job: on paper if one of its papers counts, in doubt if one may be; else what was heard last."""
    heard = tuple(outcomes)
    for word in ("proven", "unknown"):
        if word in heard:
            return word
    return heard[-1] if heard else ""


def _write(connection: Connection, job_id: str, told: PrintOutcome, *, terminal_id: str, now: datetime) -> None:
    owner = connection.execute(select(print_jobs.c.terminal_id).where(print_jobs.c.id == job_id)).scalar_one_or_none()
    if owner != terminal_id:
        raise Refused(ProblemCode.NOT_FOUND)
    key = {"job_id": job_id, "number": told.number or job_id, "attempt": told.attempt}
    same = [print_papers.c[name] == value for name, value in key.items()]
    values = {
        "outcome": told.outcome,
        "pages": told.pages,
        "fault": told.fault,
        "serial": told.serial,
        "reason": told.reason,
        "at": believed(told.at, now),
        "heard_at": to_ms(now),
    }
    known = connection.execute(select(print_papers.c.outcome).where(*same)).scalar_one_or_none()
    if known is None:
        connection.execute(insert(print_papers).values(**key, **values))
    elif _STRENGTH[told.outcome] > _STRENGTH[known]:
        connection.execute(update(print_papers).where(*same).values(**values))
    else:
        return
    papers = connection.execute(
        select(print_papers)
        .where(print_papers.c.job_id == job_id)
        .order_by(print_papers.c.at, print_papers.c.number, print_papers.c.attempt)
    ).all()
    _sum_up(connection, job_id, papers)


def _sum_up(connection: Connection, job_id: str, papers: Sequence[Row[tuple[object, ...]]]) -> None:
    last = papers[-1]
    connection.execute(
        update(print_jobs)
        .where(print_jobs.c.id == job_id)
        .values(
            outcome=summary(row.outcome for row in papers),
            outcome_pages=sum(row.pages for row in papers if row.outcome == "proven"),
            fault=last.fault,
            outcome_at=last.at,
        )
    )


def _paper(row: Row[tuple[object, ...]]) -> PrintedPaper:
    data = row._mapping
    return PrintedPaper(
        number=data["number"],
        attempt=data["attempt"],
        outcome=data["outcome"],
        pages=data["pages"],
        fault=data["fault"],
        serial=data["serial"],
        reason=data["reason"],
        at=from_ms(data["at"]),
    )


def _job(row: Row[tuple[object, ...]], papers: tuple[PrintedPaper, ...]) -> PrintedJob:
    data = row._mapping
    return PrintedJob(
        id=data["id"],
        terminal_id=data["terminal_id"],
        title=data["title"],
        licence_number=data["licence_number"],
        pages=data["pages"],
        created_at=from_ms(data["created_at"]),
        outcome=data["outcome"] or "",
        papers=papers,
    )
