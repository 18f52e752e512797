"""Reader profiles and cards as data (`readers.toml`): which plan a reader takes, whose card an ATR is; pure but for
reading the file once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from drivers.idcard.address import Transport
from kiosk.core.devices import Fault

FILE = Path(__file__).with_name("readers.toml")
_SCHEMA = 1
_BYTES = re.compile(r"(?:[0-9A-F]|\.|\[[0-9A-F-]+\])+\*?")
EnumT = TypeVar("EnumT", bound=StrEnum)


class Plan(StrEnum):
    """What reading means on a reader."""

    READ_BINARY = "read_binary"
    SAM_V = "sam_v"
    NONE = "none"
    """It can read no resident card."""


class CardClass(StrEnum):
    """Whose card it is."""

    RESIDENT = "resident"
    RESIDENT_PLAIN = "resident_plain"
    """A resident card on an ordinary contactless reader: nobody can read it here."""
    BANK = "bank"
    TRANSIT = "transit"
    SOCIAL = "social"
    FOREIGN = "foreign"


FAULT_OF: Mapping[CardClass, Fault] = {
    CardClass.RESIDENT_PLAIN: Fault.READER_UNSUITED,
    CardClass.BANK: Fault.CARD_BANK,
    CardClass.TRANSIT: Fault.CARD_TRANSIT,
    CardClass.SOCIAL: Fault.CARD_SOCIAL,
    CardClass.FOREIGN: Fault.CARD_FOREIGN,
}
"""What to answer to each card but a readable one."""


class ProfilesError(ValueError):
    """The file does not say what it must; names the place."""


@dataclass(frozen=True, slots=True)
class ReaderProfile:
    """One kind of reader."""

    id: str
    transport: Transport
    plan: Plan
    names: tuple[str, ...]
    """Beginnings of PC/SC reader names."""
    escape: int = 1
    """Function number for SCARD_CTL_CODE."""


@dataclass(frozen=True, slots=True)
class Question:
    """A SELECT by name; a card that has it is of this class."""

    says: CardClass
    name: bytes


@dataclass(frozen=True, slots=True)
class Profiles:
    """The whole file."""

    readers: tuple[ReaderProfile, ...]
    cards: tuple[tuple[CardClass, tuple[re.Pattern[str], ...]], ...]
    questions: tuple[Question, ...]
    applications: tuple[tuple[CardClass, tuple[bytes, ...]], ...]
    """Beginnings of application identifiers in a payment directory."""

    def reader(self, transport: Transport, name: str = "") -> ReaderProfile | None:
        """The profile of a reader by its name; None: no profile fits."""
        fits = (it for it in self.readers if it.transport is transport and name.startswith(it.names))
        return next(fits, None)

    def card(self, atr: bytes) -> CardClass | None:
        """By answer to reset; None: it does not tell, ask the card."""
        text = atr.hex().upper()
        return next((it for it, patterns in self.cards if any(pattern.fullmatch(text) for pattern in patterns)), None)

    def applications_say(self, identifiers: Iterable[bytes]) -> CardClass | None:
        """Whose card one with these applications is; the first class of the file that has any of them."""
        known = tuple(identifiers)
        return next((it for it, prefixes in self.applications if any(aid.startswith(prefixes) for aid in known)), None)


def load_profiles(path: Path = FILE) -> Profiles:
    """Read and check the file; ProfilesError."""
    try:
        return parse_profiles(path.read_text("utf-8"))
    except OSError as error:
        raise ProfilesError(f"{path.name}: {error.strerror}") from None


def parse_profiles(text: str) -> Profiles:
    """Check the text of a file; ProfilesError."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfilesError(str(error)) from None
    if raw.pop("schema", None) != _SCHEMA or not set(raw) <= {"reader", "card", "ask", "application"}:
        raise ProfilesError(f"schema {_SCHEMA} expected")
    profiles = Profiles(
        readers=tuple(_reader(_Entry("reader", row)) for row in raw.get("reader", [])),
        cards=tuple(_card(_Entry("card", row)) for row in raw.get("card", [])),
        questions=tuple(_question(_Entry("ask", row)) for row in raw.get("ask", [])),
        applications=tuple(_application(_Entry("application", row)) for row in raw.get("application", [])),
    )
    if len({reader.id for reader in profiles.readers}) != len(profiles.readers):
        raise ProfilesError("reader: id is not unique")
    return profiles


class _Entry:
    """One table of the file; whatever nobody takes is a mistake."""

    def __init__(self, kind: str, row: Any) -> None:
        if not isinstance(row, dict):
            raise ProfilesError(f"{kind}: table expected")
        self._kind = kind
        self._row = dict(row)

    def word(self, key: str) -> str:
        value = self._row.pop(key, None)
        if not isinstance(value, str):
            raise self.wrong(key)
        return value

    def words(self, key: str) -> tuple[str, ...]:
        value = self._row.pop(key, None)
        if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value):
            raise self.wrong(key)
        return tuple(value)

    def number(self, key: str, default: int) -> int:
        value = self._row.pop(key, default)
        if type(value) is not int or value < 0:
            raise self.wrong(key)
        return value

    def member(self, key: str, of: type[EnumT]) -> EnumT:
        try:
            return of(self.word(key))
        except ValueError:
            raise self.wrong(key) from None

    def end(self) -> None:
        if self._row:
            raise ProfilesError(f"{self._kind}: nobody knows {', '.join(sorted(self._row))}")

    def wrong(self, key: str) -> ProfilesError:
        return ProfilesError(f"{self._kind}: {key} is missing or wrong")


def _reader(entry: _Entry) -> ReaderProfile:
    profile = ReaderProfile(
        id=entry.word("id"),
        transport=entry.member("transport", Transport),
        plan=entry.member("plan", Plan),
        names=entry.words("names"),
        escape=entry.number("escape", 1),
    )
    entry.end()
    if (profile.plan is Plan.SAM_V) == (profile.transport is Transport.PCSC):
        raise ProfilesError(f"reader: {profile.transport} cannot do {profile.plan}")
    return profile


def _card(entry: _Entry) -> tuple[CardClass, tuple[re.Pattern[str], ...]]:
    card, patterns = entry.member("is", CardClass), tuple(map(_pattern, entry.words("atr")))
    entry.end()
    return card, patterns


def _pattern(text: str) -> re.Pattern[str]:
    if not _BYTES.fullmatch(text):
        raise ProfilesError(f"card: {text} is no pattern of bytes")
    try:
        return re.compile(text.removesuffix("*") + (".*" if text.endswith("*") else ""))
    except re.error:
        raise ProfilesError(f"card: {text} is no pattern of bytes") from None


def _question(entry: _Entry) -> Question:
    question = Question(entry.member("is", CardClass), _bytes(entry, entry.word("select")))
    entry.end()
    return question


def _application(entry: _Entry) -> tuple[CardClass, tuple[bytes, ...]]:
    card = entry.member("is", CardClass)
    prefixes = tuple(_bytes(entry, word) for word in entry.words("prefix"))
    entry.end()
    return card, prefixes


def _bytes(entry: _Entry, text: str) -> bytes:
    # a half byte at the end of a prefix would match nothing, so it is a mistake too
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise entry.wrong("bytes") from None
