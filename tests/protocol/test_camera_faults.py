"""The camera's real worker process through every fault script; its self-test; darkness; pictures that are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivers.camera.jpeg import encode, whole
from drivers.camera.proof import focus_words, size_words, tiny_picture
from drivers.camera.quality import Measures, is_black, sharpness
from drivers.camera.source import DeviceSource
from drivers.camera.status import Light, troubled
from drivers.camera.viewer import Viewer
from drivers.host.proxies import DocumentCameraProxy
from drivers.sim.camera import CameraSim
from drivers.sim.desk import Placement, photograph
from drivers.sim.documents import SampleDocument, draw
from drivers.sim.fault_scripts import FOLDER, FaultScript, read_scripts
from kiosk.core.devices import DeviceKind, DeviceState, Fault, PreviewFrame
from kiosk.core.result import Err, Ok

SCRIPTS = read_scripts((FOLDER / "camera.toml").read_text("utf-8"), group="camera")
PROGRAM = Path(__file__).with_name("programs") / "camera_program.py"
SIZE = (1200, 1600)


@pytest.fixture(scope="module")
def running(make_rig: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_rig(CameraSim(dir=tmp_path_factory.mktemp("camera")), DeviceKind.CAMERA, PROGRAM)


@pytest.fixture
def rig(running: Any) -> Any:
    """The camera well, idle, its tray empty, in the light."""
    running.do("set", frozen=False, gone=False, garbage=False, refusing=False, mute=False, slow=False, dark=0.0)
    running.do("clear")
    running.well()
    return running


@pytest.fixture
def camera(rig: Any) -> Any:
    """Its port; no preview is left running."""
    proxy = DocumentCameraProxy(rig.host)
    yield proxy
    proxy.stop_preview()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.id)
def test_fault_script(rig: Any, script: FaultScript) -> None:
    rig.play(script)


def test_there_are_enough_scripts() -> None:
    assert len(SCRIPTS) >= 8


# --- self-test


@pytest.mark.parametrize("previewing", [False, True])
def test_a_quick_self_test_tells_of_a_live_picture(rig: Any, camera: Any, previewing: bool) -> None:
    if previewing:
        assert camera.start_preview() == Ok(None)
    found = rig.host.self_test(deep=False)
    assert found.passed and found.seconds < 2
    assert found.detail.startswith("1200x1600, ") and "brightness" in found.detail


def test_a_deep_self_test_tells_how_sharp_a_page_is(rig: Any) -> None:
    rig.do("put", document="lease")
    sharp = rig.host.self_test(deep=True)
    rig.do("put", document="lease", blur=5)
    blurred = rig.host.self_test(deep=True)
    assert sharp.passed and blurred.passed
    assert "page found" in sharp.detail and "page found" in blurred.detail
    assert float(sharp.detail.split()[-1]) > 0.5 > 0.36 > float(blurred.detail.split()[-1])


def test_a_quick_self_test_of_a_dead_camera_is_over_in_time(rig: Any) -> None:
    rig.do("set", frozen=True)
    found = rig.host.self_test(deep=False)
    assert found.fault is Fault.FROZEN
    rig.do("set", frozen=False, gone=True)
    rig.wait_status(lambda status: status.fault is Fault.NO_CAMERA)
    found = rig.host.self_test(deep=False)
    assert found.fault is Fault.NO_CAMERA


def test_a_self_test_in_the_dark_greys_out_nothing(rig: Any) -> None:
    rig.do("set", dark=1.0)
    found = rig.host.self_test(deep=True)
    assert found.fault is Fault.DARK and "brightness" in found.detail
    assert rig.host.status().well


def test_a_shot_right_after_a_preview_opens_the_camera_anew(rig: Any, camera: Any) -> None:
    for _ in range(3):
        assert camera.start_preview() == Ok(None)
        assert camera.stop_preview() == Ok(None)
        empty = camera.capture()
        assert isinstance(empty, Err) and empty.error.fault is Fault.NO_DOCUMENT
    assert rig.host.status().well


# --- darkness


def test_a_preview_that_is_black_for_long_is_dark_until_there_is_light(rig: Any, camera: Any) -> None:
    assert camera.start_preview() == Ok(None)
    rig.do("set", dark=1.0)
    status = rig.wait_status(lambda status: status.fault is Fault.DARK)
    assert status.state is DeviceState.ONLINE and not status.well
    before = len(rig.events)
    frame = rig.wait_event(lambda event: isinstance(event, PreviewFrame), after=before)
    assert frame.advice == "dark"  # the pictures go on, and say so
    rig.do("set", dark=0.0)
    rig.well()


def test_a_black_shot_is_dark_and_an_empty_tray_is_not(rig: Any, camera: Any) -> None:
    empty = camera.capture()
    assert isinstance(empty, Err) and empty.error.fault is Fault.NO_DOCUMENT
    assert rig.host.status().well
    rig.do("set", dark=1.0)
    black = camera.capture()
    assert isinstance(black, Err) and black.error.fault is Fault.DARK
    assert rig.host.status().fault is Fault.DARK
    rig.do("set", dark=0.0)
    rig.well()


@pytest.mark.parametrize(
    ("pictures", "dark"),
    [
        ([(0.0, True)], False),
        ([(0.0, True), (2.9, True)], False),
        ([(0.0, True), (3.0, True)], True),
        ([(0.0, True), (2.0, False), (3.5, True)], False),
        ([(0.0, False), (9.0, False)], False),
    ],
)
def test_a_hand_over_the_lens_is_no_darkness(pictures: list[tuple[float, bool]], dark: bool) -> None:
    light = Light(patience_s=3.0, forget_s=30.0)
    for at, black in pictures:
        light = light.after(black=black, at=at)
    assert light.dark(pictures[-1][0]) is dark


def test_darkness_is_not_believed_for_ever() -> None:
    light = Light(forget_s=30.0).after(black=True, at=5.0)
    assert not light.forgotten(34.9) and light.forgotten(35.0) and Light().forgotten(0.0)


@pytest.mark.parametrize(("dark", "black"), [(0.0, False), (0.3, False), (1.0, True)])
@pytest.mark.parametrize("document", [None, SampleDocument.LEASE])
def test_black_is_when_nothing_can_be_seen(document: SampleDocument | None, dark: float, black: bool) -> None:
    picture = draw(document) if document else None
    view = Viewer(freeze_s=1.0).see(photograph(picture, Placement(dark=dark), size=SIZE)[0], 0.0)
    assert view is not None and view.black is black is is_black(view.measures)


def test_states_of_trouble() -> None:
    states = {
        fault: troubled("x", fault).state for fault in (Fault.NO_CAMERA, Fault.DARK, Fault.FROZEN, Fault.PROTOCOL)
    }
    assert states == {
        Fault.NO_CAMERA: DeviceState.OFFLINE,
        Fault.DARK: DeviceState.ONLINE,
        Fault.FROZEN: DeviceState.ERROR,
        Fault.PROTOCOL: DeviceState.ERROR,
    }


# --- pictures that are none

JPEG = photograph(draw(SampleDocument.FORM), Placement(), size=(600, 800))[0]


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\x00" * 200])
def test_a_picture_with_its_end_is_whole(end: bytes) -> None:
    assert whole(JPEG + end)
    assert not whole(JPEG[:-2] + end) and not whole(JPEG[: len(JPEG) // 2] + end) and not whole(end)


def test_a_picture_on_which_nothing_can_be_read() -> None:
    tiny = encode(np.zeros((48, 64, 3), np.uint8), quality=80)
    found = tiny_picture(tiny)
    assert found is not None and (found.fault, found.detail) == (Fault.PROTOCOL, "pictures of 64x48 only")
    assert tiny_picture(JPEG) is None and size_words(JPEG) == "600x800"
    assert tiny_picture(b"") is not None


def test_there_may_be_nothing_to_focus_on() -> None:
    flat = np.full((800, 600, 3), 90, np.uint8)
    assert sharpness(flat) is None
    view = Viewer(freeze_s=1.0).see(encode(flat, quality=90), 0.0)
    assert view is not None and focus_words(view) == "no page, nothing to focus on"
    assert is_black(Measures(15.9)) and not is_black(Measures(16.0))


def test_a_usb_camera_names_its_model(tmp_path: Path) -> None:
    node = tmp_path / "video7"
    node.touch()
    stable = tmp_path / "usb-Document_Camera-index0"
    stable.symlink_to(node)
    (tmp_path / "names" / "video7").mkdir(parents=True)
    (tmp_path / "names" / "video7" / "name").write_text("Document Camera S9\n")
    assert DeviceSource(str(stable), names=tmp_path / "names").identity == f"Document Camera S9 {stable}"
    assert DeviceSource(str(stable), names=tmp_path / "none").identity == str(stable)
