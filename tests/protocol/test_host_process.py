"""The driver host over real worker processes: hangs, crashes, kills, nonsense. Everything comes back by itself."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.host.adapter import Reply
from drivers.host.backoff import Backoff
from drivers.host.host import DriverHost, News, Notice
from drivers.host.lives import Reason
from drivers.host.needs import NEEDS
from drivers.host.process import Patience, WorkerProcess
from drivers.host.protocol import SELF_TEST, VERSION, Hello, encode_from_worker
from drivers.host.proxies import IdCardReaderProxy, PagePrinterProxy, ReceiptPrinterProxy
from kiosk.core.devices import (
    CardPresented,
    DeviceError,
    DeviceEvent,
    DeviceKind,
    DeviceState,
    Fault,
    MediaState,
    StatusChanged,
)
from kiosk.core.ports import Document
from kiosk.core.receipt import Receipt
from kiosk.core.result import Err, Ok

PROGRAMS = Path(__file__).with_name("programs")
LONG_S = 20.0
"""How long a busy machine may take for what takes milliseconds."""


def worker_command(address: str = "") -> list[str]:
    return [sys.executable, str(PROGRAMS / "worker_program.py"), "--address", address]


def wait_until(condition: Callable[[], bool], within_s: float = LONG_S) -> None:
    ends = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < ends, "did not happen in time"
        time.sleep(0.005)


class Watched:
    """A host with everything it said."""

    def __init__(self, command: list[str], patience: Patience, backoff: Backoff) -> None:
        self.notices: queue.SimpleQueue[Notice] = queue.SimpleQueue()
        self.events: list[DeviceEvent] = []
        self.host = DriverHost(command, DeviceKind.ID_CARD, notice=self.notices.put, patience=patience, backoff=backoff)
        self.host.listen(self.events.append)

    def wait_online(self) -> None:
        wait_until(lambda: self.host.status().state is DeviceState.ONLINE)

    def assert_lost_and_back(self, why: str) -> None:
        """Once lost for this reason, once back, and it works."""
        lost = self.notices.get(timeout=LONG_S)
        assert lost.news is News.LOST
        assert why in lost.why
        assert self.notices.get(timeout=LONG_S).news is News.BACK
        self.wait_online()
        assert self.host.call("echo", {"n": 1}, b"x", deadline_s=LONG_S) == Ok(Reply({"n": 1}, b"x"))
        faults = [event.status.fault for event in self.events if isinstance(event, StatusChanged)]
        assert faults.count(Fault.DRIVER_LOST) == 1
        assert self.notices.empty()


@contextmanager
def hosted(
    address: str = "",
    *,
    command: list[str] | None = None,
    patience: Patience | None = None,
    backoff: Backoff | None = None,
) -> Iterator[Watched]:
    # A machine with more tests than cores may starve a healthy worker: only tests of silence use the real second.
    watched = Watched(
        command or worker_command(address),
        patience or Patience(hello_s=LONG_S, silence_s=LONG_S),
        backoff or Backoff(first_s=0.02, cap_s=0.2),
    )
    watched.host.start()
    try:
        yield watched
    finally:
        watched.host.stop()
        assert watched.host.pid is None


@pytest.fixture
def up() -> Iterator[Watched]:
    """A worker that is online."""
    with hosted() as watched:
        watched.wait_online()
        yield watched


def pid_of(watched: Watched) -> int:
    pid = watched.host.pid
    assert pid is not None
    return pid


def gone(pid: int) -> bool:
    """No such process, or only its entry waiting for a parent."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


# --- commands ----------------------------------------------------------------------------------------------------


def test_echo_of_megabytes(up: Watched) -> None:
    blob = os.urandom(4 * 1024 * 1024)
    assert up.host.call("echo", {"名": "值"}, blob, deadline_s=LONG_S) == Ok(Reply({"名": "值"}, blob))


