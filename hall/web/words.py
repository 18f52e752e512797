"""The clerks' words for states, sources and ages; and how serious an age is."""

from __future__ import annotations

from datetime import datetime, timedelta

from hall.store.moments import from_ms
from kiosk.contract.media import MediaFault
from kiosk.contract.promise import PromiseLevel, promise_level
from kiosk.contract.sync import DeviceReport
from kiosk.core.clock import CHINA

STATES = {
    "received": ("已收件", "info", "inbox"),
    "accepted": ("已受理", "info", "check"),
    "handling": ("办理中", "info", "clock"),
    "correction_wanted": ("待补正", "warn", "pencil"),
    "granted": ("已办结", "ok", "check"),
    "denied": ("不予办理", "bad", "cross"),
    "answered": ("已答复", "ok", "chat"),
    "withdrawn": ("已撤回", "calm", "cross"),
    "expired": ("逾期未补正", "calm", "clock"),
}
"""State → word, tone, icon: never colour alone."""

EVENTS = {
    **{state: word for state, (word, _, _) in STATES.items()},
    "correction_wanted": "补正告知",
    "corrected": "补正受理",
    "supplemented": "收到补交材料（未在等待，决定不变）",
}
"""What happened → word."""
SOURCES = {
    "citizen": "本人填写",
    "id_card": "读自身份证",
    "camera": "当场拍摄",
    "licence_library": "证照库复用",
    "card_reader": "读自身份证",
}
OUTCOMES = {
    "": ("未回报", "calm", "clock"),
    "proven": ("已打印", "ok", "check"),
    "failed": ("没打出来", "bad", "cross"),
    "unknown": ("不确定", "warn", "alert"),
    "void": ("作废", "calm", "cross"),
}
"""What became of paper → word, tone, icon."""
VOID_REASONS = {
    "jammed": "卡纸",
    "unreadable": "看不清",
    "lost_in_printer": "没出来",
    "damaged": "纸破",
    "missing": "缺号",
    "removed": "取出",
}
JOURNAL_FLAGS = {
    "forked": "流水分叉：同一编号有两份记录，可能硬盘被复制或还原",
    "truncated": "流水被截短：已报送的记录在终端上没有了",
    "restarted": "流水中断后重新开始",
    "gap": "流水缺一段",
    "broken": "流水对不上",
    "bad_signature": "流水签名不对",
    "wrong_receipt": "流水里有大厅没有开过的回执",
    "silent": "流水超过一天没有签名报送",
}
MOUTHS = {"receipt": "回执", "page": "A4"}
DEVICES = {
    "id_card": "身份证",
    "receipt": "回执",
    "page": "A4打印",
    "camera": "高拍仪",
    "social_card": "社保卡",
    "scanner": "扫码",
    "site_io": "机柜",
}
DEVICE_STATES = {"online": "正常", "offline": "离线", "starting": "启动中", "error": "故障", "unknown": "不明"}
CARDS = {
    "resident": "居民身份证",
    "hmt": "港澳台居民居住证",
    "permanent_2017": "外国人永久居留身份证",
    "permanent_2023": "外国人永久居留身份证",
}
PROMISE = {
    PromiseLevel.NONE: ("送达及时", "ok", "check"),
    PromiseLevel.NOTICE: ("提示：超过 4 小时没送达", "notice", "clock"),
    PromiseLevel.WARNING: ("告警：超过 8 小时没送达", "warn", "alert"),
    PromiseLevel.BREACH: ("超限：超过 12 小时没送达", "bad", "alert"),
}
"""How near the twelve hours of P53 → word, tone, icon."""
SILENT_S = 180
"""A terminal that has not been heard of for this long is called silent."""
SKEW_S = 120
"""A terminal whose clock is off by more than this is shown with it."""

REFUSALS = {
    "forbidden": "不归这台终端报送",
    "unknown_key": "密钥不认识",
    "bad_signature": "签名对不上",
    "cannot_open": "打不开",
    "item_unknown": "没有这个版本的事项",
    "answers_invalid": "填写不合事项要求",
    "hash_mismatch": "材料对不上",
    "conflict": "编号重复",
    "case_unknown": "要补正的办件不在这里，或不是本人的",
}
"""Why the hall did not take it."""
MEDIA_FAULTS = {
    MediaFault.NOT_MEDIA: "这不是终端导出的文件（CW-EXPORT-….cwx），什么都没有收。",
    MediaFault.TORN: "文件不完整：可能没有拷完就拔了 U 盘。什么都没有收，请回终端重新导出。",
    MediaFault.TAMPERED: "文件被改动过，签名对不上。什么都没有收，请回终端重新导出。",
    MediaFault.OTHER_TERMINAL: "签名的不是本大厅的终端，什么都没有收。",
    MediaFault.UNREADABLE: "文件读不出来。换一个 U 盘，回终端重新导出。",
    MediaFault.MEDIA_FULL: "没有空间了。清出空间后，把同一个文件再交一次。",
}
MEDIA_BUSY = "大厅正忙：已经收下的不会丢，请把同一个文件再交一次。"
"""What a clerk is told who brought a stick."""
CALL_SHOWN_S = 3600
"""A call for help that was taken note of stays on the board so long."""


