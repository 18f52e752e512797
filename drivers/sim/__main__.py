"""``python -m drivers.sim --dir DIR``: simulated hardware of one terminal until SIGTERM.

Prints one JSON line when every device is ready: its address by device kind, and the control socket.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from drivers.sim.bench import DEVICES, Bench, BenchPlan
from kiosk.core.devices import DeviceKind

_PR_SET_PDEATHSIG = 1
_WITH_PORT = (DeviceKind.RECEIPT, DeviceKind.PAGE, DeviceKind.CAMERA)


def parse(argv: Sequence[str] | None = None) -> BenchPlan:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m drivers.sim", description="simulated hardware of one terminal")
    parser.add_argument("--dir", type=Path, required=True, help="where papers, sockets and state go")
    parser.add_argument("--only", type=_kinds, default=DEVICES, metavar="camera,receipt,…", help="simulate only these")
    for kind in _WITH_PORT:
        parser.add_argument(f"--{kind.value}-port", type=int, default=0, metavar="PORT", help="0: any free port")
    options = parser.parse_args(argv)
    ports = {kind: getattr(options, f"{kind.value}_port") for kind in _WITH_PORT}
    return BenchPlan(dir=options.dir, devices=options.only, ports=ports)


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to stop."""
    plan = parse(argv)
    told_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: told_to_stop.set())
    _end_with_parent()
    plan.dir.mkdir(parents=True, exist_ok=True)
    bench = Bench(plan)
    try:
        addresses = bench.start()
        sys.stdout.write(json.dumps(addresses) + "\n")
        sys.stdout.flush()
        told_to_stop.wait()
    finally:
        bench.stop()
    return 0


def _kinds(text: str) -> tuple[DeviceKind, ...]:
    return tuple(DeviceKind(name.strip()) for name in text.split(","))


def _end_with_parent() -> None:
    """SIGTERM when the thread that started us ends (prctl(2)), so that a killed street leaves no orphans."""
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getppid()
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:  # it ended in between: nobody will send the signal
        with contextlib.suppress(ProcessLookupError):
            os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