def test_refusal_is_a_typed_error_and_the_worker_lives_on(up: Watched) -> None:
    pid = up.host.pid
    assert up.host.call("refuse", deadline_s=LONG_S) == Err(DeviceError(Fault.NO_CARD, "nothing there"))
    assert up.host.pid == pid


def test_unknown_verbs_do_not_reach_the_worker(up: Watched) -> None:
    assert up.host.call("dance", deadline_s=LONG_S) == Err(DeviceError(Fault.PROTOCOL, "driver does not know dance"))


def test_oversized_commands_are_refused_and_the_worker_lives_on(up: Watched) -> None:
    pid = up.host.pid
    outcome = up.host.call("echo", {"text": "x" * (1024 * 1024)}, deadline_s=LONG_S)
    assert outcome == Err(DeviceError(Fault.PROTOCOL, "command is too large"))
    assert up.host.call("echo", deadline_s=LONG_S) == Ok(Reply())
    assert up.host.pid == pid


def test_many_threads_get_their_own_answers(up: Watched) -> None:
    answers: dict[int, object] = {}

    def ask(number: int) -> None:
        answers[number] = up.host.call("echo", {"n": number}, deadline_s=LONG_S)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: Ok(Reply({"n": number})) for number in range(32)}


def test_who_waits_too_long_for_his_turn_is_told_so_and_nobody_is_killed(up: Watched) -> None:
    pid = up.host.pid
    sleeper = threading.Thread(target=up.host.call, args=("sleep", {"s": 1.0}), kwargs={"deadline_s": LONG_S})
    sleeper.start()
    wait_until(lambda: CardPresented() in up.events)
    outcome = up.host.call("echo", deadline_s=0.05)
    sleeper.join()
    assert outcome == Err(DeviceError(Fault.TIMEOUT, "busy with another command"))
    assert up.host.pid == pid


def test_events_of_the_adapter_reach_listeners_in_order(up: Watched) -> None:
    up.host.call("emit", deadline_s=LONG_S)
    assert up.events[-2] == CardPresented()
    assert up.host.status().media is MediaState.PRESENT
    assert up.events[-1] == StatusChanged(up.host.status())


# --- trouble -----------------------------------------------------------------------------------------------------


def test_a_command_over_its_deadline_costs_the_worker_its_life(up: Watched) -> None:
    outcome = up.host.call("sleep", {"s": 60}, deadline_s=0.2)
    assert outcome == Err(DeviceError(Fault.TIMEOUT, "sleep took longer than 0.2 s"))
    up.assert_lost_and_back("sleep: deadline")


def test_a_library_that_holds_the_interpreter_is_killed_a_second_after_the_last_heartbeat() -> None:
    with hosted(patience=Patience(hello_s=LONG_S)) as watched:
        watched.wait_online()
        began = time.monotonic()
        outcome = watched.host.call("hold_gil", {"s": 60}, deadline_s=60)
        took = time.monotonic() - began
        assert outcome == Err(DeviceError(Fault.DRIVER_LOST, "driver ended during hold_gil"))
        assert 0.7 < took < 10
        watched.assert_lost_and_back("no heartbeat (exit -9)")


def test_a_frozen_worker_is_killed() -> None:
    with hosted(patience=Patience(hello_s=LONG_S)) as watched:
        watched.wait_online()
        os.kill(pid_of(watched), signal.SIGSTOP)
        watched.assert_lost_and_back("no heartbeat")


def test_kill_nine(up: Watched) -> None:
    os.kill(pid_of(up), signal.SIGKILL)
    wait_until(lambda: any(isinstance(e, StatusChanged) and e.status.fault is Fault.DRIVER_LOST for e in up.events))
    up.assert_lost_and_back("process ended (exit -9)")


