"""How a device is: by the terminal that serves, or by a driver process of our own."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from drivers.host.host import DriverHost, Notice
from kiosk.app.addresses import wrong_address
from kiosk.app.findings import Finding, Verdict
from kiosk.app.health import Serving
from kiosk.app.processes import own_command
from kiosk.app.technician import DEVICE_NAMES, device_advice, device_state
from kiosk.app.wiring import DRIVER_NAMES
from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus

SETTLE_S = 8.0
"""From a cold start of the driver to the device's first answer."""


def judge_device(status: DeviceStatus) -> Verdict:
    """Supplies that are low are a warning; whatever is not known to be well is a fault."""
    if not status.well:
        return "fault"
    return "warn" if device_advice(status) else "ok"


def check_device(kind: DeviceKind, address: str, serving: Serving | None) -> Finding:
    """One device; never disturbs a terminal that serves."""
    name = DEVICE_NAMES[kind]
    if wrong := wrong_address(kind, address):
        words = f"档案里的地址写错了。The address in the profile is wrong: {wrong}"
        return Finding(kind.value, name, "fault", "wrong address", words, detail={"address": _scheme(address)})
    if serving is None:
        status = ask(kind, address)
    elif serving.fresh and kind in serving.devices:
        status = serving.devices[kind]
    else:
        words = "界面进程没有应答：systemctl restart kiosk。The screen process does not answer: restart it."
        return Finding(kind.value, name, "fault", "not told by the serving terminal", words)
    return Finding(
        kind.value,
        name,
        judge_device(status),
        device_state(status),
        device_advice(status),
        detail={
            "asked": "driver" if serving is None else "terminal",
            "identity": status.identity,
            "media": status.media.value,
            "paper": status.paper.value,
            "toner": status.toner.value,
            "fault": status.fault.value if status.fault else "",
            "detail": status.detail,
        },
    )


def ask(
    kind: DeviceKind, address: str, *, within_s: float = SETTLE_S, clock: Callable[[], float] = time.monotonic
) -> DeviceStatus:
    """The device's first word, through a driver process that ends with this call; STARTING if none came."""
    host = DriverHost(own_command("driver", DRIVER_NAMES[kind], "--address", address), kind, notice=_ignore)
    until = clock() + within_s
    try:
        host.start()
        while (status := host.status()).state is DeviceState.STARTING and clock() < until:
            time.sleep(0.02)
        return status
    finally:
        host.stop()


def _ignore(_notice: Notice) -> None:
    """The status tells as much."""


def _scheme(address: str) -> str:
    """An address may hold a camera's password."""
    return urlsplit(address).scheme or "none"
