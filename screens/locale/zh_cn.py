"""Chinese as spoken in mainland China: words for every code a snapshot can carry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import assert_never

from kiosk.contract.person import CaseState
from kiosk.core.clock import CHINA
from kiosk.core.devices import DeviceKind, Fault
from kiosk.core.views import Availability, CodeView, DeviceChip, Step
from screens.locale.zh_cn_help import help_called as help_called
from screens.locale.zh_cn_help import help_label as help_label
from screens.locale.zh_cn_notices import Sentence as Sentence
from screens.locale.zh_cn_notices import Tone, device_word
from screens.locale.zh_cn_notices import notice as notice

WEEKDAYS = "一二三四五六日"
STEP_WORDS: dict[Step, str] = {
    "card": "读取身份证",
    "fill": "填写信息",
    "materials": "准备材料",
    "check": "核对确认",
    "receipt": "打印回执",
    "paper": "打印取走",
}
PURPOSES = {"my_applications": "查看我的办件", "my_licences": "查看我的证照", "start": "开始办事"}


@dataclass(frozen=True, slots=True)
class ChipWords:
    """One entry of the device strip."""

    tone: Tone
    symbol: str
    text: str


_SYMBOLS = {
    DeviceKind.ID_CARD: "id",
    DeviceKind.RECEIPT: "receipt",
    DeviceKind.PAGE: "printer",
    DeviceKind.CAMERA: "camera",
    DeviceKind.SOCIAL_CARD: "credit-card",
    DeviceKind.SCANNER: "scan",
    DeviceKind.SITE_IO: "tool",
    "network": "wifi",
    "power": "battery-2",
}


def device_chip(chip: DeviceChip, *, serving: bool = True) -> ChipWords:
    """A device's state in a few words; never good news that is not known. Not `serving`: nothing can be filed here."""
    name = device_word(chip.kind)
    symbol = _SYMBOLS[chip.kind]
    if chip.kind == "power":
        return ChipWords("warn", symbol, "停电了，正在用备用电源" if chip.state == "low" else "停电了，备用电源快用完")
    match chip.state:
        case "ok":
            return ChipWords("ok", symbol, f"{name}正常")
        case "low":
            return ChipWords("warn", symbol, f"{name}纸快用完" if _prints(chip) else f"{name}不太稳定")
        case "starting":
            return ChipWords("info", symbol, f"{name}正在准备")
        case "unknown" | "down" if chip.kind == "network":
            return ChipWords("warn", "wifi-off", "网络中断：可照常提交，联网后自动上报" if serving else "网络中断")
        case "unknown":
            return ChipWords("warn", symbol, f"{name}状态不明")
        case "down":
            return ChipWords("error", symbol, name + _trouble(chip.fault))
        case _ as never:
            assert_never(never)


def _prints(chip: DeviceChip) -> bool:
    return chip.kind in (DeviceKind.RECEIPT, DeviceKind.PAGE)


def _trouble(fault: Fault | None) -> str:
    match fault:
        case Fault.PAPER_OUT:
            return "没纸"
        case Fault.COVER_OPEN | Fault.DOOR_OPEN:
            return "盖子没关好"
        case Fault.JAM:
            return "卡纸"
        case Fault.TONER_OUT:
            return "没墨粉"
        case Fault.OUTPUT_FULL:
            return "出纸口满了"
        case Fault.CABINET_OPEN:
            return "正在检修"
        case _:
            return "暂停使用"


def unavailable(available: Availability) -> str:
    """Why an item cannot be done here now, and where it can; empty if it can."""
    if available.ok:
        return ""
    if available.starting:
        return f"{device_word(available.device or '')}正在准备，请稍等"
    why = (
        "现在停电，打印机不能用" if available.device == "power" else f"{device_word(available.device or '')}暂时不能用"
    )
    return f"{why}，可到{available.elsewhere}办理" if available.elsewhere else why


