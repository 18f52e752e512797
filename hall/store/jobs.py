"""Background work: rows written in the transaction of the change that wants it; leased, retried, not lost.

A handler runs at least once and must be idempotent. After `MAX_ATTEMPTS` a job rests with its error for a person.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from hall.store.database import Store, StoreBusy
from hall.store.moments import to_ms
from hall.store.schema import jobs
from kiosk.core.clock import Clock

_log = logging.getLogger("hall")

MAX_ATTEMPTS = 8
LEASE_MS = 30_000
_FIRST_BACKOFF_MS = 500
_LAST_BACKOFF_MS = 60_000
_LOOK_AGAIN_S = 0.25
"""New jobs are found by looking; a look that finds nothing writes nothing."""


class NotYet(Exception):
    """A handler asks to be called again later; this is no failure."""

    def __init__(self, after_ms: int) -> None:
        super().__init__("not yet")
        self.after_ms = after_ms


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work."""

    id: int
    kind: str
    subject: str
    attempts: int


Handler = Callable[[Job], None]


_WANT = upsert(jobs).on_conflict_do_nothing()


def enqueue(connection: Connection, kind: str, subject: str, *, due_at: int = 0) -> None:
    """Want this done, at once by any clock if nothing is said; wanting it twice is wanting it once."""
    connection.execute(_WANT, {"kind": kind, "subject": subject, "due_at": due_at, "attempts": 0, "leased_until": 0})


def backoff_ms(attempts: int, random: Random) -> int:
    """Full jitter: anything up to a bound that doubles."""
    return random.randint(_FIRST_BACKOFF_MS // 2, min(_LAST_BACKOFF_MS, _FIRST_BACKOFF_MS * 2**attempts))


class JobRunner:
    """Does due jobs, one at a time, on a thread of its own."""

    def __init__(self, *, store: Store, handlers: Mapping[str, Handler], clock: Clock, random: Random) -> None:
        self._store = store
        self._handlers = handlers
        self._clock = clock
        self._random = random
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the job in hand."""
        self._ending.set()
        self._thread.join()

    def run_due(self) -> int:
        """Do everything that is due now; how many were taken."""
        count = 0
        while not self._ending.is_set() and (job := self._lease()) is not None:
            count += 1
            self._do(job)
        return count

    def _run(self) -> None:
        held_up = False
        while not self._ending.is_set():
            wait = _LOOK_AGAIN_S
            try:
                self.run_due()
                wait = self._wait_s()
                held_up = False
            except StoreBusy:
                pass
            except Exception as error:  # noqa: BLE001 - no descriptors, no disk: for now; without this thread no case moves
                if not held_up:  # said once, not four times a second
                    _log.error("jobs are held up: %s", type(error).__name__)
                held_up = True
            self._ending.wait(wait)

    def _wait_s(self) -> float:
        """Until the next job is due, but not long: leases end and new jobs come."""
        with self._store.read() as connection:
            due_at = connection.execute(
                select(func.min(func.max(jobs.c.due_at, jobs.c.leased_until))).where(
                    jobs.c.done_at.is_(None), jobs.c.attempts < MAX_ATTEMPTS
                )
            ).scalar_one()
        if due_at is None:
            return _LOOK_AGAIN_S
        return min(_LOOK_AGAIN_S, max(0.01, (int(due_at) - to_ms(self._clock.now())) / 1000))

    def _lease(self) -> Job | None:
        now = to_ms(self._clock.now())
        open_now = (
            jobs.c.done_at.is_(None),
            jobs.c.attempts < MAX_ATTEMPTS,
            jobs.c.due_at <= now,
            # One that ends later than any that is given now was given by a clock that was ahead.
            (jobs.c.leased_until <= now) | (jobs.c.leased_until > now + max(LEASE_MS, _LAST_BACKOFF_MS)),
        )
        with self._store.read() as connection:  # most looks find nothing: do not write for them
            if connection.execute(select(jobs.c.id).where(*open_now).limit(1)).one_or_none() is None:
                return None

        def write(connection: Connection) -> Job | None:
            row = connection.execute(select(jobs).where(*open_now).order_by(jobs.c.due_at).limit(1)).one_or_none()
            if row is None:
                return None
            connection.execute(update(jobs).where(jobs.c.id == row.id).values(leased_until=now + LEASE_MS))
            return Job(row.id, row.kind, row.subject, row.attempts)

        return self._store.write(write)

    def _do(self, job: Job) -> None:
        try:
            self._handlers[job.kind](job)
        except NotYet as not_yet:
            self._settle(job, due_at=to_ms(self._clock.now()) + not_yet.after_ms, leased_until=0)
        except StoreBusy:
            raise
        except Exception as error:  # noqa: BLE001 - a failing job must not stop the others; it is kept with its error
            wait = backoff_ms(job.attempts, self._random)
            self._settle(
                job,
                leased_until=to_ms(self._clock.now()) + wait,
                attempts=job.attempts + 1,
                last_error=type(error).__name__,
            )
        else:
            self._settle(job, done_at=to_ms(self._clock.now()))

    def _settle(self, job: Job, **values: int | str) -> None:
        self._store.write(
            lambda connection: connection.execute(update(jobs).where(jobs.c.id == job.id).values(**values))
        )
