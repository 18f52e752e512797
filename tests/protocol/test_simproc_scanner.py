"""The simulated scanner itself, listened to without our driver: a serial port of pyserial."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import serial

from drivers.sim.scanner import NAME, CodeScannerSim

WITHIN_S = 10.0


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[CodeScannerSim]:
    scanner = CodeScannerSim(dir=tmp_path)
    yield scanner
    scanner.stop()


def listen(sim: CodeScannerSim, *, baud: int | None = None) -> serial.Serial:
    address = urlsplit(sim.start())
    told = int(parse_qs(address.query)["baud"][0])
    return serial.Serial(address.path, baud or told, timeout=WITHIN_S, exclusive=True)


def do(sim: CodeScannerSim, verb: str, **args: Any) -> dict[str, Any]:
    return sim.handle(verb, args, b"")[0]


@pytest.mark.parametrize(
    ("how", "bytes_"),
    [
        ({"text": "AB"}, b"AB\r"),
        ({"text": "AB", "ending": "crlf"}, b"AB\r\n"),
        ({"text": "AB", "ending": "lf", "aim": "]Q1"}, b"]Q1AB\n"),
        ({"text": "佛山", "encoding": "gb18030"}, "佛山".encode("gb18030") + b"\r"),
        ({"hex": "0041ff"}, b"\x00A\xff\r"),
        ({"text": "AB", "times": 3}, b"AB\rAB\rAB\r"),
        ({"text": "ABCDEF", "pace_ms": 2.0}, b"ABCDEF\r"),
        ({"text": "ABCDEF", "tear": 4}, b"ABCD"),
    ],
)
def test_it_says_what_is_held_under_it(sim: CodeScannerSim, how: dict[str, Any], bytes_: bytes) -> None:
    with listen(sim) as port:
        assert do(sim, "scan", **how)["sent"] == how.get("times", 1)
        assert port.read(len(bytes_)) == bytes_
        port.timeout = 0.1
        assert port.read(1) == b""


def test_it_answers_its_name_unless_it_is_mute(sim: CodeScannerSim) -> None:
    with listen(sim) as port:
        port.write(b"\x05")
        assert port.read_until(b"\r") == b"\x06" + NAME + b"\r"
        do(sim, "set", mute=True)
        port.timeout = 0.2
        port.write(b"\x05")
        assert port.read(1) == b""


def test_at_another_speed_there_is_only_noise(sim: CodeScannerSim) -> None:
    with listen(sim, baud=19200) as port:
        do(sim, "scan", text="FS1")
        heard = port.read_until(b"\r")
        assert len(heard) > 3 and b"FS1" not in heard
        do(sim, "set", baud=19200)
        do(sim, "scan", text="FS1")
        assert port.read_until(b"FS1\r").endswith(b"FS1\r")


def test_a_pulled_plug_ends_the_line_and_the_path(sim: CodeScannerSim, tmp_path: Path) -> None:
    with listen(sim) as port:
        do(sim, "set", plugged=False)
        with pytest.raises(serial.SerialException):
            port.read(1)
        assert not (tmp_path / "scanner").exists()
    do(sim, "set", plugged=True)
    with serial.Serial(str(tmp_path / "scanner"), 9600, timeout=WITHIN_S) as port:
        do(sim, "scan", text="back")
        assert port.read_until(b"\r") == b"back\r"


def test_what_lies_at_the_path_is_what_was_asked_for(sim: CodeScannerSim, tmp_path: Path) -> None:
    sim.start()
    path = tmp_path / "scanner"
    do(sim, "set", node="forbidden")
    with pytest.raises(OSError) as refused:
        os.open(path, os.O_RDWR)  # root included
    assert refused.value.errno in (errno.EACCES, errno.EROFS)
    do(sim, "set", node="taken")
    with pytest.raises(serial.SerialException):
        serial.Serial(str(path), 9600, exclusive=True)
    do(sim, "set", node="file")
    assert path.is_file()


def test_what_is_held_is_said_until_it_is_taken_away(sim: CodeScannerSim) -> None:
    with listen(sim) as port:
        assert do(sim, "hold", text="A", every_s=0.05)["held"]
        assert [port.read_until(b"\r") for _ in range(3)] == [b"A\r"] * 3
        assert not do(sim, "clear")["held"]
        port.reset_input_buffer()
        port.timeout = 0.2
        assert port.read(1) == b""
        do(sim, "hold", text="B", every_s=0.05, for_s=0.1)
        deadline = time.monotonic() + WITHIN_S
        while do(sim, "status")["held"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_nobody_listens_and_nothing_hangs(sim: CodeScannerSim) -> None:
    sim.start()
    for _ in range(3):
        do(sim, "scan", text="x" * 3000)


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("scan", {}),
        ("scan", {"text": "A", "ending": "tab"}),
        ("scan", {"text": "A", "times": 0}),
        ("scan", {"hex": "zz"}),
        ("hold", {"text": ""}),
        ("flood", {"seconds": 1000}),
        ("noise", {"kind": "loud"}),
        ("set", {"baud": 9601}),
        ("set", {"node": "socket"}),
        ("set", {"colour": "red"}),
        ("sing", {}),
    ],
)
def test_nonsense_is_refused(sim: CodeScannerSim, verb: str, args: dict[str, Any]) -> None:
    sim.start()
    with pytest.raises((ValueError, KeyError, TypeError)):
        do(sim, verb, **args)
