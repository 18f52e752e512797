"""The way of a document: handed in at a desk, printed by an engine.

A printer is both. A queue of a print server (CUPS) is the desk only: what it says of its printer is late, stale or
wrong, so the printer behind it (device-uri) is asked itself. One behind which nothing speaks IPP (USB) is refused,
unless the profile says that the queue's word is enough (``proof=queue``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from drivers.page.address import PageAddress, behind
from drivers.page.client import IppClient, Job, NotReached, Post, Refused
from drivers.page.facts import Facts, Sheet
from drivers.page.fate import Traces
from drivers.page.ipp import StatusCode
from drivers.page.status import Condition
from kiosk.core.devices import Fault

Key = tuple[int, int | None]
"""`Job.key`."""
_QUEUES = ("/printers/", "/classes/")
_STOPPED = 5


@dataclass(frozen=True, slots=True)
class View:
    """How printer and queue are, at one moment."""

    printer: Facts
    """The engine's own words; its condition also says what holds the queue up."""
    desk: Facts


class Route:
    """Any thread; every call ends within its deadline and raises Trouble."""

    def __init__(
        self,
        address: PageAddress,
        *,
        post: Post,
        exchange_s: float,
        send_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        def client(where: PageAddress) -> IppClient:
            return IppClient(where, post=post, exchange_s=exchange_s, send_s=send_s)

        self._client = client
        self._monotonic = monotonic
        self._exchange_s = exchange_s
        self.desk = self.engine = client(address)
        self._is_queue = urlsplit(address.uri).path.startswith(_QUEUES)

    @property
    def direct(self) -> bool:
        """Is the printer itself at the address?"""
        return self.engine is self.desk

    def look(self, *, within_s: float | None = None) -> View:
        """Ask both how they are."""
        until = self._monotonic() + within_s if within_s else None
        with self._at_desk():
            desk = self.desk.facts(within_s=within_s)
        self._find_engine(desk)
        if self.direct:
            return View(desk, desk)
        left = max(0.1, until - self._monotonic()) if until is not None else None
        engine = self.engine.facts(within_s=left)
        return View(replace(engine, condition=_held_up(engine.condition, by=desk.condition)), desk)

    @contextmanager
    def _at_desk(self) -> Iterator[None]:
        """A desk that is not there is a print server that is down."""
        try:
            yield
        except NotReached as trouble:
            if self._is_queue and trouble.fault is Fault.UNREACHABLE:
                raise NotReached("print server is not there", Fault.SERVICE_DOWN) from trouble
            raise

    def _find_engine(self, desk: Facts) -> None:
        if desk.device_uri is None:
            self._is_queue, self.engine = False, self.desk
            return
        self._is_queue = True
        there = behind(desk.device_uri, tls=self.desk.address.tls)
        if there is None and not self.desk.address.trusts_queue:
            raise NotReached("no IPP printer behind the queue; see proof=queue", Fault.MISCONFIGURED)
        if there is None:
            self.engine = self.desk
        elif self.direct or self.engine.address != there:
            self.engine = self._client(there)

    def create(self, name: str, sheet: Sheet) -> int:
        """Create-Job; its number at the desk."""
        with self._at_desk():
            return self.desk.create(name, sheet)

    def send(self, number: int, pdf: bytes) -> None:
        """Send-Document."""
        with self._at_desk():
            self.desk.send(number, pdf)

    def traces(self, name: str) -> tuple[Traces, list[Job]]:
        """Jobs under our name, and everything that the engine remembers. The desk first: jobs move on from there."""
        with self._at_desk():
            queued = self.desk.jobs()
        known = queued if self.direct else self.engine.jobs()
        return Traces(_named(queued, name), _named(known, name)), known

    def follow(self, name: str, number: int | None, *, but: frozenset[Key]) -> Traces:
        """The job with a number at the desk (None: it is only at the engine), and what the engine knows of it.

        `but`: jobs at the engine under the same name that were there before.
        """
        with self._at_desk():
            job = None if number is None else self._handed_in(name, number)
        handed_in = () if job is None else (job,)
        return Traces(handed_in, handed_in) if self.direct else Traces(handed_in, self._at_engine(name, but))

    def engine_alone(self, name: str, *, but: frozenset[Key]) -> Traces:
        """While a desk in between does not answer; a printer cannot be asked past itself."""
        return Traces((), () if self.direct else self._at_engine(name, but))

    def _at_engine(self, name: str, but: frozenset[Key]) -> tuple[Job, ...]:
        return tuple(job for job in _named(self.engine.jobs(), name) if job.key not in but)

    def _handed_in(self, name: str, number: int) -> Job | None:
        """A restarted desk may have forgotten the job, and given its number to another."""
        try:
            job = self.desk.job(number)
        except Refused as refused:
            if refused.code == StatusCode.NOT_FOUND:
                return None
            raise
        return job if job.name in ("", name) else None

    def cancel(self, traces: Traces) -> None:
        """Cancel whatever is not over; ask again what came of it. Too late is no trouble."""
        there = [(self.desk, job) for job in traces.desk]
        if not self.direct:
            there += [(self.engine, job) for job in traces.engine]
        for client, job in there:
            if not job.over:
                with suppress(Refused):
                    client.cancel(job.id)


def _named(jobs: list[Job], name: str) -> tuple[Job, ...]:
    return tuple(job for job in jobs if job.name == name)


def _held_up(engine: Condition, *, by: Condition) -> Condition:
    """The engine's condition, with what holds the queue up; what the queue says of the engine itself is hearsay."""
    own = tuple(reason for reason in by.reasons if reason in ("paused", "hold-new-jobs", "moving-to-paused"))
    return replace(
        engine,
        state=_STOPPED if by.state == _STOPPED and engine.state is not None else engine.state,
        reasons=(*engine.reasons, *own) if engine.reasons else (),
        accepting=engine.accepting and by.accepting,
    )
