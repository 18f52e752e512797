"""Conditions (适用条件): pure data, evaluated in two values. What is not answered equals nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from kiosk.contract.submission import AnswerValue
from kiosk.core.item import All, AnswerScalar, Any, Condition, FieldGte, FieldIn, FieldIs, FieldLte, Not

Values = Mapping[str, AnswerValue]
"""Answers that count, by field."""

Leaf = FieldIs | FieldIn | FieldGte | FieldLte


def holds(condition: Condition | None, values: Values) -> bool:
    """Total: every condition has a truth value for any answers; no condition always holds."""
    match condition:
        case None:
            return True
        case FieldIs():
            return _same(values.get(condition.field), condition.is_)
        case FieldIn():
            return any(_same(values.get(condition.field), wanted) for wanted in condition.in_)
        case FieldGte():
            number = _number(values.get(condition.field))
            return number is not None and number >= condition.gte
        case FieldLte():
            number = _number(values.get(condition.field))
            return number is not None and number <= condition.lte
        case All():
            return all(holds(part, values) for part in condition.all)
        case Any():
            return any(holds(part, values) for part in condition.any)
        case Not():
            return not holds(condition.not_, values)
        case _:
            assert_never(condition)


def leaves(condition: Condition | None) -> Iterator[Leaf]:
    """The comparisons inside a condition."""
    match condition:
        case None:
            return
        case FieldIs() | FieldIn() | FieldGte() | FieldLte():
            yield condition
        case All():
            for part in condition.all:
                yield from leaves(part)
        case Any():
            for part in condition.any:
                yield from leaves(part)
        case Not():
            yield from leaves(condition.not_)
        case _:
            assert_never(condition)


def _same(value: AnswerValue, wanted: AnswerScalar) -> bool:
    """Equal and of one type: yes is not the number 1."""
    return type(value) is type(wanted) and value == wanted


def _number(value: AnswerValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
