"""我的空间: her applications (我的办件) and licences (我的证照), only while her card lies there."""

from __future__ import annotations

from typing import Literal

from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.result import Err, Ok
from kiosk.services.faults import hall_notice
from kiosk.services.flow.item import offer_prefills
from kiosk.services.flow.visit import arrived, fetch_applications, fetch_licences
from kiosk.services.messages import ApplicationsCame, LicencesCame
from kiosk.services.places import AtPutCard, AtQuestion, AtSpace, ToSpace
from kiosk.services.turn import Turn

Tab = Literal["applications", "licences"]


def open_space(turn: Turn, tab: Tab, *, number: str = "") -> None:
    """Open or switch; what is shown is asked for anew, what is known stays on the screen meanwhile."""
    if turn.visit.session.card is None:
        turn.go(AtPutCard(ToSpace(tab, number)))
        return
    turn.set_visit(flow=None)
    turn.go(AtSpace(tab, number=number))
    if tab == "applications":
        fetch_applications(turn)
    else:
        fetch_licences(turn)


def licences_came(turn: Turn, message: LicencesCame) -> None:
    """What she holds; also fills in answers and satisfies materials. Without it everything else goes on."""
    if not turn.current(message.generation):
        turn.log(Event.of(EventName.LATE_RESULT_DROPPED))
        return
    match message.result:
        case Ok(licences):
            turn.set_visit(licences=licences, licences_asked=arrived(None))
            if isinstance(turn.visit.place, AtQuestion):
                offer_prefills(turn)
        case Err(error):
            turn.log(Event.of(EventName.HALL_FAILED, fault=error.fault))
            turn.set_visit(licences_asked=arrived(hall_notice(error.fault)))


def applications_came(turn: Turn, message: ApplicationsCame) -> None:
    """What she has filed, and where it stands."""
    if not turn.current(message.generation):
        turn.log(Event.of(EventName.LATE_RESULT_DROPPED))
        return
    match message.result:
        case Ok(applications):
            turn.set_visit(applications=applications, applications_asked=arrived(None))
        case Err(error):
            turn.log(Event.of(EventName.HALL_FAILED, fault=error.fault))
            turn.set_visit(applications_asked=arrived(hall_notice(error.fault)))
