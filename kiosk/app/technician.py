"""What a technician is told about each fault: what it is, and what to do with the hands."""

from __future__ import annotations

from kiosk.core.devices import DeviceKind, Fault

DEVICE_NAMES = {
    DeviceKind.ID_CARD: "身份证阅读器 ID card reader",
    DeviceKind.RECEIPT: "小票打印机 receipt printer",
    DeviceKind.PAGE: "A4 打印机 page printer",
    DeviceKind.CAMERA: "高拍仪 document camera",
}

_ADVICE = {
    Fault.DRIVER_LOST: "驱动进程退出，正在自动重启；反复出现时看 logs/。The driver ended and restarts by itself.",
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


def advice(fault: Fault) -> str:
    """One line: what it is and what to do."""
    return _ADVICE[fault]
