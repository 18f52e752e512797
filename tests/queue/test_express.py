"""The lines for what was just filed: open before somebody files, and a second one when the first is silent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from kiosk.core.ports import Link
from offline_queue.uplink.express import WARM_S, Express
from offline_queue.uplink.pacing import Lane
from tests.queue.conftest import FakeClock, Request, Terminal, TestHall
from tests.queue.test_sync_worker import Bench, closing


@pytest.fixture
def bench(terminal: Terminal, hall: TestHall, clock: FakeClock, expected_logs: set[str]) -> Iterator[Bench]:
    expected_logs.add("offline_queue")
    hall.publish(1)
    made = Bench(terminal, hall, clock)
    yield made
    made.close()


def test_a_line_that_was_not_used_for_long_is_cold_and_one_is_named_at_a_time(clock: FakeClock) -> None:
    express = Express((4, 5), clock.monotonic)
    assert express.cold([4, 5]) == 4
    express.used(4)
    assert express.cold([4, 5]) == 5
    assert express.warm_for() == 0
    express.used(5)
    assert express.cold([4, 5]) is None
    clock.advance(WARM_S - 1)
    assert express.warm_for() == pytest.approx(1)
    express.used(4)
    clock.advance(1)
    assert express.cold([4]) is None
    assert express.cold([4, 5]) == 5


@pytest.mark.parametrize(("shortest_s", "late_s"), [(0.2, 0.3), (0.6, 0.8), (0.0, 1.0)])
def test_an_answer_is_late_when_it_takes_longer_than_there_and_back(
    clock: FakeClock, shortest_s: float, late_s: float
) -> None:
    express = Express((4, 5), clock.monotonic)
    assert express.late() is None
    express.sent(4, shortest_s=shortest_s)
    assert express.until_late() == pytest.approx(late_s)
    clock.advance(late_s - 0.01)
    assert express.late() is None
    clock.advance(0.02)
    assert (express.late(), express.until_late()) == (4, 0)


def test_it_is_sent_twice_and_not_three_times(clock: FakeClock) -> None:
    express = Express((4, 5), clock.monotonic)
    express.sent(4, shortest_s=0.2)
    clock.advance(1)
    express.repeated(4)
    express.sent(5, shortest_s=0.2, again=True)
    clock.advance(10)
    assert express.late() is None
    assert express.until_late() > 60
    assert express.used(5)
    assert express.used(4)
    express.sent(4, shortest_s=0.2)
    assert not express.used(4)


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
