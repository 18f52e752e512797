"""The scanner's real worker process on a pseudo-terminal, and its adapter on a TCP line: every fault, and more."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.scanner.driver import ScannerAdapter, Timings
from drivers.sim.fault_scripts import FOLDER, FaultScript, read_scripts
from drivers.sim.scanner import NAME, CodeScannerSim
from kiosk.core.devices import (
    CodeScanned,
    DeviceEvent,
    DeviceKind,
    DeviceState,
    DeviceStatus,
    Fault,
    StatusChanged,
)
from kiosk.core.result import Err, Ok

SCRIPTS = read_scripts((FOLDER / "scanner.toml").read_text("utf-8"), group="scanner")
CODE = "FS440699202611220001"


@pytest.fixture(scope="module")
def running(make_rig: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_rig(CodeScannerSim(dir=tmp_path_factory.mktemp("scanner")), DeviceKind.SCANNER, "drivers.scanner")


@pytest.fixture
def rig(running: Any) -> Any:
    """Plugged in, well, nothing under it."""
    running.do("clear")
    running.do("set", plugged=True, mute=False, blind=False, baud=9600, node="port")
    running.well()
    return running


def codes(events: list[DeviceEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, CodeScanned)]


def scan(rig: Any, text: str, **how: Any) -> str:
    """Hold a code under it; what the terminal was told."""
    before = len(rig.events)
    rig.do("scan", text=text, **how)
    return str(rig.wait_event(lambda event: isinstance(event, CodeScanned), after=before).text)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.id)
def test_fault_script(rig: Any, script: FaultScript) -> None:
    rig.play(script)


def test_there_are_enough_scripts() -> None:
    assert len(SCRIPTS) >= 8


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("FS440699-plain", {"ending": "cr"}),
        ("佛山市㙍𠮷", {"ending": "lf"}),
        ("佛山市𠮷㙍", {"encoding": "gb18030", "ending": "crlf"}),
        ("x" * 2953, {}),
        ("FS1", {"aim": "]Q1"}),
        ("FS2", {"pace_ms": 1.0}),
    ],
    ids=["plain", "utf8", "gb18030", "longest", "symbology", "paced"],
)
def test_a_code_arrives_as_it_is(rig: Any, text: str, how: dict[str, Any]) -> None:
    assert scan(rig, text, **how) == text


def test_it_names_itself(rig: Any) -> None:
    assert rig.host.status().identity == NAME.decode()


def test_a_code_that_lies_there_is_told_once(rig: Any) -> None:
    before = len(rig.events)
    rig.do("hold", text="held", every_s=0.1)
    sent = rig.do("status")["sent"]
    deadline = time.monotonic() + 20
    while rig.do("status")["sent"] < sent + 6:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    rig.do("clear")
    assert scan(rig, "after") == "after"
    assert codes(rig.events[before:]) == ["held", "after"]


def test_only_changes_are_told_and_never_a_code(rig: Any) -> None:
    scan(rig, CODE)
    statuses = [event.status for event in rig.events if isinstance(event, StatusChanged)]
    assert all(one != other for one, other in itertools.pairwise(statuses))
    assert all(CODE not in f"{event}" for event in rig.events)


def test_a_quick_self_test_asks_for_the_name(rig: Any) -> None:
    found = rig.host.self_test(deep=False)
    assert found.passed and found.detail == NAME.decode() and found.seconds < 2
    rig.do("set", plugged=False)
    rig.wait_status(lambda status: status.fault is Fault.UNREACHABLE)
    assert rig.host.self_test(deep=False).fault is Fault.UNREACHABLE


def test_a_deep_self_test_reads_a_code_that_goes_nowhere(rig: Any) -> None:
    before = len(rig.events)
    rig.do("hold", text=CODE, every_s=60.0)
    rig.wait_event(lambda event: isinstance(event, CodeScanned), after=before)
    rig.do("hold", text="of the technician", every_s=1.0)
    before = len(rig.events)
    found = rig.host.self_test(deep=True)
    assert found.passed and "technician" not in found.detail
    assert len(codes(rig.events[before:])) <= 1  # that of the hand, before the test began to listen


def test_it_is_found_again_after_its_driver_was_killed(rig: Any) -> None:
    os.kill(rig.host.pid, signal.SIGKILL)
    rig.wait_status(lambda status: status.fault is Fault.DRIVER_LOST)
    rig.well()
    assert scan(rig, "back") == "back"


# --- in this process: lines that are no pseudo-terminal


BRIEF = Timings(first_retry=0.05, last_retry=0.2, settle=2.0, answer=0.3, scan=0.5)


class Heard:
    """An adapter that runs here."""

    def __init__(self, address: str) -> None:
        self.events: list[DeviceEvent] = []
        self.adapter = ScannerAdapter(address, timings=BRIEF)
        self.adapter.open(self.events.append)

    def until(self, accept: Callable[[DeviceStatus], bool]) -> DeviceStatus:
        deadline = time.monotonic() + 20
        while not accept(status := self.adapter.status()):
            assert time.monotonic() < deadline, status
            time.sleep(0.01)
        return status

    def until_code(self, text: str) -> None:
        deadline = time.monotonic() + 20
        while text not in codes(self.events):
            assert time.monotonic() < deadline, self.events[-3:]
            time.sleep(0.01)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A serial server (串口服务器)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        yield listener


@pytest.fixture
def heard(server: socket.socket) -> Iterator[Heard]:
    one = Heard(f"scanner://127.0.0.1:{server.getsockname()[1]}")
    yield one
    one.adapter.close()


def test_a_line_over_the_network_comes_and_goes(server: socket.socket, heard: Heard) -> None:
    link, _ = server.accept()
    heard.until(lambda status: status.well)
    link.sendall(b"one\r\n")
    heard.until_code("one")
    link.close()
    lost = heard.until(lambda status: not status.well)
    assert (lost.state, lost.fault) == (DeviceState.OFFLINE, Fault.UNREACHABLE)
    link, _ = server.accept()
    link.sendall(b"two\r\n")
    heard.until_code("two")
    assert heard.adapter.status().well
    link.close()


def test_a_scanner_without_suffix_is_heard_after_a_pause(server: socket.socket, heard: Heard) -> None:
    with server.accept()[0] as link:
        link.sendall(b"no suffix")
        heard.until_code("no suffix")


def test_nobody_holds_a_code_under_it(server: socket.socket, heard: Heard) -> None:
    with server.accept()[0]:
        heard.until(lambda status: status.well)
        quick, deep = heard.adapter.self_test(deep=False), heard.adapter.self_test(deep=True)
        assert isinstance(quick, Ok) and "cannot be asked" in quick.value
        assert isinstance(deep, Err) and deep.error.fault is Fault.TIMEOUT


def test_what_is_held_under_it_is_no_code(server: socket.socket, heard: Heard) -> None:
    with server.accept()[0] as link:
        heard.until(lambda status: status.well)
        late = threading.Timer(0.1, link.sendall, (b"\xff\xff\r",))
        late.start()
        deep = heard.adapter.self_test(deep=True)
        late.join()
        assert isinstance(deep, Err) and deep.error.fault is Fault.GARBLED


def test_nobody_there(server: socket.socket) -> None:
    address = f"scanner://127.0.0.1:{server.getsockname()[1]}"
    server.close()
    one = Heard(address)
    try:
        lost = one.until(lambda status: status.state is not DeviceState.STARTING)
        assert (lost.state, lost.fault) == (DeviceState.OFFLINE, Fault.UNREACHABLE)
        failed = one.adapter.self_test(deep=False)
        assert isinstance(failed, Err) and failed.error.fault is Fault.UNREACHABLE
    finally:
        one.adapter.close()


def test_it_has_no_verbs_and_a_wedge_no_driver() -> None:
    refused = ScannerAdapter("scanner://127.0.0.1:9").handle("read", {}, b"")
    assert isinstance(refused, Err) and refused.error.fault is Fault.PROTOCOL
    for address in ("wedge:", "serial:/dev/null?model=unheard-of", "usb:1"):
        with pytest.raises(ValueError):
            ScannerAdapter(address)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.binary(max_size=300), st.sampled_from([b"\r", b"\xff" * 9000, b"\x00\r\n"])), max_size=6))
def test_any_bytes_on_the_line_leave_it_listening(server: socket.socket, pieces: list[bytes]) -> None:
    one = Heard(f"scanner://127.0.0.1:{server.getsockname()[1]}")
    try:
        with server.accept()[0] as link:
            for piece in pieces:
                link.sendall(piece)
            status = one.until(lambda status: status.state is not DeviceState.STARTING)
            assert status.fault in (None, Fault.GARBLED, Fault.PROTOCOL)
            if status.fault is not Fault.PROTOCOL:
                link.sendall(b"\r\nEND\r\n")
                deadline = time.monotonic() + 20
                while "END" not in codes(one.events) and one.adapter.status().fault is not Fault.PROTOCOL:
                    assert time.monotonic() < deadline, one.events[-3:]
                    time.sleep(0.005)
    finally:
        one.adapter.close()
