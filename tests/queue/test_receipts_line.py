"""Nothing leaves the queue but on the hall's own signature for exactly that id and those bytes (Q9).

``make receipts`` gives 10,000 answers on several lines at once; here fewer. `RECEIPTS_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from offline_queue.uplink import policy
from tests.queue.conftest import FakeClock, Terminal, TestHall
from tests.queue.lying_line import LIES, Bench, Liar, false_acks, lie_for_long, say

LINES = int(os.environ.get("RECEIPTS_PARTS", "1"))
ANSWERS = int(os.environ.get("RECEIPTS_ANSWERS", "520")) // LINES
"""On each line."""


@pytest.fixture
def seed() -> int:
    chosen = int(os.environ.get("RECEIPTS_SEED", random.SystemRandom().randrange(2**32)))
    say(f"seed {chosen}")
    return chosen


@pytest.fixture
def bench(terminal: Terminal, hall: TestHall, clock: FakeClock, seed: int, expected_logs: set[str]) -> Iterator[Bench]:
    expected_logs.add("offline_queue")
    made = Bench(terminal, clock, seed=seed)
    yield made
    made.close()


@pytest.mark.timeout(60 + ANSWERS // 2)
@pytest.mark.parametrize("line", range(LINES))
def test_no_answer_but_the_halls_own_makes_the_terminal_forget(
    bench: Bench, hall: TestHall, seed: int, line: int
) -> None:
    liar = Liar(random.Random(seed + line))
    lie_for_long(bench, hall, liar=liar, answers=ANSWERS)
    told = sum(liar.lies.values())
    wrong = false_acks(bench, hall)
    say(f"{liar.answers} answers, {told} lies of {len(liar.lies)} kinds, {len(wrong)} false acks")
    assert wrong == []
    assert set(bench.accepted()) == set(bench.filed) == set(hall.accepted)
    assert sorted(hall.effects) == sorted(bench.filed), "each took effect once"
    assert told > ANSWERS / 2
    assert set(liar.lies) == LIES or ANSWERS < 1000


def test_a_policy_that_believes_a_status_is_found_out(
    bench: Bench, hall: TestHall, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The falsifier: with the peers' rule, acknowledged is acknowledged, the same run turns red."""
    monkeypatch.setattr(policy, "_receipt", lambda text, **_: policy.Accept(text.encode()))
    liar = Liar(random.Random(seed))
    lie_for_long(bench, hall, liar=liar, answers=60)
    assert false_acks(bench, hall) != []