def tone_of_backlog(seconds: int) -> str:
    """`ok`, `notice`, `warn`, `bad`."""
    return PROMISE[promise_level(seconds)][1]


def span(seconds: float) -> str:
    """刚刚, 5 分钟, 3 小时 20 分, 2 天."""
    whole = int(seconds)
    if whole < 60:
        return "刚刚" if whole < 10 else f"{whole} 秒"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 60:
        return f"{minutes} 分钟"
    return f"{hours} 小时 {minutes % 60} 分" if hours < 24 else f"{days} 天"


def waited(seconds: float) -> str:
    """How long somebody has been waiting, in words that change once a minute: a page redrawn loses a touch."""
    return "不到 1 分钟" if seconds < 60 else span(seconds)


def local(at: datetime) -> str:
    """11月22日 14:26:05, China time."""
    there = at.astimezone(CHINA)
    return f"{there.month}月{there.day}日 {there:%H:%M:%S}"


def day(at: datetime) -> str:
    """11月25日."""
    there = at.astimezone(CHINA)
    return f"{there.month}月{there.day}日"


def due_tone(due_at: datetime | None, now: datetime, *, closed: bool) -> str:
    """`bad` past the promised limit, `warn` within a day of it."""
    if due_at is None or closed:
        return "ok"
    if now > due_at:
        return "bad"
    return "warn" if due_at - now < timedelta(days=1) else "ok"


def source_word(source: str) -> str:
    """Provenance in words."""
    if source.startswith("licence:"):
        return "证照库"
    return SOURCES.get(source, source)


def grouped(number: str) -> str:
    """An application number for the eye."""
    return "-".join((number[:6], number[6:12], number[12:16], number[16:20], number[20:]))


def moment(ms: int) -> str:
    """A stored instant, as `local`."""
    return local(from_ms(ms))


def actor(name: str) -> str:
    """Who did it."""
    return f"终端 {name.removeprefix('terminal:')}" if name.startswith("terminal:") else name


_FAULTS = {
    "paper_out": "缺纸",
    "cover_open": "盖子开着",
    "jam": "卡纸",
    "toner_out": "缺墨粉",
    "cutter": "切刀故障",
    "overheated": "过热",
    "door_open": "门开着",
    "frozen": "画面不动",
    "no_camera": "没有接上",
    "no_reader": "没有接上",
    "service_down": "服务停了",
    "driver_lost": "驱动失联",
    "driver_broken": "驱动坏了",
    "misconfigured": "配置不对",
    "in_use": "被占用",
    "permission": "没有权限",
    "protocol": "应答不对",
    "hardware": "硬件坏了",
    "reader_unsuited": "读卡器不适用",
    "sam_fault": "安全模块故障",
    "output_full": "出纸口满",
    "media_wrong": "纸放错了",
    "stopped": "已暂停",
    "dark": "画面发黑",
    "garbled": "读出乱码",
    "on_battery": "停电，用电池",
    "battery_low": "电池将尽",
    "cabinet_open": "柜门开着",
    "unreachable": "连不上",
    "timeout": "没有回应",
}


def device(report: DeviceReport) -> tuple[str, str, str]:
    """Word, tone and icon of one device: `ok` only when it is known to be well."""
    name = DEVICES.get(report.kind, report.kind)
    if report.fault:
        return f"{name} {_FAULTS.get(report.fault, '故障')}", "bad", "alert"
    if report.state != "online":
        return f"{name} {DEVICE_STATES.get(report.state, '不明')}", "bad", "alert"
    for level, paper, toner, tone in (("out", "缺纸", "缺墨粉", "bad"), ("unknown", "纸量不明", "墨粉不明", "warn")):
        if level in (report.paper, report.toner):
            return f"{name} {paper if report.paper == level else toner}", tone, "alert"
    if "low" in (report.paper, report.toner):
        return f"{name} {'纸快用完' if report.paper == 'low' else '墨粉快用完'}", "warn", "alert"
    return f"{name} 正常", "ok", "check"