def test_commands_while_it_is_away_fail_at_once() -> None:
    with hosted("die") as watched:
        assert watched.notices.get(timeout=LONG_S).why == "process ended (exit 3)"
        assert watched.host.status().fault is Fault.DRIVER_LOST
        assert watched.host.call("echo", deadline_s=LONG_S) == Err(DeviceError(Fault.DRIVER_LOST, "no driver process"))


def test_vain_restarts_are_reported_once() -> None:
    with hosted("die", backoff=Backoff(first_s=0.01, cap_s=0.01)) as watched:
        starts = set()
        wait_until(lambda: starts.add(watched.host.pid) or len(starts) > 3)
        assert watched.notices.get(timeout=LONG_S).news is News.LOST
        assert watched.notices.empty()


def test_an_exception_ends_the_worker_and_its_words_are_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with hosted() as watched:
        watched.wait_online()
        outcome = watched.host.call("crash", {"secret": "440699199001010014"}, deadline_s=LONG_S)
        assert outcome == Err(DeviceError(Fault.DRIVER_LOST, "driver ended during crash"))
        watched.assert_lost_and_back("process ended (exit 1)")
    printed = capfd.readouterr().err
    assert "driver ended: ValueError at worker_program.py:" in printed
    assert "4406" not in printed


def test_an_exception_in_a_thread_of_the_adapter_ends_the_worker(up: Watched) -> None:
    assert up.host.call("crash_thread", deadline_s=LONG_S) == Err(
        DeviceError(Fault.DRIVER_LOST, "driver ended during crash_thread")
    )
    up.assert_lost_and_back("process ended (exit 70)")


@pytest.mark.parametrize(
    ("garbage", "why"),
    [
        (b"\xff" * 64, "protocol: frame is too large"),
        (b"\0\0\0\2\0\0\0\0[]", "protocol: frame head is not an object"),
        (b"\0\0\0\2\0\0\0\0{}", "protocol: unknown_type"),
        (encode_from_worker(Hello(VERSION, DeviceKind.ID_CARD, "", frozenset())), "protocol: malformed"),
    ],
)
def test_garbage_from_the_worker(up: Watched, garbage: bytes, why: str) -> None:
    outcome = up.host.call("garbage", {}, garbage, deadline_s=LONG_S)
    assert outcome == Err(DeviceError(Fault.DRIVER_LOST, "driver ended during garbage"))
    up.assert_lost_and_back(why)


def test_a_worker_that_hangs_up_but_stays_is_killed(up: Watched) -> None:
    assert up.host.call("close_link", deadline_s=LONG_S) == Err(
        DeviceError(Fault.DRIVER_LOST, "driver ended during close_link")
    )
    up.assert_lost_and_back("process ended (exit -9)")


def test_a_worker_that_never_says_hello_is_killed() -> None:
    with hosted("mute", patience=Patience(hello_s=0.3)) as watched:
        assert watched.notices.get(timeout=LONG_S).why == "no hello (exit -9)"


def test_a_worker_of_another_kind_is_refused() -> None:
    with hosted("other-kind") as watched:
        notice = watched.notices.get(timeout=LONG_S)
        assert (notice.news, notice.why) == (
            News.BROKEN,
            "not the driver that is wanted: for camera, wanted for id_card (exit -9)",
        )
        assert watched.host.status().fault is Fault.DRIVER_BROKEN


def test_a_command_that_cannot_be_started() -> None:
    with hosted(command=["/nonexistent/driver"]) as watched:
        assert watched.notices.get(timeout=LONG_S).why == "cannot start: No such file or directory"
        assert watched.host.status().fault is Fault.DRIVER_BROKEN


# --- paper: a print that nobody knows the end of -------------------------------------------------------------------


def test_fate_unknown_is_told_apart_from_never_begun(up: Watched) -> None:
    outcome = up.host.call("crash", {"secret": ""}, deadline_s=LONG_S, if_unknown=Fault.UNPROVEN)
    assert outcome == Err(DeviceError(Fault.UNPROVEN, "driver ended during crash"))
    up.assert_lost_and_back("process ended")
    outcome = up.host.call("sleep", {"s": 60}, deadline_s=0.1, if_unknown=Fault.UNPROVEN)
    assert outcome == Err(DeviceError(Fault.UNPROVEN, "sleep took longer than 0.1 s"))


