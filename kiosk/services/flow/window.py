"""到窗口办理: from every step, so that nobody is stranded (P5, P23). Holds no answer and no name."""

from __future__ import annotations

from dataclasses import replace

from kiosk.core.answers import CITIZEN, Answers
from kiosk.core.devices import DeviceKind
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.item import Item
from kiosk.core.journey import effective
from kiosk.core.result import Ok
from kiosk.core.slip import window_slip
from kiosk.core.views import Notice, NoticeCode
from kiosk.services.effects import PrintSlip
from kiosk.services.flow import home, materials
from kiosk.services.flow.mouths import came_out
from kiosk.services.flow.submit import slip_place
from kiosk.services.messages import SlipPrinted
from kiosk.services.places import (
    AtCapture,
    AtCheck,
    AtExit,
    AtGuide,
    AtMaterials,
    AtPrint,
    AtPutCard,
    AtQuestion,
    AtSlip,
    Place,
    ToItem,
)
from kiosk.services.turn import Turn


def open_slip(turn: Turn) -> None:
    """Print the checklist and the windows for the item in hand."""
    place = turn.visit.place
    item = _item(turn, place)
    if item is None:
        return
    flow = turn.visit.flow
    answers = flow.answers if flow is not None and flow.item == item else Answers()
    reason = _reason(turn, place)
    counted = effective(item, answers)
    receipt = window_slip(
        job=f"slip-{turn.around.random_bytes(8).hex()}",
        item=item,
        answers=answers,
        answered=sum(1 for answer in counted.values() if answer.source == CITIZEN and answer.given),
        windows=turn.catalogue.windows,
        reason=None if reason is None else reason.code,
        place=slip_place(turn),
        at=turn.now,
    )
    turn.log(Event.of(EventName.WINDOW_SLIP_GIVEN, item=item.code, notice=None if reason is None else reason.code))
    turn.go(AtSlip(item.name, receipt, place, "printing", reason))
    turn.do(PrintSlip(turn.visit.generation, receipt))


def slip_printed(turn: Turn, message: SlipPrinted) -> None:
    """On paper; or the addresses are at least on the screen."""
    place = turn.at(AtSlip)
    if place is None or not turn.current(message.generation) or place.receipt.job != message.job:
        return
    turn.touch()
    if isinstance(message.result, Ok):
        came_out(turn, DeviceKind.RECEIPT, hers=True)
        turn.go(replace(place, phase="done", reason=Notice(NoticeCode.WINDOW_SLIP_PRINTED)))
    else:
        turn.log(Event.of(EventName.PRINT_FAILED, device=DeviceKind.RECEIPT, fault=message.result.error.fault))
        turn.go(replace(place, phase="failed", reason=Notice(NoticeCode.WINDOW_SLIP_FAILED)))


def print_again(turn: Turn, place: AtSlip) -> None:
    """Once more."""
    if place.phase == "failed":
        turn.go(replace(place, phase="printing"))
        turn.do(PrintSlip(turn.visit.generation, place.receipt))


def leave(turn: Turn, origin: Place) -> None:
    """Back to the step that the slip was printed at: nothing is lost by having looked at the other way."""
    match origin:
        case AtCapture(material=material):
            materials.open_capture(turn, material)
        case AtPutCard(ToItem(guide)) if turn.visit.session.card is not None:
            home.begin(turn, guide)  # her card was read meanwhile
        case _:
            turn.go(origin)


def _item(turn: Turn, place: Place) -> Item | None:
    match place:
        case AtGuide(code):
            return turn.catalogue.item(code)
        case AtPutCard(ToItem(guide)):
            return turn.catalogue.item(guide.code)
        case AtQuestion() | AtExit() | AtMaterials() | AtCapture() | AtCheck():
            return turn.flow.item
        case AtPrint(phase="failed" | "unproven" | "waiting_paper") if turn.visit.flow is not None:
            return turn.visit.flow.item
        case _:
            return None


def _reason(turn: Turn, place: Place) -> Notice | None:
    match place:
        case AtExit():
            return Notice(NoticeCode.EXIT_PAGE)
        case AtPutCard():
            return turn.visit.card_notice
        case AtGuide() | AtMaterials() | AtCapture() | AtCheck() | AtPrint():
            return place.notice
        case _:
            return None
