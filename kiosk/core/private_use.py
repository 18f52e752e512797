"""Private-use characters in names (生僻字): mapped where a standard says what they are, found where none does.

Card makers wrote characters that Unicode did not yet have as private-use code points. Those that GBK and
GB 18030-2000 had put at U+E815..U+E864 and U+E78D..U+E796 have real code points since (GB 18030-2022, change of
24 mappings). Any other private-use character has a meaning only inside one department's font: it is kept as it is,
so that nothing is lost, and reported, so that nobody prints a wrong character. It never becomes a question mark.
"""

from __future__ import annotations

import unicodedata

_FIRST_GBK = 0xE815
_GB_18030_2022 = {
    0xE816: 0x20087,
    0xE817: 0x20089,
    0xE818: 0x200CC,
    0xE81E: 0x9FB4,
    0xE826: 0x9FB5,
    0xE82B: 0x9FB6,
    0xE82C: 0x9FB7,
    0xE831: 0x215D7,
    0xE832: 0x9FB8,
    0xE83B: 0x2298F,
    0xE843: 0x9FB9,
    0xE854: 0x9FBA,
    0xE855: 0x241FE,
    0xE864: 0x9FBB,
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
}


def _table() -> dict[int, int]:
    """GBK's row 0xFE as Python's codec knows it (GB 18030-2000), then the changes of 2022."""
    trails = [trail for trail in range(0x50, 0xA1) if trail != 0x7F]
    row = {_FIRST_GBK + place: ord(bytes((0xFE, trail)).decode("gb18030")) for place, trail in enumerate(trails)}
    return {**row, **_GB_18030_2022}


_MAPPING = _table()


def map_private_use(text: str) -> str:
    """The text with every standardised private-use character replaced by its real one."""
    return text.translate(_MAPPING)


def private_use(text: str) -> tuple[str, ...]:
    """Private-use characters that no standard explains, in order, each once; empty for nearly everybody."""
    return tuple(dict.fromkeys(character for character in text if unicodedata.category(character) == "Co"))
