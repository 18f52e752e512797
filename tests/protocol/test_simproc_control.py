"""The control socket of simulated hardware, over real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.sim.control import ControlServer, HardwareClient, HardwareError, Reply, route
from kiosk.contract.frames import PREFIX, FrameReader, encode_frame


class Drawer:
    """The simplest device: keeps what is put into it."""

    def __init__(self) -> None:
        self.content = b""
        self.inside = 0
        self.most_inside = 0

    def start(self) -> str:
        return "drawer:"

    def stop(self) -> None:
        self.content = b""

    def handle(self, verb: str, args: dict[str, Any], tail: bytes) -> Reply:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            match verb:
                case "put":
                    self.content = tail
                    return {"size": len(tail), **args}, b""
                case "take":
                    return {}, self.content
                case "status":
                    return {"size": len(self.content)}, b""
                case "break":
                    raise {"value": ValueError, "key": KeyError, "type": TypeError, "os": OSError}[args["how"]](
                        "told to"
                    )
                case _:
                    raise ValueError("unknown verb")
        finally:
            self.inside -= 1


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


@pytest.fixture
def path(tmp_path: Path, drawer: Drawer) -> Iterator[Path]:
    server = ControlServer(tmp_path / "control.sock", route({"drawer": drawer, "other": Drawer()}))
    server.start()
    yield tmp_path / "control.sock"
    server.stop()


def test_a_verb_its_arguments_and_its_tail_arrive(path: Path) -> None:
    big = bytes(range(256)) * 4096
    with HardwareClient(path) as client:
        assert client.do("drawer.put", big, label="抽屉") == ({"size": len(big), "label": "抽屉"}, b"")
        assert client.do("drawer.take") == ({}, big)
        assert client.do("other.take") == ({}, b"")
        assert client.do("status") == ({"drawer": {"size": len(big)}, "other": {"size": 0}}, b"")


@pytest.mark.parametrize("verb", ["", "drawer", "window.open", "drawer.", "drawer.jump", ".put", "put.drawer"])
def test_unknown_verbs_are_refused_and_the_line_stays_up(path: Path, verb: str) -> None:
    with HardwareClient(path) as client:
        with pytest.raises(HardwareError):
            client.do(verb)
        assert client.do("drawer.status")[0] == {"size": 0}


@pytest.mark.parametrize("how", ["value", "key", "type", "os", "no such way"])
def test_a_refusal_says_why(path: Path, how: str) -> None:
    with HardwareClient(path) as client, pytest.raises(HardwareError, match=r"drawer\.break"):
        client.do("drawer.break", how=how)


def test_a_request_without_a_verb_is_refused(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(path))
        line.sendall(encode_frame({"to do": 1}) + encode_frame({"do": 7}) + encode_frame({"do": "drawer.status"}))
        reader, frames = FrameReader(), []
        while len(frames) < 3:
            frames += reader.feed(line.recv(4096))
        assert [frame.head["ok"] for frame in frames] == [False, False, True]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.one_of(st.binary(min_size=9, max_size=200), st.builds(lambda b: PREFIX.pack(len(b), 0) + b, st.binary())))
def test_nonsense_ends_only_its_own_line(path: Path, raw: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as line, HardwareClient(path) as client:
        line.settimeout(10)
        line.connect(str(path))
        line.sendall(raw)
        line.shutdown(socket.SHUT_WR)
        while line.recv(4096):
            pass
        assert client.do("drawer.status")[0] == {"size": 0}


def test_many_hands_take_turns_at_one_device(path: Path, drawer: Drawer) -> None:
    failures: list[BaseException] = []

    def hand(number: int) -> None:
        try:
            with HardwareClient(path) as client:
                for turn in range(20):
                    assert client.do("drawer.put", bytes(turn), hand=number)[0]["hand"] == number
        except BaseException as error:
            failures.append(error)

    hands = [threading.Thread(target=hand, args=(number,)) for number in range(6)]
    for thread in hands:
        thread.start()
    for thread in hands:
        thread.join()
    assert not failures and drawer.most_inside == 1


def test_nobody_there_and_there_again(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    client = HardwareClient(path)
    with pytest.raises(HardwareError):
        client.do("status")
    for _ in range(2):
        server = ControlServer(path, route({"drawer": Drawer()}))
        server.start()
        assert client.do("drawer.status")[0] == {"size": 0}
        server.stop()
        server.stop()
        with pytest.raises(HardwareError):
            client.do("status")
    client.close()


def test_the_socket_is_for_us_alone(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
