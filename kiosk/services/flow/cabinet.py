"""The cabinet (机柜): lamps that show where to put the hand, and what its sensors tell."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Lamp, LampState, SiteInputs
from kiosk.core.print_ledger import PaperKind
from kiosk.services.effects import Light
from kiosk.services.flow.mouths import felt as felt_paper
from kiosk.services.model import Model, Visit
from kiosk.services.places import AtCapture, AtDone, AtPrint, AtPutCard, AtSlip, Place
from kiosk.services.readiness import serviceable
from kiosk.services.turn import Turn


def felt(turn: Turn, inputs: SiteInputs) -> None:
    """A sensor says something else than before."""
    turn.set(site=inputs)


def board_changed(turn: Turn, status: DeviceStatus) -> None:
    """A board that is away feels nothing, and when it is back its lamps are dark."""
    if status.state is not DeviceState.ONLINE:
        turn.set(site=SiteInputs(), lamps={})


def follow(turn: Turn) -> None:
    """Switch what should be lit otherwise."""
    model = turn.model
    board = model.devices.get(DeviceKind.SITE_IO)
    if board is None or board.state is not DeviceState.ONLINE:
        return
    wanted = lamps(model, serving=serviceable(model, turn.catalogue, turn.around.settings))
    changed = {lamp: state for lamp, state in wanted.items() if model.lamps.get(lamp) is not state}
    if changed:
        turn.set(lamps=wanted)
        turn.do(*(Light(lamp, state) for lamp, state in changed.items()))


def lamps(model: Model, *, serving: bool) -> Mapping[Lamp, LampState]:
    """What should be lit now. A blinking lamp says: your hand, here, now."""
    visit = model.visit
    place = visit.place if visit is not None else None
    return {
        Lamp.CARD: _card(model, visit),
        Lamp.RECEIPT: _beckon(felt_paper(model, PaperKind.RECEIPT) is True or _slip_is_out(place)),
        Lamp.PAGE: _beckon(felt_paper(model, PaperKind.PAGE) is True or _page_is_out(place)),
        Lamp.CAMERA: LampState.ON if isinstance(place, AtCapture) else LampState.OFF,
        Lamp.STATUS: LampState.BLINK if model.help is not None else LampState.ON if serving else LampState.OFF,
    }


def _card(model: Model, visit: Visit | None) -> LampState:
    """Put it down, put it back, take it along; steady while it lies where it should."""
    if model.card_left and model.card_present:
        return LampState.BLINK
    if visit is None:
        return LampState.OFF
    if visit.gone is not None or (isinstance(visit.place, AtPutCard) and not visit.reading):
        return LampState.BLINK
    return LampState.ON if model.card_present else LampState.OFF


def _slip_is_out(place: Place | None) -> bool:
    match place:
        case AtDone(phase="printed" | "unproven") | AtSlip(phase="done"):
            return True
        case _:
            return False


def _page_is_out(place: Place | None) -> bool:
    return isinstance(place, AtPrint) and place.phase in ("done", "unproven")


def _beckon(calling: bool) -> LampState:
    return LampState.BLINK if calling else LampState.OFF
