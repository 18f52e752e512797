"""Thermal paper: rows of dots, text lines, and finished slips as PNG files."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

WIDTH = 576
ROW_BYTES = WIDTH // 8
TEXT_ROWS = 30
_BLANK = bytes(ROW_BYTES)
_TEXT_FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
_TEXT_SIZE = 24


def fit_row(row: bytes) -> bytes:
    """A row of any width as the head prints it: cut or filled to 72 bytes."""
    return row[:ROW_BYTES].ljust(ROW_BYTES, b"\x00")


def text_rows(data: bytes, *, kanji: bool) -> list[bytes]:
    """One line of text as rows; like the real thing, what the mode cannot say comes out as something else."""
    words = data.decode("gb18030" if kanji else "cp437", "replace")
    picture = Image.new("L", (WIDTH, TEXT_ROWS), 255)
    font = ImageFont.truetype(_TEXT_FONT, _TEXT_SIZE, index=2)
    ImageDraw.Draw(picture).text((0, 25), words, fill=0, font=font, anchor="ls")
    dots = ImageOps.invert(picture).convert("1", dither=Image.Dither.NONE).tobytes()
    return [dots[start : start + ROW_BYTES] for start in range(0, len(dots), ROW_BYTES)]


@dataclass(slots=True)
class Slip:
    """One piece of paper."""

    n: int
    rows: list[bytes] = field(default_factory=list)
    complete: bool = False
    torn: bool = False

    @property
    def inked(self) -> bool:
        """Is anything on it? Blank scraps of the cutter fall through."""
        return any(row != _BLANK for row in self.rows)

    def png(self) -> bytes:
        """The slip as a picture, ink black."""
        height = max(1, len(self.rows))
        dots = b"".join(self.rows) or _BLANK
        picture = Image.frombytes("1", (WIDTH, height), dots)
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

    def row(self, row: bytes) -> None:
        """One row under the head."""
        self._current.rows.append(row)

    def blank(self) -> None:
        """One row of feed."""
        self._current.rows.append(_BLANK)

    def cut(self) -> None:
        """Finish the slip; a blank one is a scrap and counts as nothing."""
        slip = self._current
        if slip.inked:
            slip.complete = True
            self._finished.append(slip)
            (self._folder / f"receipt-{slip.n:04d}.png").write_bytes(slip.png())
        self._current = Slip(slip.n + slip.inked)

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
