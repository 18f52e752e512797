"""`kiosk doctor`: asks every part of a terminal how it is, and says in plain words what to do.

Devices are asked through real driver processes of the doctor's own, so that a broken one cannot harm the terminal
that is serving.
"""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kiosk.app.findings import Finding, Verdict
from kiosk.app.technician import DEVICE_NAMES, advice
from kiosk.app.wiring import DRIVER_NAMES, BundleSource, device_hosts
from kiosk.contract.enrolment import EnrolResponse
from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus
from kiosk.core.profile import Profile
from kiosk.core.result import Ok
from offline_queue.client import QueueClient
from offline_queue.hall_client import HallClient
from offline_queue.identity import NotEnrolled, load_identity
from provisioning.profile import Machine

_SETTLE_S = 8.0
_LOW_DISK = 200 * 1024 * 1024
_RENEW_DAYS = 30
_NOTICE_H = 4
_BREACH_H = 12
"""Promise P53: within 12 hours at the hall."""


def examine(machine: Machine) -> list[Finding]:
    """Every part, in the order in which a technician would look."""
    findings = [_disk(machine), _identity(machine), _bundle(machine)]
    findings += _devices(machine.profile)
    findings += [_queue(machine), _hall(machine)]
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


def _disk(machine: Machine) -> Finding:
    began, name = time.monotonic(), "数据盘 data disk"
    if not machine.data.is_dir():
        return _finding("disk", name, "fault", "absent", "数据目录不存在：先登记。No data: enrol first.", began)
    free = shutil.disk_usage(machine.data).free
    if free < _LOW_DISK:
        words = "磁盘将满：清理日志。The disk is nearly full: clear logs."
        return _finding("disk", name, "fault", f"{free >> 20} MiB free", words, began)
    return _finding("disk", name, "ok", f"{free >> 20} MiB free", "", began)


def _identity(machine: Machine) -> Finding:
    began, name = time.monotonic(), "终端身份 identity"
    try:
        load_identity(machine.data)
        enrolled = EnrolResponse.model_validate_json(Path(machine.layout.terminal_json).read_bytes())
    except NotEnrolled:
        return _finding("identity", name, "fault", "absent", "还没有登记：provision enrol。Not enrolled yet.", began)
    days = (enrolled.expires_at - datetime.now(UTC)).days
    if days < 0:
        return _finding("identity", name, "fault", "expired", "证书过期：重新登记。Expired: enrol again.", began)
    if days < _RENEW_DAYS:
        return _finding("identity", name, "warn", f"{days} days left", "证书快到期。It expires soon.", began)
    return _finding("identity", name, "ok", f"{days} days left", "", began)


def _bundle(machine: Machine) -> Finding:
    began, name = time.monotonic(), "事项目录 catalogue"
    try:
        loaded = BundleSource(machine)()
    except NotEnrolled:
        loaded = None
    if loaded is None:
        words = "没有事项目录：联网后自动下载。No catalogue: it comes by itself when the hall is reachable."
        return _finding("bundle", name, "fault", "absent", words, began)
    return _finding("bundle", name, "ok", f"number {loaded.number}", "", began)


def _queue(machine: Machine) -> Finding:
    began, name = time.monotonic(), "离线队列 queue"
    client = QueueClient(Path(machine.layout.queue_socket))
    if not isinstance(client.entries(), Ok):
        words = "上报进程没有应答：kiosk run 会启动它。The sync process does not answer; `kiosk run` starts it."
        return _finding("queue", name, "fault", "down", words, began)
    status = client.status()
    hours = status.oldest_unsent_s / 3600
    state = f"{status.pending} pending, {status.parked} parked, oldest {hours:.1f} h"
    if not status.accepting:
        return _finding("queue", name, "fault", state, "存储将满，暂停受理。The store is nearly full.", began)
    if hours >= _NOTICE_H or status.parked:
        words = "有办件未送达：检查网络，必要时用 U 盘导出。Unsent submissions: check the network."
        return _finding("queue", name, "fault" if hours >= _BREACH_H else "warn", state, words, began)
    return _finding("queue", name, "ok", state, "", began)


def _hall(machine: Machine) -> Finding:
    began, name = time.monotonic(), "大厅 hall"
    try:
        client = HallClient(base_url=machine.profile.hall.url, identity=load_identity(machine.data))
    except NotEnrolled:
        return _finding("hall", name, "fault", "no identity", "还没有登记。Not enrolled yet.", began)
    try:
        reachable = isinstance(client.manifest(), Ok)
    finally:
        client.close()
    if not reachable:
        words = "连不上大厅：可照常受理，联网后自动上报。The hall is not reachable; filing goes on, sending waits."
        return _finding("hall", name, "warn", "unreachable", words, began)
    return _finding("hall", name, "ok", "reachable", "", began)


def _finding(part: str, name: str, verdict: Verdict, state: str, words: str, began: float) -> Finding:
    return Finding(part, name, verdict, state, words, round(time.monotonic() - began, 2), {})
