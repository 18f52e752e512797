"""What the simulated document camera sees: a dark tray, and a page on it under a lamp. Pure pictures, no I/O.

The exact corners of the page come with the picture, so that a page finder can be measured against the truth.
Coordinates of corners: pixels of the frame, (0, 0) at the outer corner of the first pixel, clockwise from top left.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Point = tuple[float, float]
Corners = tuple[Point, Point, Point, Point]
Picture = NDArray[np.float32]

A4_MM = (210.0, 297.0)
ID1_MM = (85.6, 53.98)
"""ISO/IEC 7810, with corners of _ID1_RADIUS_MM."""
_ID1_RADIUS_MM = 3.18
_VIEW_HEIGHT_MM = 330.0
"""How much of the tray the camera sees from top to bottom."""
_KEYSTONE = 0.035
"""The camera looks down a little aslant: the far edge is this much narrower."""
_NOISE = 1.6
"""Standard deviation of sensor noise in grey levels."""
_JPEG_QUALITY = 84


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """How a document lies, and in what light."""

    angle: float = 1.4
    """Degrees clockwise."""
    dx: float = 3.0
    """Millimetres right of the middle."""
    dy: float = -2.0
    """Millimetres below the middle."""
    scale: float = 1.0
    """Times its natural size."""
    blur: float = 0.0
    """Defocus: standard deviation in frame pixels."""
    dark: float = 0.0
    """0 as lit, 1 no light."""
    glare: float = 0.0
    """0 none, 1 a burnt-out patch on the page."""
    cut_off: float = 0.0
    """This share of the page lies outside the picture, beyond the right edge."""

    @classmethod
    def of(cls, args: dict[str, Any]) -> Placement:
        """From the arguments of a verb; TypeError for an unknown one, ValueError for one out of range."""
        placement = cls(**{name: float(value) for name, value in args.items()})
        if not all(math.isfinite(getattr(placement, name)) for name in args):
            raise ValueError("a placement is made of finite numbers")
        for name in ("dark", "glare", "cut_off"):
            if not 0 <= getattr(placement, name) <= 1:
                raise ValueError(f"{name} is between 0 and 1")
        if not (0 <= placement.blur <= 50 and 0.05 <= placement.scale <= 4):
            raise ValueError("blur is 0..50, scale 0.05..4")
        return placement


@dataclass(frozen=True, slots=True)
class Scene:
    """One still of the tray before the sensor: float RGB, 255 and above is burnt out; shape (height, width, 3)."""

    picture: Picture
    corners: Corners | None


def natural_size_mm(image: Image.Image) -> tuple[float, float]:
    """Width and height of a document by its shape: an ID-1 card, or what fits on A4."""
    ratio = image.width / image.height
    if abs(ratio - ID1_MM[0] / ID1_MM[1]) < 0.04:
        return ID1_MM
    width = min(A4_MM[0], A4_MM[1] * ratio)
    return width, width / ratio


def lay(document: Image.Image | None, placement: Placement, *, size: tuple[int, int]) -> Scene:
    """The tray with this document on it, or bare; `size` is (width, height) in pixels."""
    tray = _tray(size).copy()
    corners = None
    if document is not None:
        corners = _corners(natural_size_mm(document), placement, size=size)
        _paste(tray, document, corners, placement)
    if placement.blur:
        tray = tray.filter(ImageFilter.GaussianBlur(placement.blur))
    picture = np.asarray(tray, dtype=np.float32) * _lamp(size)[:, :, None]
    if placement.dark:
        picture *= (1.0 - placement.dark) ** 1.5
    if placement.glare:
        picture = picture + _glare(size, corners, placement.glare)[:, :, None]
    return Scene(picture.astype(np.float32), corners)


def shoot(scene: Scene, *, count: int, seed: int = 0, shake_px: int = 0) -> list[Image.Image]:
    """`count` pictures of a scene that differ as a live sensor's do: by noise, and by shaking if asked."""
    height, width, _ = scene.picture.shape
    source = np.random.default_rng(seed)
    grain = source.standard_normal((height + 64, width + 64), dtype=np.float32) * np.float32(_NOISE)
    stills = []
    for index in range(count):
        top, left = (int(value) for value in source.integers(0, 64, 2))
        picture = scene.picture + grain[top : top + height, left : left + width, None]
        if shake_px:
            swing = round(shake_px * math.sin(2 * math.pi * index / count))
            picture = np.roll(picture, swing, axis=1)
        stills.append(Image.fromarray(np.clip(picture + 0.5, 0, 255).astype(np.uint8)))
    return stills


