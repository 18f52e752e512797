"""Quality advice, flattening and JPEG handling: pure functions on real pictures."""

from __future__ import annotations

import io
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from drivers.camera.flatten import PageShape, even_out, flatten, is_paper, shape_of
from drivers.camera.jpeg import MAX_PIXELS, decode, decode_small, dimensions, encode, encode_within, fit
from drivers.camera.opencv import ColourImage, cv2
from drivers.camera.page_finder import Finding, find_page
from drivers.camera.quality import MEASURE_PX, Advice, Limits, Measures, advise, measure
from drivers.camera.shot import MAX_JPEG_BYTES, preview_jpeg, take
from drivers.camera.viewer import View, Viewer
from drivers.sim.desk import Placement, jpeg, lay, photograph, shoot
from drivers.sim.documents import SampleDocument, draw
from kiosk.core.ports import Shot

SIZE = (1200, 1600)
LEASE, CARD, FORM = SampleDocument.LEASE, SampleDocument.RESIDENCE_PERMIT, SampleDocument.FORM
AS_USUAL = Placement()
QUAD = np.array(((100, 100), (500, 100), (500, 700), (100, 700)), float)


@cache
def sheet(document: SampleDocument) -> Image.Image:
    return draw(document)


@cache
def picture(document: SampleDocument | None, placement: Placement = AS_USUAL, seed: int = 0) -> bytes:
    return photograph(None if document is None else sheet(document), placement, size=SIZE, seed=seed)[0]


def small(raw: bytes) -> ColourImage:
    image = decode_small(raw, long_side=MEASURE_PX)
    assert image is not None
    return image


def examined(raw: bytes) -> View:
    """As after the page has come to rest."""
    view = Viewer(freeze_s=2.0, settle=0).see(raw, 0.0)
    assert view is not None
    return View(view.small, view.finding, view.measures, still=True, frozen=False)


# --- advice


@pytest.mark.parametrize(
    ("document", "placement", "advice"),
    [
        (None, Placement(), Advice.NO_DOCUMENT),
        (LEASE, Placement(), Advice.OK),
        (FORM, Placement(), Advice.OK),
        (CARD, Placement(), Advice.OK),
        (LEASE, Placement(blur=3.5), Advice.BLURRED),
        (FORM, Placement(blur=3.5), Advice.BLURRED),
        (CARD, Placement(blur=3.5), Advice.BLURRED),
        (LEASE, Placement(dark=0.55), Advice.DARK),
        (LEASE, Placement(dark=0.97), Advice.DARK),
        (None, Placement(dark=0.9), Advice.DARK),
        (LEASE, Placement(glare=0.7), Advice.GLARE),
        (CARD, Placement(glare=0.7), Advice.GLARE),
        (LEASE, Placement(cut_off=0.15), Advice.CUT_OFF),
    ],
)
def test_advice(document: SampleDocument | None, placement: Placement, advice: Advice) -> None:
    assert examined(picture(document, placement)).advice is advice


def test_acutance_falls_with_blur_and_hardly_with_noise() -> None:
    def acutance(image: ColourImage) -> float:
        value = measure(image, find_page(image).quad).acutance
        assert value is not None
        return value

    by_blur = [acutance(small(picture(LEASE, Placement(blur=blur)))) for blur in (0.0, 2.0, 3.5)]
    assert by_blur == sorted(by_blur, reverse=True) and by_blur[0] > 1.8 * by_blur[-1]
    blurred = small(picture(LEASE, Placement(blur=3.5)))
    noisy = np.clip(blurred + np.random.default_rng(2).normal(0, 5, blurred.shape), 0, 255).astype(np.uint8)
    assert acutance(noisy) < Limits().acutance


@pytest.mark.parametrize(
    ("finding", "measures", "still", "advice"),
    [
        (Finding(None), Measures(20.0), True, Advice.DARK),
        (Finding(None), Measures(60.0), True, Advice.NO_DOCUMENT),
        (Finding(None, cut_off=True), Measures(60.0), True, Advice.CUT_OFF),
        (Finding(QUAD), Measures(200.0, 50.0, 0.7), True, Advice.DARK),
        (Finding(QUAD), Measures(200.0, 200.0, 0.1), False, Advice.HOLD_STILL),
        (Finding(QUAD), Measures(200.0, 200.0, 0.1, 0.5), True, Advice.BLURRED),
        (Finding(QUAD), Measures(200.0, 200.0, 0.7, 0.5, 220.0), True, Advice.GLARE),
        (Finding(QUAD), Measures(255.0, 255.0, 0.7, 0.9, 252.0), True, Advice.OK),
        (Finding(QUAD), Measures(200.0, 200.0, None), True, Advice.OK),
    ],
)
def test_what_is_said_first(finding: Finding, measures: Measures, still: bool, advice: Advice) -> None:
    assert advise(finding, measures, still=still) is advice


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    corners=st.lists(st.tuples(st.floats(-200, 400), st.floats(-200, 400)), min_size=4, max_size=4),
)
def test_measuring_never_fails(seed: int, corners: list[tuple[float, float]]) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (120, 90, 3)).astype(np.uint8)
    measures = measure(image, np.array(corners))
    assert 0 <= measures.glare <= 1 and 0 <= measures.frame_brightness <= 255


