"""Builds the pinyin table from jieba's word list (MIT) and pypinyin's readings (MIT). Run by `make setup`.

Output, SQLite, read-only afterwards:

* ``word(key, rank, text, split, kind, weight)``: `key` is the reading without separators (``xian``), `split` with them
  (``xi'an``), rank 0 is the best of its key; kind 0 ordinary, 1 place, 2 surname.
* ``short(key, rank, text, split)``: initials (``zhrmghg`` and ``zrmghg``), the best few.
* ``start(key, rank, text, split, kind)``: the best completions of every beginning of one to three letters.
* ``syllable(text)``: every syllable that a character has.
"""

from __future__ import annotations

import importlib.util
import re
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PINYIN_DICT
from pypinyin.style import convert

from screens.keyboard.lexicon import OFFICE, PLACE_READINGS, PLACES, SURNAME_READINGS, SURNAMES

ORDINARY, PLACE, SURNAME = 0, 1, 2
MIN_FREQUENCY = 4
"""Rarer words of the list are mostly noise; characters are all kept, for rare names."""
MAX_WORD = 8
SHORT_LIMIT = 16
START_LIMIT = 40
PLACE_WEIGHT = 3_000
"""A place is as likely as an ordinary good word; the address mode puts it first."""
OFFICE_WEIGHT = 3_000
MINOR_READING = 12
"""A character's second and later readings are this many times less likely."""
MINOR_MOST = 800
"""…and no more than this, or 但 would lead the list of `yan`."""
VOWEL = re.compile("[aeiouv]")
"""Readings without one (`n`, `hm` for interjections) only spoil sentences."""
VERSION = 3

SCHEMA = f"""
PRAGMA user_version = {VERSION};
CREATE TABLE word(
    key TEXT, rank INTEGER, text TEXT, split TEXT, kind INTEGER, weight INTEGER, PRIMARY KEY(key, rank)
) WITHOUT ROWID;
CREATE TABLE short(key TEXT, rank INTEGER, text TEXT, split TEXT, PRIMARY KEY(key, rank)) WITHOUT ROWID;
CREATE TABLE start(key TEXT, rank INTEGER, text TEXT, split TEXT, kind INTEGER, PRIMARY KEY(key, rank)) WITHOUT ROWID;
CREATE TABLE syllable(text TEXT PRIMARY KEY) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One word or character under one reading."""

    text: str
    syllables: tuple[str, ...]
    kind: int
    weight: int

    @property
    def key(self) -> str:
        """Reading without separators."""
        return "".join(self.syllables)

    @property
    def split(self) -> str:
        """Reading with separators."""
        return "'".join(self.syllables)


def _is_hanzi(word: str) -> bool:
    return all("㐀" <= letter <= "鿿" or letter >= "\U00020000" for letter in word)


def _plain(reading: str) -> str:
    """A reading with tone mark as it is typed: no tone, ``v`` for ü."""
    return convert(reading, Style.NORMAL, strict=False, default=reading).replace("ü", "v").replace("ê", "e")


