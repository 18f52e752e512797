"""Measures of a slip for a printer's width; pure.

All measures are named in dots of 203 dpi (8 to the millimetre) and scaled: 512 dots of 180 dpi are the same 72 mm as
576 of 203. 58 mm paper (384 dots, 48 mm) keeps the size of its type and gets an arrangement of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

_WIDE, _NARROW = 576, 384
_NARROWEST_WIDE = 480


@dataclass(frozen=True, slots=True)
class Type:
    """A text style: em, distance of lines, both in dots."""

    size: int
    leading: int
    bold: bool = False
    centred: bool = False
    tracking: int = 0
    """Extra dots between characters."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A strip of paper."""

    width: int
    """Printable dots."""
    scale: float
    """Dots a dot of 203 dpi."""
    margin: int
    """Dots left and right that stay white."""
    narrow: bool
    """58 mm paper."""

    @classmethod
    def of(cls, width: int) -> Layout:
        """For a head of `width` dots."""
        narrow = width < _NARROWEST_WIDE
        scale = min(1.0, width / (_NARROW if narrow else _WIDE))
        return cls(width, scale, round((8 if narrow else 20) * scale), narrow)

    @property
    def content(self) -> int:
        """Dots between the margins."""
        return self.width - 2 * self.margin

    @property
    def right(self) -> int:
        """Where the right margin begins."""
        return self.width - self.margin

    def dots(self, measure: float) -> int:
        """A measure of 203 dpi in this head's dots."""
        return round(measure * self.scale)

    def type(self, nominal: Type) -> Type:
        """A style in this head's dots."""
        return replace(
            nominal,
            size=self.dots(nominal.size),
            leading=self.dots(nominal.leading),
            tracking=self.dots(nominal.tracking),
        )
