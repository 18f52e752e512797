"""What a camera with a broken cable, mode or program sends instead of its pictures; pure."""

from __future__ import annotations

import io
from typing import Literal

from PIL import Image

from drivers.sim.desk import jpeg

Garbage = bool | Literal["bomb", "tiny", "torn", "endless"]
"""True: bytes that are no picture. `endless` is no picture of its own: the stream goes on without a boundary."""
GARBAGE = (False, True, "bomb", "tiny", "torn", "endless")
_BOMB = bytes.fromhex("ffd8 ffc0 0011 08 ffff ffff 03 012200 021101 031101") + bytes(500) + bytes.fromhex("ffd9")
"""A header (ITU-T T.81 B.2.2) that promises 65,535 times 65,535 pixels, 12 GB once decoded."""
_TINY = (64, 48)


def spoilt(frame: bytes, garbage: Garbage, number: int) -> bytes:
    """A JPEG, or what comes instead of it."""
    match garbage:
        case False:
            return frame
        case "bomb":
            return _BOMB
        case "tiny":
            with Image.open(io.BytesIO(frame)) as picture:
                picture.draft("RGB", _TINY)
                return jpeg(picture.resize(_TINY))
        case "torn":
            return frame[: len(frame) * 2 // 3]
        case _:
            return bytes((number * 31 + i) % 256 for i in range(997))
