"""Which font draws which character: one family with fallback down to Extension F, and never a box (缺字).

Noto Sans CJK SC, BabelStone Han and Hanazono Mincho together cover every hanzi of GB 18030-2022.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import ImageFont

_ROOTS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_NOTO_FOLDERS = ("opentype/noto", "noto-cjk", "google-noto-cjk", "opentype/noto-cjk")
_NOTO_FAMILY = "Noto Sans CJK SC"
_FALLBACKS = (
    "truetype/babelstone/BabelStoneHan.ttf",
    "truetype/hanazono/HanaMinA.ttf",
    "truetype/hanazono/HanaMinB.ttf",
)
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Categories that a font may map and still show nothing or something else: control, format, private use, none."""


@dataclass(frozen=True, slots=True)
class FontFile:
    """A font on the disk. `family` picks the face of a collection; `thin` fonts need bolder ink on thermal paper."""

    path: Path
    family: str = ""
    thin: bool = False


def candidates(roots: Sequence[Path] = _ROOTS, *, bold: bool) -> tuple[FontFile, ...]:
    """Where distributions keep the fonts, first choice first; nothing is looked up."""
    weight = "Bold" if bold else "Regular"
    noto = [
        FontFile(root / folder / f"NotoSansCJK-{weight}.ttc", _NOTO_FAMILY)
        for root in roots
        for folder in _NOTO_FOLDERS
    ]
    rest = [FontFile(root / name, thin=True) for root in roots for name in _FALLBACKS]
    return (*noto, *rest)


class Face:
    """One face: what it has, and itself in any size."""

    def __init__(self, file: FontFile) -> None:
        self.file = file
        self._sizes: dict[int, ImageFont.FreeTypeFont] = {}

    @property
    def thin(self) -> bool:
        """A Mincho or Song design, whose horizontals vanish on thermal paper unless they are helped."""
        return self.file.thin

    @cached_property
    def _index(self) -> int:
        """Number of the face in a collection."""
        if self.file.path.suffix != ".ttc":
            return 0
        index = 0
        while True:  # ends: TTLibFileIsCollectionError beyond the last face, if the family is not there
            with TTFont(self.file.path, fontNumber=index, lazy=True) as font:
                if font["name"].getDebugName(1) == self.file.family or font["name"].getDebugName(4) == self.file.family:
                    return index
            index += 1

    @cached_property
    def _points(self) -> frozenset[int]:
        with TTFont(self.file.path, fontNumber=self._index, lazy=True) as font:
            return frozenset(font.getBestCmap())

    def has(self, character: str) -> bool:
        """Is there a glyph?"""
        return ord(character) in self._points

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """The face at an em of `size` dots."""
        if size not in self._sizes:
            self._sizes[size] = ImageFont.truetype(
                self.file.path, size, index=self._index, layout_engine=ImageFont.Layout.BASIC
            )
        return self._sizes[size]


class FontBook:
    """A regular and a bold chain of faces; the first face that has a character draws it."""

    def __init__(self, *, regular: Sequence[FontFile] | None = None, bold: Sequence[FontFile] | None = None) -> None:
        shared: dict[Path, Face] = {}

        def chain(files: Sequence[FontFile]) -> tuple[Face, ...]:
            return tuple(shared.setdefault(file.path, Face(file)) for file in files if file.path.is_file())

        self._regular = chain(candidates(bold=False) if regular is None else regular)
        # A character that has no bold face is set in a regular one.
        self._bold = (*chain(candidates(bold=True) if bold is None else bold), *self._regular)
        self._known: dict[tuple[str, bool], Face | None] = {}

    def face(self, character: str, *, bold: bool) -> Face | None:
        """The face for one character, or None: in no font."""
        key = (character, bold)
        if key not in self._known:
            self._known[key] = self._look_up(character, bold=bold)
        return self._known[key]

    def missing(self, text: str) -> frozenset[str]:
        """Characters that cannot be drawn."""
        return frozenset(character for character in text if self.face(character, bold=False) is None)

    def _look_up(self, character: str, *, bold: bool) -> Face | None:
        if unicodedata.category(character) in _INVISIBLE:
            return None
        return next((face for face in (self._bold if bold else self._regular) if face.has(character)), None)
