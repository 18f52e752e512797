"""JPEG in and out: sizes read before decoding, small decodes, encoding within a byte limit. Pure."""

from __future__ import annotations

import numpy as np

from drivers.camera.opencv import ColourImage, cv2

MAX_PIXELS = 40_000_000
"""A document camera has at most some 20 megapixels; more is garbage or an attack on our memory."""
MIN_LONG_SIDE = 640
"""An A4 page at 640 pixels is two pixels a millimetre: nothing on it can be read."""
_START_OF_IMAGE = b"\xff\xd8"
_END_OF_IMAGE = b"\xff\xd9"
_PADDING = b"\x00\r\n"
"""What some cameras and MJPEG streams put after a picture."""
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""SOF0..SOF15 without DHT, JPG, DAC (ITU-T T.81 table B.1)."""
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})


def dimensions(raw: bytes) -> tuple[int, int] | None:
    """Width and height from the frame header (ITU-T T.81 B.2.2), or None if these bytes are no usable JPEG."""
    if not raw.startswith(_START_OF_IMAGE):
        return None
    at = 2
    while at + 4 <= len(raw) and raw[at] == 0xFF:
        marker = raw[at + 1]
        if marker == 0xFF:
            at += 1  # fill byte
            continue
        if marker in _STANDALONE:
            at += 2
            continue
        length = int.from_bytes(raw[at + 2 : at + 4], "big")
        if marker in _FRAME_MARKERS:
            height, width = int.from_bytes(raw[at + 5 : at + 7], "big"), int.from_bytes(raw[at + 7 : at + 9], "big")
            usable = at + 9 <= len(raw) and 0 < width * height <= MAX_PIXELS
            return (width, height) if usable else None
        if marker == 0xDA or length < 2:
            return None
        at += 2 + length
    return None


def whole(raw: bytes) -> bool:
    """Does it have its end? A decoder fills what is missing with grey, and half a page is no page."""
    return raw[-4096:].rstrip(_PADDING).endswith(_END_OF_IMAGE)


def decode(raw: bytes) -> ColourImage | None:
    """The whole picture, BGR; None if it is none."""
    return None if dimensions(raw) is None else _imdecode(raw, cv2.IMREAD_COLOR)


def decode_small(raw: bytes, *, long_side: int) -> ColourImage | None:
    """The picture with about this long side (never larger than 1.5 times it), BGR; None if it is none.

    The JPEG decoder shrinks by 2, 4 or 8 while decoding, at a fraction of the cost.
    """
    size = dimensions(raw)
    if size is None:
        return None
    flag = cv2.IMREAD_COLOR
    for factor, reduced in (
        (2, cv2.IMREAD_REDUCED_COLOR_2),
        (4, cv2.IMREAD_REDUCED_COLOR_4),
        (8, cv2.IMREAD_REDUCED_COLOR_8),
    ):
        if max(size) / factor >= long_side * 0.75:
            flag = reduced
    image = _imdecode(raw, flag)
    if image is None or max(image.shape[:2]) <= long_side * 1.5:
        return image
    return fit(image, (long_side, long_side))


def fit(image: ColourImage, box: tuple[int, int]) -> ColourImage:
    """Shrunk to fit in (width, height); as it is if it does already."""
    height, width = image.shape[:2]
    scale = min(box[0] / width, box[1] / height)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def encode(image: ColourImage, *, quality: int) -> bytes:
    """JPEG bytes."""
    done, raw = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("picture cannot be encoded")
    return raw.tobytes()


def encode_within(image: ColourImage, *, quality: int, max_bytes: int) -> bytes:
    """JPEG bytes, at lower quality if that is what it takes; at 30 it is what it is."""
    raw = encode(image, quality=quality)
    while len(raw) > max_bytes and quality > 30:
        quality -= 10
        raw = encode(image, quality=quality)
    return raw


def _imdecode(raw: bytes, flag: int) -> ColourImage | None:
    try:
        image = cv2.imdecode(np.frombuffer(raw, np.uint8), flag)
    except cv2.error:  # what it says of broken data depends on where they break
        return None
    return None if image is None else np.asarray(image, np.uint8)