class Senseless:
    """A host whose driver answers what no printer would."""

    kind = DeviceKind.RECEIPT

    def call(self, verb: str, *args: object, **options: object) -> Ok[Reply]:
        return Ok(Reply({"job": 7}))


def test_a_senseless_answer_to_print_proves_nothing() -> None:
    host: DriverHost = Senseless()  # type: ignore[assignment]
    slip, page = Receipt("j", ()), Document("j", b"%PDF", 1)
    unproven = Err(DeviceError(Fault.UNPROVEN, "job: str expected"))
    assert ReceiptPrinterProxy(host).print(slip) == unproven
    assert PagePrinterProxy(host).print(page) == unproven
    read = IdCardReaderProxy(host).read()
    assert isinstance(read, Err)
    assert read.error.fault is Fault.PROTOCOL


# --- the end -----------------------------------------------------------------------------------------------------


def test_stop_lets_the_command_in_work_finish(capfd: pytest.CaptureFixture[str]) -> None:
    outcomes: list[object] = []
    with hosted() as watched:
        watched.wait_online()
        host = watched.host
        caller = threading.Thread(target=lambda: outcomes.append(host.call("sleep", {"s": 0.3}, deadline_s=LONG_S)))
        caller.start()
        wait_until(lambda: CardPresented() in watched.events)
        host.stop()
        caller.join()
    assert outcomes == [Ok(Reply())]
    assert capfd.readouterr().err == "closed in order\n"
    assert watched.notices.empty()


def test_stop_does_not_wait_for_ever() -> None:
    with hosted(patience=Patience(hello_s=LONG_S, silence_s=LONG_S, farewell_s=0.2)) as watched:
        watched.wait_online()
        pid = pid_of(watched)
        caller = threading.Thread(target=watched.host.call, args=("sleep", {"s": 60}), kwargs={"deadline_s": LONG_S})
        caller.start()
        wait_until(lambda: CardPresented() in watched.events)
        watched.host.stop()
        caller.join()
        assert gone(pid)


def test_stop_before_start_and_twice() -> None:
    host = DriverHost(worker_command(), DeviceKind.ID_CARD, notice=lambda _notice: None)
    host.stop()
    assert host.pid is None
    with hosted() as watched:
        watched.wait_online()
        watched.host.stop()
        watched.host.stop()


def test_no_orphans_when_the_host_process_is_killed() -> None:
    command = [sys.executable, str(PROGRAMS / "parent_program.py"), *worker_command()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert not gone(worker)
        parent.kill()
    wait_until(lambda: gone(worker))


# --- fuzz --------------------------------------------------------------------------------------------------------

HELLO = encode_from_worker(Hello(VERSION, DeviceKind.ID_CARD, "", frozenset({"read", SELF_TEST})))


@pytest.fixture(scope="module")
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that the fuzzed connection may belong to."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@settings(deadline=None)
@given(greeting=st.booleans(), garbage=st.lists(st.binary(max_size=60), max_size=5))
def test_no_bytes_whatever_upset_the_host(
    bystander: subprocess.Popen[bytes], greeting: bool, garbage: list[bytes]
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.dup() as sending:
        theirs.sendall((HELLO if greeting else b"") + b"".join(garbage))
        theirs.close()
        worker = WorkerProcess(bystander, ours, sending)
        patience = replace(Patience(), hello_s=5, silence_s=5)
        end = worker.attend(DeviceKind.ID_CARD, NEEDS[DeviceKind.ID_CARD], patience, lambda _message: None)
    assert end.reason in (Reason.ENDED, Reason.PROTOCOL)
