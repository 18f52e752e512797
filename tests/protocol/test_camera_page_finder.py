"""The page finder against pictures whose corners are known exactly."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from drivers.camera.geometry import Quad, area, clockwise, is_page_like, margin, normalised
from drivers.camera.jpeg import decode, decode_small
from drivers.camera.opencv import cv2
from drivers.camera.page_finder import find_page, sharpen
from drivers.camera.quality import MEASURE_PX
from drivers.sim.desk import Placement, photograph
from drivers.sim.documents import SampleDocument, draw

SIZE = (1200, 1600)
LEASE, CARD, FORM = SampleDocument.LEASE, SampleDocument.RESIDENCE_PERMIT, SampleDocument.FORM


@cache
def sheet(document: SampleDocument) -> Image.Image:
    return draw(document)


def located(document: SampleDocument, placement: Placement) -> tuple[Quad, Quad]:
    """Found at preview size and refined in the whole picture, and the truth."""
    raw, corners = photograph(sheet(document), placement, size=SIZE)
    small, full = decode_small(raw, long_side=MEASURE_PX), decode(raw)
    assert small is not None and full is not None and corners is not None
    quad = find_page(small).quad
    assert quad is not None
    return sharpen(full, quad * (full.shape[1] / small.shape[1])), np.array(corners)


@pytest.mark.parametrize(
    ("document", "placement"),
    [
        (LEASE, Placement()),
        (LEASE, Placement(angle=-6, scale=0.85)),
        (LEASE, Placement(dark=0.4)),
        (LEASE, Placement(glare=0.9)),
        (LEASE, Placement(blur=3)),
        (FORM, Placement(angle=4, scale=0.8, dx=-12)),
        (CARD, Placement()),
        (CARD, Placement(angle=35, dx=40, dy=-80)),
    ],
)
def test_corners_are_found_to_the_pixel(document: SampleDocument, placement: Placement) -> None:
    quad, truth = located(document, placement)
    assert np.linalg.norm(quad - truth, axis=1).max() < 3.0


def test_corners_are_right_on_average() -> None:
    errors = [
        np.linalg.norm(quad - truth, axis=1)
        for angle in (-4, 2)
        for quad, truth in [located(FORM, Placement(angle=angle, scale=0.9))]
    ]
    assert np.median(np.concatenate(errors)) < 1.0


def test_no_half_pixel_bias() -> None:
    """A light rectangle with corners on whole pixels is found there, not half a pixel beside."""
    image = np.full((800, 600, 3), 45, np.uint8)
    image[120:680, 100:496] = 225
    quad = find_page(cv2.GaussianBlur(image, (3, 3), 0)).quad
    assert quad is not None
    refined = sharpen(image, quad)
    truth = np.array(((100, 120), (496, 120), (496, 680), (100, 680)), float)
    assert np.abs(refined - truth).max() < 0.1


def test_an_empty_tray_has_no_page() -> None:
    raw, _ = photograph(None, Placement(), size=SIZE)
    small = decode_small(raw, long_side=MEASURE_PX)
    assert small is not None
    finding = find_page(small)
    assert finding.quad is None and not finding.cut_off


@pytest.mark.parametrize("document", [LEASE, FORM, CARD])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.45])
def test_a_page_that_leaves_the_picture_is_never_taken_for_a_whole_one(document: SampleDocument, share: float) -> None:
    """Not even the complete table that is printed on it."""
    raw, _ = photograph(sheet(document), Placement(cut_off=share), size=SIZE)
    small = decode_small(raw, long_side=MEASURE_PX)
    assert small is not None
    finding = find_page(small)
    assert finding.quad is None and finding.cut_off


def test_a_pale_page_on_a_pale_desk_is_found_by_its_edges() -> None:
    image = np.full((800, 600, 3), 205, np.uint8)
    image[100:700, 90:510] = 228
    image[100:104, 90:510] = image[696:700, 90:510] = image[100:700, 90:94] = image[100:700, 506:510] = 120
    noisy = np.clip(image + np.random.default_rng(1).normal(0, 2, image.shape), 0, 255).astype(np.uint8)
    quad = find_page(noisy).quad
    assert quad is not None
    truth = np.array(((90, 100), (510, 100), (510, 700), (90, 700)), float)
    assert np.linalg.norm(quad - truth, axis=1).max() < 8


@settings(deadline=None, max_examples=60)
@given(
    width=st.integers(1, 260),
    height=st.integers(1, 260),
    seed=st.integers(0, 2**32 - 1),
    shapes=st.integers(0, 6),
    noise=st.sampled_from([0, 3, 60]),
)
def test_any_picture_gives_a_page_within_it_or_none(
    width: int, height: int, seed: int, shapes: int, noise: int
) -> None:
    source = np.random.default_rng(seed)
    image = np.full((height, width, 3), source.integers(0, 256), np.uint8)
    for _ in range(shapes):
        points = source.integers(-40, 300, (int(source.integers(3, 6)), 1, 2)).astype(np.int32)
        cv2.fillPoly(image, [points], [int(level) for level in source.integers(0, 256, 3)])
    if noise:
        image = np.clip(image + source.normal(0, noise, image.shape), 0, 255).astype(np.uint8)
    quad = find_page(image).quad
    if quad is not None:
        assert is_page_like(quad)
        assert margin(quad, width, height) >= 0
        assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in normalised(quad, width, height))
        assert np.isfinite(sharpen(image, quad)).all()


@given(st.permutations([(10.0, 12.0), (90.0, 14.0), (95.0, 120.0), (8.0, 118.0)]))
def test_corners_come_in_one_order_only(points: list[tuple[float, float]]) -> None:
    quad = clockwise(np.array(points))
    assert quad.tolist() == [[10.0, 12.0], [90.0, 14.0], [95.0, 120.0], [8.0, 118.0]]
    assert area(quad) > 0 and is_page_like(quad)


def test_what_is_no_page() -> None:
    bow_tie = np.array(((0, 0), (100, 100), (100, 0), (0, 100)), float)
    wedge = np.array(((0, 0), (100, 0), (60, 100), (50, 100)), float)
    tiny = np.array(((0, 0), (3, 0), (3, 3), (0, 3)), float)
    endless = np.array(((0, 0), (np.inf, 0), (100, 100), (0, 100)), float)
    assert not any(is_page_like(quad) for quad in (bow_tie, wedge, tiny, endless))
