"""The I/O board through its process: our simulated board, and pymodbus as the independent slave and master."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymodbus import FramerType
from pymodbus.client import ModbusSerialClient, ModbusTcpClient

from drivers.host.proxies import SiteIoProxy
from drivers.sim.fault_scripts import FOLDER, FaultScript, read_scripts
from drivers.sim.modbus_slave import SlaveFault
from drivers.sim.site_io import SiteIoSim
from kiosk.core.devices import (
    DeviceKind,
    DeviceState,
    Fault,
    Lamp,
    LampState,
    SiteChanged,
    SiteInputs,
    StatusChanged,
)
from kiosk.core.result import Err, Ok

SCRIPTS = read_scripts((FOLDER / "site_io.toml").read_text(encoding="utf-8"), group="site_io")
CALM = SiteInputs(False, False, False, False, False, 100)
DARK = dict.fromkeys((lamp.value for lamp in Lamp), "off")
UNIT = 7
PATIENCE_S = 20.0


def wait_until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends, "did not happen in time"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def make_board(make_rig: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    def make(**how: Any) -> Any:
        sim = SiteIoSim(dir=tmp_path_factory.mktemp("site"), **how)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(Path(__file__).parents[2])
            return make_rig(sim, DeviceKind.SITE_IO, "drivers.site_io")

    return make


@pytest.fixture(scope="module")
def board(make_board: Callable[..., Any]) -> Any:
    return make_board()


@pytest.fixture(autouse=True)
def calm(request: pytest.FixtureRequest) -> None:
    if "board" in request.fixturenames:
        rig = request.getfixturevalue("board")
        rig.do("fault")
        rig.do("set", **{name: getattr(CALM, name) for name in CALM.__slots__})
        rig.well()
        for lamp in Lamp:
            assert SiteIoProxy(rig.host).light(lamp, LampState.OFF) == Ok(None)


def told(rig: Any, after: int = 0) -> list[SiteInputs]:
    return [event.inputs for event in rig.events[after:] if isinstance(event, SiteChanged)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.id)
def test_fault_script(board: Any, script: FaultScript) -> None:
    board.play(script)


def test_there_are_enough_scripts() -> None:
    assert len(SCRIPTS) >= 10


def test_it_names_itself(board: Any) -> None:
    assert board.host.status().identity.endswith(", KIOSK-IO SIM firmware 1.20")
    assert board.host.status().identity.startswith("cabinet at /")


@pytest.mark.parametrize("name", ["cabinet_open", "person_near", "slip_waiting", "page_waiting", "on_battery"])
def test_every_sensor_is_felt_once(board: Any, name: str) -> None:
    known = len(board.events)
    board.do("set", **{name: True})
    board.wait_event(lambda event: isinstance(event, SiteChanged) and getattr(event.inputs, name), after=known)
    board.do("set", **{name: False})
    board.wait_event(lambda event: event == SiteChanged(CALM), after=known)
    assert [getattr(inputs, name) for inputs in told(board, known)] == [True, False]


def test_a_door_that_only_bounces_is_not_told(board: Any) -> None:
    known = len(board.events)
    for opened in (True, False) * 4:
        board.do("set", cabinet_open=opened)
    board.do("set", battery_percent=77)
    board.wait_event(lambda event: isinstance(event, SiteChanged) and event.inputs.battery_percent == 77, after=known)
    assert not any(inputs.cabinet_open for inputs in told(board, known))


def test_only_changes_are_told(board: Any) -> None:
    before = board.do("status")["questions"]
    wait_until(lambda: board.do("status")["questions"] > before + 20)
    statuses = [event.status for event in board.events if isinstance(event, StatusChanged)]
    assert all(one != other for one, other in itertools.pairwise(statuses))


@pytest.mark.parametrize("lamp", Lamp)
@pytest.mark.parametrize("state", LampState)
def test_lamps_are_as_they_are_switched(board: Any, lamp: Lamp, state: LampState) -> None:
    assert SiteIoProxy(board.host).light(lamp, state) == Ok(None)
    assert board.do("lamps")["lamps"] == DARK | {lamp.value: state.value}


def test_lamps_come_back_with_the_board(board: Any) -> None:
    proxy = SiteIoProxy(board.host)
    assert proxy.light(Lamp.STATUS, LampState.ON) == Ok(None)
    board.do("unplug")
    board.wait_status(lambda status: status.fault is Fault.UNREACHABLE)
    assert proxy.inputs() == SiteInputs(), "nothing is known of a board that is gone"
    refused = proxy.light(Lamp.CARD, LampState.BLINK)
    assert isinstance(refused, Err) and refused.error.fault is Fault.UNREACHABLE
    board.do("power_cut")
    known = len(board.events)
    board.do("plug")
    board.well()
    board.wait_event(lambda event: event == SiteChanged(CALM), after=known)
    assert proxy.inputs() == CALM
    assert board.do("lamps")["lamps"] == DARK | {"status": "on", "card": "blink"}


def test_a_power_cut_that_nobody_noticed_is_made_good(board: Any) -> None:
    assert SiteIoProxy(board.host).light(Lamp.CAMERA, LampState.ON) == Ok(None)
    known = len(board.events)
    board.do("power_cut")
    wait_until(lambda: board.do("lamps")["lamps"]["camera"] == "on")
    assert not any(isinstance(event, StatusChanged) for event in board.events[known:])


def test_a_lamp_that_does_not_obey_is_named(board: Any) -> None:
    board.do("fault", name="stuck")
    assert SiteIoProxy(board.host).light(Lamp.PAGE, LampState.ON) == Ok(None), "the board confirmed it"
    status = board.wait_status(lambda status: status.fault is Fault.HARDWARE)
    assert status.state is DeviceState.ONLINE and status.detail == "lamp page is not as it was switched"
    board.do("fault")
    board.well()
    assert board.do("lamps")["lamps"] == DARK | {"page": "on"}


@pytest.mark.parametrize("fault", [SlaveFault.NOISE, SlaveFault.BUSY_ONCE])
def test_what_a_good_master_lives_with(board: Any, fault: SlaveFault) -> None:
    known = len(board.events)
    board.do("fault", name=fault.value)
    before = board.do("status")["questions"]
    wait_until(lambda: board.do("status")["questions"] > before + 10)
    assert SiteIoProxy(board.host).light(Lamp.CARD, LampState.ON) == Ok(None)
    assert board.events[known:] == []


def test_self_tests(board: Any) -> None:
    proxy = SiteIoProxy(board.host)
    assert proxy.light(Lamp.RECEIPT, LampState.BLINK) == Ok(None)
    quick, deep = board.host.self_test(deep=False), board.host.self_test(deep=True)
    assert quick.passed and quick.seconds < 2 and "a round in" in quick.detail
    assert deep.passed and deep.detail.endswith("5 lamps proven")
    assert board.do("lamps")["lamps"] == DARK | {"receipt": "blink"}
    board.do("fault", name="mute")
    assert board.host.self_test(deep=False).fault is Fault.TIMEOUT


@pytest.mark.parametrize("args", [{}, {"lamp": "disco", "state": "on"}, {"lamp": "card", "state": "dim"}, {"lamp": 1}])
def test_senseless_commands_are_refused(board: Any, args: dict[str, Any]) -> None:
    outcome = board.host.call("light", args, deadline_s=5.0)
    assert isinstance(outcome, Err) and outcome.error.fault is Fault.PROTOCOL
    assert board.host.call("open_sesame", deadline_s=5.0).error.fault is Fault.PROTOCOL


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("dance", {}),
        ("set", {}),
        ("set", {"warmth": True}),
        ("set", {"cabinet_open": 1}),
        ("set", {"battery_percent": True}),
        ("fault", {"name": "gravity"}),
        ("fault", {"colour": "red"}),
        ("plug", {"how": "gently"}),
    ],
)
def test_senseless_verbs_are_refused(board: Any, verb: str, args: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        board.do(verb, **args)
    assert board.do("status")["plugged"]


def test_the_driver_dies_and_the_next_one_makes_it_dark(make_board: Callable[..., Any]) -> None:
    rig = make_board()
    assert SiteIoProxy(rig.host).light(Lamp.CARD, LampState.ON) == Ok(None)
    known = len(rig.events)
    os.kill(rig.host.pid, signal.SIGKILL)
    rig.wait_event(lambda event: event == SiteChanged(CALM), after=known)
    assert rig.do("lamps")["lamps"] == DARK


def test_all_goes_dark_when_the_terminal_ends(make_board: Callable[..., Any]) -> None:
    rig = make_board()
    for lamp in Lamp:
        assert SiteIoProxy(rig.host).light(lamp, LampState.ON) == Ok(None)
    rig.host.stop()
    assert rig.do("lamps")["lamps"] == DARK


def test_a_relay_board_behind_a_serial_server(make_board: Callable[..., Any]) -> None:
    """Over TCP, with another address, lamps that the driver must blink, and a door contact that is closed when shut."""
    rig = make_board(board="relay8", unit=9, tcp=True)
    rig.well()
    proxy = SiteIoProxy(rig.host)
    assert proxy.light(Lamp.CARD, LampState.BLINK) == Ok(None)
    assert proxy.light(Lamp.STATUS, LampState.ON) == Ok(None)
    seen: list[str] = []
    wait_until(lambda: seen.append(rig.do("lamps")["lamps"]["card"]) or {"on", "off"} == set(seen))
    wait_until(lambda: rig.do("lamps")["lamps"]["card"] == "on")
    assert rig.do("lamps")["lamps"]["status"] == "on"
    rig.do("set", cabinet_open=True)
    rig.wait_status(lambda status: status.fault is Fault.CABINET_OPEN)
    rig.do("unplug")
    rig.wait_status(lambda status: status.fault is Fault.UNREACHABLE)
    rig.do("set", cabinet_open=False)
    rig.do("plug")
    rig.well()


# --- others' Modbus ----------------------------------------------------------------------------------------------


class Foreign:
    """pymodbus' slave in its own process."""

    def __init__(self, folder: Path) -> None:
        program = Path(__file__).parent / "programs" / "modbus_slave_program.py"
        self._process = subprocess.Popen(
            [sys.executable, str(program), str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.places = self._hear()

    def ask(self, **order: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def stop(self) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(10)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    slave = Foreign(tmp_path_factory.mktemp("foreign"))
    yield slave
    slave.stop()


class At:
    """A device that is there already."""

    def __init__(self, address: str) -> None:
        self._address = address

    def start(self) -> str:
        return self._address

    def handle(self, verb: str, args: dict[str, Any], tail: bytes) -> tuple[dict[str, Any], bytes]:
        raise ValueError("not ours")

    def stop(self) -> None:
        """Not ours."""


@pytest.mark.parametrize("on", ["serial", "tcp"])
@pytest.mark.parametrize("kind", ["cabinet", "relay8"])
def test_the_driver_speaks_with_pymodbus(make_rig: Callable[..., Any], foreign: Foreign, on: str, kind: str) -> None:
    place = foreign.places["serial"] if on == "serial" else f"//127.0.0.1:{foreign.places['tcp']}"
    shut = kind == "relay8"
    foreign.ask(on=on, set=[2, 0, [shut, False, False, False, False]])
    rig = make_rig(At(f"modbus:{place}?unit={UNIT}&board={kind}"), DeviceKind.SITE_IO, "drivers.site_io")
    rig.well()
    proxy = SiteIoProxy(rig.host)
    assert proxy.light(Lamp.CARD, LampState.ON) == Ok(None)
    assert proxy.light(Lamp.STATUS, LampState.BLINK if kind == "cabinet" else LampState.ON) == Ok(None)
    if kind == "cabinet":
        assert foreign.ask(on=on, get=[3, 16, 5]) == [1, 0, 0, 0, 2]
    else:
        assert foreign.ask(on=on, get=[1, 0, 5]) == [True, False, False, False, True]
    foreign.ask(on=on, set=[2, 0, [not shut, True, False, True, False]])
    wanted = SiteInputs(True, True, False, True, False, 100 if kind == "cabinet" else None)
    rig.wait_event(lambda event: event == SiteChanged(wanted))
    assert rig.host.status().fault is Fault.CABINET_OPEN
    deep = rig.host.self_test(deep=True)
    assert deep.passed, deep
    rig.host.stop()
    lamps = foreign.ask(on=on, get=[3, 16, 5] if kind == "cabinet" else [1, 0, 5])
    assert not any(lamps)


def test_pymodbus_falls_silent_and_comes_back(make_rig: Callable[..., Any], foreign: Foreign) -> None:
    foreign.ask(set=[2, 0, [False] * 5])
    rig = make_rig(At(f"modbus:{foreign.places['serial']}?unit={UNIT}"), DeviceKind.SITE_IO, "drivers.site_io")
    rig.well()
    foreign.ask(mute=True)
    rig.wait_status(lambda status: status.fault is Fault.TIMEOUT)
    refused = SiteIoProxy(rig.host).light(Lamp.CARD, LampState.ON)
    assert isinstance(refused, Err) and refused.error.fault is Fault.TIMEOUT
    foreign.ask(mute=False)
    rig.well()
    assert foreign.ask(get=[3, 16, 1]) == [1]
    rig.host.stop()


def test_pymodbus_does_not_know_this_board(make_rig: Callable[..., Any], foreign: Foreign) -> None:
    """Nobody has unit 8: it is told at once, and lamps cannot be switched."""
    rig = make_rig(At(f"modbus:{foreign.places['serial']}?unit=8"), DeviceKind.SITE_IO, "drivers.site_io")
    status = rig.wait_status(lambda status: status.fault is not None)
    assert status.fault in (Fault.TIMEOUT, Fault.PROTOCOL)
    refused = SiteIoProxy(rig.host).light(Lamp.CARD, LampState.ON)
    assert isinstance(refused, Err) and refused.error.fault in (Fault.TIMEOUT, Fault.PROTOCOL)
    rig.host.stop()


@pytest.mark.parametrize("tcp", [False, True])
def test_pymodbus_reads_our_simulated_board(tmp_path: Path, tcp: bool) -> None:
    sim = SiteIoSim(dir=tmp_path, unit=UNIT, tcp=tcp)
    address = sim.start()
    client: Any
    if tcp:
        client = ModbusTcpClient("127.0.0.1", port=int(address.split(":")[2].split("?")[0]), framer=FramerType.RTU)
    else:
        client = ModbusSerialClient(str(tmp_path / "board.tty"), baudrate=9600)
    try:
        assert client.connect()
        sim.handle("set", {"person_near": True, "battery_percent": 42}, b"")
        assert client.read_discrete_inputs(0, count=5, device_id=UNIT).bits[:5] == [False, True, False, False, False]
        assert client.read_holding_registers(0, count=1, device_id=UNIT).registers == [42]
        assert not client.write_registers(16, [1, 0, 2], device_id=UNIT).isError()
        assert not client.write_register(20, 1, device_id=UNIT).isError()
        lamps = {"card": "on", "receipt": "off", "page": "blink", "camera": "off", "status": "on"}
        assert sim.handle("lamps", {}, b"")[0]["lamps"] == lamps
        assert client.read_coils(0, count=1, device_id=UNIT).exception_code == 2
    finally:
        client.close()
        sim.stop()


def test_commands_that_meet_a_breaking_line_never_use_a_closed_one(make_board: Callable[..., Any]) -> None:
    """A command ends the contact while the polling thread waits for its turn."""
    rig = make_board()
    proxy = SiteIoProxy(rig.host)
    for _ in range(6):
        rig.well()
        known = len(rig.events)
        rig.do("fault", name="mute")
        outcomes = [proxy.light(Lamp.CARD, state) for state in (LampState.ON, LampState.OFF)]
        assert all(isinstance(outcome, Err) and outcome.error.fault is Fault.TIMEOUT for outcome in outcomes), outcomes
        rig.do("fault")
        rig.well()
        faults = {event.status.fault for event in rig.events[known:] if isinstance(event, StatusChanged)}
        assert faults == {Fault.TIMEOUT, None}
