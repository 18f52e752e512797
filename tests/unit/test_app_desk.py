"""The technician's desk: what it tells and refuses, and that nothing said to it, or by it, upsets the other side."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.app.device_check import who_serves
from kiosk.app.device_desk import (
    DeskError,
    DeskPatience,
    DeviceDesk,
    DeviceDeskClient,
    Refusal,
    someone_is_served,
)
from kiosk.contract.frames import FrameReader, encode_frame
from kiosk.core.devices import (
    DeviceKind,
    DeviceRecord,
    DeviceState,
    DeviceStatus,
    DriverProcess,
    Fault,
    LastError,
    Level,
    SelfTest,
)
from kiosk.core.profile import DataLayout
from kiosk.core.views import AttractView, HomeView, OutOfServiceView, Person, SearchView, View

AT = datetime(2026, 11, 22, 6, 26, tzinfo=UTC)
PATIENT = DeskPatience(status=20.0, self_test=20.0)


class Device:
    """A driver host as the desk sees it."""

    def __init__(self, kind: DeviceKind) -> None:
        self.tests: list[bool] = []
        self._kind = kind

    def record(self) -> DeviceRecord:
        return DeviceRecord(
            DeviceStatus(self._kind, DeviceState.ONLINE, paper=Level.LOW, identity="ESC/POS TM-1 1.2"),
            DriverProcess(4711, 1, frozenset({"print", "self_test"}), 2, 30_000_000),
            LastError(Fault.JAM, AT, "print", "wire"),
            self.self_test(deep=self.tests[-1]) if self.tests else None,
        )

    def self_test(self, *, deep: bool) -> SelfTest:
        self.tests.append(deep)
        return SelfTest(True, deep, 0.25, AT, detail="printed")


class Counter:
    """An open desk with two devices."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.devices = {kind: Device(kind) for kind in (DeviceKind.RECEIPT, DeviceKind.SITE_IO)}
        self.busy = False
        self.desk = DeviceDesk(path, self.devices, in_session=lambda: self.busy)
        self.client = DeviceDeskClient(path, patience=PATIENT)


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    made = Counter(tmp_path / "run" / "devices.sock")
    made.desk.open()
    yield made
    made.desk.close()


def refusal(ask: Callable[[], object]) -> Refusal:
    with pytest.raises(DeskError) as refused:
        ask()
    return refused.value.why


# --- what it tells -------------------------------------------------------------------------------------------------


def test_everything_that_is_known_arrives(counter: Counter) -> None:
    assert counter.client.records() == {kind: device.record() for kind, device in counter.devices.items()}
    assert counter.client.self_test(DeviceKind.RECEIPT, deep=True) == SelfTest(True, True, 0.25, AT, detail="printed")
    assert counter.devices[DeviceKind.RECEIPT].tests == [True]
    record = counter.client.records()[DeviceKind.RECEIPT]
    assert record.self_test is not None


def test_citizens_are_not_disturbed(counter: Counter) -> None:
    counter.busy = True
    assert refusal(lambda: counter.client.self_test(DeviceKind.RECEIPT, deep=True)) is Refusal.IN_SESSION
    assert counter.client.self_test(DeviceKind.RECEIPT, deep=False).passed
    assert counter.devices[DeviceKind.RECEIPT].tests == [False]


def test_a_device_that_this_terminal_has_not(counter: Counter) -> None:
    assert refusal(lambda: counter.client.self_test(DeviceKind.CAMERA, deep=True)) is Refusal.NO_SUCH_DEVICE


PERSON = Person("王*", "440699********0014")
PAGES: list[tuple[View, bool]] = [
    (AttractView(), False),
    (OutOfServiceView((), ""), False),
    (HomeView(()), False),
    (HomeView((), person=PERSON), True),
    (SearchView("社保", ()), True),
]


@pytest.mark.parametrize(("page", "served"), PAGES)
def test_who_only_looks_around_is_not_served(page: View, served: bool) -> None:
    assert someone_is_served(page) is served


# --- whether anybody serves ----------------------------------------------------------------------------------------


def test_the_desk_is_there_exactly_as_long_as_the_terminal_serves(tmp_path: Path) -> None:
    path = Path(DataLayout(tmp_path).desk_socket)
    client = DeviceDeskClient(path, patience=PATIENT)
    assert refusal(client.records) is Refusal.NOT_SERVING, "no data directory"
    desk = DeviceDesk(path, {})
    desk.open()
    assert client.records() == {}
    assert path.stat().st_mode & 0o777 == 0o600
    desk.close()
    assert refusal(client.records) is Refusal.NOT_SERVING
    assert who_serves(client) is None
    desk.close()


def test_a_terminal_that_was_killed_does_not_serve_and_its_successor_does(tmp_path: Path) -> None:
    path = tmp_path / "run" / "devices.sock"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
    client = DeviceDeskClient(path, patience=PATIENT)
    assert refusal(client.records) is Refusal.NOT_SERVING
    desk = DeviceDesk(path, {})
    desk.open()
    assert client.records() == {}
    desk.close()


