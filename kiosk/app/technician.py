"""What a technician is told: what it is, and what to do with the hands. Devices' sentences are in the fault table."""

from __future__ import annotations

from kiosk.contract.problems import ProblemCode
from kiosk.core.devices import DeviceKind, DeviceStatus, Fault, Level
from kiosk.core.fault_fields import Condition
from kiosk.core.fault_table import DEVICES
from kiosk.core.faults import fault_entry, trouble_of
from offline_queue.uplink.policy import CallError, Trouble

DEVICE_NAMES = {kind: f"{words.technician.zh} {words.technician.en}" for kind, words in DEVICES.items()}

_TROUBLES = {
    Trouble.UNREACHABLE: "连不上大厅：检查网络；照常受理。Not reachable: check the network; filing goes on.",
    Trouble.TIMEOUT: "大厅没有及时应答：网络慢或大厅忙，照常受理。No answer in time: slow or busy; filing goes on.",
    Trouble.TLS: "安全连接建不起来：核对本机时间和网络；照常受理。No secure line: check the clock and the network.",
    Trouble.CLOCK: "本机时间不对：先校时，照常受理。This machine's clock is wrong: set it; filing goes on.",
    Trouble.REDIRECT: "应答的不是大厅：网络里有登录页或代理。Something else answers: a portal or proxy is in the way.",
    Trouble.GARBAGE: "大厅的应答看不懂：核对档案里的大厅地址。The answer makes no sense: check the hall's address.",
    Trouble.TOO_LARGE: "大厅的应答看不懂：核对档案里的大厅地址。The answer makes no sense: check the hall's address.",
    Trouble.PROBLEM: "大厅出错：照常受理，恢复后自动上报。The hall has a problem of its own; filing goes on.",
}
REVOKED_THERE = (
    "本机已停用或已被另一台接替，不能再上报：把队列导出到接替的机器。Revoked, or replaced by another terminal:"
    " export this queue to its successor."
)
_NOT_KNOWN_THERE = "大厅不认这台终端（证书被吊销？）：重新登记。The hall does not know this terminal: enrol again."


def advice(trouble: Fault | Condition, device: DeviceKind) -> str:
    """One line: what it is and what to do."""
    words = fault_entry(trouble, device).technician
    return f"{words.zh}{words.en}"


def device_state(status: DeviceStatus) -> str:
    """State, supplies and fault in few words: ``online · paper low``."""
    words = [status.state.value]
    words += [f"paper {status.paper.value}"] if status.paper is not Level.NONE else []
    words += [f"toner {status.toner.value}"] if status.toner is not Level.NONE else []
    words += [status.fault.value.replace("_", " ")] if status.fault else []
    return " · ".join(words)


def device_advice(status: DeviceStatus) -> str:
    """What to do about a device that is not well; empty for one that is."""
    trouble = trouble_of(status)
    return "" if trouble is None else advice(trouble, status.kind)


def is_unknown_there(error: CallError) -> bool:
    """The hall answers, and does not take this terminal for one of its own."""
    unknown = (ProblemCode.UNAUTHENTICATED, ProblemCode.REVOKED, ProblemCode.FORBIDDEN)
    return error.code in unknown or error.status in (401, 403)


def hall_advice(error: CallError) -> str:
    """What to do about a hall that did not answer well."""
    if error.code is ProblemCode.REVOKED:
        return REVOKED_THERE
    if is_unknown_there(error):
        return _NOT_KNOWN_THERE
    return _TROUBLES[error.trouble]
