"""How a device is: by the terminal that serves, or by a driver process of our own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from drivers.host.greeter import FATAL
from drivers.host.host import DriverHost, Notice
from drivers.host.needs import NEEDS
from drivers.host.record_codec import dump_last_error, dump_self_test
from kiosk.app.addresses import wrong_address
from kiosk.app.device_desk import DeskError, DeviceDeskClient, Refusal
from kiosk.app.findings import Finding, Verdict
from kiosk.app.processes import own_command
from kiosk.app.technician import DEVICE_NAMES, device_advice, device_state
from kiosk.app.wiring import DRIVER_NAMES
from kiosk.core.devices import DeviceKind, DeviceRecord, DeviceState, DeviceStatus, Fault
from kiosk.core.faults import fault_entry, trouble_of
from kiosk.core.scanned_code import WEDGE

SETTLE_S = 8.0
"""From a cold start of the driver to the device's first answer."""
_SECOND_LOOK_S = 2.0
"""A first word that is no good one may be of a moment only: a camera that warms up, a reader just found."""
PRINTS = frozenset({DeviceKind.RECEIPT, DeviceKind.PAGE})
"""Their deep self-test costs paper."""

_NOTHING_THERE = (Fault.NO_CARD, Fault.NO_DOCUMENT)
"""A deep self-test wants something to be laid there; without it, it proves nothing and blames nobody."""

_SILENT = {
    Refusal.FORBIDDEN: "没有权限看：用 root 或服务用户运行。Not allowed to look: run it as the service's user.",
    Refusal.NONSENSE: "程序新旧版本混着运行：systemctl restart kiosk。Two versions of the program run: restart it.",
}
_HANGS = "界面进程没有应答：systemctl restart kiosk。The screen process does not answer: restart it."
_IN_SESSION = "有市民在办事，没有做深度自检：稍后再试。A citizen is served: the deep self-test waits; try later."
_WEDGE = "键盘口扫码器不会应答：在首页扫一张回执试试。It cannot be asked: scan a receipt on the home page to try it."


@dataclass(frozen=True, slots=True)
class Serving:
    """A terminal that serves, as its desk told it."""

    desk: DeviceDeskClient
    records: Mapping[DeviceKind, DeviceRecord]
    refused: Refusal | None = None
    """It serves and does not tell."""


def who_serves(desk: DeviceDeskClient) -> Serving | None:
    """The terminal at whose desk this client asks, or None where none serves."""
    try:
        return Serving(desk, desk.records())
    except DeskError as error:
        return None if error.why is Refusal.NOT_SERVING else Serving(desk, {}, error.why)


def judge_device(status: DeviceStatus) -> Verdict:
    """Supplies that are low are a warning; whatever is not known to be well is a fault."""
    if not status.well:
        return "fault"
    return "warn" if device_advice(status) else "ok"


def check_device(kind: DeviceKind, address: str, serving: Serving | None, *, deep: bool = False) -> Finding:
    """One device, after a deep self-test if wanted; never disturbs a citizen."""
    name = DEVICE_NAMES[kind]
    if wrong := wrong_address(kind, address):
        words = f"档案里的地址写错了。The address in the profile is wrong: {wrong}"
        return Finding(kind.value, name, "fault", "wrong address", words, detail={"address": _scheme(address)})
    if address == WEDGE:
        return Finding(kind.value, name, "warn", "types like a keyboard", _WEDGE, detail={"address": WEDGE})
    if serving is None:
        return found(ask(kind, address, deep=deep), asked="driver", deep=deep)
    try:
        record = _told(kind, serving, deep=deep)
    except DeskError as error:
        if error.why is not Refusal.IN_SESSION:
            words = _SILENT.get(error.why, _HANGS)
            return Finding(kind.value, name, "fault", "not told by the serving terminal", words)
        return found(serving.records[kind], asked="terminal", deep=False, refused=_IN_SESSION)
    return found(record, asked="terminal", deep=deep)


