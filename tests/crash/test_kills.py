"""The kill soak in its short form, and what it says when the queue or the hall is careless."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.crash.actors import Careless
from tests.crash.shim import preloaded

KILLS = 300


def soak(kills: int, careless: Careless = Careless.NOT) -> dict[str, Any]:
    done = preloaded("tests.crash.kills", "--kills", str(kills), "--careless", careless, "--json", timeout=280)
    sys.stdout.write(done.stdout)  # seeds and figures, shown when the test fails
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == (1 if result["why"] else 0)
    return result


def total(result: dict[str, Any], name: str) -> int:
    return sum(int(street[name]) for street in result["streets"])


@pytest.mark.timeout(300)
def test_three_hundred_kills_lose_and_double_nothing() -> None:
    result = soak(KILLS)
    assert result["why"] == []
    assert total(result, "lost") == total(result, "doubled") == 0
    assert sum(street["kills"]["hall"] for street in result["streets"]) >= 0.3 * KILLS


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("careless", "what"),
    [
        pytest.param(Careless.HALL_WITHOUT_DEDUPE, "doubled", marks=pytest.mark.long),
        (Careless.QUEUE_ACKS_FIRST, "lost"),
    ],
)
def test_a_careless_one_is_found(careless: Careless, what: str) -> None:
    """By chance a short soak may miss it, on a slow machine more than one; ten in a row may not."""
    for _ in range(10):
        result = soak(90, careless)
        if total(result, what):
            break
    assert total(result, what) > 0
    assert result["why"]
