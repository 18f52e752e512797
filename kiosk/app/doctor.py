"""`kiosk doctor`: asks every part of a terminal how it is, and says in plain words what to do.

Devices are asked through real driver processes of the doctor's own, so that a broken one cannot harm the terminal
that is serving.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from kiosk.app.technician import DEVICE_NAMES, advice
from kiosk.app.wiring import DRIVER_NAMES, BundleSource, device_hosts, hall_client, queue_client
from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus
from kiosk.core.ports import Link
from kiosk.core.profile import DataLayout, Profile

Verdict = Literal["ok", "warn", "fault"]
_SETTLE_S = 8.0
_LOW_DISK = 200 * 1024 * 1024
_RENEW_DAYS = 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    part: str
    name: str
    verdict: Verdict
    state: str
    advice: str
    seconds: float
    detail: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def examine(profile: Profile, layout: DataLayout) -> list[Finding]:
    """Every part, in the order in which a technician would look."""
    findings = [_disk(layout), _identity(layout), _bundle(layout)]
    findings += _devices(profile)
    findings += [_queue(layout), _hall(profile, layout)]
    return findings


def judge_device(status: DeviceStatus) -> tuple[Verdict, str]:
    """Verdict and advice for a device's status."""
    if status.fault is not None:
        return "fault", advice(status.fault)
    if status.state is not DeviceState.ONLINE:
        return "fault", "状态未知：等一会儿再查。State unknown: try again in a moment."
    if not status.well:
        return "fault", "耗材状态未知或用完。Supplies are out or unknown."
    if "low" in (status.paper, status.toner):
        return "warn", "耗材将尽：准备补充。Supplies are low: bring some."
    return "ok", ""


def _devices(profile: Profile) -> list[Finding]:
    hosts = device_hosts(profile)
    try:
        for host in hosts.values():
            host.start()
        return [_device(kind, hosts, time.monotonic()) for kind in DRIVER_NAMES if kind in hosts]
    finally:
        for host in hosts.values():
            host.stop()


def _device(kind: DeviceKind, hosts: dict[DeviceKind, Any], began: float) -> Finding:
    host = hosts[kind]
    while (status := host.status()).state is DeviceState.STARTING and time.monotonic() - began < _SETTLE_S:
        time.sleep(0.05)
    verdict, words = judge_device(status)
    return Finding(
        kind.value,
        DEVICE_NAMES[kind],
        verdict,
        status.state.value,
        words,
        round(time.monotonic() - began, 2),
        {
            "identity": status.identity,
            "media": status.media.value,
            "paper": status.paper.value,
            "toner": status.toner.value,
            "fault": status.fault.value if status.fault else "",
            "detail": status.detail,
        },
    )


def _disk(layout: DataLayout) -> Finding:
    began = time.monotonic()
    root = Path(layout.root)
    if not root.is_dir():
        return _finding("disk", "数据盘 data disk", "fault", "absent", "数据目录不存在：先登记。No data: enrol first.", began)
    free = shutil.disk_usage(root).free
    words = "" if free > _LOW_DISK else "磁盘将满：清理日志。The disk is nearly full: clear logs."
    return _finding(
        "disk", "数据盘 data disk", "ok" if not words else "fault", f"{free >> 20} MiB free", words, began
    )


def _identity(layout: DataLayout) -> Finding:
    from provisioning.enrol import certificate_expiry

    began = time.monotonic()
    name = "终端身份 identity"
    try:
        expires = certificate_expiry(Path(layout.tls_certificate))
    except (OSError, ValueError):
        words = "还没有登记：provision enrol。Not enrolled yet."
        return _finding("identity", name, "fault", "absent", words, began)
    days = (expires - datetime.now(UTC)).days
    if days < 0:
        return _finding("identity", name, "fault", "expired", "证书过期：重新登记。Certificate expired: enrol.", began)
    verdict: Verdict = "ok" if days > _RENEW_DAYS else "warn"
    words = "" if verdict == "ok" else "证书快到期。The certificate expires soon."
    return _finding("identity", name, verdict, f"{days} days left", words, began)


def _bundle(layout: DataLayout) -> Finding:

    began = time.monotonic()
    try:
        loaded = BundleSource(layout)()
    except NotEnrolled:
        loaded = None
    if loaded is None:
        words = "没有事项目录：联网后自动下载。No catalogue: it comes by itself when the hall is reachable."
        return _finding("bundle", "事项目录 catalogue", "fault", "absent", words, began)
    return _finding("bundle", "事项目录 catalogue", "ok", f"number {loaded.number}", "", began)


def _queue(layout: DataLayout) -> Finding:
    began = time.monotonic()
    status = queue_client(layout).status()
    name = "离线队列 queue"
    if status.link is Link.UNKNOWN and not status.accepting:
        words = "上报进程没有应答：kiosk run 会启动它。The sync process does not answer; `kiosk run` starts it."
        return _finding("queue", name, "fault", "down", words, began)
    hours = status.oldest_unsent_s / 3600
    verdict: Verdict = "ok" if hours < 4 and not status.parked else "warn" if hours < 12 else "fault"
    words = "" if verdict == "ok" else "有办件未送达：检查网络，必要时用 U 盘导出。Unsent submissions: check the network."
    state = f"{status.pending} pending, {status.parked} parked, oldest {hours:.1f} h"
    return _finding("queue", name, verdict, state, words, began)


def _hall(profile: Profile, layout: DataLayout) -> Finding:
    began = time.monotonic()
    try:
        problem = hall_client(profile, layout).ping()
    except (OSError, ValueError):
        problem = "no identity"
    if problem:
        words = "连不上大厅：可照常受理，联网后自动上报。The hall is not reachable; filing goes on, sending waits."
        return _finding("hall", "大厅 hall", "warn", problem, words, began)
    return _finding("hall", "大厅 hall", "ok", "reachable", "", began)


def _finding(part: str, name: str, verdict: Verdict, state: str, words: str, began: float) -> Finding:
    return Finding(part, name, verdict, state, words, round(time.monotonic() - began, 2), {})
