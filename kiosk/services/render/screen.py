"""One snapshot: the page, and what surrounds every page."""

from __future__ import annotations

from typing import assert_never

from kiosk.core.session import Ended, Running, Warned
from kiosk.core.views import AttractView, Chrome, PutCardView, View
from kiosk.services.flow.clockwork import session_clock
from kiosk.services.flow.mouths import left_behind, waiting
from kiosk.services.model import Model, Visit
from kiosk.services.places import (
    AtCapture,
    AtCheck,
    AtCode,
    AtDone,
    AtExit,
    AtGuide,
    AtHome,
    AtMaterials,
    AtPrint,
    AtPutCard,
    AtQuestion,
    AtSearch,
    AtSending,
    AtSlip,
    AtSpace,
    Flow,
    Place,
    ToItem,
)
from kiosk.services.readiness import chips, serviceable
from kiosk.services.render import browse, journey
from kiosk.services.turn import Shelf, Surroundings


def view(model: Model, shelf: Shelf, around: Surroundings) -> View:
    """The page."""
    visit = model.visit
    if visit is None:
        if serviceable(model, shelf.catalogue, around.settings):
            return AttractView()
        return browse.out_of_service_view(model, shelf, around.settings)
    if visit.gone is not None and (model.card_present or visit.gone.other or locks(visit.place)):
        return PutCardView(_purpose(visit, shelf), visit.reading, None if visit.reading else visit.gone.notice)
    return _page(model, visit, shelf, around)


def locks(place: Place) -> bool:
    """Is this page hidden while no card lies there? Those without her data stay, so that she gets her paper."""
    return not isinstance(place, AtDone | AtPrint | AtSlip)


def chrome(model: Model, shelf: Shelf, around: Surroundings) -> Chrome:
    """Device strip, clocks, the card that was left behind."""
    seconds: int | None = None
    warning = False
    if model.visit is not None:
        match session_clock(model, model.visit, around):
            case Running(left):
                seconds = left
            case Warned(left, reason):
                seconds = left
                warning = reason == "idle"
            case Ended():
                seconds = 0
            case _ as never:
                assert_never(never)
    return Chrome(
        site_name=around.settings.site_name,
        terminal_name=around.settings.terminal_name,
        devices=chips(model),
        in_session=model.visit is not None,
        card_present=model.card_present,
        seconds_left=seconds,
        warning=warning,
        card_left=model.card_left and model.card_present,
        social_left=model.social_left,
        session=0 if model.visit is None else model.visit.generation,
        papers_waiting=waiting(model),
        papers_left=left_behind(model),
        help="none" if model.help is None else model.help.state.value,
        help_window=None if model.help is None else shelf.catalogue.nearest_window(around.settings.terminal_id),
    )


def _page(model: Model, visit: Visit, shelf: Shelf, around: Surroundings) -> View:
    settings = around.settings
    match visit.place:
        case AtHome():
            return browse.home_view(model, visit, shelf, settings)
        case AtSearch() as place:
            return browse.search_view(model, place, shelf, settings)
        case AtGuide() as place:
            return browse.guide_view(model, visit, place, shelf, settings)
        case AtPutCard() as place:
            return browse.put_card_view(model, visit, place, shelf)
        case AtSpace() as place:
            return browse.space_view(visit, place, shelf)
        case AtCode() as place:
            return browse.code_view(model, place, shelf, around)
        case AtSlip() as place:
            return browse.slip_view(place, shelf)
        case AtQuestion() as place:
            return journey.question_view(model, visit, _flow(visit), place)
        case AtExit() as place:
            return journey.exit_view(visit, _flow(visit), place)
        case AtMaterials() as place:
            return journey.materials_view(visit, _flow(visit), place)
        case AtCapture() as place:
            return journey.capture_view(visit, _flow(visit), place)
        case AtCheck() as place:
            return journey.check_view(visit, _flow(visit), place)
        case AtSending():
            return journey.sending_view(_flow(visit))
        case AtDone() as place:
            return journey.done_view(model, place, shelf.catalogue.calendar)
        case AtPrint() as place:
            return journey.print_view(model, place)
        case _ as never:
            assert_never(never)


def _flow(visit: Visit) -> Flow:
    assert visit.flow is not None, "these pages exist only while an item is being done"
    return visit.flow


def _purpose(visit: Visit, shelf: Shelf) -> str:
    match visit.place:
        case AtSpace(tab):
            return f"my_{tab}"
        case AtPutCard(ToItem(guide)):
            return shelf.catalogue.newest[guide.code].name
        case _:
            return visit.flow.item.name if visit.flow is not None else "start"
