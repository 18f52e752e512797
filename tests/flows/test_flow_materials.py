"""Materials: reuse with her yes, capture with a look, and honest words when neither goes."""

from collections import deque

from kiosk.core.devices import DeviceKind, DeviceState, Fault
from kiosk.core.intents import (
    AcceptShot,
    Back,
    Begin,
    ChangeAnswer,
    DropMaterial,
    Finish,
    Next,
    OpenCapture,
    OpenItem,
    Retake,
    ReuseLicence,
    Search,
    SetAnswer,
    Shoot,
    Start,
    Submit,
    WindowSlip,
)
from kiosk.core.ports import Link
from kiosk.core.views import CaptureView, CheckView, DoneView, GuideView, MaterialsView, WindowSlipView
from kiosk.services.effects import Lane


def to_materials(stage, xiu, codes):
    stage.touch(Start()).put(xiu)
    return stage.touch(Search("材料"), OpenItem(codes["shoot"]), Begin())


def test_capture_look_accept(stage, xiu, codes):
    to_materials(stage, xiu, codes).sees(MaterialsView)
    stage.touch(Next())
    assert stage.notice() == "answer_missing"
    assert stage.touch(OpenCapture("paper")).sees(CaptureView).phase == "live"
    assert stage.camera.live
    stage.touch(Shoot())
    view = stage.sees(CaptureView)
    assert (view.phase, view.notice) == ("review", None)
    assert view.shot_jpeg
    assert stage.touch(AcceptShot()).sees(MaterialsView).complete
    assert not stage.camera.live
    stage.touch(Next()).sees(CheckView)
    stage.touch(Submit()).wait(4).sees(DoneView)
    (use,) = stage.outbox.submission().materials
    (kept,) = stage.outbox.kept.values()
    assert (use.source, use.blob is not None, len(kept.sealed.blobs)) == ("camera", True, 1)


def test_a_poor_picture_is_said_and_taken_again(stage, xiu, codes):
    stage.camera.shots = deque(["blurred"])
    to_materials(stage, xiu, codes).touch(OpenCapture("paper"), Shoot())
    assert (stage.sees(CaptureView).phase, stage.notice()) == ("review", "capture_poor")
    stage.touch(Retake(), Shoot())
    assert stage.notice() == ""


def test_no_page_under_the_camera(stage, xiu, codes):
    stage.camera.shots = deque([Fault.NO_DOCUMENT])
    to_materials(stage, xiu, codes).touch(OpenCapture("paper"), Shoot())
    view = stage.sees(CaptureView)
    assert (view.phase, view.advice, stage.notice()) == ("live", "no_document", "capture_poor")


def test_a_camera_that_freezes_comes_back(stage, xiu, codes):
    stage.camera.shots = deque([Fault.FROZEN])
    to_materials(stage, xiu, codes).touch(OpenCapture("paper"), Shoot())
    assert (stage.sees(CaptureView).phase, stage.notice()) == ("down", "camera_down")
    stage.device(DeviceKind.CAMERA, state=DeviceState.ERROR, fault=Fault.FROZEN)
    stage.touch(Retake())
    assert stage.sees(CaptureView).phase == "down"
    stage.device(DeviceKind.CAMERA, state=DeviceState.ONLINE, fault=None)
    assert stage.sees(CaptureView).phase == "live"
    stage.device(DeviceKind.CAMERA, state=DeviceState.OFFLINE, fault=Fault.DRIVER_LOST)
    assert stage.sees(CaptureView).phase == "down"


def test_a_preview_that_does_not_start(stage, xiu, codes):
    stage.camera.start_fault = Fault.NO_CAMERA
    to_materials(stage, xiu, codes).touch(OpenCapture("paper"))
    assert stage.notice() == "camera_down"
    stage.touch(WindowSlip()).sees(WindowSlipView)
    assert stage.touch(Back()).sees(CaptureView).phase == "down"


def test_without_a_camera_the_item_is_not_begun(stage, xiu, codes):
    stage.device(DeviceKind.CAMERA, state=DeviceState.OFFLINE, fault=Fault.NO_CAMERA)
    to_materials(stage, xiu, codes).sees(GuideView)
    assert stage.notice() == "device_down"


def test_a_picture_that_comes_after_she_went_back_is_gone(stage, xiu, codes):
    to_materials(stage, xiu, codes).hold(Lane.CAMERA).touch(OpenCapture("paper"), Shoot(), Back())
    assert stage.sees(CaptureView).phase == "shooting"
    stage.lift().wait(16)
    stage.release()
    assert "late_result_dropped" in stage.logged() or stage.view.name == "attract"
    assert not stage.camera.live


def test_leaving_by_any_door_stops_the_camera(stage, xiu, codes):
    to_materials(stage, xiu, codes).touch(OpenCapture("paper"))
    assert stage.camera.live
    stage.touch(Finish())
    assert not stage.camera.live


def test_reuse_needs_a_licence_that_fits_and_may_be_dropped(stage, xiu, codes):
    stage.to_check(xiu).touch(ChangeAnswer("materials"), DropMaterial("permit"))
    assert not stage.sees(MaterialsView).complete
    stage.touch(ReuseLicence("permit", "someone-elses"), ReuseLicence("lease", "L-1"), ReuseLicence("id_card", "L-1"))
    assert not stage.sees(MaterialsView).complete
    assert stage.touch(ReuseLicence("permit", "L-1")).sees(MaterialsView).complete


def test_with_the_hall_away_it_goes_on_without_and_says_so(stage, xiu, codes, matters, held_licence):
    stage.hall.matters[xiu.id_number] = matters(licences=(held_licence(),))
    stage.network(Link.DOWN).to_check(xiu).sees(MaterialsView)
    assert stage.notice() in ("hall_unreachable", "answer_missing")
    stage.touch(Back(), Next())
    assert stage.notice() == "hall_unreachable"
    # The network comes back while she is here: what she holds can be used after all.
    stage.network(Link.UP)
    assert stage.notice() == ""
    assert stage.touch(ReuseLicence("permit", "L-1")).sees(MaterialsView).complete


def test_an_answer_changed_later_asks_for_the_material_it_brings(stage, xiu, codes):
    stage.to_check(xiu).touch(ChangeAnswer("where"), SetAnswer("same", False), Next())
    stage.touch(SetAnswer("address", "样本路2号三楼"), Next())
    rows = {row.id: row.state for row in stage.sees(MaterialsView).rows}
    assert rows == {"id_card": "from_card", "permit": "reused", "lease": "needed"}
    stage.touch(OpenCapture("lease"), Shoot(), AcceptShot(), Next()).sees(CheckView)
    # And back again: what was taken is not sent.
    stage.touch(ChangeAnswer("where"), SetAnswer("same", True), Next()).sees(CheckView)
    stage.touch(Submit()).wait(4)
    submission = stage.outbox.submission()
    assert [use.id for use in submission.materials] == ["id_card", "permit"]
    assert "address" not in submission.answers