# --- picture after picture


def live(document: SampleDocument | None, count: int, shake_px: int = 0) -> list[bytes]:
    scene = lay(None if document is None else sheet(document), Placement(), size=SIZE)
    return [jpeg(still) for still in shoot(scene, count=count, shake_px=shake_px)]


def test_a_page_at_rest_is_still_and_a_shaking_one_is_not() -> None:
    viewer = Viewer(freeze_s=2.0)
    calm = [viewer.see(raw, index / 10) for index, raw in enumerate(live(LEASE, 5))]
    assert [view is not None and view.still for view in calm] == [False, False, False, True, True]
    shaken = [viewer.see(raw, 1 + index / 10) for index, raw in enumerate(live(LEASE, 4, shake_px=40))]
    assert shaken[-1] is not None and shaken[-1].advice is Advice.HOLD_STILL


def test_a_page_that_comes_is_seen_at_once_though_the_tray_was_still() -> None:
    viewer = Viewer(freeze_s=2.0)
    for index, raw in enumerate(live(None, 6)):
        viewer.see(raw, index / 10)
    view = viewer.see(picture(LEASE), 1.0)
    assert view is not None and view.finding.quad is not None and not view.still


def test_equal_pictures_for_too_long_are_a_frozen_camera() -> None:
    viewer = Viewer(freeze_s=2.0)
    views = [viewer.see(picture(LEASE), at) for at in (0.0, 1.0, 2.0, 2.1)]
    assert [view is not None and view.frozen for view in views] == [False, False, False, True]
    after = viewer.see(picture(LEASE, seed=1), 2.2)
    assert after is not None and not after.frozen


def test_a_covered_lens_is_dark_and_not_frozen() -> None:
    black = encode(np.zeros((1600, 1200, 3), np.uint8), quality=80)
    viewer = Viewer(freeze_s=2.0)
    views = [viewer.see(black, float(at)) for at in range(6)]
    assert all(view is not None and not view.frozen and view.advice is Advice.DARK for view in views)


def test_what_is_no_picture_is_not_seen() -> None:
    assert Viewer(freeze_s=2.0).see(b"GIF89a" + bytes(400), 0.0) is None


# --- flat pages


def taken(raw: bytes) -> Shot:
    shot = take(raw, examined(raw))
    assert shot is not None
    return shot