def _told(kind: DeviceKind, serving: Serving, *, deep: bool) -> DeviceRecord:
    record = serving.records.get(kind)
    if record is None:  # it hangs, or its profile is another one
        raise DeskError(serving.refused or Refusal.NO_SUCH_DEVICE)
    last = record.self_test
    # A quick one that failed, perhaps long ago, is tried again; but not one that the driver did not survive.
    again = last is not None and not (last.passed or last.deep or last.fault in FATAL)
    if deep or (again and record.status.well):
        serving.desk.self_test(kind, deep=deep)
        record = serving.desk.records().get(kind, record)
    return record


def found(record: DeviceRecord, *, asked: str, deep: bool, refused: str = "") -> Finding:
    """What a record means; `deep`: its self-test was asked for just now, and a failure of it is a fault."""
    status, test = record.status, record.self_test
    verdict, state = judge_device(status), device_state(status)
    trouble = trouble_of(status)
    if test is not None and not test.passed:
        state += f" · self-test failed: {(test.fault or Fault.HARDWARE).value.replace('_', ' ')}"
        if verdict != "fault":  # else the device itself says what is wrong
            trouble = test.fault or Fault.HARDWARE
            verdict = "fault" if deep and trouble not in _NOTHING_THERE else "warn"
    elif test is not None and deep:
        state += f" · self-test passed in {test.seconds:.1f} s"
    words = fault_entry(trouble, status.kind).technician if trouble else None
    advice = f"{words.zh}{words.en}" if words else ""
    if refused and verdict == "ok":
        verdict, advice = "warn", refused
    return Finding(
        status.kind.value,
        DEVICE_NAMES[status.kind],
        verdict,
        state,
        advice,
        detail={"asked": asked, **in_words(record), "advice": {"zh": words.zh, "en": words.en} if words else None},
    )


def in_words(record: DeviceRecord) -> dict[str, object]:
    """A record as `kiosk doctor --json` tells it; times UTC (ISO 8601), memory in bytes."""
    status, driver, error, test = record.status, record.driver, record.last_error, record.self_test
    return {
        "identity": status.identity,
        "state": status.state.value,
        "media": status.media.value,
        "supplies": {"paper": status.paper.value, "toner": status.toner.value},
        "fault": status.fault.value if status.fault else "",
        "detail": status.detail,
        "last_error": dump_last_error(error) if error else None,
        "self_test": dump_self_test(test) if test else None,
        "driver": {
            "pid": driver.pid,
            "version": driver.version,
            "restarts": driver.restarts,
            "resident_bytes": driver.resident_bytes,
            "capabilities": sorted(driver.capabilities),
        },
    }


def ask(
    kind: DeviceKind,
    address: str,
    *,
    deep: bool = False,
    within_s: float = SETTLE_S,
    clock: Callable[[], float] = time.monotonic,
) -> DeviceRecord:
    """What the device says through a driver process that ends with this call; STARTING if nothing came."""
    host = DriverHost(own_command("driver", DRIVER_NAMES[kind], "--address", address), kind, notice=_ignore)

    def wait(true: Callable[[], bool], seconds: float) -> None:
        until = clock() + seconds
        while not true() and clock() < until:
            time.sleep(0.02)

    try:
        host.start()
        wait(lambda: host.status().state is not DeviceState.STARTING, within_s)
        wait(lambda: host.status().well, _SECOND_LOOK_S)
        if host.status().state is DeviceState.ONLINE:  # then the host asks for a quick self-test by itself
            wait(lambda: host.record().self_test is not None, NEEDS[kind].quick_test_s)
        if deep:
            host.self_test(deep=True)
        return host.record()
    finally:
        host.stop()


def _ignore(_notice: Notice) -> None:
    """The status tells as much."""


def _scheme(address: str) -> str:
    """An address may hold a camera's password."""
    return urlsplit(address).scheme or "none"
