"""What the driver asks of an IPP printer, as calls (RFC 8011): typed answers or one typed error."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from drivers.page.address import PageAddress, Tls
from drivers.page.facts import PDF, WANTED, Facts, Sheet, read_facts
from drivers.page.http import Broken, Unreachable, Untrusted
from drivers.page.ipp import (
    Attribute,
    Group,
    GroupTag,
    IppError,
    JobState,
    Message,
    Operation,
    StatusCode,
    ValueTag,
    decode,
    encode,
    request,
)
from kiosk.core.devices import Fault

USER = "kiosk"
_BUSY = (StatusCode.BUSY, StatusCode.NOT_ACCEPTING_JOBS, StatusCode.SERVICE_UNAVAILABLE)
_JOB_ATTRIBUTES = (
    "job-id",
    "job-name",
    "job-state",
    "job-state-reasons",
    "job-impressions",
    "job-impressions-completed",
    "time-at-creation",
    "time-at-completed",
)
_HISTORY = 300
"""Ended jobs that are asked for, newest first (RFC 8011 §4.2.6.2)."""


class Post(Protocol):
    """`drivers.page.http.post`."""

    def __call__(self, url: str, body: bytes, *, within_s: float, tls: Tls | None) -> bytes:
        """Unreachable or Broken."""
        ...


class Trouble(Exception):
    """An exchange that brought no answer to work with."""

    def __init__(self, why: str, fault: Fault) -> None:
        super().__init__(why)
        self.fault = fault


class NotReached(Trouble):
    """The printer never saw the request."""

    def __init__(self, why: str, fault: Fault = Fault.UNREACHABLE) -> None:
        super().__init__(why, fault)


class Unclear(Trouble):
    """The printer may have seen it; its answer was missing (TIMEOUT) or made no sense (PROTOCOL)."""

    def __init__(self, why: str, *, garbage: bool = False) -> None:
        super().__init__(why, Fault.PROTOCOL if garbage else Fault.TIMEOUT)
        self.garbage = garbage


class Refused(Trouble):
    """The printer said no."""

    def __init__(self, code: int) -> None:
        super().__init__(f"IPP status 0x{code:04x}", Fault.TIMEOUT if code in _BUSY else Fault.PROTOCOL)
        self.code = code

    @property
    def busy(self) -> bool:
        """Later perhaps."""
        return self.code in _BUSY


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the printer tells of it."""

    id: int
    name: str
    state: int
    reasons: tuple[str, ...]
    pages: int | None
    """Sides that came out; None: the printer does not count."""
    total: int | None = None
    """Sides that it has."""
    created_s: int | None = None
    """By the printer's clock (printer-up-time)."""
    ended_s: int | None = None

    @property
    def key(self) -> tuple[int, int | None]:
        """Tells it from others at the same printer, also from one that got its number after a restart."""
        return self.id, self.created_s

    @property
    def over(self) -> bool:
        """No more will come of it."""
        return self.state in (JobState.CANCELED, JobState.ABORTED, JobState.COMPLETED)

    @property
    def lacks_document(self) -> bool:
        """Created, and its document never came in whole (RFC 8011 §5.3.8)."""
        return not self.over and bool({"job-incoming", "job-data-insufficient"} & set(self.reasons))


