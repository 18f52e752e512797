"""Private-use characters in names (生僻字): mapped where a standard says what they are, found where none does.

Card makers wrote characters that Unicode did not yet have as private-use code points. Those that GBK and GB 18030-2000
had put there have real code points since: GB 18030-2005 moved one (ḿ), GB 18030-2022 another 18 (ten vertical
punctuation marks, eight components of hanzi), and of the last six the hanzi stand in the supplementary plane. Any other
private-use character has a meaning only inside one department's font (the police fonts among them): it is kept as is,
so that nothing is lost, and reported, so that nobody prints a wrong character. It never becomes a question mark.
"""

from __future__ import annotations

import unicodedata

_FIRST_OF_ROW_FE = 0xE815
_CHANGED_2022 = {
    # row A6: vertical punctuation
    0xE78D: 0xFE10,
    0xE78E: 0xFE12,
    0xE78F: 0xFE11,
    0xE790: 0xFE13,
    0xE791: 0xFE14,
    0xE792: 0xFE15,
    0xE793: 0xFE16,
    0xE794: 0xFE17,
    0xE795: 0xFE18,
    0xE796: 0xFE19,
    # row FE: components
    0xE81E: 0x9FB4,
    0xE826: 0x9FB5,
    0xE82B: 0x9FB6,
    0xE82C: 0x9FB7,
    0xE832: 0x9FB8,
    0xE843: 0x9FB9,
    0xE854: 0x9FBA,
    0xE864: 0x9FBB,
}
"""18 code points, old to new."""
_SUPPLEMENTARY = {
    0xE816: 0x20087,
    0xE817: 0x20089,
    0xE818: 0x200CC,
    0xE831: 0x215D7,
    0xE83B: 0x2298F,
    0xE855: 0x241FE,
}
"""Six hanzi of row FE that GB 18030 reaches at two places; the one with a meaning everywhere is the real one."""
_OF_GBK = {
    0xE5E5: 0x3000,  # A3A0: a blank
    0xE76C: 0x20AC,  # A2E3: the euro sign
    0xE7C7: 0x1E3F,  # A8BC, changed in 2005
    0xE7C8: 0x01F9,  # A8BF
    # A989..A995: ideographic variation mark and description characters
    **{0xE7E7 + place: point for place, point in enumerate((0x303E, *range(0x2FF0, 0x2FFC)))},
}
"""Private in GBK, real since GB 18030-2000 or -2005."""


def _table() -> dict[int, int]:
    """Row FE as Python's codec knows it (GB 18030-2000), then everything that was changed."""
    trails = [trail for trail in range(0x50, 0xA1) if trail != 0x7F]
    row = {_FIRST_OF_ROW_FE + place: ord(bytes((0xFE, trail)).decode("gb18030")) for place, trail in enumerate(trails)}
    return {**row, **_OF_GBK, **_SUPPLEMENTARY, **_CHANGED_2022}


_MAPPING = _table()


def map_private_use(text: str) -> str:
    """The text with every standardised private-use character replaced by its real one."""
    return text.translate(_MAPPING)


def private_use(text: str) -> tuple[str, ...]:
    """Private-use characters that no standard explains, in order, each once; empty for nearly everybody."""
    return tuple(dict.fromkeys(character for character in text if unicodedata.category(character) == "Co"))
