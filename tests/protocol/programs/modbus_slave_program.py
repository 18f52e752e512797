"""An I/O board by other people: pymodbus as RTU slave on a pty, and the same over TCP as a serial server shows it.

Arguments: a folder for the port's name. Says its two places as one JSON line; then takes one JSON object a line,
``{"set": [function, address, [values]]}`` or ``{"get": [function, address, count]}``, each with ``"on"`` `serial` or
`tcp`, and answers with the values. ``{"mute": true}`` keeps the serial one silent. Ends with its standard input.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import sys
import threading
import tty
from pathlib import Path
from typing import Any

from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

UNIT = 7


def device() -> SimDevice:
    """Points of boards.toml: `cabinet` and `relay8` both fit."""
    coils = [SimData(0, values=[False] * 8, datatype=DataType.BITS)]
    discretes = [SimData(0, values=[False] * 8, datatype=DataType.BITS)]
    holdings = [
        SimData(0, values=[100], datatype=DataType.REGISTERS),
        SimData(16, values=[0] * 5, datatype=DataType.REGISTERS),
    ]
    inputs = [SimData(0, values=[0], datatype=DataType.REGISTERS)]
    return SimDevice(UNIT, (coils, discretes, holdings, inputs))


def patched_wire(folder: Path) -> tuple[str, str]:
    """Two ptys whose far ends are joined: what is written to one comes out of the other."""
    names, ours = [], []
    for name in ("board.tty", "slave.tty"):
        master, slave = os.openpty()
        tty.setraw(master)
        tty.setraw(slave)
        (folder / name).symlink_to(os.ttyname(slave))
        names.append(str(folder / name))
        ours.append(master)
    for source, target in (ours, reversed(ours)):
        threading.Thread(target=pump, args=(source, target), daemon=True).start()
    return names[0], names[1]


def pump(source: int, target: int) -> None:
    while data := os.read(source, 256):
        os.write(target, data)


def say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def main(folder: Path) -> None:
    mute = False

    def hush(sending: bool, data: bytes) -> bytes:
        return b"" if sending and mute else data

    theirs, own = patched_wire(folder)
    serial = ModbusSerialServer(device(), port=own, baudrate=9600, trace_packet=hush)
    network = ModbusTcpServer(device(), framer=FramerType.RTU, address=("127.0.0.1", 0))
    servers: dict[str, Any] = {"serial": serial, "tcp": network}
    for server in servers.values():
        await server.serve_forever(background=True)
    port = network.transport.sockets[0].getsockname()[1]
    say({"serial": theirs, "tcp": port})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        server = servers[order.get("on", "serial")]
        mute = order.get("mute", mute)
        answer: Any = None
        if "set" in order:
            function, address, values = order["set"]
            await server.async_setValues(UNIT, function, address, values)
        if "get" in order:
            function, address, count = order["get"]
            answer = await server.async_getValues(UNIT, function, address, count)
        say(answer)
    for server in servers.values():
        await server.shutdown()


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    asyncio.run(main(Path(sys.argv[1])))
