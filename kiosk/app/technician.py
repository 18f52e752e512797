"""What a technician is told about each fault: what it is, and what to do with the hands."""

from __future__ import annotations

from kiosk.contract.problems import ProblemCode
from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Level
from offline_queue.policy import CallError, Trouble

DEVICE_NAMES = {
    DeviceKind.ID_CARD: "身份证阅读器 ID card reader",
    DeviceKind.RECEIPT: "小票打印机 receipt printer",
    DeviceKind.PAGE: "A4 打印机 page printer",
    DeviceKind.CAMERA: "高拍仪 document camera",
    DeviceKind.SOCIAL_CARD: "社保卡插槽 social security card slot",
    DeviceKind.SCANNER: "扫码器 code scanner",
    DeviceKind.SITE_IO: "机柜 I/O 板 cabinet I/O board",
}

_ADVICE = {
    Fault.DRIVER_LOST: "驱动进程一启动就退出：把下面的信息报给维护方。The driver ends as soon as it starts: report it.",
    Fault.UNREACHABLE: "连不上设备：检查电源、线缆和档案里的地址。Not reachable: check power, cable, address.",
    Fault.TIMEOUT: "设备不应答：断电十秒再通电。No answer: switch it off for ten seconds.",
    Fault.PROTOCOL: "设备应答不合协议：核对型号与接口设置。Answers make no sense: check model and interface settings.",
    Fault.SERVICE_DOWN: "pcscd 服务不在：systemctl restart pcscd。The smart card service is down.",
    Fault.NO_READER: "找不到读卡器：检查 USB 线；换一个口再试。No reader: check the USB cable, try another port.",
    Fault.CARD_REMOVED: "读卡途中卡被拿走：再放一次。The card was lifted while it was read.",
    Fault.CARD_MUTE: "卡没有应答：看是否放反，或换一张卡。The card is mute: turned over, or broken.",
    Fault.CARD_UNREADABLE: "卡读不出来：擦净感应区，换一张卡比较。Unreadable: clean the surface, try another card.",
    Fault.CARD_FOREIGN: "放的不是身份证。Not an identity card.",
    Fault.NO_CARD: "没有卡。No card.",
    Fault.PAPER_OUT: "没有纸：装纸。Out of paper: load some.",
    Fault.COVER_OPEN: "盖子开着：合上。The cover is open: close it.",
    Fault.CUTTER: "切刀卡住：断电，取出纸屑。The cutter is stuck: switch off and clear scraps.",
    Fault.OVERHEATED: "打印头过热：等几分钟。The print head is too hot: wait some minutes.",
    Fault.JAM: "卡纸：打开后盖取出。Paper jam: open the back and take it out.",
    Fault.DOOR_OPEN: "门开着：关好。The door is open: close it.",
    Fault.TONER_OUT: "没有墨粉：换硒鼓。Out of toner: change the cartridge.",
    Fault.ABORTED: "打印机放弃了任务：看打印机面板。The printer gave the job up: look at its panel.",
    Fault.GLYPH_MISSING: "缺字库：安装 Noto CJK、BabelStone、HanaMin 字体。A font is missing.",
    Fault.UNPROVEN: "发出去了但打印机没有确认：看出纸口。Sent but not confirmed: look at the tray.",
    Fault.FROZEN: "画面不动：拔插摄像头。The picture is frozen: unplug and plug the camera.",
    Fault.NO_CAMERA: "找不到摄像头：检查 USB 线。No camera: check the USB cable.",
    Fault.NO_DOCUMENT: "台面上没有材料。Nothing lies under the camera.",
}


_TROUBLES = {
    Trouble.UNREACHABLE: "连不上大厅：检查网络；照常受理。Not reachable: check the network; filing goes on.",
    Trouble.TIMEOUT: "大厅没有及时应答：网络慢或大厅忙，照常受理。No answer in time: slow or busy; filing goes on.",
    Trouble.TLS: "安全连接建不起来：核对本机时间和网络；照常受理。No secure line: check the clock and the network.",
    Trouble.REDIRECT: "应答的不是大厅：网络里有登录页或代理。Something else answers: a portal or proxy is in the way.",
    Trouble.GARBAGE: "大厅的应答看不懂：核对档案里的大厅地址。The answer makes no sense: check the hall's address.",
    Trouble.TOO_LARGE: "大厅的应答看不懂：核对档案里的大厅地址。The answer makes no sense: check the hall's address.",
    Trouble.PROBLEM: "大厅出错：照常受理，恢复后自动上报。The hall has a problem of its own; filing goes on.",
}
_NOT_KNOWN_THERE = "大厅不认这台终端（证书被吊销？）：重新登记。The hall does not know this terminal: enrol again."


def advice(fault: Fault) -> str:
    """One line: what it is and what to do."""
    return _ADVICE[fault]


def device_state(status: DeviceStatus) -> str:
    """State, supplies and fault in few words: ``online · paper low``."""
    words = [status.state.value]
    words += [f"paper {status.paper.value}"] if status.paper is not Level.NONE else []
    words += [f"toner {status.toner.value}"] if status.toner is not Level.NONE else []
    words += [status.fault.value.replace("_", " ")] if status.fault else []
    return " · ".join(words)


def device_advice(status: DeviceStatus) -> str:
    """What to do about a device that is not well; empty for one that is."""
    supplies = (status.paper, status.toner)
    if status.fault is not None:
        return advice(status.fault)
    match status.state:
        case DeviceState.STARTING | DeviceState.UNKNOWN:
            return (
                "还不知道设备怎样：过一会儿再查，不行就断电重启。Not known yet: try again, then switch it off and on."
            )
        case DeviceState.ERROR:
            return "设备自己报错：看它的面板或指示灯。The device reports an error: look at its panel or lights."
        case DeviceState.OFFLINE:
            return advice(Fault.UNREACHABLE)
        case DeviceState.ONLINE if Level.OUT in supplies:
            return "耗材用完：补充。Supplies are out: refill."
        case DeviceState.ONLINE if Level.UNKNOWN in supplies:
            return "设备不说还有多少耗材：打开看看。It does not tell its supplies: open it and look."
        case DeviceState.ONLINE if Level.LOW in supplies:
            return "耗材将尽：准备补充。Supplies are low: bring some."
        case DeviceState.ONLINE:
            return ""


def is_unknown_there(error: CallError) -> bool:
    """The hall answers, and does not take this terminal for one of its own."""
    return error.code in (ProblemCode.UNAUTHENTICATED, ProblemCode.FORBIDDEN) or error.status in (401, 403)


def hall_advice(error: CallError) -> str:
    """What to do about a hall that did not answer well."""
    if is_unknown_there(error):
        return _NOT_KNOWN_THERE
    return _TROUBLES[error.trouble]