class IppClient:
    """One printer. Any thread; every call opens its own connection and ends within its deadline."""

    def __init__(self, address: PageAddress, *, post: Post, exchange_s: float, send_s: float) -> None:
        self.address = address
        self._post = post
        self._exchange_s = exchange_s
        self._send_s = send_s
        self._next_id: Callable[[], int] = itertools.count(1).__next__

    def facts(self, *, within_s: float | None = None) -> Facts:
        """Get-Printer-Attributes."""
        answer = self._ask(Operation.GET_PRINTER_ATTRIBUTES, (_wanted(WANTED),), within_s=within_s)
        for group in answer.of(GroupTag.PRINTER):
            return read_facts(group)
        raise Unclear("answer tells nothing of the printer", garbage=True)

    def jobs(self) -> list[Job]:
        """Get-Jobs, not done and done, whoever's; newest last."""
        found: dict[int, Job] = {}
        limit = Attribute("limit", ValueTag.INTEGER, (_HISTORY,))
        for which in ("not-completed", "completed"):
            asked = Attribute("which-jobs", ValueTag.KEYWORD, (which,))
            answer = self._ask(Operation.GET_JOBS, (_user(), limit, asked, _wanted(_JOB_ATTRIBUTES)))
            jobs = [_job(group) for group in answer.of(GroupTag.JOB)]
            found |= {job.id: job for job in jobs if job is not None}  # what ended in between is told again, as ended
        return [found[number] for number in sorted(found)]

    def job(self, number: int) -> Job:
        """Get-Job-Attributes."""
        answer = self._ask(Operation.GET_JOB_ATTRIBUTES, (_number(number), _user(), _wanted(_JOB_ATTRIBUTES)))
        for group in answer.of(GroupTag.JOB):
            job = _job(group)
            if job is not None and job.id == number:
                return job
        raise Unclear("answer tells nothing of the job", garbage=True)

    def create(self, name: str, sheet: Sheet) -> int:
        """Create-Job; its number at the printer."""
        template = Group(
            GroupTag.JOB,
            (
                Attribute("copies", ValueTag.INTEGER, (1,)),
                Attribute("media", ValueTag.KEYWORD, (sheet.media,)),
                Attribute("sides", ValueTag.KEYWORD, (sheet.sides,)),
            ),
        )
        attributes = (_user(), Attribute("job-name", ValueTag.NAME, (name,)))
        answer = self._ask(Operation.CREATE_JOB, attributes, template)
        for group in answer.of(GroupTag.JOB):
            number = group.integer("job-id")
            if number is not None:
                return number
        raise Unclear("answer has no job number", garbage=True)

    def send(self, number: int, pdf: bytes) -> None:
        """Send-Document, the last of its job."""
        attributes = (
            _number(number),
            _user(),
            Attribute("document-format", ValueTag.MIME_TYPE, (PDF,)),
            Attribute("last-document", ValueTag.BOOLEAN, (True,)),
        )
        self._ask(Operation.SEND_DOCUMENT, attributes, document=pdf)

    def cancel(self, number: int) -> None:
        """Cancel-Job; ask `job` what came of it."""
        self._ask(Operation.CANCEL_JOB, (_number(number), _user()))

    def _ask(
        self,
        operation: Operation,
        attributes: tuple[Attribute, ...],
        *rest: Group,
        document: bytes = b"",
        within_s: float | None = None,
    ) -> Message:
        number = self._next_id()
        body = encode(request(operation, self.address.uri, number, attributes, *rest)) + document
        within_s = within_s or (self._send_s if document else self._exchange_s)
        try:
            answer = decode(self._post(self.address.url, body, within_s=within_s, tls=self.address.tls))
        except Untrusted as error:
            raise NotReached(f"certificate: {error}", Fault.MISCONFIGURED) from error
        except Unreachable as error:
            raise NotReached(str(error)) from error
        except Broken as error:
            raise Unclear(str(error)) from error
        except IppError as error:
            raise Unclear(str(error), garbage=True) from error
        if answer.request_id != number:
            raise Unclear("answer to something else", garbage=True)
        if answer.code >= 0x0100:
            raise Refused(answer.code)
        return answer


def _job(group: Group) -> Job | None:
    number, state = group.integer("job-id"), group.integer("job-state")
    if number is None or state is None:
        return None
    return Job(
        number,
        group.text("job-name") or "",
        state,
        group.keywords("job-state-reasons"),
        group.integer("job-impressions-completed"),
        group.integer("job-impressions"),
        group.integer("time-at-creation"),
        group.integer("time-at-completed"),
    )


def _number(number: int) -> Attribute:
    return Attribute("job-id", ValueTag.INTEGER, (number,))


def _user() -> Attribute:
    return Attribute("requesting-user-name", ValueTag.NAME, (USER,))


def _wanted(names: tuple[str, ...]) -> Attribute:
    return Attribute("requested-attributes", ValueTag.KEYWORD, names)