def jpeg(still: Image.Image) -> bytes:
    """As the camera compresses it."""
    out = io.BytesIO()
    still.save(out, "JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()


def photograph(
    document: Image.Image | None, placement: Placement, *, size: tuple[int, int], seed: int = 0
) -> tuple[bytes, Corners | None]:
    """One JPEG of a document on the tray and the true corners: what a page finder is measured with."""
    scene = lay(document, placement, size=size)
    return jpeg(shoot(scene, count=1, seed=seed)[0]), scene.corners


@cache
def _tray(size: tuple[int, int]) -> Image.Image:
    """Dark matte with a faint grain and two corner marks, as on document-camera pads."""
    width, height = size
    source = np.random.default_rng(7)
    coarse = source.normal(0, 255, (height // 24, width // 24)).clip(-500, 500)
    grain = Image.fromarray((128 + coarse / 6).clip(0, 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    matte = 48 + (np.asarray(grain, dtype=np.float32) - 128) / 22
    tray = Image.fromarray(np.clip(matte[:, :, None] * (0.96, 1.0, 1.08), 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(tray)
    reach, inset = round(width * 0.06), round(width * 0.02)
    for x, y, right, down in ((inset, inset, 1, 1), (width - inset, height - inset, -1, -1)):
        pen.line((x, y, x + right * reach, y), fill=(96, 100, 106), width=3)
        pen.line((x, y, x, y + down * reach), fill=(96, 100, 106), width=3)
    return tray


def _corners(size_mm: tuple[float, float], placement: Placement, *, size: tuple[int, int]) -> Corners:
    """Where the corners of a document of this size come to lie in the frame."""
    width, height = size
    scale = height / _VIEW_HEIGHT_MM
    half_width, half_height = (side * placement.scale / 2 for side in size_mm)
    turn = math.radians(placement.angle)
    dx = placement.dx
    if placement.cut_off:
        reach = abs(half_width * math.cos(turn)) + abs(half_height * math.sin(turn))
        dx = width / scale / 2 - reach + 2 * reach * placement.cut_off

    def seen(x: float, y: float) -> Point:
        tray_x = (x * math.cos(turn) - y * math.sin(turn) + dx) * scale
        tray_y = (x * math.sin(turn) + y * math.cos(turn) + placement.dy) * scale
        depth = 1.0 - _KEYSTONE * tray_y / (height / 2)
        return width / 2 + tray_x / depth, height / 2 + tray_y / depth

    return (
        seen(-half_width, -half_height),
        seen(half_width, -half_height),
        seen(half_width, half_height),
        seen(-half_width, half_height),
    )


def _paste(tray: Image.Image, document: Image.Image, corners: Corners, placement: Placement) -> None:
    """Warp the document onto the tray, with a soft shadow below and right of it."""
    sheet = _cut_out(document)
    wanted = math.dist(corners[0], corners[1])
    if sheet.width > wanted * 1.3:  # shrink with a proper filter first: the warp alone would alias
        sheet = sheet.resize(
            (max(2, round(wanted)), max(2, round(wanted * sheet.height / sheet.width))), Image.Resampling.LANCZOS
        )
    warped = sheet.transform(
        tray.size,
        Image.Transform.PERSPECTIVE,
        _perspective(corners, sheet.size),
        Image.Resampling.BICUBIC,
    )
    shape = warped.getchannel("A")
    shadow = shape.filter(ImageFilter.BoxBlur(7)).point(lambda value: value * 0.5)
    tray.paste((8, 8, 9), (5, 7), shadow)
    tray.paste(warped.convert("RGB"), (0, 0), shape)


def _cut_out(document: Image.Image) -> Image.Image:
    """The document in RGBA; a card gets its round corners."""
    sheet = document.convert("RGBA")
    if natural_size_mm(document) == ID1_MM:
        shape = Image.new("L", sheet.size, 0)
        right, bottom = sheet.width - 1, sheet.height - 1
        radius = _ID1_RADIUS_MM / ID1_MM[0] * sheet.width
        ImageDraw.Draw(shape).rounded_rectangle((0, 0, right, bottom), radius=radius, fill=255)
        sheet.putalpha(shape)
    return sheet


def _perspective(corners: Corners, size: tuple[int, int]) -> tuple[float, ...]:
    """Pillow's eight coefficients: from a frame point to the point of the document that shows there."""
    width, height = size
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, ((0, 0), (width, 0), (width, height), (0, height)), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return tuple(float(c) for c in np.linalg.solve(np.array(rows, dtype=float), np.array(values, dtype=float)))


@cache
def _lamp(size: tuple[int, int]) -> Picture:
    """Uneven light: brightest up left, falling off to the far corner, as one lamp on an arm gives."""
    width, height = size
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return (0.93 - 0.055 * ((x + 0.4) ** 2 + (y + 0.3) ** 2) - 0.03 * x).astype(np.float32)


def _glare(size: tuple[int, int], corners: Corners | None, strength: float) -> Picture:
    """The lamp mirrored in a shiny page: a soft bright patch up right of its middle."""
    width, height = size
    if corners is None:
        centre_x, centre_y, reach = width / 2, height / 2, width / 4
    else:
        centre_x = sum(x for x, _ in corners) / 4 + (corners[1][0] - corners[0][0]) * 0.15
        centre_y = sum(y for _, y in corners) / 4 - (corners[3][1] - corners[0][1]) * 0.12
        reach = math.dist(corners[0], corners[2]) * 0.16
    x = (np.arange(width, dtype=np.float32)[None, :] - centre_x) / reach
    y = (np.arange(height, dtype=np.float32)[:, None] - centre_y) / (reach * 0.7)
    patch: Picture = (420.0 * strength * np.exp(-1.6 * (x**2 + y**2))).astype(np.float32)
    return patch
