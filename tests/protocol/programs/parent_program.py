"""A host process for tests: prints its worker's pid and waits to be killed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from drivers.host.host import DriverHost
from kiosk.core.devices import DeviceKind, DeviceState

host = DriverHost(sys.argv[1:], DeviceKind.ID_CARD, notice=lambda _notice: None)
host.start()
while host.status().state is not DeviceState.ONLINE:
    time.sleep(0.01)
sys.stdout.write(f"{host.pid}\n")
sys.stdout.flush()
if host.call("sleep", {"s": 60.0}, deadline_s=60):
    sys.exit(1)
