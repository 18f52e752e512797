"""Lines that are open before they are needed, and a second one when the first is silent."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler

import pytest

from kiosk.contract.batch import MAX_BATCH_ITEMS
from kiosk.core.ports import Link
from offline_queue.uplink.batching import FIRST_ITEMS
from offline_queue.uplink.hedging import Hedges
from offline_queue.uplink.pacing import Lane
from offline_queue.uplink.submissions import BULK_LINES, EXPRESS
from offline_queue.uplink.traffic import WRITERS
from offline_queue.uplink.warmth import WARM_S, Warmth
from tests.queue.conftest import FakeClock, Request, TestHall
from tests.queue.worker_bench import Bench, closing


def test_a_line_that_was_not_used_for_long_is_cold_and_one_is_named_at_a_time(clock: FakeClock) -> None:
    warmth = Warmth(clock.monotonic)
    assert warmth.cold([4, 5]) == 4
    warmth.used(4)
    assert warmth.cold([4, 5]) == 5
    assert warmth.warm_for([4, 5]) == 0
    warmth.used(5)
    assert warmth.cold([4, 5]) is None
    clock.advance(WARM_S - 1)
    assert warmth.warm_for([4, 5]) == pytest.approx(1)
    warmth.used(4)
    clock.advance(1)
    assert warmth.cold([4]) is None
    assert warmth.cold([4, 5]) == 5


@pytest.mark.parametrize(("shortest_s", "late_s"), [(0.2, 0.3), (0.6, 0.8), (0.0, 1.0)])
def test_an_answer_is_late_when_it_takes_longer_than_there_and_back(
    clock: FakeClock, shortest_s: float, late_s: float
) -> None:
    hedges = Hedges(clock.monotonic)
    assert hedges.late([4, 5]) is None
    hedges.fresh(4, shortest_s=shortest_s)
    assert hedges.until_late([4, 5]) == pytest.approx(late_s)
    clock.advance(late_s - 0.01)
    assert hedges.late([4, 5]) is None
    clock.advance(0.02)
    assert (hedges.late([4, 5]), hedges.until_late([4, 5])) == (4, 0)
    assert hedges.late([5]) is None


def test_a_batch_of_a_backlog_is_late_when_it_takes_longer_than_the_last_ones(clock: FakeClock) -> None:
    hedges = Hedges(clock.monotonic)
    hedges.backlog(0)
    assert hedges.until_late([0, 1]) == 1.0, "nobody knows how long the first one takes"
    assert hedges.ended(0, answered=False)
    for seconds in (2, 2, 8):
        hedges.backlog(0)
        clock.advance(seconds)
        assert hedges.ended(0, answered=True)
    hedges.backlog(0)
    clock.advance(1)
    hedges.backlog(1)
    assert hedges.until_late([0, 1]) == pytest.approx(2.55)
    clock.advance(5)
    assert hedges.late([0, 1]) == 0, "the one that is out for longest"


def test_it_is_sent_twice_and_not_three_times(clock: FakeClock) -> None:
    hedges = Hedges(clock.monotonic)
    hedges.fresh(4, shortest_s=0.2)
    clock.advance(1)
    hedges.repeated(4, over=5)
    clock.advance(10)
    assert hedges.late([4, 5]) is None
    assert hedges.until_late([4, 5]) > 60


@pytest.mark.parametrize("order", [(4, 5), (5, 4)])
@pytest.mark.parametrize("first_answered", [True, False])
def test_of_two_the_first_answer_counts(clock: FakeClock, order: tuple[int, int], first_answered: bool) -> None:
    hedges = Hedges(clock.monotonic)
    hedges.fresh(4, shortest_s=0.2)
    clock.advance(1)
    hedges.repeated(4, over=5)
    first, second = order
    assert hedges.ended(first, answered=first_answered)
    hedges.fresh(first, shortest_s=0.2)  # another one, over the line that is free
    assert hedges.ended(second, answered=True) is not first_answered
    assert hedges.ended(first, answered=True)


def test_the_lines_are_open_before_somebody_files_and_stay_so(bench: Bench) -> None:
    bench.settle()
    asked = bench.asked("/v1/bundle/manifest")
    assert asked == 1 + 2
    bench.settle(seconds=WARM_S)
    assert bench.asked("/v1/bundle/manifest") >= asked + 2


def test_a_line_that_is_down_is_not_tried_for_its_warmth(bench: Bench) -> None:
    bench.hall.faults["/v1"] = closing
    bench.settle()
    assert bench.state.link is Link.DOWN
    assert bench.asked("/v1/bundle/manifest") <= 1  # the errand's own


def test_what_is_not_answered_goes_over_the_other_line_and_takes_effect_once(bench: Bench) -> None:
    bench.settle()
    second, came = threading.Event(), []

    def silent(_: TestHall, __: BaseHTTPRequestHandler, request: Request) -> bool:
        came.append(request.body)
        if len(came) == 1:
            bench.clock.advance(2)
            return not second.wait(10)
        second.set()
        return False

    bench.hall.faults["/v1/batches"] = silent
    (fresh,) = bench.file(1)
    bench.state.just_filed(fresh.id)
    bench.settle()
    assert bench.states() == {fresh.id: "accepted"}
    assert len(came) == 2
    assert came[0] == came[1]
    assert bench.hall.effects == [fresh.id]
    assert bench.state.last_error == ""


def test_the_other_answer_is_nobodys_trouble_when_the_first_one_came(bench: Bench) -> None:
    bench.settle()
    accepted, came = threading.Event(), []

    def loses_the_second(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        came.append(request.body)
        if len(came) == 1:
            bench.clock.advance(2)
            while len(came) == 1 and not accepted.wait(0.01):
                continue
            return False
        accepted.wait(10)
        return closing(hall, http, request)

    bench.hall.faults["/v1/batches"] = loses_the_second
    (fresh,) = bench.file(1)
    bench.state.just_filed(fresh.id)
    while bench.states()[fresh.id] != "accepted":
        bench.worker.step()
    accepted.set()
    bench.settle()
    assert len(came) == 2
    assert bench.hall.effects == [fresh.id]
    assert bench.state.link is Link.UP
    assert bench.worker._pacer.paused() == 0
    assert bench.worker._pacer.wait(Lane.DELIVER) == 0


def test_when_both_are_lost_it_is_tried_again_and_takes_effect_once(bench: Bench) -> None:
    bench.settle()
    came = threading.Barrier(2, timeout=10)

    def loses_both(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        bench.clock.advance(2)
        came.wait()
        hall.faults.pop("/v1/batches", None)  # both are here
        return closing(hall, http, request)

    bench.hall.faults["/v1/batches"] = loses_both
    (fresh,) = bench.file(1)
    bench.state.just_filed(fresh.id)
    bench.settle()
    assert bench.hall.effects == []
    bench.settle(seconds=120)
    assert bench.hall.effects == [fresh.id]
    assert bench.states() == {fresh.id: "accepted"}


def test_while_both_lines_are_silent_the_worker_waits_and_does_not_spin(bench: Bench) -> None:
    bench.settle()
    gate = threading.Event()
    bench.hall.faults["/v1/batches"] = lambda *_: not gate.wait(10)
    filings = []
    for serial in (1, 2):
        filings += bench.file(serial)
        bench.state.just_filed(filings[-1].id)
        bench.worker._post()
    bench.clock.advance(5)
    rounds, end = 0, time.monotonic() + 0.5
    while time.monotonic() < end:
        bench.worker._post()
        rounds += 1
    gate.set()
    assert rounds <= 3
    bench.settle(seconds=120)
    assert set(bench.hall.effects) == {sealed.id for sealed in filings}
    assert len(bench.hall.effects) == len(filings)


# --- the ends of a backlog --------------------------------------------------------------------------------------------


def test_the_last_batch_of_a_backlog_goes_twice_when_it_is_stuck_and_takes_effect_once(bench: Bench) -> None:
    stuck, came = threading.Event(), []

    def one_is_stuck(_: TestHall, __: BaseHTTPRequestHandler, request: Request) -> bool:
        came.append(request.body)
        if len(came) == 2:
            bench.clock.advance(30)
            return not stuck.wait(10)
        if came.count(request.body) == 2:
            stuck.set()
        return False

    bench.hall.faults["/v1/batches"] = one_is_stuck
    filings = bench.file(*range(1, 13))
    bench.settle()
    assert stuck.is_set(), "what was stuck went over another line"
    assert [came.count(body) for body in dict.fromkeys(came)] == [1, 2]
    assert sorted(bench.hall.effects) == sorted(sealed.id for sealed in filings)
    assert set(bench.states().values()) == {"accepted"}
    assert bench.state.last_error == ""


def test_while_there_is_more_to_send_nothing_goes_twice(bench: Bench) -> None:
    came: list[bytes] = []

    def slow(_: TestHall, __: BaseHTTPRequestHandler, request: Request) -> bool:
        came.append(request.body)
        if len(came) > 1:  # the first one may be late
            bench.clock.advance(1)
        return False

    bench.hall.faults["/v1/batches"] = slow
    most_on_the_way = BULK_LINES * MAX_BATCH_ITEMS
    bench.file(*range(1, most_on_the_way + 2 * MAX_BATCH_ITEMS))
    while bench.worker._pending() > most_on_the_way:
        bench.worker.step()
    assert len(came) == len(set(came)) > 1


@pytest.mark.parametrize(("waiting", "opened"), [(FIRST_ITEMS, 0), (FIRST_ITEMS + 1, WRITERS - 1)])
def test_while_a_first_batch_tries_the_hall_the_next_lines_are_opened(bench: Bench, waiting: int, opened: int) -> None:
    bench.file(*range(1, waiting + 1))
    bench.settle()
    assert bench.asked("/v1/bundle/manifest") == 1 + len(EXPRESS) + opened
    assert len(bench.hall.effects) == waiting
