"""Thermal paper: rows of dots, text lines, and finished slips as PNG files."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

WIDTH = 576
TEXT_ROWS = 30
_TEXT_FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
_TEXT_SIZE = 24


def text_rows(data: bytes, *, kanji: bool, dots: int) -> list[bytes]:
    """One line of text as rows; like the real thing, what the mode cannot say comes out as something else."""
    words = data.decode("gb18030" if kanji else "cp437", "replace")
    picture = Image.new("L", (dots, TEXT_ROWS), 255)
    font = ImageFont.truetype(_TEXT_FONT, _TEXT_SIZE, index=2)
    ImageDraw.Draw(picture).text((0, 25), words, fill=0, font=font, anchor="ls")
    ink = ImageOps.invert(picture).convert("1", dither=Image.Dither.NONE).tobytes()
    return [ink[start : start + dots // 8] for start in range(0, len(ink), dots // 8)]


@dataclass(slots=True)
class Slip:
    """One piece of paper."""

    n: int
    dots: int = WIDTH
    """Width of the head."""
    rows: list[bytes] = field(default_factory=list)
    complete: bool = False
    torn: bool = False

    @property
    def inked(self) -> bool:
        """Is anything on it? Blank scraps of the cutter fall through."""
        return any(any(row) for row in self.rows)

    def png(self) -> bytes:
        """The slip as a picture, ink black."""
        height = max(1, len(self.rows))
        ink = b"".join(self.rows) or bytes(self.dots // 8)
        picture = Image.frombytes("1", (self.dots, height), ink)
        target = BytesIO()
        ImageOps.invert(picture.convert("L")).convert("1").save(target, "PNG")
        return target.getvalue()

    def describe(self) -> dict[str, int | bool]:
        """For `list`."""
        return {"n": self.n, "complete": self.complete, "torn": self.torn, "height": len(self.rows)}


class Paper:
    """The web of paper: the slip that is being printed and those that hang out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        first = max((int(path.stem.rpartition("-")[2]) for path in folder.glob("receipt-*.png")), default=0) + 1
        self._current = Slip(first)
        self._finished: list[Slip] = []

    @property
    def hanging(self) -> bool:
        """A finished slip waits to be taken."""
        return any(not slip.torn for slip in self._finished)

    def load(self, dots: int) -> None:
        """Another head, of this width; what was in work is torn off and thrown away."""
        self._current = Slip(self._current.n, dots)

    def row(self, row: bytes) -> None:
        """One row under the head: cut or filled to its width."""
        width = self._current.dots // 8
        self._current.rows.append(row[:width].ljust(width, b"\x00"))

    def cut(self) -> None:
        """Finish the slip; a blank one is a scrap and counts as nothing."""
        slip = self._current
        if slip.inked:
            slip.complete = True
            self._finished.append(slip)
            (self._folder / f"receipt-{slip.n:04d}.png").write_bytes(slip.png())
        self._current = Slip(slip.n + slip.inked, slip.dots)

    def tear(self) -> int:
        """The citizen takes what hangs out; how many."""
        hanging = [slip for slip in self._finished if not slip.torn]
        for slip in hanging:
            slip.torn = True
        return len(hanging)

    def slips(self) -> list[Slip]:
        """All of them, oldest first; one in work is the last."""
        return [*self._finished, *([self._current] if self._current.inked else [])]

    def slip(self, n: int) -> Slip:
        """By number; KeyError."""
        for slip in self.slips():
            if slip.n == n:
                return slip
        raise KeyError(n)
