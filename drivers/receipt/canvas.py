"""A strip of thermal paper to draw on: type, rules, frames, pictures; as wide as the head, as long as it gets."""

from __future__ import annotations

from PIL import Image, ImageDraw

from drivers.receipt.fonts import FontBook
from drivers.receipt.layout import Layout, Type
from drivers.receipt.wrap import wrap

TOP = 24
BOTTOM = 16
_LEVEL = 144
"""Grey level that still becomes ink: thermal dots spread, so a little less than half."""


class Canvas:
    """A strip of paper that grows downwards."""

    def __init__(self, book: FontBook, layout: Layout) -> None:
        self.layout = layout
        self._book = book
        self._image = Image.new("L", (layout.width, 512), 255)
        self._draw = ImageDraw.Draw(self._image)
        self.y = TOP

    def room(self, height: int) -> None:
        """Make the paper long enough for `height` more dots."""
        while self._image.height < self.y + height + BOTTOM + 64:
            longer = Image.new("L", (self.layout.width, self._image.height * 2), 255)
            longer.paste(self._image, (0, 0))
            self._image = longer
            self._draw = ImageDraw.Draw(longer)

    def missing(self, text: str) -> frozenset[str]:
        """Characters that cannot be drawn."""
        return self._book.missing(text)

    def width(self, text: str, style: Type) -> float:
        """Dots from the first to the last character."""
        return sum(self._advance(character, style) for character in text) - (style.tracking if text else 0)

    def lines(self, text: str, style: Type, limit: float) -> list[str]:
        """`text` broken into lines."""
        return wrap(text, width=lambda character: self._advance(character, style), limit=limit + style.tracking)

    def text(self, x: float, baseline: float, text: str, style: Type) -> None:
        """One line with its baseline at `baseline`; every character from the first font that has it."""
        for character in text:
            face = self._book.face(character, bold=style.bold)
            if face is None:
                raise ValueError("character in no font")  # `render` has refused it before
            if not character.isspace():
                helped = (0.7 if style.bold else 0.4) if face.thin else 0.0
                self._draw.text(
                    (round(x), baseline), character, fill=0, font=face.at(style.size), anchor="ls", stroke_width=helped
                )
            x += self._advance(character, style)

    def rule(self, *, inset: int = 0, thickness: int = 2, dashed: bool = False) -> None:
        """A horizontal line at the current height."""
        left, right = self.layout.margin + inset, self.layout.right - inset
        step, ink = (12, 7) if dashed else (right - left, right - left)
        for x in range(left, right, step):
            self._draw.rectangle((x, self.y, min(x + ink, right) - 1, self.y + thickness - 1), fill=0)

    def frame(self, top: int, bottom: int) -> None:
        """A rounded frame across the paper."""
        self._draw.rounded_rectangle(
            (self.layout.margin, top, self.layout.right - 1, bottom), radius=14, outline=0, width=3
        )

    def paste(self, picture: Image.Image, x: int) -> None:
        """A picture at the current height."""
        self.room(picture.height)
        self._image.paste(picture, (x, self.y))
        self.y += picture.height

    def finish(self) -> Image.Image:
        """The paper so far, in black and white: mode 1, 0 is ink."""
        paper = self._image.crop((0, 0, self.layout.width, self.y + BOTTOM))
        return paper.point(lambda grey: 0 if grey < _LEVEL else 255).convert("1", dither=Image.Dither.NONE)

    def _advance(self, character: str, style: Type) -> float:
        face = self._book.face(character, bold=style.bold)
        return (face.at(style.size).getlength(character) if face else style.size) + style.tracking
