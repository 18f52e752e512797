"""The contact slot (社保卡插口): hers fills in what the identity card does not know. It never tells who is there."""

from __future__ import annotations

from kiosk.core.devices import DeviceError, DeviceKind, Fault
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.prefill import SOCIAL_CARD_SOURCES
from kiosk.core.result import Err, Ok
from kiosk.core.views import Notice, NoticeCode
from kiosk.services.effects import ReadSocialCard
from kiosk.services.faults import card_notice
from kiosk.services.flow.item import offer_prefills, shown_page
from kiosk.services.flow.visit import notice
from kiosk.services.messages import SocialCardCame
from kiosk.services.model import Slot, Visit
from kiosk.services.places import AtHome, AtPutCard, AtQuestion
from kiosk.services.readiness import device_well
from kiosk.services.turn import Turn


def presented(turn: Turn) -> None:
    """A card is in the slot. Where an identity card is wanted, it is told that this is not the place."""
    turn.set(social_present=True, social_left=False, social_epoch=turn.model.social_epoch + 1)
    visit = turn.model.visit
    if visit is None or visit.session.card is not None or not isinstance(visit.place, AtHome | AtPutCard):
        return
    turn.touch()
    turn.set_visit(card_notice=card_notice(Fault.CARD_SOCIAL))


def lifted(turn: Turn) -> None:
    """The slot is empty; what was read stays with her answers."""
    turn.set(social_present=False, social_left=False)
    if turn.model.visit is not None:
        turn.set_visit(social=Slot(turn.visit.social.epoch))


def follow(turn: Turn) -> None:
    """Read the card once, as soon as it is in the slot and the page shown can use it."""
    model, visit = turn.model, turn.model.visit
    if visit is None or not model.social_present or visit.social.epoch == model.social_epoch:
        return
    if visit.social_card is None and wanted(visit) and device_well(model, DeviceKind.SOCIAL_CARD):
        turn.set_visit(social=Slot(model.social_epoch, reading=True))
        turn.touch()
        turn.do(ReadSocialCard(visit.generation, model.social_epoch))


def wanted(visit: Visit) -> bool:
    """Does the page shown ask for something that stands on the card, and do we know whose it must be?"""
    place, flow = visit.place, visit.flow
    if not isinstance(place, AtQuestion) or flow is None or visit.session.card is None or visit.gone is not None:
        return False
    return any(question.prefill in SOCIAL_CARD_SOURCES for question in shown_page(flow, place).fields)


def came(turn: Turn, message: SocialCardCame) -> None:
    """Hers fills in; another one does not."""
    if not turn.current(message.generation) or turn.visit.social.epoch != message.epoch:
        turn.log(Event.of(EventName.LATE_RESULT_DROPPED))
        return
    turn.touch()
    holder = turn.visit.session.card
    match message.result:
        case Ok(card) if holder is not None and card.id_number == holder.id_number:
            turn.set_visit(social_card=card, social=Slot(message.epoch))
            offer_prefills(turn)
        case Ok():
            turn.log(Event.of(EventName.SOCIAL_CARD_REFUSED, reason="other_holder"))
            turn.set_visit(social=Slot(message.epoch, notice=Notice(NoticeCode.SOCIAL_CARD_OTHER)))
        case Err(error):
            turn.log(Event.of(EventName.SOCIAL_CARD_REFUSED, reason="unreadable", fault=error.fault))
            turn.set_visit(social=Slot(message.epoch, notice=_trouble(error)))


def _trouble(error: DeviceError) -> Notice:
    return notice(NoticeCode.SOCIAL_CARD_FAILED, fault=error.fault.value)
