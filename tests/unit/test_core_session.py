"""Sessions: who is there, and when it ends by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.id_card import CardType, IdCard
from kiosk.core.session import Assurance, Delays, Ended, Running, Session, TimerState, Warned, timer_state

DELAYS = Delays()


def test_a_session_without_card_proves_nobody(at: datetime) -> None:
    session = Session(terminal_id="T001", started_at=at)
    assert session.assurance is Assurance.L0
    assert (session.proof.method, session.proof.name, session.proof.id_number) == ("none", "", "")


@pytest.mark.parametrize(("valid_to", "written"), [(None, "长期"), (date(2030, 5, 1), "2030-05-01")])
def test_a_card_makes_a_proof(
    at: datetime, make_card: Callable[..., IdCard], valid_to: date | None, written: str
) -> None:
    card, read_at = make_card(valid_to=valid_to), at + timedelta(seconds=9)
    session = Session(terminal_id="T001", started_at=at).identified(card, at=read_at)
    proof = session.proof
    assert session.assurance is Assurance.L2
    assert (proof.method, proof.card, proof.name, proof.id_number) == ("id_card", "resident", "陈样本", card.id_number)
    assert (proof.valid_to, proof.read_at, proof.terminal_id) == (written, read_at, "T001")
    assert card.id_number not in repr(session)
    assert "陈样本" not in repr(session)


@pytest.mark.parametrize("kind", list(CardType))
def test_every_card_type_can_be_proven(at: datetime, make_card: Callable[..., IdCard], kind: CardType) -> None:
    session = Session(terminal_id="T001", started_at=at).identified(make_card(type=kind), at=at)
    assert session.proof.card == kind.value


@pytest.mark.parametrize(
    ("now", "more", "state"),
    [
        (0, {}, Running(90)),
        (59.9, {}, Running(31)),
        (60, {}, Warned(30, "idle")),
        (89.5, {}, Warned(1, "idle")),
        (90, {}, Ended("idle")),
        (500, {"busy": True}, Running(None)),
        (0, {"large_text": True}, Running(270)),
        (180, {"large_text": True}, Warned(90, "idle")),
        (270, {"large_text": True}, Ended("idle")),
        (10, {"card_lifted_at": 10.0}, Warned(15, "card")),
        (24.5, {"card_lifted_at": 10.0}, Warned(1, "card")),
        (25, {"card_lifted_at": 10.0}, Ended("card")),
        (25, {"card_lifted_at": 10.0, "busy": True}, Ended("card")),
        (25, {"card_lifted_at": 10.0, "large_text": True}, Ended("card")),
        (85, {"card_lifted_at": 84.0}, Warned(5, "card")),
        (90, {"card_lifted_at": 84.0}, Ended("card")),
    ],
)
def test_timers(now: float, more: dict[str, Any], state: TimerState) -> None:
    assert timer_state(now=now, last_touch=0.0, delays=DELAYS, **more) == state


@given(st.floats(0, 1e6), st.floats(0, 1e4), st.booleans(), st.booleans())
def test_time_only_brings_the_end_nearer(now: float, later: float, busy: bool, large_text: bool) -> None:
    order = (Running, Warned, Ended)
    states = [
        timer_state(now=moment, last_touch=0.0, busy=busy, large_text=large_text, delays=DELAYS)
        for moment in (now, now + later)
    ]
    first, second = (order.index(type(state)) for state in states)
    assert first <= second


def test_the_warning_leaves_the_20_seconds_that_wcag_wants() -> None:
    assert DELAYS.warning_s >= 20
