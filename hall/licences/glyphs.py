"""Which characters can be printed: the character maps of the fonts that the templates name."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

FONT_FILES = (
    "NotoSerifCJK-Regular.ttc",
    "NotoSansCJK-Regular.ttc",
    "BabelStoneHan.ttf",
    "HanaMinA.ttf",
    "HanaMinB.ttf",
)
"""In the order of the templates' font lists; the first index of a collection holds the whole repertoire."""
_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))


class FontsMissing(RuntimeError):
    """A font that the templates need is not installed."""


@lru_cache(maxsize=1)
def printable() -> frozenset[int]:
    """Code points for which at least one of the fonts has a glyph."""
    from fontTools.ttLib import TTFont

    known: set[int] = set()
    for name in FONT_FILES:
        path = next((found for folder in _FOLDERS for found in folder.rglob(name)), None)
        if path is None:
            raise FontsMissing(f"{name} is not installed")
        with TTFont(path, fontNumber=0, lazy=True) as font:
            known |= set(font.getBestCmap())
    return frozenset(known)


def missing_glyphs(text: str) -> str:
    """The characters that would come out as empty boxes."""
    known = printable()
    return "".join(sorted({character for character in text if ord(character) >= 32 and ord(character) not in known}))
