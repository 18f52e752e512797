"""`kiosk doctor`: asks every part of a terminal how it is, all at once, and says in plain words what to do.

The devices of a terminal that serves are asked for at its desk (`kiosk.app.device_desk`); those of one that does not,
through real driver processes of the doctor's own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import assert_never

from kiosk.app.device_check import check_device, who_serves
from kiosk.app.device_desk import DeviceDeskClient
from kiosk.app.findings import Finding, Verdict
from kiosk.app.technician import REVOKED_THERE, hall_advice, is_unknown_there
from kiosk.app.wiring import BundleSource
from kiosk.contract.enrolment import EnrolResponse
from kiosk.contract.problems import ProblemCode
from kiosk.core.devices import DeviceKind
from kiosk.core.ports import Link, QueueStatus, StoreFault
from kiosk.core.result import Err
from offline_queue.client import ClientDelays, QueueClient
from offline_queue.disk.space import SpaceLimits
from offline_queue.hall_client import CallLimits, HallClient
from offline_queue.keys.identity import NotEnrolled, load_identity
from offline_queue.keys.renewal_keys import floor_of
from offline_queue.keys.trust_clock import ClockState, clock_state, is_dead
from provisioning.profile import Machine

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """When the doctor frowns, and how long it waits."""

    low_disk: int = 200 * _MIB
    """Bytes; well before `SpaceLimits.floor`, where the terminal refuses new work."""
    few_inodes: int = 2000
    renew_days: int = 25
    """Certificates renew themselves with a third of their life (30 days) left; days later nobody still hopes."""
    notice_h: float = 4
    warning_h: float = 8
    breach_h: float = 12
    """Promise P53: within 12 hours at the hall."""
    queue_s: float = 2.0
    """The queue process may just be coming back."""
    hall: CallLimits = field(default_factory=lambda: CallLimits(connect_s=3.0, call_s=5.0))


_ENROL = "还没有登记：kiosk provision enrol。Not enrolled: kiosk provision enrol."
_NOT_ALLOWED = "没有权限看：用 root 或服务用户运行。Not allowed to look: run it as root or as the service's user."


def examine(
    machine: Machine, *, limits: Limits | None = None, deep: Collection[DeviceKind] = frozenset()
) -> list[Finding]:
    """Every part, in the order in which a technician would look; devices in `deep` after a deep self-test (自检)."""
    limits = limits or Limits()
    addresses = {kind: machine.profile.devices.of(kind) for kind in DeviceKind}
    serving = who_serves(DeviceDeskClient(Path(machine.layout.desk_socket)))
    checks: tuple[Callable[[], Finding], ...] = (
        partial(_disk, machine, limits),
        partial(_identity, machine, limits),
        partial(_bundle, machine),
        *(
            partial(check_device, kind, address, serving, deep=kind in deep)
            for kind, address in addresses.items()
            if address
        ),
        _fonts,
        partial(_queue, machine, limits),
        partial(_clock, machine, limits),
        partial(_hall, machine, limits),
    )
    with ThreadPoolExecutor(len(checks), thread_name_prefix="doctor") as pool:
        return list(pool.map(_timed, checks))


def _timed(check: Callable[[], Finding]) -> Finding:
    began = time.monotonic()
    finding = check()
    return replace(finding, seconds=round(time.monotonic() - began, 2))


def judge_disk(*, free: int, inodes: int | None, read_only: bool, limits: Limits) -> Finding:
    """`free` in bytes; `inodes` None where the file system does not count them."""
    part, name, state = "disk", "数据盘 data disk", f"{_size(free)} free"
    if read_only:
        words = "磁盘变成只读，多半是坏了：换盘。The disk has become read-only and is probably failing: replace it."
        return Finding(part, name, "fault", "read-only", words)
    if free < SpaceLimits().floor:
        words = "磁盘满了，已停止受理：清理日志。The disk is full and nothing more is accepted: clear logs."
        return Finding(part, name, "fault", state, words)
    if free < limits.low_disk:
        return Finding(part, name, "fault", state, "磁盘将满：清理日志。The disk is nearly full: clear logs.")
    if inodes is not None and inodes < limits.few_inodes:
        words = "小文件太多：清理日志和临时文件。Too many small files: clear logs and temporary files."
        return Finding(part, name, "fault", f"{inodes} files may be made", words)
    return Finding(part, name, "ok", state)


def _disk(machine: Machine, limits: Limits) -> Finding:
    try:
        seen = os.statvfs(machine.data)
    except OSError:
        return Finding("disk", "数据盘 data disk", "fault", "no data directory", _ENROL)
    return judge_disk(
        free=seen.f_bavail * seen.f_frsize,
        inodes=seen.f_favail if seen.f_files else None,
        read_only=bool(seen.f_flag & os.ST_RDONLY),
        limits=limits,
    )


def _size(count: int) -> str:
    return f"{count / 1024**3:.1f} GiB" if count >= 10 * 1024 * _MIB else f"{count // _MIB} MiB"


def judge_identity(enrolled: EnrolResponse, *, terminal_id: str, now: datetime, limits: Limits) -> Finding:
    """Is it ours, and for how long?"""
    part, name = "identity", "终端身份 identity"
    if enrolled.terminal_id != terminal_id:
        words = "身份是另一台终端的：核对档案里的 terminal_id。It belongs to another terminal: check terminal_id."
        return Finding(part, name, "fault", enrolled.terminal_id, words)
    days = (enrolled.expires_at - now).days
    state = f"{enrolled.terminal_id} · {days} days left"
    if is_dead(now):
        words = "先校时，才能看证书。Set the clock first; the certificate cannot be judged before."
        return Finding(part, name, "warn", enrolled.terminal_id, words)
    if enrolled.expires_at <= now:
        words = "证书过期，或本机时间不对：核对后重新登记。Expired, or the clock is wrong: check it, then enrol again."
        return Finding(part, name, "fault", f"{enrolled.terminal_id} · expired", words)
    if days < limits.renew_days:
        words = (
            "证书没能自动续期：检查网络和大厅。It should have renewed itself by now: check the network and the hall."
        )
        return Finding(part, name, "warn", state, words)
    return Finding(part, name, "ok", state)


def _identity(machine: Machine, limits: Limits) -> Finding:
    try:
        load_identity(machine.data)
        enrolled = EnrolResponse.model_validate_json(Path(machine.layout.terminal_json).read_bytes())
    except NotEnrolled as error:
        return Finding("identity", "终端身份 identity", "fault", str(error), _ENROL)
    except OSError:
        return Finding("identity", "终端身份 identity", "fault", "unreadable", _NOT_ALLOWED)
    return judge_identity(enrolled, terminal_id=machine.profile.terminal_id, now=datetime.now(UTC), limits=limits)


def _bundle(machine: Machine) -> Finding:
    part, name = "bundle", "事项目录 catalogue"
    try:
        loaded = BundleSource(machine)()
    except NotEnrolled:
        return Finding(part, name, "fault", "absent", _ENROL)
    except OSError:
        return Finding(part, name, "fault", "unreadable", _NOT_ALLOWED)
    if loaded is None:
        words = (
            "没有可信的事项目录：联网后自动下载。No catalogue that can be trusted: it comes by itself with the network."
        )
        return Finding(part, name, "fault", "absent", words)
    return Finding(part, name, "ok", f"number {loaded.number} · {len(loaded.items)} items")


def _fonts() -> Finding:
    from drivers.receipt.fonts import candidates  # with Pillow and fontTools

    part, name = "fonts", "字库 fonts"
    files = [file.path for bold in (False, True) for file in candidates(bold=bold)]
    missing = {path.name for path in files} - {path.name for path in files if path.is_file()}
    if any(font.startswith("Noto") for font in missing):
        words = "缺常用字库：apt install fonts-noto-cjk。The main font is missing."
        return Finding(part, name, "fault", "no Noto Sans CJK", words)
    if missing:
        words = "生僻字会缺：apt install fonts-babelstone-han fonts-hanazono。Rare characters in names cannot be drawn."
        return Finding(part, name, "warn", f"without {', '.join(sorted(missing))}", words)
    return Finding(part, name, "ok", "all characters of GB 18030-2022")


def judge_queue(status: QueueStatus, limits: Limits) -> Finding:
    """The queue in numbers."""
    part, name = "queue", "离线队列 queue"
    hours = status.oldest_unsent_s / 3600
    state = f"{status.pending} waiting, {status.parked} parked"
    state += f", {status.returned} back for correction 待补正" if status.returned else ""
    state += f", oldest {hours:.1f} h" if status.pending else ""
    if queue_is_down(status):
        words = "上报进程没有应答：kiosk run 会启动它。The sync process does not answer: `kiosk run` starts it."
        return Finding(part, name, "fault", "down", words)
    if status.last_error == ProblemCode.REVOKED:
        return Finding(part, name, "fault", state, REVOKED_THERE)
    if not status.accepting:
        words = "存不下新的办件，已停止受理：先清磁盘。It takes no new submissions: look at the disk first."
        return Finding(part, name, "fault", state, words)
    if hours >= limits.breach_h:
        words = (
            "有办件超过 12 小时没送达：用 U 盘导出送到大厅（kiosk queue export），今天修好网络。"
            "Unsent for over 12 hours: carry it by stick (kiosk queue export), mend the network today."
        )
        return Finding(part, name, "fault", state, words)
    if status.parked:
        words = "有办件被大厅退回，要人看。The hall refused some: a person must look at them."
        return Finding(part, name, "warn", state, words)
    if hours >= limits.warning_h:
        words = (
            "有办件超过 8 小时没送达：尽快修网络，或用 U 盘导出（kiosk queue export）。"
            "Unsent for over 8 hours: mend the network, or carry it by stick (kiosk queue export)."
        )
        return Finding(part, name, "warn", state, words)
    if hours >= limits.notice_h:
        return Finding(part, name, "warn", state, "有办件久未送达：检查网络。Unsent for hours: check the network.")
    return Finding(part, name, "ok", state)


def queue_is_down(status: QueueStatus) -> bool:
    """The queue process did not answer at all."""
    return status.link is Link.UNKNOWN and not status.accepting and status.last_error == StoreFault.STORE_DOWN


def _queue(machine: Machine, limits: Limits) -> Finding:
    client = QueueClient(Path(machine.layout.queue_socket), delays=ClientDelays(status_s=limits.queue_s))
    until = time.monotonic() + limits.queue_s
    while queue_is_down(status := client.status()) and time.monotonic() < until:
        time.sleep(0.1)
    return judge_queue(status, limits)


def judge_clock(now: datetime, *, floor: datetime, skew_s: int | None) -> Finding:
    """`floor`: it cannot be earlier; `skew_s`: seconds by which the clock is behind the hall's, None: not known."""
    part, name = "clock", "时钟 clock"
    match clock_state(now, floor=floor, skew_s=skew_s):
        case ClockState.DEAD:
            words = (
                "本机时间早于软件日期：换主板电池并校时。The clock is before this software: change the battery, set it."
            )
            return Finding(part, name, "fault", f"{now:%Y-%m-%d}", words)
        case ClockState.SLOW | ClockState.FAST:
            words = "本机时间和大厅不一致：校时；办件时间以大厅为准。Set the clock; the hall's time counts for filings."
            return Finding(part, name, "warn", _skew_words(skew_s or 0), words)
        case ClockState.UNCHECKED:
            return Finding(part, name, "ok", "not compared with the hall yet")
        case ClockState.GOOD:
            return Finding(part, name, "ok", "as the hall's")
        case other:
            assert_never(other)


