"""The whole simulated-hardware process: up in one go, down in one go, nothing left behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from drivers.host.host import DriverHost
from drivers.host.proxies import DocumentCameraProxy
from drivers.sim.__main__ import parse
from drivers.sim.bench import DEVICES, PREFIXES
from drivers.sim.control import HardwareClient, HardwareError
from drivers.sim.documents import SampleDocument
from kiosk.core.devices import DeviceKind
from kiosk.core.result import Ok

LONG_S = 30.0


@contextlib.contextmanager
def hardware(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "drivers.sim", "--dir", str(folder), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield process, json.loads(line)
    finally:
        process.terminate()
        process.communicate(timeout=LONG_S)


def children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_gone(pid: int) -> None:
    deadline = time.monotonic() + LONG_S
    while alive(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


def test_all_devices_of_a_terminal(tmp_path: Path) -> None:
    with hardware(tmp_path / "bench") as (process, addresses):
        assert set(addresses) == {*map(str, DEVICES), "control"}
        assert addresses["id_card"].startswith("pcsc:")
        for name, scheme in (("receipt", "tcp"), ("page", "ipp"), ("camera", "http")):
            parts = urlsplit(addresses[name])
            assert parts.scheme == scheme and parts.hostname == "127.0.0.1"
            socket.create_connection((parts.hostname, parts.port or 0), timeout=5).close()
        with HardwareClient(Path(addresses["control"])) as client:
            status, _ = client.do("status")
            assert set(status) == {PREFIXES[kind] for kind in DEVICES}
            with pytest.raises(HardwareError):
                client.do("kettle.boil")
        helpers = [pid for child in children(process.pid) for pid in (child, *children(child))]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=LONG_S)
        assert (process.returncode, out, err) == (0, "", "")
        assert not Path(addresses["control"]).exists()
        for pid in helpers:
            wait_gone(pid)


def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    starter = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-m', 'drivers.sim', '--dir', sys.argv[1], '--only', 'camera'],\n"
        "                     stdout=subprocess.PIPE)\n"
        "p.stdout.readline(); print(p.pid, flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", starter, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
        wait_gone(pid)


def test_ctrl_c_ends_it_in_order(tmp_path: Path) -> None:
    with hardware(tmp_path, "--only", "camera") as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=LONG_S) == 0


def test_some_devices_on_chosen_ports(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with hardware(tmp_path, "--only", "camera", "--camera-port", str(port)) as (_, addresses):
        assert set(addresses) == {"camera", "control"}
        assert urlsplit(addresses["camera"]).port == port


def test_a_start_that_fails_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "drivers.sim", "--dir", str(tmp_path), "--only", "camera", "--camera-port", port],
            capture_output=True,
            text=True,
            timeout=LONG_S,
        )
    assert done.returncode == 1 and done.stdout == "" and "Address already in use" in done.stderr


@pytest.mark.parametrize("options", [[], ["--dir", "x", "--only", "kettle"], ["--dir", "x", "--camera-port", "many"]])
def test_bad_options(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(options)
    assert ended.value.code == 2 and "usage" in capsys.readouterr().err


def test_options() -> None:
    plan = parse(["--dir", "there", "--only", "page, camera", "--page-port", "6310"])
    assert plan.dir == Path("there")
    assert plan.devices == (DeviceKind.PAGE, DeviceKind.CAMERA)
    assert plan.ports[DeviceKind.PAGE] == 6310 and plan.ports[DeviceKind.CAMERA] == 0


def test_put_a_document_and_capture_it_as_the_street_does(tmp_path: Path) -> None:
    """`python -m drivers.sim` at one end, `python -m drivers.camera` at the other."""
    with hardware(tmp_path, "--only", "camera") as (_, addresses), HardwareClient(Path(addresses["control"])) as hand:
        host = DriverHost(
            [sys.executable, "-m", "drivers.camera", "--address", addresses["camera"]],
            DeviceKind.CAMERA,
            notice=lambda _notice: None,
        )
        host.start()
        try:
            assert hand.do("camera.put", document=SampleDocument.FORM.value, angle=-2)[0]["document"] is True
            deadline = time.monotonic() + LONG_S
            while not host.status().well:
                assert time.monotonic() < deadline, host.status()
                time.sleep(0.02)
            shot = DocumentCameraProxy(host).capture()
            assert isinstance(shot, Ok)
            assert (shot.value.width, shot.value.height, shot.value.advice) == (1654, 2339, "ok")
            pid = host.pid
        finally:
            host.stop()
        assert pid is not None and not os.path.exists(f"/proc/{pid}")  # noqa: PTH110