def test_a_terminal_that_hangs_is_told_from_none(tmp_path: Path) -> None:
    path = tmp_path / "devices.sock"
    client = DeviceDeskClient(path, patience=DeskPatience(status=0.1, self_test=0.1))
    with socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(str(path))
        hanging.listen(0)
        assert refusal(client.records) is Refusal.HANGS
        assert refusal(lambda: client.self_test(DeviceKind.PAGE, deep=False)) is Refusal.HANGS, "nor takes calls"
        serving = who_serves(client)
        assert serving is not None
        assert (serving.records, serving.refused) == ({}, Refusal.HANGS)


def test_a_deep_data_directory_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / ("d" * 100) / ("e" * 100) / "devices.sock"
    desk = DeviceDesk(path, {})
    desk.open()
    assert DeviceDeskClient(path, patience=PATIENT).records() == {}
    desk.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_strangers_are_hung_up_on_even_where_the_socket_lets_them_in() -> None:
    with tempfile.TemporaryDirectory(prefix="cw-") as name:
        path = Path(name) / "devices.sock"
        desk = DeviceDesk(path, {})
        desk.open()
        Path(name).chmod(0o755)
        ask = (
            "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
            "s.sendall(bytes.fromhex(sys.argv[2])); print(s.recv(99))"
        )
        command = ["/usr/bin/env", "python3", "-c", ask, str(path), encode_frame({"ask": "status"}).hex()]
        told: dict[int, str] = {}
        for user, mode in ((0, 0o600), (65534, 0o666), (65534, 0o600)):
            path.chmod(mode)
            done = subprocess.run(command, user=user, capture_output=True, text=True, check=False, timeout=20)
            told[user * 1000 + mode] = done.stdout + done.stderr.rpartition("\n")[0].rpartition("\n")[2]
        desk.close()
    assert "records" in told[0o600]
    assert "records" not in told[65534000 + 0o666]
    assert told[65534000 + 0o600].startswith("PermissionError")


# --- fuzz ----------------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
QUESTION = st.fixed_dictionaries(
    {},
    optional={
        "ask": st.sampled_from(["status", "self_test", "records", ""]) | JSON,
        "kind": st.sampled_from([*DeviceKind, "toaster"]) | JSON,
        "deep": st.booleans() | JSON,
    },
)
FRAMES = QUESTION.filter(lambda head: "\ud800" not in str(head)).map(encode_frame)
BYTES = FRAMES | st.binary(max_size=40) | st.sampled_from([b"\0\0\x80\0\0\0\0\0" + b"[" * 0x8000, b"\xff" * 9])


@contextmanager
def open_desk() -> Iterator[Counter]:
    with tempfile.TemporaryDirectory(prefix="cw-") as name:
        counter = Counter(Path(name) / "devices.sock")
        counter.desk.open()
        try:
            yield counter
        finally:
            counter.desk.close()


@pytest.fixture(scope="module")
def standing() -> Iterator[Counter]:
    """A desk that stays open while it is told nonsense."""
    with open_desk() as counter:
        yield counter


@settings(deadline=None)
@given(said=st.lists(BYTES, max_size=4))
def test_nothing_said_at_the_desk_upsets_it(standing: Counter, said: list[bytes]) -> None:
    unhandled: list[object] = []
    before, threading.excepthook = threading.excepthook, unhandled.append
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(standing.path))
            try:
                client.sendall(b"".join(said))
                client.shutdown(socket.SHUT_WR)
                heard = _until_end(client)
            except (BrokenPipeError, ConnectionResetError):
                heard = b""  # it hung up on nonsense
        for frame in FrameReader().feed(heard):
            assert len(frame.head) == 1
            assert set(frame.head) < {"records", "self_test", "refused"}
        assert set(standing.client.records()) == set(standing.devices)
    finally:
        threading.excepthook = before
    assert unhandled == []


def _until_end(client: socket.socket) -> bytes:
    heard = b""
    while piece := client.recv(65536):
        heard += piece
    return heard


ANSWER = st.fixed_dictionaries(
    {},
    optional={"records": JSON | st.lists(JSON, max_size=2), "self_test": JSON, "refused": JSON | st.just("in_session")},
)


@settings(deadline=None)
@given(answer=ANSWER.map(encode_frame) | st.binary(max_size=40), deep=st.booleans())
def test_nothing_said_by_the_desk_upsets_who_asks(answer: bytes, deep: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="cw-") as name, socket.socket(socket.AF_UNIX) as listener:
        path = Path(name) / "devices.sock"
        listener.bind(str(path))
        listener.listen()
        server = threading.Thread(target=_answer_once, args=(listener, answer))
        server.start()
        client = DeviceDeskClient(path, patience=PATIENT)
        try:
            if deep:
                client.self_test(DeviceKind.RECEIPT, deep=True)
            else:
                client.records()
        except DeskError as error:
            assert error.why in Refusal
        finally:
            server.join()


def _answer_once(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(answer)


def test_many_who_say_nothing_do_not_keep_the_desk_closed(counter: Counter) -> None:
    silent = [socket.socket(socket.AF_UNIX) for _ in range(10)]
    for client in silent:
        client.connect(str(counter.path))
    assert counter.client.records()
    began = time.monotonic()
    counter.desk.close()
    assert time.monotonic() - began < 20
    for client in silent:
        client.close()
