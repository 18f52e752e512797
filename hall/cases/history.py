"""办件: a case is its append-only history. What it is now is the fold of its events, each chained to the one before.

The chain is keyed (HMAC), so who can write to the database but holds no key of the hall cannot rewrite a history.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import get_args

from sqlalchemy import Connection, Row, insert, select, update

from hall.cases.returns import settle
from hall.store.schema import cases, events, submissions
from hall.store.vault import Vault, VaultError
from kiosk.contract.person import CaseState
from kiosk.contract.wire import canonical_json


class EventType(StrEnum):
    """What can happen to a case."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    HANDLING = "handling"
    CORRECTION_WANTED = "correction_wanted"
    """补正告知."""
    CORRECTED = "corrected"
    """补正受理: what was wanted is here, and the case goes on."""
    SUPPLEMENTED = "supplemented"
    """A correction came that nobody waited for: it lies with the case, and nothing is decided anew."""
    EXPIRED = "expired"
    """补正不来: closed."""
    GRANTED = "granted"
    DENIED = "denied"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


_OPEN = ("received", "accepted", "handling", "correction_wanted")
_FROM: dict[EventType, tuple[str, ...]] = {
    EventType.RECEIVED: ("",),
    EventType.ACCEPTED: ("received",),
    EventType.HANDLING: ("accepted",),
    EventType.CORRECTION_WANTED: ("accepted", "handling"),
    EventType.CORRECTED: ("correction_wanted",),
    EventType.SUPPLEMENTED: get_args(CaseState),
    EventType.EXPIRED: ("correction_wanted",),
    EventType.GRANTED: ("handling",),
    EventType.DENIED: ("handling",),
    EventType.ANSWERED: ("handling",),
    EventType.WITHDRAWN: _OPEN,
}
"""In which states an event may happen."""


def state_after(state: str, what: EventType) -> str:
    """A case has the name of its last event, but for what moves it on or leaves it where it was."""
    match what:
        case EventType.CORRECTED:
            return EventType.HANDLING.value
        case EventType.SUPPLEMENTED:
            return state
        case _:
            return what.value


class IllegalTransition(ValueError):
    """This cannot happen to a case in this state."""


class CaseMissing(LookupError):
    """There is no such case."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a history."""

    seq: int
    at: int
    actor: str
    type: EventType
    data: Mapping[str, str] = field(repr=False)
    previous: str = ""
    hash: str = ""

    def entry(self, application_no: str) -> bytes:
        """The bytes that are chained."""
        body = {"case": application_no, "seq": self.seq, "at": self.at, "actor": self.actor, "type": self.type.value}
        return canonical_json({**body, "data": dict(self.data)})


@dataclass(frozen=True, slots=True)
class CaseNow:
    """What a history adds up to."""

    state: str = ""
    message: str = field(default="", repr=False)
    licence_id: str = ""


def step(now: CaseNow, event: Event) -> CaseNow:
    """The case after `event`; IllegalTransition."""
    if now.state not in _FROM[event.type]:
        raise IllegalTransition(f"{event.type.value} after {now.state or 'nothing'}")
    return CaseNow(
        state=state_after(now.state, event.type),
        message=event.data.get("message", now.message),
        licence_id=event.data.get("licence_id", now.licence_id),
    )


def fold(history: Iterable[Event]) -> CaseNow:
    """What the case is now."""
    now = CaseNow()
    for event in history:
        now = step(now, event)
    return now


def case_state(state: str) -> CaseState:
    """The contract's word for a stored state; ValueError for none of them."""
    for known in get_args(CaseState):
        if known == state:
            return known  # type: ignore[no-any-return]
    raise ValueError("unknown case state")


def first_event(vault: Vault, application_no: str, *, sha256: str, at: int, actor: str) -> Event:
    """The arrival, chained to the hash of the envelope that the terminal signed."""
    return _chained(vault, application_no, Event(0, at, actor, EventType.RECEIVED, {}), sha256)


def _chained(vault: Vault, application_no: str, event: Event, previous: str) -> Event:
    link = vault.chain(previous, event.entry(application_no))
    return Event(event.seq, event.at, event.actor, event.type, event.data, previous, link)


