"""Answers (填写内容) with their provenance, and the check of a single one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import assert_never

from kiosk.contract.submission import AnswerRecord, AnswerValue
from kiosk.core.item import Question
from kiosk.core.result import Err, Ok, Result

CITIZEN = "citizen"
ID_CARD = "id_card"
SOCIAL_CARD = "social_card"
LICENCE = "licence:"
"""Followed by the licence id."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `None`: the citizen left an optional field empty."""

    value: AnswerValue = field(repr=False)
    source: str
    """`citizen`, `id_card`, `social_card`, `licence:<id>`."""
    at: datetime

    @property
    def given(self) -> bool:
        """Not empty."""
        return self.value is not None and self.value != ""


@dataclass(frozen=True, slots=True)
class Answers(Mapping[str, Answer]):
    """All answers of one journey by field id. Immutable; its repr names fields only."""

    entries: Mapping[str, Answer] = field(default_factory=dict, repr=False)

    def __getitem__(self, field_id: str) -> Answer:
        return self.entries[field_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def with_answer(self, field_id: str, answer: Answer) -> Answers:
        """With this answer instead of any earlier one."""
        return Answers({**self.entries, field_id: answer})

    def offered(self, prefilled: Mapping[str, Answer]) -> Answers:
        """With what is known already, where the citizen has not answered: offered, never forced."""
        return Answers({**prefilled, **self.entries})

    def only(self, field_ids: Iterable[str]) -> Answers:
        """Without all others, in the given order."""
        return Answers({name: self.entries[name] for name in field_ids if name in self.entries})

    def plain(self) -> dict[str, AnswerValue]:
        """Values alone."""
        return {name: answer.value for name, answer in self.entries.items()}

    def records(self) -> dict[str, AnswerRecord]:
        """As they travel in a submission."""
        return {
            name: AnswerRecord(value=answer.value, source=answer.source, at=answer.at)
            for name, answer in self.entries.items()
        }


class AnswerFault(StrEnum):
    """Why an answer cannot be taken; each has a sentence on the screen."""

    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    CHARACTERS = "characters"
    """Control characters."""
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    NOT_A_PHONE = "not_a_phone"
    NOT_A_NUMBER = "not_a_number"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    NOT_AN_OPTION = "not_an_option"
    NOT_A_DATE = "not_a_date"


_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"0[1-9][0-9]{1,2}[2-9][0-9]{6,7}")
_ABROAD = re.compile(r"\+(?!86)[1-9][0-9]{6,14}")
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")


def validate(question: Question, value: AnswerValue) -> Result[AnswerValue, AnswerFault]:
    """The value as it is kept (trimmed, digits unified), or the first fault. Empty becomes None if not required."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return Err(AnswerFault.MISSING) if question.required else Ok(None)
    match question.type:
        case "yesno":
            return Ok(value) if isinstance(value, bool) else Err(AnswerFault.WRONG_TYPE)
        case "number":
            return _number(question, value)
        case "choice":
            known = any(value == option.v for option in question.options)
            return Ok(value) if known else Err(AnswerFault.NOT_AN_OPTION)
        case "phone":
            return _phone(value)
        case "date":
            return _date(value)
        case "text" | "address" | "long_text":
            return _text(question, value)
        case _:
            assert_never(question.type)


def _number(question: Question, value: AnswerValue) -> Result[int, AnswerFault]:
    if isinstance(value, str):
        plain = unicodedata.normalize("NFKC", value).strip()
        value = int(plain) if _WHOLE.fullmatch(plain) else None
    if not isinstance(value, int) or isinstance(value, bool):
        return Err(AnswerFault.NOT_A_NUMBER)
    if question.min is not None and value < question.min:
        return Err(AnswerFault.TOO_SMALL)
    if question.max is not None and value > question.max:
        return Err(AnswerFault.TOO_LARGE)
    return Ok(value)


def _phone(value: AnswerValue) -> Result[str, AnswerFault]:
    """Mobile, landline with area code, or a foreign number with its +; hyphens, brackets and spaces are dropped."""
    if not isinstance(value, str):
        return Err(AnswerFault.WRONG_TYPE)
    plain = re.sub(r"[\s()-]", "", unicodedata.normalize("NFKC", value))
    plain = plain.removeprefix("+86") if plain.startswith("+86") else plain
    if any(shape.fullmatch(plain) for shape in (_MOBILE, _LANDLINE, _ABROAD)):
        return Ok(plain)
    return Err(AnswerFault.NOT_A_PHONE)


def _date(value: AnswerValue) -> Result[str, AnswerFault]:
    if not isinstance(value, str):
        return Err(AnswerFault.WRONG_TYPE)
    try:
        return Ok(date.fromisoformat(value.strip()).isoformat())
    except ValueError:
        return Err(AnswerFault.NOT_A_DATE)


def _text(question: Question, value: AnswerValue) -> Result[str, AnswerFault]:
    if not isinstance(value, str):
        return Err(AnswerFault.WRONG_TYPE)
    text = value.replace("\r\n", "\n").strip()
    allowed = "\n" if question.type == "long_text" else ""
    if any(unicodedata.category(character) in ("Cc", "Cs") and character not in allowed for character in text):
        return Err(AnswerFault.CHARACTERS)
    if len(text) > question.max_length:
        return Err(AnswerFault.TOO_LONG)
    if question.min is not None and len(text) < question.min:
        return Err(AnswerFault.TOO_SHORT)
    return Ok(text)
