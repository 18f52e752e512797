"""A simulated I/O board: a Modbus RTU slave on a pty or a loopback port, with hands at its sensors."""

from __future__ import annotations

import select
import socket
import threading
import time
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import quote

from drivers.sim.modbus_slave import COILS, DISCRETES, HOLDINGS, Memory, Slave, SlaveFault
from drivers.sim.serial_ports import Plugging, Port, PtyPort, TcpPort
from drivers.site_io.board import DEFAULT_BOARD, Board, find_board
from kiosk.core.devices import LampState, SiteInputs

Reply = tuple[dict[str, Any], bytes]
MODEL = "KIOSK-IO SIM"
FIRMWARE = 120
_SILENCE_S = 0.05
_BABBLE_S = 0.01
_CALM = SiteInputs(False, False, False, False, False, 100)
_FIELDS = tuple(item.name for item in fields(SiteInputs))
_TABLES = {"coil": COILS, "discrete": DISCRETES, "holding": HOLDINGS}


class SiteIoSim:
    """A cabinet's board.

    Verbs: `set` (fields of SiteInputs by name), `lamps` (what is lit), `fault` (`name` of SlaveFault or empty, `code`
    of an exception, `delay_s` before every answer), `unplug`, `plug` (`how`: Plugging), `power_cut` (the
    board forgets its lamps), `status`.
    """

    def __init__(
        self,
        *,
        dir: Path,  # noqa: A002 - the simulators' common word
        board: str = DEFAULT_BOARD,
        unit: int = 1,
        tcp: bool = False,
    ) -> None:
        self._board = find_board(board)
        self._unit = unit
        self._lock = threading.Lock()
        self._inputs = _CALM
        self._memory = Memory()
        self._slave = Slave(unit, self._memory)
        self._delay_s = 0.0
        self._port: Port = TcpPort() if tcp else PtyPort(dir / "board.tty")
        self._wake_read, self._wake_write = socket.socketpair()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._dark()
        self._feel()

    def start(self) -> str:
        """Plug it in; the address for a terminal's profile."""
        place = self._port.plug()
        self._thread = threading.Thread(target=self._run, name="site-io-sim", daemon=True)
        self._thread.start()
        return f"modbus:{quote(place, safe='/:')}?unit={self._unit}&board={self._board.name}"

    def stop(self) -> None:
        """End the thread, close the port."""
        self._stopping = True
        self._wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._port.unplug()
        self._wake_read.close()
        self._wake_write.close()

    def handle(self, verb: str, args: dict[str, Any], tail: bytes) -> Reply:
        """One verb; ValueError, KeyError or TypeError when it makes no sense."""
        with self._lock:
            match verb:
                case "set":
                    self._set(args)
                case "lamps":
                    return {"lamps": self._lamps()}, b""
                case "fault":
                    self._break(args)
                case "unplug":
                    self._port.unplug()
                case "plug":
                    self._port.plug(Plugging(args.get("how", Plugging.FREE)))
                case "power_cut":
                    self._dark()
                case "status":
                    pass
                case _:
                    raise ValueError(f"no verb {verb!r}")
            self._wake()
            return self._describe(), b""

    # --- verbs ---------------------------------------------------------------------------------------------------

    def _set(self, args: dict[str, Any]) -> None:
        unknown = set(args) - set(_FIELDS)
        if unknown or not args:
            raise ValueError(f"inputs are {', '.join(_FIELDS)}")
        for name, value in args.items():
            wanted = int if name == "battery_percent" else bool
            if type(value) is not wanted:
                raise TypeError(f"{name} is {wanted.__name__}")
        now = {name: getattr(self._inputs, name) for name in _FIELDS} | args
        self._inputs = SiteInputs(**now)
        self._feel()

    def _break(self, args: dict[str, Any]) -> None:
        unknown = set(args) - {"name", "code", "delay_s"}
        if unknown:
            raise ValueError(f"a fault has name, code, delay_s; not {', '.join(sorted(unknown))}")
        self._slave.fault = SlaveFault(args["name"]) if args.get("name") else None
        self._slave.exception = int(args.get("code", self._slave.exception))
        self._delay_s = float(args.get("delay_s", 0.0))

    def _describe(self) -> dict[str, Any]:
        return {
            "inputs": {name: getattr(self._inputs, name) for name in _FIELDS},
            "lamps": self._lamps(),
            "fault": self._slave.fault.value if self._slave.fault else "",
            "delay_s": self._delay_s,
            "plugged": self._port.plugged,
            "questions": self._slave.questions,
        }

    def _lamps(self) -> dict[str, str]:
        states = {}
        for lamp, point in self._board.lamps.items():
            value = self._memory.tables[_TABLES[point.point.table]][point.point.address]
            lit = LampState.BLINK if point.blink == value and value else LampState.ON if value else LampState.OFF
            states[lamp.value] = lit.value
        return states

    # --- the board's memory --------------------------------------------------------------------------------------

    def _dark(self) -> None:
        for point in self._board.lamps.values():
            self._memory.tables[_TABLES[point.point.table]][point.point.address] = 0

    def _feel(self) -> None:
        for name, sensor in self._board.sensors.items():
            closed = bool(getattr(self._inputs, name)) != sensor.inverted
            self._memory.tables[_TABLES[sensor.point.table]][sensor.point.address] = int(closed)
        holdings = self._memory.tables[HOLDINGS]
        if self._board.battery is not None and self._inputs.battery_percent is not None:
            holdings[self._board.battery.address] = self._inputs.battery_percent
        holdings |= _identity(self._board)

    # --- the line ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            with self._lock:
                watched: list[Any] = [self._wake_read, *self._port.numbers()]
                babble = self._slave.babble()
                self._port.send(babble)
            try:
                ready, _, _ = select.select(watched, [], [], _BABBLE_S if babble else _SILENCE_S)
            except OSError:  # unplugged since we looked
                continue
            if self._wake_read in ready:
                self._wake_read.recv(4096)
            if not ready:
                self._slave.silence()
            with self._lock:
                answer = self._slave.feed(self._port.receive(ready))
                delay_s = self._delay_s
            if answer:
                time.sleep(delay_s)
                with self._lock:
                    self._port.send(answer)

    def _wake(self) -> None:
        self._wake_write.send(b"\0")


def _identity(board: Board) -> dict[int, int]:
    registers: dict[int, int] = {}
    if board.text is not None:
        first, count = board.text
        raw = MODEL.encode("ascii").ljust(2 * count, b"\0")
        registers |= {first + at: int.from_bytes(raw[2 * at : 2 * at + 2], "big") for at in range(count)}
    if board.firmware is not None:
        registers[board.firmware] = FIRMWARE
    return registers
