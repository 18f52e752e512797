"""Single answers: what is taken, how it is kept, why it is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.answers import Answer, AnswerFault, Answers, validate
from kiosk.core.item import Option, Question
from kiosk.core.result import Err, Ok

OPTIONS = (Option(v="a", t="甲"), Option(v="b", t="乙"))
TYPES = ("text", "long_text", "yesno", "choice", "address", "phone", "number", "date")


def question(kind: Any, **changes: Any) -> Question:
    """A required question of this type."""
    return Question(id="q", type=kind, label="问", options=OPTIONS if kind == "choice" else (), **changes)


@pytest.mark.parametrize(
    ("kind", "changes", "value", "kept"),
    [
        ("text", {}, "  样本公司 ", "样本公司"),
        ("text", {"required": False}, "  ", None),
        ("text", {"required": False}, None, None),
        ("text", {"min": 2, "max_length": 2}, "两字", "两字"),
        ("long_text", {}, "一\r\n二", "一\n二"),
        ("address", {}, "样本路1号", "样本路1号"),
        ("yesno", {}, False, False),
        ("choice", {}, "b", "b"),
        ("number", {}, 0, 0),
        ("number", {"min": -5, "max": 5}, " －５ ", -5),
        ("phone", {}, "138 1234-5678", "13812345678"),
        ("phone", {}, "+86 13812345678", "13812345678"),
        ("phone", {}, "１３８１２３４５６７８", "13812345678"),
        ("phone", {}, "(0757) 81234567", "075781234567"),
        ("phone", {}, "020-8123 4567", "02081234567"),
        ("phone", {}, "+852 9123 4567", "+85291234567"),
        ("date", {}, "2026-02-28", "2026-02-28"),
    ],
)
def test_good_answers(kind: str, changes: dict[str, Any], value: Any, kept: Any) -> None:
    assert validate(question(kind, **changes), value) == Ok(kept)


@pytest.mark.parametrize(
    ("kind", "changes", "value", "fault"),
    [
        ("text", {}, None, AnswerFault.MISSING),
        ("text", {}, " \n", AnswerFault.MISSING),
        ("yesno", {}, None, AnswerFault.MISSING),
        ("text", {}, 5, AnswerFault.WRONG_TYPE),
        ("phone", {}, True, AnswerFault.WRONG_TYPE),
        ("date", {}, 20260228, AnswerFault.WRONG_TYPE),
        ("yesno", {}, "yes", AnswerFault.WRONG_TYPE),
        ("yesno", {}, 1, AnswerFault.WRONG_TYPE),
        ("text", {}, "一\n二", AnswerFault.CHARACTERS),
        ("long_text", {}, "一\x1b二", AnswerFault.CHARACTERS),
        ("text", {}, "\ud800", AnswerFault.CHARACTERS),
        ("text", {"max_length": 3}, "一二三四", AnswerFault.TOO_LONG),
        ("text", {"min": 2}, "一", AnswerFault.TOO_SHORT),
        ("number", {}, "12a", AnswerFault.NOT_A_NUMBER),
        ("number", {}, True, AnswerFault.NOT_A_NUMBER),
        ("number", {}, "9" * 16, AnswerFault.NOT_A_NUMBER),
        ("number", {"min": 1}, 0, AnswerFault.TOO_SMALL),
        ("number", {"max": 1}, 2, AnswerFault.TOO_LARGE),
        ("choice", {}, "c", AnswerFault.NOT_AN_OPTION),
        ("choice", {}, True, AnswerFault.NOT_AN_OPTION),
        ("phone", {}, "1381234567", AnswerFault.NOT_A_PHONE),
        ("phone", {}, "12812345678", AnswerFault.NOT_A_PHONE),
        ("phone", {}, "+86 81234567", AnswerFault.NOT_A_PHONE),
        ("date", {}, "2026-02-29", AnswerFault.NOT_A_DATE),
        ("date", {}, "昨天", AnswerFault.NOT_A_DATE),
    ],
)
def test_each_fault(kind: str, changes: dict[str, Any], value: Any, fault: AnswerFault) -> None:
    assert validate(question(kind, **changes), value) == Err(fault)


ANYTHING = st.none() | st.booleans() | st.integers() | st.text()


@given(st.sampled_from(TYPES), st.booleans(), ANYTHING)
def test_any_value_gets_an_answer_and_a_kept_one_is_kept_again(kind: str, required: bool, value: Any) -> None:
    asked = question(kind, required=required)
    match validate(asked, value):
        case Ok(kept):
            assert validate(asked, kept) == Ok(kept)
        case Err(fault):
            assert isinstance(fault, AnswerFault)


def test_answers_are_a_mapping_that_never_changes(answered: Callable[..., Answers], at: datetime) -> None:
    first = answered(phone="13812345678")
    second = first.with_answer("moved", Answer(True, "citizen", at))
    assert (dict(first.plain()), len(second)) == ({"phone": "13812345678"}, 2)
    assert second.only(["moved", "gone"]).plain() == {"moved": True}
    assert "13812345678" not in repr(second) + repr(second["phone"])


def test_prefilled_answers_never_overwrite_the_citizen(answered: Callable[..., Answers], at: datetime) -> None:
    known = {"phone": Answer("075781234567", "id_card", at), "name": Answer("陈样本", "id_card", at)}
    offered = answered(phone="13812345678").offered(known)
    assert offered.plain() == {"phone": "13812345678", "name": "陈样本"}


def test_records_keep_provenance(at: datetime) -> None:
    record = Answers({"employer": Answer("样本公司", "licence:L1", at)}).records()["employer"]
    assert (record.value, record.source, record.at) == ("样本公司", "licence:L1", at)


def test_an_empty_answer_is_not_given() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert [Answer(value, "citizen", at).given for value in (None, "", False, 0, "x")] == [
        False,
        False,
        True,
        True,
        True,
    ]
