"""The card (身份证): put down, read, lifted, put back, swapped. A swapped card never sees the other's data."""

from __future__ import annotations

from datetime import date

from kiosk.core.clock import CHINA
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.id_card import IdCard
from kiosk.core.result import Err, Ok
from kiosk.core.views import Notice, NoticeCode
from kiosk.services.effects import AskOwed, ReadCard
from kiosk.services.faults import OTHER_CARDS, card_notice
from kiosk.services.flow import unfinished
from kiosk.services.flow import visit as visits
from kiosk.services.flow.item import begin_item
from kiosk.services.flow.space import open_space
from kiosk.services.flow.visit import EndReason
from kiosk.services.messages import CardCame
from kiosk.services.model import CardGone
from kiosk.services.places import (
    AtCode,
    AtDone,
    AtGuide,
    AtHome,
    AtPrint,
    AtPutCard,
    AtSearch,
    AtSlip,
    Place,
    ToHome,
    ToItem,
    ToSpace,
)
from kiosk.services.readiness import serviceable
from kiosk.services.turn import Turn


def presented(turn: Turn) -> None:
    """A card lies on the reader.

    A reader that comes back from a restart tells of a card that we know. One that was left behind stays left:
    whoever stands here now may not be its holder.
    """
    if turn.model.card_present and turn.model.card_left:
        return
    turn.set(card_present=True, card_left=False, card_epoch=turn.model.card_epoch + 1)
    if turn.model.visit is None:
        if not serviceable(turn.model, turn.catalogue, turn.around.settings):
            return
        visits.begin(turn)
    elif turn.visit.session.card is not None and turn.visit.gone is None:
        turn.set_visit(gone=_gone(turn))
    turn.touch()
    turn.set_visit(reading=True, card_notice=None)
    turn.do(ReadCard(turn.visit.generation, turn.model.card_epoch))


def lifted(turn: Turn) -> None:
    """The card is gone. On a page with nothing to lose that is the end; elsewhere it may come back for a while."""
    turn.set(card_present=False, card_left=False, card_epoch=turn.model.card_epoch + 1)
    if turn.model.visit is None:
        return
    reading = turn.visit.reading
    turn.set_visit(reading=False)
    if turn.visit.session.card is None:
        if reading:
            _not_usable(turn, Notice(NoticeCode.CARD_READ_FAILED))
    elif _nothing_to_lose(turn.visit.place):
        visits.end(turn, EndReason.CARD)
    elif turn.visit.gone is None:
        turn.set_visit(gone=_gone(turn))
        turn.log(Event.of(EventName.CARD_LIFTED))


def came(turn: Turn, message: CardCame) -> None:
    """The card was read, or not. A reading of a card that is gone already counts for nothing."""
    if not turn.current(message.generation) or message.epoch != turn.model.card_epoch:
        turn.log(Event.of(EventName.LATE_RESULT_DROPPED))
        return
    turn.touch()
    turn.set_visit(reading=False)
    holder = turn.visit.session.card
    match message.result:
        case Err(error):
            reason = "foreign" if error.fault in OTHER_CARDS else "unreadable"
            turn.log(Event.of(EventName.CARD_REFUSED, reason=reason, fault=error.fault))
            _not_usable(turn, card_notice(error.fault))
        case Ok(card) if holder is not None and _same_holder(card, holder):
            turn.set_visit(gone=None)
            turn.log(Event.of(EventName.CARD_RETURNED))
        case Ok(card):
            if holder is not None:
                visits.end(turn, EndReason.SWAPPED)
                turn.set(card_left=False)
                visits.begin(turn)
            _first_seen(turn, card, message.millis)


def _first_seen(turn: Turn, card: IdCard, millis: int) -> None:
    fault = validity(card, turn.now.astimezone(CHINA).date())
    if fault is not None:
        turn.log(Event.of(EventName.CARD_REFUSED, reason=fault.value.removeprefix("card_")))
        _not_usable(turn, Notice(fault))
        return
    turn.set_visit(session=turn.visit.session.identified(card, at=turn.now), card_notice=None)
    turn.log(Event.of(EventName.SESSION_IDENTIFIED, card=card.type, millis=millis))
    turn.do(AskOwed(turn.visit.generation, card))
    unfinished.ask(turn)
    visits.fetch_licences(turn)
    place = turn.visit.place
    if isinstance(place, AtPutCard):
        match place.goal:
            case ToItem(guide):
                begin_item(turn, guide)
            case ToSpace(tab, number):
                open_space(turn, tab, number=number)
            case ToHome():
                turn.go(AtHome())


def validity(card: IdCard, today: date) -> NoticeCode | None:
    """May this card prove who is here today (居民身份证法 有效期)?"""
    if card.valid_to is not None and card.valid_to < today:
        return NoticeCode.CARD_EXPIRED
    if card.valid_from > today:
        return NoticeCode.CARD_NOT_YET_VALID
    return None


def _not_usable(turn: Turn, why: Notice) -> None:
    """Say so where she looks: on the page that waits for the card, or, if she began with it, on one that does."""
    turn.set_visit(card_notice=why)
    if turn.visit.gone is not None:
        turn.set_visit(gone=CardGone(turn.monotonic, why, other=True))
    elif isinstance(turn.visit.place, AtHome):
        turn.go(AtPutCard(ToHome()))


def _gone(turn: Turn) -> CardGone:
    return CardGone(turn.monotonic, Notice(NoticeCode.CARD_REMOVED))


def _same_holder(one: IdCard, other: IdCard) -> bool:
    return (one.type, one.id_number) == (other.type, other.id_number)


def _nothing_to_lose(place: Place) -> bool:
    match place:
        case AtHome() | AtSearch() | AtGuide() | AtCode():
            return True
        case AtDone():
            return place.phase == "printed"
        case AtPrint() | AtSlip():
            return place.phase == "done"
        case _:
            return False
