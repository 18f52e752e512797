"""Pinyin to Chinese over the read-only table of `build_tables`. Knows nothing of Qt, learns nothing, keeps nothing."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

MAX_LETTERS = 40
MAX_WORD_LETTERS = 24
EXACT_LIMIT = 700
"""All characters of a syllable, for rare names; `yi` has the most."""
PART_LIMIT = 60
"""For the first syllables of something longer."""
COMPLETIONS = 12
WORD_COST = 18.0
"""About the logarithm of all frequencies together (6e7): a composed sentence is the likeliest chain of single words."""


class Mode(IntEnum):
    """What is being written; its own words come first. Values are the table's `kind`."""

    TEXT = 0
    ADDRESS = 1
    NAME = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """Text offered, and how many typed characters (apostrophes too) it takes."""

    text: str
    taken: int


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    split: str
    kind: int
    weight: int


class PinyinEngine:
    """Candidates for what was typed: letters a–z (v for ü), apostrophes between syllables."""

    def __init__(self, table: Path) -> None:
        """Open the table; FileNotFoundError names the command that builds it."""
        if not table.is_file():
            raise FileNotFoundError(f"no pinyin table at {table}: run `make setup`")
        self._database = sqlite3.connect(f"file:{table.resolve()}?mode=ro&immutable=1", uri=True)
        self._syllables = frozenset(row[0] for row in self._database.execute("SELECT text FROM syllable"))

    def close(self) -> None:
        """Close the table."""
        self._database.close()

    def candidates(self, typed: str, mode: Mode = Mode.TEXT) -> list[Candidate]:
        """Best first; empty for nothing typed."""
        typed = typed[:MAX_LETTERS].lower()
        letters = typed.replace("'", "")
        if not letters:
            return []
        cuts = _cuts(typed)
        offered: dict[str, Candidate] = {}

        def offer(words: Iterable[str], length: int) -> None:
            taken = _taken(typed, length)
            for word in words:
                offered.setdefault(word, Candidate(word, taken))

        exact = self._exact(letters, cuts, mode)
        offer((word.text for word in exact), len(letters))
        if not exact and (composed := self._compose(letters, cuts, mode)):
            offer([composed], len(letters))
        if len(letters) > 1:
            offer(self._short(letters), len(letters))
        offer(self._completions(letters, cuts, mode), len(letters))
        for length in self._beginnings(letters, cuts):
            offer((word.text for word in self._exact(letters[:length], cuts, mode, limit=PART_LIMIT)), length)
        if not offered and letters:
            offer(self._completions(letters[:1], frozenset(), mode), 1)
        return list(offered.values())

    def _exact(self, key: str, cuts: frozenset[int], mode: Mode, *, limit: int = EXACT_LIMIT) -> list[_Word]:
        rows = self._database.execute(
            "SELECT text, split, kind, weight FROM word WHERE key = ? ORDER BY rank LIMIT ?", (key, limit)
        )
        words = [_Word(*row) for row in rows]
        return sorted((word for word in words if _agrees(word.split, cuts)), key=lambda word: not _special(word, mode))

    def _short(self, letters: str) -> Iterator[str]:
        rows = self._database.execute("SELECT text FROM short WHERE key = ? ORDER BY rank", (letters,))
        return (row[0] for row in rows)

    def _completions(self, letters: str, cuts: frozenset[int], mode: Mode) -> list[str]:
        """Words that begin like this."""
        if len(letters) <= 3:
            rows = self._database.execute(
                "SELECT text, split, kind, 0 FROM start WHERE key = ? ORDER BY rank", (letters,)
            )
        else:
            rows = self._database.execute(
                "SELECT text, split, kind, weight FROM word WHERE key > ? AND key < ? ORDER BY weight DESC LIMIT 40",
                (letters, letters + "{"),
            )
        words = [word for word in (_Word(*row) for row in rows) if _agrees(word.split, cuts)]
        words.sort(key=lambda word: not _special(word, mode))
        return [word.text for word in words[:COMPLETIONS]]

    def _beginnings(self, letters: str, cuts: frozenset[int]) -> list[int]:
        """Lengths at which a whole syllable of a possible reading ends, longest first, the end itself left out."""
        ends = {0}
        for start in range(len(letters)):
            if start in ends:
                for length in range(1, 7):
                    end = start + length
                    crossing = any(start < cut < end for cut in cuts)
                    if not crossing and letters[start:end] in self._syllables and end <= len(letters):
                        ends.add(end)
        return sorted(ends - {0, len(letters)}, reverse=True)

    def _compose(self, letters: str, cuts: frozenset[int], mode: Mode) -> str:
        """The likeliest chain of words that reads exactly like this; empty if there is none."""
        size = len(letters)
        spans = {
            letters[start:end]
            for start in range(size)
            for end in range(start + 1, min(size, start + MAX_WORD_LETTERS) + 1)
        }
        marks = ",".join("?" * len(spans))
        # only the best word of each reading, or the best of the mode's own
        rows = self._database.execute(
            f"SELECT key, text, split, kind, weight FROM word WHERE key IN ({marks}) AND (rank < 3 OR kind = ?)",  # noqa: S608
            (*spans, int(mode)),
        )
        found: dict[str, list[_Word]] = {}
        for key, *rest in rows:
            found.setdefault(key, []).append(_Word(*rest))
        best: list[tuple[float, str] | None] = [None] * (size + 1)
        best[0] = (0.0, "")
        for start in range(size):
            here = best[start]
            if here is None:
                continue
            for end in range(start + 1, min(size, start + MAX_WORD_LETTERS) + 1):
                inside = frozenset(cut - start for cut in cuts if start < cut < end)
                words = [word for word in found.get(letters[start:end], ()) if _agrees(word.split, inside)]
                if not words:
                    continue
                word = max(words, key=lambda word: (_special(word, mode), word.weight))
                score = here[0] + math.log(word.weight + 1) + (4.0 if _special(word, mode) else 0.0) - WORD_COST
                there = best[end]
                if there is None or score > there[0]:
                    best[end] = (score, here[1] + word.text)
        whole = best[size]
        return whole[1] if whole else ""


def _special(word: _Word, mode: Mode) -> bool:
    return mode is not Mode.TEXT and word.kind == mode


def _cuts(typed: str) -> frozenset[int]:
    """Positions among the letters where the citizen set an apostrophe."""
    cuts: set[int] = set()
    letters = 0
    for character in typed:
        if character == "'":
            cuts.add(letters)
        else:
            letters += 1
    return frozenset(cuts - {0, letters})


def _agrees(split: str, cuts: frozenset[int]) -> bool:
    """Does a word's reading part its syllables wherever the citizen did? (Cuts beyond its end do not count.)"""
    if not cuts:
        return True
    own = _cuts(split)
    length = len(split.replace("'", ""))
    return all(cut in own or cut >= length for cut in cuts)


def _taken(typed: str, letters: int) -> int:
    """How many typed characters hold this many letters, with the apostrophes after them."""
    position = 0
    while position < len(typed) and (letters > 0 or typed[position] == "'"):
        letters -= typed[position] != "'"
        position += 1
    return position