def _skew_words(skew_s: int) -> str:
    size = abs(skew_s)
    shown = f"{size} s" if size < 3600 else f"{size / 3600:.1f} h" if size < 86400 else f"{size / 86400:.1f} days"
    return f"{shown} {'behind' if skew_s > 0 else 'ahead of'} the hall"


def _clock(machine: Machine, limits: Limits) -> Finding:
    client = QueueClient(Path(machine.layout.queue_socket), delays=ClientDelays(status_s=limits.queue_s))
    return judge_clock(datetime.now(UTC), floor=floor_of(machine.data), skew_s=client.status().clock_skew_s)


def _hall(machine: Machine, limits: Limits) -> Finding:
    part, name = "hall", "大厅 hall"
    try:
        client = HallClient(base_url=machine.profile.hall.url, identity=load_identity(machine.data), limits=limits.hall)
    except NotEnrolled:
        return Finding(part, name, "fault", "no identity", _ENROL)
    except OSError:
        return Finding(part, name, "fault", "no identity", _NOT_ALLOWED)
    try:
        answer = client.manifest()
    finally:
        client.close()
    if isinstance(answer, Err):
        # Without the hall a terminal goes on serving; with one that does not know it, waiting helps nobody.
        verdict: Verdict = "fault" if is_unknown_there(answer.error) else "warn"
        return Finding(part, name, verdict, answer.error.name, hall_advice(answer.error))
    return Finding(part, name, "ok", "reachable")
