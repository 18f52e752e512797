"""The simulated camera itself, spoken to without our driver: an HTTP client of the standard library and Pillow."""

from __future__ import annotations

import http.client
import io
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drivers.sim.camera import CameraSim, frame_number
from drivers.sim.desk import A4_MM, ID1_MM, Placement, natural_size_mm
from drivers.sim.documents import A4_PX, CARD_PX, Holder, SampleDocument, draw

SMALL = (300, 400)


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[CameraSim]:
    camera = CameraSim(dir=tmp_path, size=SMALL, fps=60)
    yield camera
    camera.stop()


class Viewer:
    """Reads frames off the stream."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.port is not None
        self.connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=5)
        self.connection.request("GET", parts.path)
        self.response = self.connection.getresponse()
        assert self.response.status == 200
        assert self.response.headers["Content-Type"].startswith("multipart/x-mixed-replace; boundary=")

    def frame(self) -> bytes:
        while not (line := self.response.readline()).lower().startswith(b"content-length:"):
            if not line:
                raise ConnectionResetError
        length = int(line.split(b":")[1])
        assert self.response.readline() == b"\r\n"
        return self.response.read(length)

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def brightness(frame: bytes) -> float:
    picture = Image.open(io.BytesIO(frame)).convert("L").crop((100, 150, 200, 250))
    return sum(picture.tobytes()) / (100 * 100)


def test_every_frame_is_a_fresh_numbered_picture(sim: CameraSim) -> None:
    with Viewer(sim.start()) as viewer:
        frames = [viewer.frame() for _ in range(5)]
    numbers = [frame_number(frame) for frame in frames]
    assert numbers == [1, 2, 3, 4, 5]
    assert all(Image.open(io.BytesIO(frame)).size == SMALL for frame in frames)
    assert frames[0][20:] != frames[1][20:]
    assert frame_number(b"\xff\xd8\xff\xdb") is None


def test_what_is_put_is_seen_until_it_is_cleared(sim: CameraSim) -> None:
    with Viewer(sim.start()) as viewer:
        assert brightness(viewer.frame()) < 80
        status, _ = sim.handle("put", {"document": "lease"}, b"")
        assert status["document"] is True and len(status["quad"]) == 4
        assert any(brightness(viewer.frame()) > 150 for _ in range(300))  # older frames were on their way
        status, _ = sim.handle("clear", {}, b"")
        assert status["document"] is False and status["quad"] == []
        assert any(brightness(viewer.frame()) < 80 for _ in range(300))


def test_a_photo_of_ones_own(sim: CameraSim) -> None:
    sim.start()
    for form in ("PNG", "JPEG"):
        out = io.BytesIO()
        Image.new("RGB", (428, 270), "white").save(out, form)
        status, _ = sim.handle("put", {"angle": 10}, out.getvalue())
        assert status["document"] is True


@pytest.mark.parametrize(
    ("verb", "args", "tail"),
    [
        ("put", {}, b""),
        ("put", {}, b"no picture"),
        ("put", {}, b"\x89PNG\r\n\x1a\n" + bytes(50)),
        ("put", {"document": "passport"}, b""),
        ("put", {"document": "lease", "angel": 3}, b""),
        ("put", {"document": "lease", "blur": "much"}, b""),
        ("put", {"document": "lease", "dark": 2}, b""),
        ("put", {"document": "lease", "scale": 0}, b""),
        ("put", {"document": "lease", "dx": float("inf")}, b""),
        ("set", {"frozen": "solid"}, b""),
        ("set", {"dark": 7}, b""),
        ("set", {"colour": "red"}, b""),
        ("dance", {}, b""),
    ],
)
def test_what_makes_no_sense_changes_nothing(sim: CameraSim, verb: str, args: dict[str, object], tail: bytes) -> None:
    sim.start()
    before, _ = sim.handle("status", {}, b"")
    with pytest.raises((ValueError, TypeError, KeyError)):
        sim.handle(verb, dict(args), tail)
    assert sim.handle("status", {}, b"")[0] == before


def test_unplugged_and_plugged_in_again_at_the_same_address(sim: CameraSim) -> None:
    url = sim.start()
    with Viewer(url) as viewer:
        viewer.frame()
        sim.handle("set", {"gone": True}, b"")
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            for _ in range(1000):
                viewer.frame()
    with pytest.raises(ConnectionRefusedError):
        Viewer(url)
    sim.handle("set", {"gone": False}, b"")
    with Viewer(url) as viewer:
        assert frame_number(viewer.frame())


def test_frozen_still_and_garbage(sim: CameraSim) -> None:
    with Viewer(sim.start()) as viewer:
        viewer.frame()
        sim.handle("set", {"frozen": "still"}, b"")
        still = [viewer.frame() for _ in range(8)][4:]
        assert len(set(still)) == 1
        sim.handle("set", {"frozen": False, "garbage": True}, b"")
        assert not [viewer.frame() for _ in range(8)][-1].startswith(b"\xff\xd8")
        sim.handle("set", {"garbage": False, "frozen": True}, b"")
        deadline = time.monotonic() + 10
        sent = -1
        while (now := sim.handle("status", {}, b"")[0]["frames_sent"]) != sent:
            assert time.monotonic() < deadline
            sent = now
            time.sleep(0.1)
        assert sim.handle("status", {}, b"")[0]["streams"] == 1


def test_another_path_is_not_found(sim: CameraSim) -> None:
    port = urlsplit(sim.start()).port
    assert port is not None
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/admin")
    assert connection.getresponse().status == 404
    connection.close()


@given(
    st.dictionaries(st.sampled_from([*Placement.__slots__, "depth"]), st.floats() | st.integers() | st.text(max_size=3))
)
def test_a_placement_is_sensible_or_refused(args: dict[str, object]) -> None:
    try:
        placement = Placement.of(args)
    except (ValueError, TypeError):
        return
    assert 0 <= placement.dark <= 1 and 0 <= placement.cut_off <= 1 and 0.05 <= placement.scale <= 4


# --- documents


@pytest.mark.parametrize("document", SampleDocument)
def test_sample_documents(document: SampleDocument) -> None:
    picture = draw(document)
    assert picture.mode == "RGB"  # can be saved as a JPEG
    assert picture.size == (CARD_PX if document is SampleDocument.RESIDENCE_PERMIT else A4_PX)
    assert picture.tobytes() == draw(document).tobytes()
    assert picture.tobytes() != draw(document, holder=Holder(name="样本乙")).tobytes()


def test_documents_lie_in_their_natural_size() -> None:
    assert natural_size_mm(Image.new("RGB", CARD_PX)) == ID1_MM
    assert natural_size_mm(Image.new("RGB", A4_PX)) == pytest.approx(A4_MM, abs=0.2)
    assert natural_size_mm(Image.new("RGB", (100, 100))) == (210, 210)
    assert natural_size_mm(Image.new("RGB", (100, 1000))) == pytest.approx((29.7, 297))
