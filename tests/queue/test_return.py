"""Coming back after an outage: who goes first, who waits, and what a turn that the hall gives means."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from kiosk.contract.batch import PENDING_HEADER, SLOT_HEADER, split_batch
from kiosk.contract.envelope import parse_envelope
from kiosk.contract.problems import ProblemCode
from kiosk.core.ports import Link
from offline_queue.uplink.pacing import Lane, Pacer, StepOver
from offline_queue.uplink.policy import (
    CallError,
    Scope,
    SyncDelays,
    Trouble,
    one_may_have_spoilt_it,
    pause_after,
    scope_of,
)
from offline_queue.uplink.replies import problem_of
from offline_queue.uplink.sync_state import FRESH_S, SyncState
from tests.queue.conftest import FakeClock, Request, Terminal, TestHall, reply_problem
from tests.queue.worker_bench import Bench, closing

DELAYS = SyncDelays()
SLOT = CallError(Trouble.PROBLEM, 503, ProblemCode.BUSY, retry_after_s=41, slot_s=40.5, sent=True)


@pytest.fixture
def bench(terminal: Terminal, hall: TestHall, clock: FakeClock, expected_logs: set[str]) -> Iterator[Bench]:
    expected_logs.add("offline_queue")
    made = Bench(terminal, hall, clock)
    yield made
    made.close()


def pacer(clock: FakeClock, *randoms: float) -> Pacer:
    numbers = itertools.cycle(randoms or (0.5,))
    return Pacer(state=SyncState(), clock=clock, random=lambda: next(numbers), delays=DELAYS)


def lose(one: Pacer) -> None:
    with pytest.raises(StepOver):
        one.failed(Lane.HEARTBEAT, CallError(Trouble.UNREACHABLE))


# --- policy ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CallError(Trouble.UNREACHABLE), False),
        (CallError(Trouble.UNREACHABLE, sent=True), True),
        (CallError(Trouble.TIMEOUT), False),
        (CallError(Trouble.TIMEOUT, sent=True), True),
        (CallError(Trouble.REDIRECT, 302), False),
        (CallError(Trouble.GARBAGE, 200), True),
        (CallError(Trouble.TOO_LARGE, 200), True),
        (CallError(Trouble.PROBLEM, 400), True),
        (CallError(Trouble.PROBLEM, 401), False),
        (CallError(Trouble.PROBLEM, 403), False),
        (CallError(Trouble.PROBLEM, 409), True),
        (CallError(Trouble.PROBLEM, 413), True),
        (CallError(Trouble.PROBLEM, 422), True),
        (CallError(Trouble.PROBLEM, 429), False),
        (CallError(Trouble.PROBLEM, 500), True),
        (CallError(Trouble.PROBLEM, 502), True),
        (CallError(Trouble.PROBLEM, 503), False),
        (SLOT, False),
    ],
)
def test_when_one_submission_may_have_spoilt_a_batch(error: CallError, expected: bool) -> None:
    assert one_may_have_spoilt_it(error) is expected


def test_a_slot_concerns_the_backlog_only_and_is_waited_for_and_not_for_ever() -> None:
    assert scope_of(SLOT, one_item=True) is scope_of(SLOT, one_item=False) is Scope.TASK
    paused = pause_after(SLOT, scope=Scope.TASK, failures=1, delays=DELAYS, random=lambda: 0.0)
    assert paused == 40.5
    far = CallError(Trouble.PROBLEM, 503, slot_s=1e6)
    assert pause_after(far, scope=Scope.TASK, failures=1, delays=DELAYS, random=lambda: 0.0) == DELAYS.slot_cap


@pytest.mark.parametrize(
    ("text", "slot"),
    [("12.5", 12.5), ("0", 0.0), ("", None), ("-1", None), ("1e9", None), ("nan", None), ("99999999", None)],
)
def test_only_a_plain_number_is_a_slot(text: str, slot: float | None) -> None:
    assert problem_of(503, {SLOT_HEADER: text}, b"").slot_s == slot


# --- the pacer after an outage ---------------------------------------------------------------------------------------


def test_after_a_long_outage_the_backlog_begins_somewhere_in_the_spread(clock: FakeClock) -> None:
    for random in (0.0, 0.3, 0.999):
        one = pacer(clock, random)
        lose(one)
        clock.advance(DELAYS.outage)
        assert one.away_for_long()
        one.went_well(Lane.HEARTBEAT)
        assert not one.away_for_long()
        assert one.wait(Lane.BACKLOG) == pytest.approx(DELAYS.spread * random)
        assert one.wait(Lane.DELIVER) == 0
        assert not one.taking()


def test_a_short_outage_spreads_nothing(clock: FakeClock) -> None:
    one = pacer(clock)
    lose(one)
    clock.advance(DELAYS.outage - 1)
    assert not one.away_for_long()
    one.went_well(Lane.HEARTBEAT)
    assert one.wait(Lane.BACKLOG) == 0


def test_any_answer_ends_an_outage_also_one_that_is_none(clock: FakeClock) -> None:
    one = pacer(clock)
    lose(one)
    clock.advance(DELAYS.outage)
    one.failed(Lane.HEARTBEAT, CallError(Trouble.GARBAGE, 200))
    assert not one.away_for_long()
    assert one.wait(Lane.BACKLOG) > 0


def test_many_lines_open_only_after_the_hall_took_one_batch(clock: FakeClock) -> None:
    one = pacer(clock)
    assert not one.taking()
    one.went_well(Lane.BACKLOG)
    assert one.taking()
    one.failed(Lane.MANIFEST, CallError(Trouble.PROBLEM, 500))
    assert one.taking()
    one.failed(Lane.BACKLOG, SLOT)
    assert not one.taking()
    one.went_well(Lane.BACKLOG)
    lose(one)
    assert not one.taking()


# --- the whole worker ------------------------------------------------------------------------------------------------


def ids(request: Request) -> list[str]:
    return [parse_envelope(raw).header.id for raw in split_batch(request.body)]


def test_what_was_just_filed_goes_at_once_and_the_backlog_when_its_time_has_come(bench: Bench) -> None:
    bench.hall.faults["/v1"] = closing
    backlog = bench.file(1, 2, 3)
    bench.settle()
    bench.clock.advance(DELAYS.outage)
    bench.settle()
    assert bench.state.link is Link.DOWN
    (fresh,) = bench.file(4)
    bench.state.just_filed(fresh.id)
    bench.hall.faults.clear()
    bench.worker._pacer.wake()
    bench.settle()
    assert bench.hall.effects == [fresh.id]
    bench.settle(seconds=DELAYS.spread)
    assert set(bench.hall.effects) == {sealed.id for sealed in (*backlog, fresh)}


def test_a_backlog_that_is_put_off_waits_for_its_turn_and_holds_up_no_citizen(bench: Bench) -> None:
    seen: list[tuple[str, list[str]]] = []

    def put_off(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        pending = request.headers.get(PENDING_HEADER, "")
        seen.append((pending, ids(request)))
        headers = {"Retry-After": "41", SLOT_HEADER: "40.5"}
        return bool(pending) and reply_problem(http, 503, ProblemCode.BUSY, headers)

    bench.hall.faults["/v1/batches"] = put_off
    backlog = bench.file(*range(1, 41))
    bench.settle()
    assert [pending for pending, _ in seen] == ["40"]
    assert len(seen[0][1]) == 8  # a small one asks
    (fresh,) = bench.file(41)
    bench.state.just_filed(fresh.id)
    bench.settle()
    assert seen[-1] == ("", [fresh.id])
    assert bench.hall.effects == [fresh.id]
    asked = len(seen)
    bench.settle(seconds=40)
    assert len(seen) == asked
    assert all(attempts == 0 for attempts in _attempts(bench))
    bench.hall.faults.clear()
    bench.settle(seconds=2)
    assert len(bench.hall.effects) == len(backlog) + 1


def _attempts(bench: Bench) -> list[int]:
    found = bench.store.entries()
    return [entry.attempts for entry in found.value]  # type: ignore[union-attr]


def test_what_nobody_waits_for_any_more_is_backlog(bench: Bench) -> None:
    state = bench.state
    state.just_filed("a")
    state.just_filed("b")
    assert state.fresh() == ("a", "b")
    state.done_with("a")
    assert state.fresh() == ("b",)
    old = SyncState(monotonic=bench.clock.monotonic)
    old.just_filed("c")
    bench.clock.advance(FRESH_S + 1)
    assert old.fresh() == ()
    for n in range(100):
        old.just_filed(f"{n}")
    assert len(old.fresh()) == 64
    assert old.fresh()[-1] == "99"
