"""What to do about the hall's answers: pure decisions, no I/O.

Rules: contents are forgotten only on a receipt that verifies for exactly this id and hash; only `rejected` and
`conflict` verdicts (and damage on our own disk) park; everything else is tried for ever; trouble with one submission
never holds up another.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import assert_never

from kiosk.contract.problems import ProblemCode
from kiosk.contract.signing import PublicKeys, SignatureError, verify_receipt
from kiosk.contract.sync import Verdict
from kiosk.core.ports import Link


class Trouble(StrEnum):
    """Why a call to the hall did not give what was asked for."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    CLOCK = "clock"
    """The hall's certificate is not valid at the time that this machine's clock shows."""
    REDIRECT = "redirect"
    """The hall never redirects: a portal or proxy answers in its place."""
    GARBAGE = "garbage"
    TOO_LARGE = "too_large"
    """The answer is larger than it can rightly be."""
    PROBLEM = "problem"
    """A status of 400 or more, with or without a problem document."""


@dataclass(frozen=True, slots=True)
class CallError:
    """A call that failed; holds no content."""

    trouble: Trouble
    status: int = 0
    code: ProblemCode | None = None
    retry_after_s: int | None = None
    slot_s: float | None = None
    """Seconds until this terminal's turn to hand its backlog in: the hall spreads those that come back."""
    sent: bool = field(default=False, compare=False)
    """The request may have reached the hall: what was in it may be why the line broke."""

    @property
    def name(self) -> str:
        """Stable code for logs, status and the technician's list."""
        if self.trouble is not Trouble.PROBLEM:
            return self.trouble.value
        return self.code.value if self.code is not None else f"http_{self.status}"


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential with full jitter (seconds): a fleet that lost the hall does not come back in step."""

    first: float
    cap: float
    floor: float = 0.05

    def delay(self, failures: int, random: Callable[[], float]) -> float:
        """How long to wait after this many failures in a row (at least one); `random` gives [0, 1)."""
        ceiling = min(self.cap, self.first * 2.0 ** min(failures - 1, 32))
        return max(self.floor, ceiling * random())


@dataclass(frozen=True, slots=True)
class SyncDelays:
    """Every delay of the sync worker, in seconds."""

    heartbeat: float = 5.0
    manifest: float = 30.0
    house: float = 60.0
    link: Backoff = field(default_factory=lambda: Backoff(first=0.5, cap=15.0))
    hall: Backoff = field(default_factory=lambda: Backoff(first=1.0, cap=60.0))
    item: Backoff = field(default_factory=lambda: Backoff(first=2.0, cap=900.0))
    refused: float = 60.0
    """The hall does not know this terminal (any more): somebody must act, but it goes on by itself afterwards."""
    retry_after_cap: float = 300.0
    """Nobody may silence a terminal for longer."""
    store: float = 1.0
    """The store is down: look again."""
    outage: float = 120.0
    """After so long without the hall others have been without it too, and come back at the same moment."""
    spread: float = 30.0
    """Backlogs begin somewhere in this time then; what was just filed does not wait."""
    slot_cap: float = 1800.0
    """A turn that is further away is asked for again."""


class Scope(StrEnum):
    """Whom a failure concerns."""

    LINK = "link"
    """Nobody is there: everything waits, a new filing tries again at once."""
    HALL = "hall"
    """The hall is there and does not want to be asked now: everything waits."""
    TASK = "task"
    """Only this kind of call goes wrong: announcing, or the manifest, or the heartbeat."""
    ITEM = "item"
    """Only the submission in hand."""


_HALL_SAYS_NO = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def scope_of(error: CallError, *, one_item: bool) -> Scope:
    """Whom a failed call concerns; `one_item`: it was about a single submission."""
    narrow = Scope.ITEM if one_item else Scope.TASK
    if error.slot_s is not None:
        return Scope.TASK
    match error.trouble:
        case Trouble.UNREACHABLE | Trouble.TIMEOUT | Trouble.TLS | Trouble.CLOCK | Trouble.REDIRECT:
            return Scope.LINK
        case Trouble.GARBAGE | Trouble.TOO_LARGE:
            return narrow
        case Trouble.PROBLEM:
            return Scope.HALL if error.status in _HALL_SAYS_NO else narrow
        case _:
            assert_never(error.trouble)


def link_after(error: CallError) -> Link | None:
    """What a failed call says about the connection; None if nothing."""
    if scope_of(error, one_item=False) is Scope.LINK:
        return Link.DOWN
    return Link.UP if error.trouble is Trouble.PROBLEM else None


def pause_after(
    error: CallError, *, scope: Scope, failures: int, delays: SyncDelays, random: Callable[[], float]
) -> float:
    """Seconds until the next try; `failures` counts those in a row in this scope, this one included."""
    if error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return delays.refused
    if error.slot_s is not None:
        return min(max(0.0, error.slot_s), delays.slot_cap) + delays.hall.first * random()
    if error.retry_after_s is not None:
        asked = min(max(0.0, float(error.retry_after_s)), delays.retry_after_cap)
        # Spread behind the moment that was named, or all come at once again.
        return asked + delays.hall.first * random()
    match scope:
        case Scope.LINK:
            return delays.link.delay(failures, random)
        case Scope.HALL | Scope.TASK:
            return delays.hall.delay(failures, random)
        case Scope.ITEM:
            return delays.item.delay(failures, random)
        case _:
            assert_never(scope)


def announce_was_poisoned(error: CallError) -> bool:
    """May one bad entry have spoilt the whole announcement? Then it is halved until the bad one stands alone."""
    return error.trouble is Trouble.PROBLEM and error.status in (
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    )


def one_may_have_spoilt_it(error: CallError) -> bool:
    """May a batch have failed because of one submission in it?"""
    scope = scope_of(error, one_item=True)
    return scope is Scope.ITEM or (scope is Scope.LINK and error.sent)


@dataclass(frozen=True, slots=True)
class Accept:
    """Signed for: forget the contents."""

    receipt: bytes


@dataclass(frozen=True, slots=True)
class Send:
    """The hall wants it, with these blobs first."""

    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Park:
    """Final, and not a yes."""

    code: str


@dataclass(frozen=True, slots=True)
class Later:
    """Not now."""

    code: str
    retry_after_s: int | None = None


Decision = Accept | Send | Park | Later


def decide(verdict: Verdict, *, id_: str, sha256: str, keys: PublicKeys) -> Decision:
    """What a verdict means for the submission with this id and envelope hash."""
    if verdict.id != id_:
        return Later("other_id")
    code = verdict.code.value if verdict.code is not None else verdict.status
    match verdict.status:
        case "accepted" | "duplicate":
            return _receipt(verdict.receipt, id_=id_, sha256=sha256, keys=keys)
        case "wanted":
            return Send(verdict.missing)
        case "rejected" | "conflict":
            return Park(code)
        case "retry":
            return Later(code, verdict.retry_after_s)
        case _:
            assert_never(verdict.status)


def _receipt(text: str, *, id_: str, sha256: str, keys: PublicKeys) -> Decision:
    try:
        raw = base64.b64decode(text, validate=True)
        receipt = verify_receipt(raw, keys)
    except SignatureError:
        return Later("receipt_unsigned")
    except (ValueError, OverflowError):
        return Later("receipt_garbage")
    if (receipt.submission_id, receipt.sha256) != (id_, sha256):
        return Later("receipt_of_another")
    return Accept(raw)