_INSERT_EVENT = insert(events)
"""Made once: building a statement costs more than running it."""


def insert_event(connection: Connection, vault: Vault, application_no: str, event: Event, *, state: str) -> None:
    """Write one event that is already chained; `state`: of the case after it."""
    purpose = f"event:{application_no}:{event.seq}"
    connection.execute(
        _INSERT_EVENT,
        {
            "application_no": application_no,
            "seq": event.seq,
            "at": event.at,
            "actor": event.actor,
            "type": event.type.value,
            "state": state,
            "sealed_data": vault.seal(canonical_json(dict(event.data)), purpose=purpose),
            "previous": event.previous,
            "hash": event.hash,
        },
    )


def append(
    connection: Connection,
    vault: Vault,
    application_no: str,
    *,
    what: EventType,
    actor: str,
    at: int,
    data: Mapping[str, str] | None = None,
) -> CaseNow:
    """Add one event, on the writer's connection; CaseMissing or IllegalTransition, and nothing is written."""
    case = connection.execute(select(cases).where(cases.c.application_no == application_no)).one_or_none()
    if case is None:
        raise CaseMissing("no such case")
    event = _chained(vault, application_no, Event(case.events, at, actor, what, data or {}), case.head)
    now = step(projection(vault, case), event)
    insert_event(connection, vault, application_no, event, state=now.state)
    if case.state == EventType.CORRECTION_WANTED and now.state != case.state:
        settle(connection, application_no, at=at)
    connection.execute(
        update(cases)
        .where(cases.c.application_no == application_no)
        .values(
            state=now.state,
            sealed_message=vault.seal(now.message.encode(), purpose=f"message:{application_no}"),
            licence_id=now.licence_id or None,
            events=event.seq + 1,
            head=event.hash,
        )
    )
    return now


def projection(vault: Vault, case: Row[tuple[object, ...]]) -> CaseNow:
    """What the case's row says it is."""
    row = case._mapping
    sealed = row["sealed_message"]
    message = vault.open(sealed, purpose=f"message:{row['application_no']}").decode() if sealed else ""
    return CaseNow(row["state"], message, row["licence_id"] or "")


def history(connection: Connection, vault: Vault, application_no: str) -> tuple[Event, ...]:
    """All events, oldest first; VaultError if one was changed."""
    rows = connection.execute(select(events).where(events.c.application_no == application_no).order_by(events.c.seq))
    return tuple(
        Event(
            row.seq,
            row.at,
            row.actor,
            EventType(row.type),
            json.loads(vault.open(row.sealed_data, purpose=f"event:{application_no}:{row.seq}")),
            row.previous,
            row.hash,
        )
        for row in rows
    )


def verify_chain(connection: Connection, vault: Vault, application_no: str) -> str:
    """Empty if the history is whole and adds up to what the case's row says, else what is wrong, in a few words."""
    case = connection.execute(select(cases).where(cases.c.application_no == application_no)).one_or_none()
    if case is None:
        raise CaseMissing("no such case")
    sha256 = connection.execute(select(submissions.c.sha256).where(submissions.c.id == case.submission_id)).scalar_one()
    try:
        found = history(connection, vault, application_no)
        fault = chain_fault(vault, application_no, found, genesis=sha256, count=case.events, head=case.head)
        if fault:
            return fault
        return "" if fold(found) == projection(vault, case) else "case differs from its history"
    except (VaultError, ValueError):
        return "an event was changed"


def chain_fault(
    vault: Vault, application_no: str, found: Sequence[Event], *, genesis: str, count: int, head: str
) -> str:
    """What is wrong with a chain; empty if nothing."""
    if len(found) != count:
        return "events are missing"
    previous = genesis
    for seq, event in enumerate(found):
        if (event.seq, event.previous) != (seq, previous):
            return "an event was moved"
        if vault.chain(previous, event.entry(application_no)) != event.hash:
            return "an event was changed"
        previous = event.hash
    return "" if previous == head else "events are missing"
