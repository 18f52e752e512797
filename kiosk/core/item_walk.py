"""What can ever be shown: an item walked under every combination of answers that its conditions tell apart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from kiosk.core.answers import CITIZEN, Answer, Answers
from kiosk.core.condition import Leaf, leaves
from kiosk.core.item import AnswerScalar, Condition, FieldGte, FieldIn, FieldIs, FieldLte, Item, Question
from kiosk.core.journey import path, visible_materials

MAX_WALKS = 20_000
_OTHER_TEXT = "…"
"""Stands for any text that no condition names."""
_WHEN = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reach:
    """Ids that some combination of answers shows."""

    pages: frozenset[str]
    fields: frozenset[str]
    materials: frozenset[str]
    ends: bool
    """At least one combination does not end at a window."""


def reach(item: Item) -> Reach | None:
    """Walk them all; None if there are more than MAX_WALKS combinations."""
    choices = _choices(item)
    if math.prod(map(len, choices.values())) > MAX_WALKS:
        return None
    pages: set[str] = set()
    fields: set[str] = set()
    materials: set[str] = set()
    ends = False
    for values in itertools.product(*choices.values()):
        answers = Answers({name: Answer(value, CITIZEN, _WHEN) for name, value in zip(choices, values, strict=True)})
        walk = path(item, answers)
        pages.update(shown.page.id for shown in walk.pages)
        fields.update(question.id for question in walk.fields)
        if walk.exit is None:
            ends = True
            materials.update(material.id for material in visible_materials(item, answers))
        else:
            pages.add(walk.exit.id)
    return Reach(frozenset(pages), frozenset(fields), frozenset(materials), ends)


def all_conditions(item: Item) -> Iterator[Condition]:
    """Of pages, fields and materials; not of routes, which show nothing."""
    for page in item.pages:
        yield from _some(page.show)
        for question in page.fields:
            yield from _some(question.show)
    for material in item.materials:
        yield from _some(material.show)


def _some(condition: Condition | None) -> Iterator[Condition]:
    if condition is not None:
        yield condition


def _choices(item: Item) -> dict[str, tuple[AnswerScalar, ...]]:
    """For each field that a condition asks about: every value that could matter."""
    asked: dict[str, list[Leaf]] = {}
    for condition in all_conditions(item):
        for leaf in leaves(condition):
            asked.setdefault(leaf.field, []).append(leaf)
    questions = {question.id: question for page in item.pages for question in page.fields}
    return {name: _values(questions[name], tests) for name, tests in asked.items() if name in questions}


def _values(question: Question, tests: list[Leaf]) -> tuple[AnswerScalar, ...]:
    match question.type:
        case "yesno":
            return (True, False)
        case "choice":
            return tuple(option.v for option in question.options)
        case "number":
            low = -math.inf if question.min is None else question.min
            high = math.inf if question.max is None else question.max
            bounds = {bound for bound in (question.min, question.max) if bound is not None}
            edges = {number + step for number in _numbers(tests) for step in (-1, 0, 1)} | bounds
            return tuple(sorted(edge for edge in edges if low <= edge <= high))
        case _:
            named = {value for test in tests for value in _compared(test) if isinstance(value, str)}
            return (*sorted(named), _OTHER_TEXT)


def _numbers(tests: list[Leaf]) -> Iterator[int]:
    for test in tests:
        for value in _compared(test):
            if isinstance(value, int) and not isinstance(value, bool):
                yield value


def _compared(test: Leaf) -> tuple[AnswerScalar, ...]:
    """The values that a comparison names."""
    match test:
        case FieldIs():
            return (test.is_,)
        case FieldIn():
            return test.in_
        case FieldGte():
            return (test.gte,)
        case FieldLte():
            return (test.lte,)
