"""A driver process for tests of the host: a real worker whose device does what its verb says."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from drivers.host.adapter import Args, Emit, Reply
from drivers.host.worker import main
from kiosk.core.devices import (
    CardPresented,
    DeviceError,
    DeviceKind,
    DeviceState,
    DeviceStatus,
    Fault,
    MediaState,
    StatusChanged,
)
from kiosk.core.result import Err, Ok, Result


class ObedientAdapter:
    """`address` is `fd-free` text: nothing, or how to fail at start."""

    kind = DeviceKind.ID_CARD
    identity = "obedient"
    capabilities = frozenset(
        {
            "read",
            "echo",
            "refuse",
            "sleep",
            "hold_gil",
            "crash",
            "crash_thread",
            "garbage",
            "close_link",
            "emit",
            "dull",
        }
    )

    def __init__(self, address: str) -> None:
        if address == "die":
            sys.exit(3)
        if address == "mute":
            time.sleep(60)
        self.kind = DeviceKind.CAMERA if address == "other-kind" else DeviceKind.ID_CARD

    def open(self, emit: Emit) -> None:
        self._emit = emit

    def status(self) -> DeviceStatus:
        return DeviceStatus(self.kind, DeviceState.ONLINE, MediaState.ABSENT)

    def close(self) -> None:
        sys.stderr.write("closed in order\n")

    def self_test(self, *, deep: bool) -> Result[str, DeviceError]:
        return Err(DeviceError(Fault.NO_CARD, "nothing to read")) if deep else Ok("obedient 1.0")

    def handle(self, verb: str, args: Args, blob: bytes) -> Result[Reply, DeviceError]:
        match verb:
            case "echo":
                return Ok(Reply(args, blob))
            case "refuse":
                return Err(DeviceError(Fault.NO_CARD, "nothing there"))
            case "sleep":
                self._emit(CardPresented())  # begun
                time.sleep(args["s"])
            case "hold_gil":
                ctypes.PyDLL(None).usleep(int(args["s"] * 1e6))  # PyDLL keeps the interpreter's lock
            case "crash":
                raise ValueError(args["secret"])
            case "crash_thread":
                threading.Thread(target=int, args=("no number",)).start()
                time.sleep(60)
            case "garbage":
                os.write(_fd(), blob)
                time.sleep(60)
            case "close_link":
                os.close(_fd())
                time.sleep(60)
            case "emit":
                self._emit(CardPresented())
                self._emit(StatusChanged(DeviceStatus(self.kind, DeviceState.ONLINE, MediaState.PRESENT)))
        return Ok(Reply())


def _fd() -> int:
    return int(sys.argv[sys.argv.index("--fd") + 1])


if __name__ == "__main__":
    main(ObedientAdapter)
