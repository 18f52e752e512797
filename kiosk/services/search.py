"""Find an item (事项) by its name, an everyday name, its sound, pinyin or initials, offline and at every key press.

Three ways of looking, best first: the characters (bigrams weighted by how rare they are), the letters (pinyin and
initials, whole or begun), and the sound (syllable bigrams with the southern mergers folded, so that a wrong
character of the right sound still finds its item). An item scores by its best term.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pypinyin import Style, lazy_pinyin

_NOT_WORD = re.compile(r"[\W_]+")
_HANZI = re.compile(r"[\u3400-\u9fff\U00020000-\U000323af]")
_FOLDS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in"), ("v", "u"), ("l", "n"))
_SOUND_WEIGHT = 0.6
_LETTER_WEIGHT = 0.9
_FOLDED_WEIGHT = 0.7
_TYPO_WEIGHT = 0.55
_NAME_BONUS = 0.02
"""Between equals the official name wins over an alias."""
_THRESHOLD = 0.3
_UNSEEN = 0.15
"""Weight, relative to the rarest known, of a bigram that no item has: filler like 我想 must not sink a query."""
_LONGEST_QUERY = 40


@dataclass(frozen=True, slots=True)
class Entry:
    """What can be found: an item's code, official name and everyday names (通俗名称)."""

    code: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One find; `why` is the alias that matched, empty if it was the name."""

    code: str
    why: str
    score: float


@dataclass(frozen=True, slots=True)
class _Term:
    entry: int
    text: str
    shown: str
    """Empty for the official name."""
    letters: str
    starts: frozenset[int]
    """Where in `letters` a syllable begins."""
    folded: str
    initials: str
    sounds: tuple[str, ...]


def normal(text: str) -> str:
    """Half-width, lower case, without punctuation and spaces; at most 40 characters."""
    return _NOT_WORD.sub("", unicodedata.normalize("NFKC", text).casefold())[:_LONGEST_QUERY]


def _fold(letters: str) -> str:
    """The letters without the differences that southern speakers do not make."""
    for long, short in _FOLDS:
        letters = letters.replace(long, short)
    return letters


def _syllables(text: str) -> list[str]:
    return lazy_pinyin(text, style=Style.NORMAL)


def _pairs(units: Sequence[str]) -> list[tuple[str, ...]]:
    """Neighbouring pairs; a single unit stands alone."""
    if len(units) < 2:
        return [tuple(units)] if units else []
    return list(itertools.pairwise(units))


def _trigrams(letters: str) -> list[tuple[str, ...]]:
    return [(letters[at : at + 3],) for at in range(len(letters) - 2)]


class _Postings:
    """An inverted index of features with inverse-document-frequency weights."""

    def __init__(self, documents: Sequence[Iterable[tuple[str, ...]]]) -> None:
        self._where: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for at, features in enumerate(documents):
            for feature in set(features):
                self._where[feature].append(at)
        self._total = max(len(documents), 1)

    def _weight(self, feature: tuple[str, ...]) -> float:
        count = len(self._where.get(feature, ()))
        rarest = math.log(1 + self._total)
        return math.log(1 + self._total / count) if count else _UNSEEN * rarest

    def coverage(self, features: Sequence[tuple[str, ...]]) -> dict[int, float]:
        """For every document that shares a feature: the weighted share of `features` that it has, 0..1."""
        wanted = set(features)
        total = sum(self._weight(feature) for feature in wanted)
        found: dict[int, float] = defaultdict(float)
        for feature in wanted:
            share = self._weight(feature) / total
            for at in self._where.get(feature, ()):
                found[at] += share
        return found


class SearchIndex:
    """The items of one bundle, ready to be searched; about 5 ms a query at worst for a thousand items."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = tuple(entries)
        self._terms = [
            _term(at, name, shown)
            for at, entry in enumerate(self._entries)
            for name, shown in ((entry.name, ""), *((alias, alias) for alias in entry.aliases))
            if normal(name)
        ]
        self._characters = _Postings([[*_pairs(term.text), *((unit,) for unit in term.text)] for term in self._terms])
        self._sounds = _Postings([_pairs(term.sounds) for term in self._terms])
        self._trigrams = _Postings([_trigrams(term.folded) for term in self._terms])

    def find(self, text: str, *, limit: int = 8) -> tuple[Hit, ...]:
        """The best items, best first; nothing for an empty text."""
        query = normal(text)
        if not query:
            return ()
        scores: dict[int, float] = defaultdict(float)
        if _HANZI.search(query):
            self._by_characters(query, scores)
            self._by_sound(query, scores)
        self._by_letters(query, scores)
        best: dict[int, tuple[float, int]] = {}
        for at, score in scores.items():
            term = self._terms[at]
            if score >= _THRESHOLD:
                closeness = 0.05 * min(len(query) / max(len(term.text), 1), 1.0)
                ranked = (score + closeness + (0 if term.shown else _NAME_BONUS), -at)
                best[term.entry] = max(best.get(term.entry, (0.0, 0)), ranked)
        order = sorted(best.items(), key=lambda pair: (-pair[1][0], pair[0]))[:limit]
        return tuple(
            Hit(self._entries[entry].code, self._terms[-at].shown, round(score, 4)) for entry, (score, at) in order
        )

    def _by_characters(self, query: str, scores: dict[int, float]) -> None:
        for at, share in self._characters.coverage(_pairs(query)).items():
            text = self._terms[at].text
            bonus = 0.2 if text == query else 0.1 if text.startswith(query) else 0.05 if query in text else 0.0
            scores[at] = max(scores[at], share + bonus)

    def _by_sound(self, query: str, scores: dict[int, float]) -> None:
        sounds = [_fold(syllable) for syllable in _syllables(query)]
        if len(sounds) < 2:
            return
        for at, share in self._sounds.coverage(_pairs(sounds)).items():
            scores[at] = max(scores[at], share * _SOUND_WEIGHT)

    def _by_letters(self, query: str, scores: dict[int, float]) -> None:
        letters = "".join(_syllables(query))
        folded = _fold(letters)
        typed = not _HANZI.search(query)
        found = False
        for at, term in enumerate(self._terms):
            score = 0.0
            if letters in term.letters:
                score = _LETTER_WEIGHT * _starts_at_syllable(term, letters)
            if typed and len(query) >= 2:
                if query in term.initials:
                    score = max(score, 0.72 if term.initials.startswith(query) else 0.54)
                if not score and len(folded) >= 4 and folded in term.folded:
                    score = _FOLDED_WEIGHT
            if score:
                found = True
                scores[at] = max(scores[at], score)
        if typed and not found and len(folded) >= 5:
            for at, share in self._trigrams.coverage(_trigrams(folded)).items():
                scores[at] = max(scores[at], share * _TYPO_WEIGHT)


def _term(entry: int, name: str, shown: str) -> _Term:
    text = normal(name)
    syllables = _syllables(text)
    starts, length = set(), 0
    for syllable in syllables:
        starts.add(length)
        length += len(syllable)
    letters = "".join(syllables)
    return _Term(
        entry=entry,
        text=text,
        shown=shown,
        letters=letters,
        starts=frozenset(starts),
        folded=_fold(letters),
        initials="".join(syllable[0] for syllable in syllables if syllable),
        sounds=tuple(_fold(syllable) for syllable in syllables),
    )


def _starts_at_syllable(term: _Term, letters: str) -> float:
    """1 when the term begins with the letters, less inside it, 0 when they only fit across a syllable's middle."""
    if term.letters.startswith(letters):
        return 1.0
    at = term.letters.find(letters)
    while at >= 0:
        if at in term.starts:
            return 0.85
        at = term.letters.find(letters, at + 1)
    return 0.0
