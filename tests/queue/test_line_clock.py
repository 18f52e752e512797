"""A wrong clock: what still works, and that the technician is told that it is the clock."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.app.doctor import judge_clock
from kiosk.app.technician import hall_advice
from kiosk.contract.sync import HeartbeatAnswer
from kiosk.core.ports import Link
from offline_queue.keys.trust_clock import BUILT, TOLERANCE, ClockState, TrustClock, clock_state
from offline_queue.process import QueueProcess
from offline_queue.uplink.deadline_tls import DeadlineContext
from offline_queue.uplink.policy import CallError, Scope, Trouble, scope_of
from tests.queue.conftest import NOW, FakeClock, Terminal, TestHall, reply_json
from tests.queue.wall_clock import ask_at, build

Wait = Callable[..., bool]
YEAR_S = 365 * 86400
AFTER = BUILT + timedelta(days=30)


@pytest.mark.parametrize(
    ("now", "skew_s", "state"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), None, ClockState.DEAD),
        (datetime(1970, 1, 1, tzinfo=UTC), 1.8e9, ClockState.DEAD),
        (BUILT - timedelta(seconds=1), 0.0, ClockState.DEAD),
        (AFTER, None, ClockState.UNCHECKED),
        (AFTER, 0.0, ClockState.GOOD),
        (AFTER, -TOLERANCE.total_seconds(), ClockState.GOOD),
        (AFTER, 121.0, ClockState.SLOW),
        (AFTER + timedelta(days=365), -365 * 86400.0, ClockState.FAST),
    ],
)
def test_what_is_thought_of_a_clock(now: datetime, skew_s: float | None, state: ClockState) -> None:
    assert clock_state(now, skew_s=skew_s) is state


def test_the_halls_word_holds_through_every_jump(clock: FakeClock) -> None:
    trusted = TrustClock(clock, floor=BUILT)
    clock.wall = datetime(1970, 1, 1, tzinfo=UTC)
    assert (trusted.state(), trusted.now(), trusted.skew_s()) == (ClockState.DEAD, BUILT, None)
    trusted.heard(NOW, asked=clock.monotonic())
    assert trusted.now() == NOW
    clock.advance(3600)
    assert trusted.now() == NOW + timedelta(hours=1)
    clock.wall = NOW + timedelta(days=366)
    assert (trusted.state(), trusted.now()) == (ClockState.FAST, NOW + timedelta(hours=1))
    clock.wall = NOW + timedelta(hours=1, seconds=30)
    assert (trusted.state(), trusted.now()) == (ClockState.GOOD, clock.wall)


@given(wrong_s=st.integers(-4_000_000_000 // 80, 3_000_000_000), slow_s=st.floats(0, 20), passed_s=st.floats(0, 1e6))
def test_the_skew_is_known_to_half_of_the_exchange(wrong_s: int, slow_s: float, passed_s: float) -> None:
    clock = FakeClock()
    trusted = TrustClock(clock)
    true = NOW
    clock.wall = NOW + timedelta(seconds=wrong_s)
    asked = clock.monotonic()
    clock.advance(slow_s)
    trusted.heard(true + timedelta(seconds=slow_s / 2), asked=asked)
    clock.advance(passed_s)
    skew = trusted.skew_s()
    assert skew is not None and abs(skew + wrong_s) < 0.01


@pytest.mark.parametrize(
    ("skew_s", "verdict", "words"),
    [(None, "ok", ""), (5, "ok", ""), (7200, "warn", "2.0 h behind"), (-YEAR_S, "warn", "365.0 days ahead of")],
)
def test_the_doctor_says_it(skew_s: int | None, verdict: str, words: str) -> None:
    finding = judge_clock(AFTER, floor=BUILT, skew_s=skew_s)
    assert finding.verdict == verdict and words in finding.state
    dead = judge_clock(datetime(1970, 1, 2, tzinfo=UTC), floor=BUILT, skew_s=skew_s)
    assert (dead.verdict, dead.state) == ("fault", "1970-01-02") and "电池" in dead.advice


def test_trouble_with_the_clock_stops_the_line_and_names_the_clock() -> None:
    error = CallError(Trouble.CLOCK)
    assert scope_of(error, one_item=True) is Scope.LINK
    assert "时间" in hall_advice(error)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wall"))


def tells_the_time(_hall: TestHall, http: object, _request: object) -> bool:
    return reply_json(http, 200, HeartbeatAnswer(hall_time=datetime.now(UTC)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shift_s", "result", "state"),
    [
        (0, "ok", "good"),
        (600, "ok", "fast"),
        (-600, "ok", "slow"),
        (-YEAR_S, "ok", "dead"),
        (-int(time.time()) + 86400, "ok", "dead"),
        (YEAR_S, "clock", "unchecked"),
    ],
    ids=["right", "ten minutes fast", "ten minutes slow", "a year slow", "1970", "a year fast"],
)
def test_sync_goes_on_as_far_as_tls_can(
    library: Path, terminal: Terminal, hall: TestHall, shift_s: int, result: str, state: str
) -> None:
    """Slow below the floor: the hall is known by its key alone. Fast: nobody can tell that from an old certificate."""
    hall.faults["/v1/heartbeat"] = tells_the_time
    seen = ask_at(library, shift_s=shift_s, data=terminal.data, url=hall.url)
    assert abs(seen["year"] - (datetime.now(UTC) + timedelta(seconds=shift_s)).year) <= 1
    assert (seen["result"], seen["state"]) == (result, state)
    if result == "ok":
        assert abs(seen["skew_s"] + shift_s) < 30
        assert abs((datetime.fromisoformat(seen["now"]) - datetime.now(UTC)).total_seconds()) < 150


def test_without_a_clock_an_old_certificate_still_is_none() -> None:
    context = DeadlineContext(ssl.PROTOCOL_TLS_CLIENT)
    context.without_clock(BUILT)
    context.floor_reached({"notAfter": "Dec 31 00:00:00 2026 GMT"})
    for peer in ({"notAfter": "Oct 31 00:00:00 2026 GMT"}, {}):
        with pytest.raises(OSError, match="ended before"):
            context.floor_reached(peer)


def test_the_queue_tells_the_technician_how_far_off_it_is(terminal: Terminal, hall: TestHall, wait_for: Wait) -> None:
    hall.faults["/v1/heartbeat"] = lambda _hall, http, _request: reply_json(
        http, 200, HeartbeatAnswer(hall_time=datetime.now(UTC) + timedelta(hours=3))
    )
    process = QueueProcess(terminal.profile, data=terminal.data, software="test")
    assert process.status().clock_skew_s is None
    process.start()
    assert wait_for(lambda: process.status().clock_skew_s is not None)
    status = process.status()
    process.stop()
    assert abs((status.clock_skew_s or 0) - 10800) < 30
    assert status.link is Link.UP


def test_a_socket_whose_peer_hangs_up_before_the_handshake_is_closed() -> None:
    context = DeadlineContext(ssl.PROTOCOL_TLS_CLIENT)
    context.start(5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        descriptor = Path(f"/proc/self/fd/{near.fileno()}")
        connection = descriptor.readlink()
        far, _ = server.accept()
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        far.close()  # with a reset
        select.select([near], [], [], 5)
        with pytest.raises(ConnectionResetError):
            context.wrap_socket(near, server_hostname="127.0.0.1")
    assert not descriptor.is_symlink() or descriptor.readlink() != connection
