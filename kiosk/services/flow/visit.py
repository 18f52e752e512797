"""A citizen's session begins, moves between its outermost pages, and ends without leaving anything."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.ports import Link
from kiosk.core.session import Session
from kiosk.core.views import Notice, NoticeCode
from kiosk.services.effects import FetchApplications, FetchLicences, ForgetPerson, ForgetSealing
from kiosk.services.flow.mouths import gone_away, left_behind
from kiosk.services.model import Fetched, Visit
from kiosk.services.places import AtHome, AtSpace
from kiosk.services.readiness import serviceable
from kiosk.services.turn import Turn


class EndReason(StrEnum):
    """Why a session ended."""

    FINISHED = "finished"
    IDLE = "idle"
    CARD = "card"
    SWAPPED = "swapped"
    STOPPED = "stopped"


def begin(turn: Turn) -> None:
    """A new citizen, nothing known of anybody. She gets the newest bundle, and keeps it."""
    turn.shelf = turn.newest
    generation = turn.model.generation + 1
    session = Session(terminal_id=turn.around.settings.terminal_id, started_at=turn.now)
    turn.set(generation=generation, visit=Visit(generation, session, turn.monotonic))
    turn.log(Event.of(EventName.SESSION_STARTED))


def start(turn: Turn) -> None:
    """Touched the attract screen. Somebody's paper in a mouth is spoken of first."""
    if left_behind(turn.model):
        return
    if turn.model.visit is None and serviceable(turn.model, turn.catalogue, turn.around.settings):
        begin(turn)


def end(turn: Turn, reason: EndReason) -> None:
    """Drop everything personal at once. What she submitted or what prints goes on, unreadable or unseen."""
    generation = turn.visit.generation
    lasted = turn.now - turn.visit.session.started_at
    turn.go(AtHome())
    turn.do(ForgetPerson(generation))
    turn.do(ForgetSealing(generation))
    turn.set(
        visit=None,
        large_text=False,
        card_left=turn.model.card_present,
        social_left=turn.model.social_present,
        filings=tuple(one for one in turn.model.filings if one.in_flight or one.retry_at is not None),
    )
    gone_away(turn)
    turn.log(Event.of(EventName.SESSION_ENDED, reason=reason.value, seconds=max(0, int(lasted.total_seconds()))))


def fetch_licences(turn: Turn) -> None:
    """Ask the hall what she holds; with the network down say so at once and ask when it is back."""
    visit = turn.visit
    if visit.session.card is None or visit.licences_asked.loading:
        return
    if turn.model.queue.link is Link.DOWN:
        turn.set_visit(licences_asked=replace(visit.licences_asked, fault=NoticeCode.HALL_UNREACHABLE))
        return
    turn.set_visit(licences_asked=replace(visit.licences_asked, loading=True, fault=None))
    turn.do(FetchLicences(visit.generation, visit.session.proof))


def fetch_applications(turn: Turn) -> None:
    """Ask the hall what she has filed."""
    visit = turn.visit
    if visit.session.card is None or visit.applications_asked.loading:
        return
    if turn.model.queue.link is Link.DOWN:
        turn.set_visit(applications_asked=replace(visit.applications_asked, fault=NoticeCode.HALL_UNREACHABLE))
        return
    turn.set_visit(applications_asked=replace(visit.applications_asked, loading=True, fault=None))
    turn.do(FetchApplications(visit.generation, visit.session.proof))


def link_came_up(turn: Turn) -> None:
    """The network is back: ask again for what could not be had."""
    visit = turn.model.visit
    if visit is None or visit.session.card is None:
        return
    if visit.licences_asked.fault is NoticeCode.HALL_UNREACHABLE:
        fetch_licences(turn)
    if visit.applications_asked.fault is NoticeCode.HALL_UNREACHABLE and isinstance(visit.place, AtSpace):
        fetch_applications(turn)


def arrived(fault: NoticeCode | None) -> Fetched:
    """An answer of the hall is here."""
    return Fetched(loading=False, fault=fault, known=fault is None)


def notice(code: NoticeCode, **params: str) -> Notice:
    """A sentence by code."""
    return Notice(code, tuple(params.items()))
