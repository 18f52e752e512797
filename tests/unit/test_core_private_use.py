"""Private-use characters of GBK and GB 18030: every one that a standard explains, and none that it does not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.private_use import map_private_use, private_use

# GB 18030-2022, the 18 changed code points: old (2005) and new
CHANGED_2022 = {
    "\ue78d": "\ufe10",
    "\ue78e": "\ufe12",
    "\ue78f": "\ufe11",
    "\ue790": "\ufe13",
    "\ue791": "\ufe14",
    "\ue792": "\ufe15",
    "\ue793": "\ufe16",
    "\ue794": "\ufe17",
    "\ue795": "\ufe18",
    "\ue796": "\ufe19",
    "\ue81e": "\u9fb4",
    "\ue826": "\u9fb5",
    "\ue82b": "\u9fb6",
    "\ue82c": "\u9fb7",
    "\ue832": "\u9fb8",
    "\ue843": "\u9fb9",
    "\ue854": "\u9fba",
    "\ue864": "\u9fbb",
}
SUPPLEMENTARY = {
    "\ue816": "\U00020087",
    "\ue817": "\U00020089",
    "\ue818": "\U000200cc",
    "\ue831": "\U000215d7",
    "\ue83b": "\U0002298f",
    "\ue855": "\U000241fe",
}
OLDER = {"\ue7c7": "\u1e3f", "\ue7c8": "\u01f9", "\ue76c": "€", "\ue7e7": "\u303e", "\ue7e8": "⿰", "\ue7f3": "⿻"}


@pytest.mark.parametrize(("old", "new"), [*CHANGED_2022.items(), *SUPPLEMENTARY.items(), *OLDER.items()])
def test_each_has_its_real_character(old: str, new: str) -> None:
    assert map_private_use(f"陈{old}") == f"陈{new}"


def test_the_standard_changed_twenty_four() -> None:
    assert len(CHANGED_2022) + len(SUPPLEMENTARY) == 24
    assert not {new for new in CHANGED_2022.values() if unicodedata.category(new) == "Co"}


def test_new_characters_stand_where_the_codec_has_no_other_private_ones() -> None:
    """Old code points are those that GB 18030-2005 gives for the same bytes, as Python's codec has it."""
    for old in CHANGED_2022:
        assert old.encode("gb18030").decode("gb18030") == old


@given(st.characters(min_codepoint=0xE000, max_codepoint=0xF8FF))
def test_a_private_character_becomes_real_or_stays_and_is_told(character: str) -> None:
    mapped = map_private_use(character)
    assert len(mapped) == 1
    assert mapped != "?"
    assert private_use(mapped) == (() if mapped != character else (character,))


@given(st.characters(min_codepoint=0x30000, max_codepoint=0x323AF))
def test_new_extensions_are_real_characters(character: str) -> None:
    """CJK Extensions G and H, in GB 18030-2022's third level or newer: kept whatever the Unicode tables here know."""
    assert map_private_use(character) == character
    assert private_use(character) == ()
