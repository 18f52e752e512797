"""Materials (材料): what is already held is reused with her yes, the rest goes under the document camera."""

from __future__ import annotations

from kiosk.contract.person import LicenceSummary
from kiosk.contract.submission import Consent
from kiosk.core.devices import DeviceKind, Fault
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.item import Material
from kiosk.core.journey import missing_materials, visible_materials
from kiosk.core.result import Err, Ok
from kiosk.core.views import NoticeCode
from kiosk.services.effects import StartPreview, TakeShot
from kiosk.services.filing import material_uses
from kiosk.services.flow.item import to_check
from kiosk.services.flow.visit import notice
from kiosk.services.messages import PreviewStarted, ShotCame
from kiosk.services.places import AtCapture, AtMaterials, CapturedPage, Flow, HeldMaterial, ReusedLicence
from kiosk.services.readiness import device_well
from kiosk.services.turn import Turn

_LOOK_AGAIN = frozenset({Fault.NO_DOCUMENT})
"""The camera is well, the page is not."""


def material(flow: Flow, material_id: str) -> Material | None:
    """The material, if this case needs it."""
    return next((one for one in visible_materials(flow.item, flow.answers) if one.id == material_id), None)


def reusable(flow: Flow, licences: tuple[LicenceSummary, ...], wanted: Material) -> LicenceSummary | None:
    """A held licence that satisfies it, the newest (证照复用)."""
    if "licence_library" not in wanted.sources:
        return None
    return next((one for one in licences if one.usable and one.type_name in wanted.licence), None)


def reuse(turn: Turn, material_id: str, licence_id: str) -> None:
    """Use the held licence; her touch is her yes, to this one use."""
    wanted = material(turn.flow, material_id)
    if wanted is None:
        return
    licence = reusable(turn.flow, tuple(one for one in turn.visit.licences if one.id == licence_id), wanted)
    if licence is None:
        return
    consent = Consent(purpose=f"{turn.flow.item.code}/{wanted.id}", subject=licence.id, at=turn.now)
    _hold(turn, material_id, ReusedLicence(licence, consent))
    turn.log(Event.of(EventName.MATERIAL_REUSED, item=turn.flow.item.code))


def drop(turn: Turn, material_id: str) -> None:
    """Use another one instead."""
    held = {key: value for key, value in turn.flow.held.items() if key != material_id}
    turn.set_flow(held=held)
    turn.go(AtMaterials())


def done(turn: Turn) -> None:
    """下一步 on the list."""
    missing = missing_materials(turn.flow.item, turn.flow.answers, material_uses(turn.flow, turn.visit.session))
    if missing:
        turn.go(AtMaterials(notice(NoticeCode.ANSWER_MISSING, material=missing[0].name)))
    else:
        to_check(turn)


def open_capture(turn: Turn, material_id: str) -> None:
    """Under the camera, live."""
    wanted = material(turn.flow, material_id)
    if wanted is None or "camera" not in wanted.sources:
        return
    if device_well(turn.model, DeviceKind.CAMERA):
        turn.go(AtCapture(material_id, "live"))
        turn.do(StartPreview(turn.visit.generation))
    else:
        turn.go(_down(turn, material_id))


def preview_started(turn: Turn, message: PreviewStarted) -> None:
    """The camera runs, or does not."""
    place = turn.at(AtCapture)
    if place is not None and turn.current(message.generation) and isinstance(message.result, Err):
        turn.go(_down(turn, place.material))


def shoot(turn: Turn, place: AtCapture) -> None:
    """Take the picture."""
    if place.phase == "live":
        turn.go(AtCapture(place.material, "shooting", advice=place.advice))
        turn.do(TakeShot(turn.visit.generation, place.material))


def shot_came(turn: Turn, message: ShotCame) -> None:
    """The picture to be looked at; or the camera saw no page, or is gone."""
    place = turn.at(AtCapture)
    if place is None or not turn.current(message.generation) or place.material != message.material:
        turn.log(Event.of(EventName.LATE_RESULT_DROPPED))
        return
    turn.touch()
    match message.result:
        case Ok(shot):
            poor = notice(NoticeCode.CAPTURE_POOR, advice=shot.advice) if shot.advice != "ok" else None
            turn.go(AtCapture(place.material, "review", shot, shot.advice, poor))
        case Err(error) if error.fault in _LOOK_AGAIN:
            poor = notice(NoticeCode.CAPTURE_POOR, advice="no_document")
            turn.go(AtCapture(place.material, "live", advice="no_document", notice=poor))
        case Err():
            turn.go(_down(turn, place.material))


def retake(turn: Turn, place: AtCapture) -> None:
    """Once more; also after the camera was down."""
    if place.phase in ("review", "down"):
        open_capture(turn, place.material)


def accept(turn: Turn, place: AtCapture) -> None:
    """This one is good."""
    if place.phase == "review" and place.shot is not None:
        _hold(turn, place.material, CapturedPage(place.shot, turn.now))
        size = len(place.shot.page_jpeg)
        turn.log(Event.of(EventName.CAPTURE_TAKEN, advice=place.shot.advice, bytes=size))


def camera_back(turn: Turn) -> None:
    """The camera is well again: live pictures for whoever waits for them."""
    place = turn.at(AtCapture)
    if place is not None and place.phase == "down":
        open_capture(turn, place.material)


def camera_lost(turn: Turn) -> None:
    """The camera went away under a waiting citizen. A picture already taken stays."""
    place = turn.at(AtCapture)
    if place is not None and place.phase == "live":
        turn.go(_down(turn, place.material))


def _hold(turn: Turn, material_id: str, held: HeldMaterial) -> None:
    turn.set_flow(held={**turn.flow.held, material_id: held})
    turn.go(AtMaterials())


def _down(turn: Turn, material_id: str) -> AtCapture:
    elsewhere = turn.catalogue.nearest_elsewhere(turn.flow.item.required_devices(), turn.around.settings.terminal_id)
    return AtCapture(material_id, "down", notice=notice(NoticeCode.CAMERA_DOWN, elsewhere=elsewhere))