def correlation(page_jpeg: bytes, original: Image.Image) -> float:
    """Of luma at a quarter of 200 dpi: 1 is the same page in the same place."""
    size = (original.width // 4, original.height // 4)
    page = np.asarray(Image.open(io.BytesIO(page_jpeg)).convert("L").resize(size), float)
    truth = np.asarray(original.convert("L").resize(size), float)
    return float(np.corrcoef(page.ravel(), truth.ravel())[0, 1])


@pytest.mark.parametrize(
    ("document", "placement", "size", "least"),
    [
        (LEASE, Placement(), (1654, 2339), 0.85),
        (LEASE, Placement(angle=-5, scale=0.9), (1654, 2339), 0.85),
        (FORM, Placement(angle=3, scale=0.95), (1654, 2339), 0.9),
        (CARD, Placement(angle=-12, dx=20), (1011, 638), 0.9),
    ],
)
def test_a_captured_page_is_the_page(
    document: SampleDocument, placement: Placement, size: tuple[int, int], least: float
) -> None:
    raw = picture(document, placement)
    shot = taken(raw)
    assert (shot.width, shot.height) == size == Image.open(io.BytesIO(shot.page_jpeg)).size
    assert shot.original_jpeg == raw
    assert shot.advice == "ok"
    assert max(len(shot.page_jpeg), len(shot.original_jpeg)) <= MAX_JPEG_BYTES
    assert correlation(shot.page_jpeg, sheet(document)) > least


def test_the_text_is_sharp_enough_to_read() -> None:
    """The line with the identity number, cut out of the flat page, against the same line as it was drawn."""
    box = (150, 500, 900, 560)
    page = Image.open(io.BytesIO(taken(picture(LEASE)).page_jpeg)).convert("L").crop(box)
    truth = sheet(LEASE).convert("L").crop(box)
    scores = cv2.matchTemplate(np.asarray(page), np.asarray(truth)[8:-8, 8:-8], cv2.TM_CCOEFF_NORMED)
    assert float(scores.max()) > 0.8


def test_paper_comes_out_white_everywhere() -> None:
    page = decode(taken(picture(FORM, Placement(dark=0.3))).page_jpeg)
    assert page is not None
    corners = [page[y : y + 60, x : x + 60].mean() for y in (40, 2200) for x in (40, 1550)]
    assert min(corners) > 235


def test_colours_of_a_card_stay() -> None:
    page = decode(taken(picture(CARD)).page_jpeg)
    assert page is not None
    blue, green, red = page[30:90, 500:560].reshape(-1, 3).mean(axis=0)
    assert green > red + 30 and green > blue


def test_no_page_no_shot() -> None:
    raw = picture(None)
    assert take(raw, examined(raw)) is None


@pytest.mark.parametrize(
    ("across", "down", "frame", "shape"),
    [
        (210, 297, 300 * 400, PageShape.A4),
        (297, 210, 300 * 400, PageShape.A4),
        (86, 54, 300 * 400, PageShape.CARD),
        (54, 86, 300 * 400, PageShape.CARD),
        (330, 208, 330 * 250, None),
        (200, 200, 300 * 400, None),
        (80, 300, 300 * 400, None),
    ],
)
def test_shape(across: float, down: float, frame: float, shape: PageShape | None) -> None:
    quad = np.array(((0, 0), (across, 0), (across, down), (0, down)), float)
    assert shape_of(quad, frame_area=frame) is shape


def test_an_unknown_shape_keeps_its_ratio() -> None:
    quad = np.array(((100, 100), (300, 100), (300, 300), (100, 300)), float)
    page = flatten(np.full((400, 400, 3), 90, np.uint8), quad)
    assert page.shape is None and page.image.shape == (2339, 2339, 3)


def test_shading_goes_and_print_stays() -> None:
    shade = np.linspace(110, 230, 600)[None, :, None] * np.ones((800, 1, 3))
    shade[300:320, 100:500] *= 0.2
    page = even_out(shade.astype(np.uint8))
    assert page[100:200].min() > 220 and page[305:315, 150:450].max() < 70
    assert is_paper(page) and not is_paper(np.full((50, 50, 3), (40, 160, 40), np.uint8))


# --- JPEG


def test_sizes_are_read_without_decoding() -> None:
    assert dimensions(picture(None)) == SIZE
    progressive = io.BytesIO()
    Image.new("RGB", (37, 21)).save(progressive, "JPEG", progressive=True)
    assert dimensions(progressive.getvalue()) == (37, 21)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xd8",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xda\x00\x02",
        b"\xff\xd8\xff\xe0\x00\x01",
        b"\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00",
        b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x00\x00\x10\x01\x01\x11\x00",
        b"\xff\xd8\xff\xff\xff\xff",
    ],
)
def test_no_usable_jpeg(raw: bytes) -> None:
    assert dimensions(raw) is None and decode(raw) is None and decode_small(raw, long_side=800) is None


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_a_picture_or_none(raw: bytes, start: bool) -> None:
    size = dimensions(b"\xff\xd8\xff" + raw if start else raw)
    assert size is None or 0 < size[0] * size[1] <= MAX_PIXELS


@settings(deadline=None, max_examples=40)
@given(cut=st.floats(0, 1), flips=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8))
def test_a_damaged_jpeg_is_a_picture_or_none(cut: float, flips: list[tuple[float, int]]) -> None:
    raw = bytearray(encode(np.full((96, 64, 3), 120, np.uint8), quality=70))
    for place, value in flips:
        raw[min(len(raw) - 1, int(place * len(raw)))] = value
    image = decode_small(bytes(raw[: int(cut * len(raw))]), long_side=64)
    assert image is None or (image.ndim == 3 and image.dtype == np.uint8)


@pytest.mark.parametrize(("width", "height"), [(320, 240), (640, 480), (1200, 1600), (2592, 1944), (4096, 3072)])
def test_small_decodes_are_small(width: int, height: int) -> None:
    image = decode_small(encode(np.full((height, width, 3), 99, np.uint8), quality=50), long_side=800)
    assert image is not None and max(image.shape[:2]) <= 1200
    assert abs(image.shape[1] / image.shape[0] - width / height) < 0.02


def test_encoding_keeps_the_limit() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (600, 600, 3)).astype(np.uint8)
    assert len(encode_within(noise, quality=95, max_bytes=200_000)) < 200_000 < len(encode(noise, quality=95))
    assert fit(noise, (720, 960)) is noise and fit(noise, (300, 960)).shape == (300, 300, 3)
    assert dimensions(preview_jpeg(np.zeros((1200, 1600, 3), np.uint8))) == (720, 540)


def test_opencv_leaves_the_environment_alone() -> None:
    """It would hand its own Qt to every child process."""
    program = (
        "import os; before = dict(os.environ)\n"
        "import drivers.camera.opencv\n"
        "print(sorted(n for n in set(os.environ) | set(before) if os.environ.get(n) != before.get(n)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "QT_" not in done.stdout and "LD_" not in done.stdout
    assert done.stderr == ""