def _frequencies(path: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            word, count, *_ = line.split(" ")
            if _is_hanzi(word):
                found[word] = int(count)
    return found


def _characters(frequencies: dict[str, int]) -> Iterator[Entry]:
    for code, readings in PINYIN_DICT.items():
        character = chr(code)
        if not _is_hanzi(character):
            continue
        weight = frequencies.get(character, 0)
        seen: set[str] = set()
        for reading in readings.split(","):
            plain = _plain(reading)
            if plain in seen or not VOWEL.search(plain) or not plain.isascii() or not plain.isalpha():
                continue
            yield Entry(character, (plain,), ORDINARY, min(weight // MINOR_READING, MINOR_MOST) if seen else weight)
            seen.add(plain)


def _words(frequencies: dict[str, int]) -> Iterator[Entry]:
    for word, weight in frequencies.items():
        if not 2 <= len(word) <= MAX_WORD or weight < MIN_FREQUENCY:
            continue
        syllables = tuple(_plain(part) for part in lazy_pinyin(word, style=Style.TONE))
        if len(syllables) == len(word) and all(part.isascii() and part.isalpha() for part in syllables):
            yield Entry(word, syllables, ORDINARY, weight)


def _lexicon(frequencies: dict[str, int]) -> Iterator[Entry]:
    for place in dict.fromkeys(PLACES):
        reading = PLACE_READINGS.get(place)
        syllables = tuple(reading.split()) if reading else tuple(lazy_pinyin(place))
        yield Entry(place, syllables, PLACE, max(PLACE_WEIGHT, frequencies.get(place, 0)))
    for word in dict.fromkeys(OFFICE):
        yield Entry(word, tuple(lazy_pinyin(word)), ORDINARY, max(OFFICE_WEIGHT, frequencies.get(word, 0)))
    for rank, surname in enumerate(dict.fromkeys(SURNAMES)):
        reading = SURNAME_READINGS.get(surname)
        syllables = tuple(reading.split()) if reading else tuple(lazy_pinyin(surname))
        yield Entry(surname, syllables, SURNAME, max(frequencies.get(surname, 0), 2_000 - rank))


def _merge(entries: Iterator[Entry]) -> list[Entry]:
    """One entry per text and reading: the lexicon's kind wins, the greater weight stays."""
    best: dict[tuple[str, tuple[str, ...]], Entry] = {}
    for entry in entries:
        old = best.get((entry.text, entry.syllables))
        if old is not None:
            entry = Entry(entry.text, entry.syllables, max(old.kind, entry.kind), max(old.weight, entry.weight))
        best[entry.text, entry.syllables] = entry
    return list(best.values())


def _initials(syllables: tuple[str, ...]) -> set[str]:
    full = "".join(part[:2] if part[:2] in ("zh", "ch", "sh") else part[0] for part in syllables)
    return {full, "".join(part[0] for part in syllables)}


def build(*, words: Path, output: Path) -> int:
    """Write the table to `output` (replaced whole); returns the number of entries."""
    frequencies = _frequencies(words)

    def every() -> Iterator[Entry]:
        yield from _characters(frequencies)
        yield from _words(frequencies)
        yield from _lexicon(frequencies)

    entries = sorted(_merge(every()), key=lambda entry: (-entry.weight, len(entry.text), entry.text))
    by_key: dict[str, list[Entry]] = defaultdict(list)
    by_initials: dict[str, list[Entry]] = defaultdict(list)
    by_start: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_key[entry.key].append(entry)
        for length in (1, 2, 3):
            beginning = entry.key[:length]
            if len(beginning) == length and len(entry.key) > length:
                _keep(by_start[beginning], entry, START_LIMIT)
        if len(entry.syllables) > 1:
            for short in _initials(entry.syllables):
                _keep(by_initials[short], entry, SHORT_LIMIT)
    output.parent.mkdir(parents=True, exist_ok=True)
    draft = output.with_suffix(".new")
    draft.unlink(missing_ok=True)
    database = sqlite3.connect(draft)
    try:
        database.executescript(SCHEMA)
        database.executemany(
            "INSERT INTO word VALUES (?,?,?,?,?,?)",
            (
                (key, rank, entry.text, entry.split, entry.kind, entry.weight)
                for key in sorted(by_key)
                for rank, entry in enumerate(by_key[key])
            ),
        )
        database.executemany(
            "INSERT INTO short VALUES (?,?,?,?)",
            (
                (key, rank, entry.text, entry.split)
                for key in sorted(by_initials)
                for rank, entry in enumerate(by_initials[key])
            ),
        )
        database.executemany(
            "INSERT INTO start VALUES (?,?,?,?,?)",
            (
                (key, rank, entry.text, entry.split, entry.kind)
                for key in sorted(by_start)
                for rank, entry in enumerate(by_start[key])
            ),
        )
        syllables = sorted({entry.syllables[0] for entry in entries if len(entry.syllables) == 1})
        database.executemany("INSERT INTO syllable VALUES (?)", ((text,) for text in syllables))
        database.commit()
        database.execute("VACUUM")
    finally:
        database.close()
    draft.replace(output)
    return len(entries)


def _keep(kept: list[Entry], entry: Entry, limit: int) -> None:
    if len(kept) < limit and all(other.text != entry.text for other in kept):
        kept.append(entry)


def word_list() -> Path:
    """jieba's dictionary, without importing jieba."""
    spec = importlib.util.find_spec("jieba")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package jieba is not installed")
    return Path(spec.submodule_search_locations[0]) / "dict.txt"


def main() -> int:
    """Build the table to the given path unless one of this version is there."""
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("build/keyboard/pinyin.sqlite")
    if output.exists():
        database = sqlite3.connect(output)
        try:
            if database.execute("PRAGMA user_version").fetchone()[0] == VERSION:
                return 0
        finally:
            database.close()
    count = build(words=word_list(), output=output)
    sys.stdout.write(f"pinyin table: {count} entries, {output.stat().st_size // 1024} KiB\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
