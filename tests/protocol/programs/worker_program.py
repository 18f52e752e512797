"""A driver process for tests of the host: a real worker whose device does what its verb says."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

import drivers.host.worker
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
        {"read", "echo", "refuse", "sleep", "hold_gil", "crash", "crash_thread", "garbage", "close_link", "emit"}
        | {"swallow", "grab", "shout", "status"}
    )

    def __init__(self, address: str) -> None:
        self._mode, _, rest = address.partition(":")
        match self._mode:
            case "die":
                sys.exit(3)
            case "die-times":  # of lives before this one, a file keeps count
                count = Path(rest)
                lives = len(count.read_bytes()) if count.exists() else 0
                count.write_bytes(b"x" * (lives + 1))
                if lives < 3:
                    sys.exit(3)
            case "mute":
                time.sleep(60)
            case "senseless":
                raise ValueError("address: secret")
            case "other-version":
                drivers.host.worker.VERSION = 99
            case "unable":
                self.capabilities = frozenset()
            case "other-kind":
                self.kind = DeviceKind.CAMERA

    def open(self, emit: Emit) -> None:
        self._emit = emit

    def status(self) -> DeviceStatus:
        return DeviceStatus(self.kind, DeviceState.ONLINE, MediaState.ABSENT)

    def close(self) -> None:
        sys.stderr.write("closed in order\n")

    def self_test(self, *, deep: bool) -> Result[str, DeviceError]:
        if self._mode == "endless-test":
            time.sleep(60)
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
            case "swallow":
                held = []
                while True:
                    held.append(bytearray(os.urandom(1)) * 2**22)
                    time.sleep(0.02)
            case "grab":
                bytearray(2**40)
            case "shout":
                for number in range(args["lines"]):
                    sys.stderr.write(f"{number} " + "x" * args["width"] + "\n")
                sys.stderr.flush()
            case "status":
                self._emit(StatusChanged(DeviceStatus(self.kind, DeviceState(args["state"]))))
            case "emit":
                self._emit(CardPresented())
                self._emit(StatusChanged(DeviceStatus(self.kind, DeviceState.ONLINE, MediaState.PRESENT)))
        return Ok(Reply())


def _fd() -> int:
    return int(sys.argv[sys.argv.index("--fd") + 1])


if __name__ == "__main__":
    main(ObedientAdapter)
