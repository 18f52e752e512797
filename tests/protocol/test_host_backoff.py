"""Delays between starts of a driver."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from drivers.host.backoff import Backoff


def delays(lives: list[float]) -> list[float]:
    backoff, seen = Backoff(), []
    for lived in lives:
        delay, backoff = backoff.after(lived)
        seen.append(round(delay, 3))
    return seen


def test_doubles_up_to_the_cap() -> None:
    assert delays([0.0] * 8) == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_a_long_life_starts_anew() -> None:
    assert delays([0.0, 0.0, 10.0, 0.0]) == [0.1, 0.2, 0.1, 0.2]


@given(st.lists(st.floats(0, 100), max_size=30))
def test_never_shorter_than_first_nor_longer_than_cap(lives: list[float]) -> None:
    assert all(0.1 <= delay <= 5.0 for delay in delays(lives))