def unavailable_tile(available: Availability) -> str:
    """The same in the few words that a tile has room for."""
    if available.ok:
        return ""
    if available.starting:
        return "正在准备，请稍等"
    return f"这里暂不能办，可去{available.elsewhere}" if available.elsewhere else "这里暂时不能办"


def case_state(state: CaseState) -> tuple[str, Tone]:
    """Where a case stands, in one word."""
    match state:
        case "received":
            return "已收到", "info"
        case "accepted":
            return "已受理", "info"
        case "handling":
            return "办理中", "info"
        case "correction_wanted":
            return "需要补交材料", "warn"
        case "granted":
            return "已办好", "ok"
        case "denied":
            return "不予办理", "error"
        case "answered":
            return "已答复", "ok"
        case "withdrawn":
            return "已撤回", "info"
        case "expired":
            return "逾期没有补交", "info"
        case _ as never:
            assert_never(never)


def advice(code: str) -> tuple[str, Tone]:
    """What to do with the paper under the camera; see PreviewFrame.advice."""
    known: dict[str, tuple[str, Tone]] = {
        "ok": ("很好，可以拍照了", "ok"),
        "hold_still": ("别动，马上就好", "info"),
        "no_document": ("请把材料平放在拍摄区", "warn"),
        "cut_off": ("请往中间挪一点，四个角都要看到", "warn"),
        "blurred": ("有点模糊，请放平不要动", "warn"),
        "dark": ("光线太暗，请移开遮挡", "warn"),
        "glare": ("有反光，请转动一下材料", "warn"),
    }
    return known.get(code, ("请把材料平放在拍摄区", "info"))


def source(code: str) -> str:
    """Where a value came from; empty when the citizen gave it."""
    return {"id_card": "已从身份证读取", "social_card": "已从社保卡读取", "licence": "已从证照读取"}.get(code, "")


def limit(days: int | None, unit: str, by: date | None = None) -> str:
    """A promised time, with its last day where that is known."""
    if days is None:
        return ""
    if days == 0:
        return "当场办好"
    last = f"（最晚{by.month}月{by.day}日）" if by else ""
    return f"{days}个{'工作日' if unit == 'workday' else '自然日'}内{last}"


def iso_day(text: str) -> str:
    """An ISO date as people say it; any other text as it is."""
    try:
        said = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{said.year}年{said.month}月{said.day}日"


def code_headline(kind: str) -> str:
    """What lies under the scanner."""
    return {"receipt": "这是一张办事回执", "licence": "这是一份证照"}[kind]


def code_verdict(view: CodeView) -> Sentence:
    """Is the paper genuine, as far as can be told here?"""
    if view.genuine is False:
        return Sentence("error", "验证没有通过", "这张纸上的码对不上，可能被改过。请拿到窗口，由工作人员核实。")
    if view.withdrawn:
        return Sentence("error", "这份证照已经停用", "纸是真的，但证照已被注销或暂停，不能再用。请拿到窗口问清楚。")
    if view.genuine is None:
        return Sentence("info", "读到了受理编号", "放上身份证，就能看到办到了哪一步。")
    if view.expired:
        return Sentence("warn", "是真的，但已过有效期", "需要新的，请在首页重新办理或打印。")
    if view.kind == "receipt":
        return Sentence("ok", "是本机打印的真回执", "放上身份证，就能看到办到了哪一步。")
    return Sentence("ok", "验证通过，是真的", "签发以后没有被改动过。")


def day(moment: datetime) -> str:
    """A date as people say it, China Standard Time."""
    local = moment.astimezone(CHINA)
    return f"{local.year}年{local.month}月{local.day}日"


def clock(moment: datetime) -> tuple[str, str]:
    """Time and date for the header."""
    local = moment.astimezone(CHINA)
    return f"{local:%H:%M}", f"{local.month}月{local.day}日 星期{WEEKDAYS[local.weekday()]}"


def time_left(seconds: int) -> str:
    """Minutes and seconds, as on a parking meter."""
    return f"{seconds // 60}:{seconds % 60:02d}"
