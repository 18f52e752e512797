"""呼叫帮助 and device health on their way to the hall: at once, honestly, and without holding anything up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.contract.sync import DeviceReport, Heartbeat
from kiosk.core.ports import HELP_STANDS, HelpCall, HelpState, Link, QueueStatus
from offline_queue.ipc.messages import status_of, status_values
from offline_queue.uplink.help_line import HelpLine
from offline_queue.uplink.sync_state import REPORT_FRESH_S, SyncState
from tests.queue.conftest import FakeClock, Request, Terminal, TestHall, reply
from tests.queue.worker_bench import Bench, portal


class Heard:
    """What the hall hears, in order."""

    def __init__(self, bench: Bench) -> None:
        self.beats: list[Heartbeat] = []
        self.sick = 0
        bench.hall.faults["/v1/heartbeat"] = self._listen

    def _listen(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        self.beats.append(Heartbeat.model_validate_json(request.body))
        if self.sick:
            reply(http, self.sick, b"", "text/plain")
        return bool(self.sick)

    @property
    def calls(self) -> list[Any]:
        """The calls in the heartbeats."""
        return [beat.help_called_at for beat in self.beats]


@pytest.fixture
def bench(terminal: Terminal, hall: TestHall, clock: FakeClock, expected_logs: set[str]) -> Iterator[Bench]:
    expected_logs.add("offline_queue")
    hall.publish(1)
    made = Bench(terminal, hall, clock)
    made.settle()
    yield made
    made.close()


def call(bench: Bench) -> HelpCall:
    """Somebody touches 呼叫帮助."""
    bench.state.help.take(bench.clock.now())
    made = bench.state.help.call
    assert made is not None
    return made


def state(bench: Bench) -> HelpState | None:
    now = bench.state.help.call
    return now and now.state


def test_a_call_goes_out_at_once_and_stays_in_every_heartbeat_until_staff_know(bench: Bench) -> None:
    heard = Heard(bench)
    bench.settle(seconds=1)
    assert heard.calls == []
    made = call(bench)
    bench.settle()
    assert (heard.calls, state(bench)) == ([made.at], HelpState.SENT)
    bench.settle(seconds=5)
    assert heard.calls == [made.at] * 2
    bench.hall.staff_look = True
    bench.settle(seconds=5)
    assert (heard.calls, state(bench)) == ([made.at] * 3, HelpState.SEEN)
    bench.settle(seconds=5)
    assert (heard.calls, state(bench)) == ([*[made.at] * 3, None], HelpState.SEEN)


def test_a_call_goes_before_submissions(bench: Bench) -> None:
    bench.file(1, blobs=2)
    call(bench)
    before = len(bench.hall.requests)
    bench.settle()
    assert bench.hall.requests[before][1] == "/v1/heartbeat"
    assert len(bench.hall.effects) == 1


def test_a_call_without_network_waits_and_goes_out_when_it_is_back(bench: Bench) -> None:
    heard = Heard(bench)
    for path in ("/v1/heartbeat", "/v1/announce", "/v1/bundle"):
        bench.hall.faults[path] = lambda hall, http, request: http.connection.close() is None
    made = call(bench)
    bench.settle()
    bench.settle(seconds=30)
    assert (state(bench), bench.state.link) == (HelpState.WAITING, Link.DOWN)
    bench.hall.faults.clear()
    heard = Heard(bench)
    bench.settle(seconds=16)
    assert (heard.calls[0], state(bench)) == (made.at, HelpState.SENT)


@pytest.mark.parametrize("status", [204, 500])
def test_an_answer_that_does_not_count_is_no_yes_and_holds_up_nobody(bench: Bench, status: int) -> None:
    heard = Heard(bench)
    heard.sick = status
    made = call(bench)
    bench.file(1)
    bench.settle()
    assert state(bench) is HelpState.WAITING
    assert len(bench.hall.effects) == 1
    assert len(heard.calls) == 1, "tried again after a pause, not at once"
    heard.sick = 0
    bench.settle(seconds=60)
    assert (heard.calls[-1], state(bench)) == (made.at, HelpState.SENT)


def test_a_call_that_is_too_old_is_told_to_nobody(bench: Bench) -> None:
    heard = Heard(bench)
    call(bench)
    bench.clock.advance(HELP_STANDS.total_seconds())
    bench.settle(seconds=5)
    assert heard.calls
    assert set(heard.calls) == {None}


def test_the_answer_to_an_earlier_call_is_none_to_this_one(clock: FakeClock) -> None:
    line, first = HelpLine(), clock.now()
    line.take(first)
    later = first + timedelta(seconds=9)
    line.take(later)
    line.told(first, acknowledged=True)
    assert line.call == HelpCall(later, HelpState.WAITING)
    line.told(later, acknowledged=False)
    line.take(later)
    assert line.call == HelpCall(later, HelpState.SENT), "the same instant is the same call"
    assert (line.pop_new(), line.pop_new()) == (True, False)


def test_a_portal_that_answers_for_the_hall_has_not_heard_the_call(bench: Bench) -> None:
    bench.hall.faults["/v1"] = portal(302)
    call(bench)
    bench.settle()
    assert state(bench) is HelpState.WAITING


HELP = st.none() | st.builds(HelpCall, st.datetimes(timezones=st.just(UTC)), st.sampled_from(HelpState))


@given(HELP, st.sampled_from(Link))
def test_a_status_survives_the_socket(help_call: HelpCall | None, link: Link) -> None:
    status = QueueStatus(link, 1, 2, 3, True, "x", help_call)
    assert status_of(status_values(status)) == status


def test_a_device_whose_terminal_fell_silent_is_unknown(clock: FakeClock) -> None:
    state = SyncState(monotonic=clock.monotonic)
    well = DeviceReport(kind="page", state="online", media="none", paper="full", toner="low", fault="jam")
    state.report_devices((well,))
    clock.advance(REPORT_FRESH_S)
    assert state.devices == (well,)
    clock.advance(1)
    silent = DeviceReport(kind="page", state="unknown", media="none", paper="unknown", toner="unknown")
    assert state.devices == (silent,)
    state.report_devices((well,))
    assert state.devices == (well,)
