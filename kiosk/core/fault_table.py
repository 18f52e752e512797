"""Generated from faults.toml by scripts/generate_faults.py; change the table, not this file."""

from __future__ import annotations

from kiosk.core.devices import DeviceKind, Fault
from kiosk.core.fault_fields import Condition, DeviceWords, FaultEntry, Mender, Persistence, Words

DEVICES: dict[DeviceKind, DeviceWords] = {
    DeviceKind.ID_CARD: DeviceWords(
        Words(
            "身份证阅读区",
            "The ID card reader",
        ),
        Words(
            "您填好的内容不会丢；请到窗口办理，或换一台机器。",
            "Nothing you filled in is lost. Please go to a window, or use another machine.",
        ),
        Words(
            "身份证阅读器",
            "ID card reader",
        ),
    ),
    DeviceKind.RECEIPT: DeviceWords(
        Words(
            "小票打印机",
            "The receipt printer",
        ),
        Words(
            "您的事照常办；请把屏幕上的受理号抄下或拍下来，凭号可到窗口补打回执。",
            "Your business goes on. Please note the number on the screen: a window prints the receipt for it.",
        ),
        Words(
            "小票打印机",
            "receipt printer",
        ),
    ),
    DeviceKind.PAGE: DeviceWords(
        Words(
            "A4 打印机",
            "The page printer",
        ),
        Words(
            "您办的事不受影响；等不及的话，请到窗口打印证明。",
            "What you filed is safe. If you cannot wait, please have your certificate printed at a window.",
        ),
        Words(
            "A4 打印机",
            "page printer",
        ),
    ),
    DeviceKind.CAMERA: DeviceWords(
        Words(
            "高拍仪",
            "The document camera",
        ),
        Words(
            "您填好的内容都还在；请带着材料到窗口，由工作人员替您拍。",
            "Nothing you filled in is lost. Please take your papers to a window: the staff will copy them for you.",
        ),
        Words(
            "高拍仪",
            "document camera",
        ),
    ),
    DeviceKind.SOCIAL_CARD: DeviceWords(
        Words(
            "社保卡插口",
            "The social security card slot",
        ),
        Words(
            "您填好的内容都还在；请改放身份证接着办。",
            "Nothing you filled in is lost. Please go on with your ID card instead.",
        ),
        Words(
            "社保卡插槽",
            "social security card slot",
        ),
    ),
    DeviceKind.SCANNER: DeviceWords(
        Words(
            "扫码口",
            "The code scanner",
        ),
        Words(
            "您填好的内容都还在；请在屏幕上按数字输入号码。",
            "Nothing you filled in is lost. Please type the number on the screen instead.",
        ),
        Words(
            "扫码器",
            "code scanner",
        ),
    ),
    DeviceKind.SITE_IO: DeviceWords(
        Words(
            "机柜的指示灯",
            "The cabinet's signal lamps",
        ),
        Words(
            "不影响您办事，请照着屏幕做就行。",
            "It does not touch your business: please just follow the screen.",
        ),
        Words(
            "机柜 I/O 板",
            "cabinet I/O board",
        ),
    ),
}

FAULTS: dict[Fault, FaultEntry] = {
    Fault.DRIVER_LOST: FaultEntry(
        Persistence.TEMPORARY,
        Mender.ITSELF,
        Words(
            "{device}正在重新启动，请稍等几秒。{otherwise}",
            "{device} is starting again; please wait a few seconds. {otherwise}",
        ),
        Words(
            "驱动进程没了，正在重启；总是这样就把下面的信息报给维护方。",
            "The driver process ended and is being restarted: if it stays so, report it.",
        ),
    ),
    Fault.UNREACHABLE: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}现在用不了。{otherwise}",
            "{device} cannot be used right now. {otherwise}",
        ),
        Words(
            "连不上设备：检查电源、线缆和档案里的地址。",
            "Not reachable: check power, cable and the address in the profile.",
        ),
    ),
    Fault.TIMEOUT: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}没有反应。{otherwise}",
            "{device} does not answer. {otherwise}",
        ),
        Words(
            "设备不应答：断电十秒再通电。",
            "No answer: switch it off for ten seconds.",
        ),
    ),
    Fault.PROTOCOL: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}出了点小毛病。{otherwise}",
            "{device} has a small problem. {otherwise}",
        ),
        Words(
            "设备应答不合协议：核对型号、接口设置和线缆。",
            "Its answers make no sense: check the model, the interface settings and the cable.",
        ),
    ),
    Fault.IN_USE: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}正忙，请稍等一会儿。{otherwise}",
            "{device} is busy; please wait a moment. {otherwise}",
        ),
        Words(
            "设备被别的程序占着：关掉占用它的程序（fuser -v 设备路径）。",
            "Another program holds the device: find it with `fuser -v PATH` and end it.",
        ),
    ),
    Fault.PERMISSION: FaultEntry(
        Persistence.PERMANENT,
        Mender.TECHNICIAN,
        Words(
            "{device}今天用不了，机器会自动报修。{otherwise}",
            "{device} is out of use today; it calls for a technician by itself. {otherwise}",
        ),
        Words(
            "没有打开设备的权限：把终端的用户加进设备的组，装上 udev 规则再插一次。",
            "The terminal's user may not open the device: add it to the device's group, install the udev rules, "
            "replug.",
        ),
    ),
    Fault.MISCONFIGURED: FaultEntry(
        Persistence.PERMANENT,
        Mender.TECHNICIAN,
        Words(
            "{device}今天用不了，机器会自动报修。{otherwise}",
            "{device} is out of use today; it calls for a technician by itself. {otherwise}",
        ),
        Words(
            "档案里这台设备写错了：改 machine.toml，再重启 kiosk。",
            "The profile says something wrong about this device: correct machine.toml, then restart kiosk.",
        ),
    ),
    Fault.DRIVER_BROKEN: FaultEntry(
        Persistence.PERMANENT,
        Mender.TECHNICIAN,
        Words(
            "{device}今天用不了，机器会自动报修。{otherwise}",
            "{device} is out of use today; it calls for a technician by itself. {otherwise}",
        ),
        Words(
            "驱动一启动就退出，已放慢重试：看 journalctl -u kiosk，把最后几行报给维护方。",
            "The driver ends as soon as it starts, and is tried seldom now: report the last lines of `journalctl -u "
            "kiosk`.",
        ),
    ),
    Fault.HARDWARE: FaultEntry(
        Persistence.PERMANENT,
        Mender.TECHNICIAN,
        Words(
            "{device}坏了，机器会自动报修。{otherwise}",
            "{device} is broken; it calls for a technician by itself. {otherwise}",
        ),
        Words(
            "设备自己报告硬件故障：断电十秒再通电；还报就换设备。",
            "The device itself reports a hardware fault: switch it off for ten seconds; if it says so again, replace "
            "it.",
        ),
    ),
    Fault.SERVICE_DOWN: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}现在用不了。{otherwise}",
            "{device} cannot be used right now. {otherwise}",
        ),
        Words(
            "后台服务不在：读卡器 systemctl restart pcscd，打印队列 systemctl restart cups。",
            "Its service is down: for cards `systemctl restart pcscd`, for a print queue `systemctl restart cups`.",
        ),
    ),
    Fault.NO_READER: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}现在用不了。{otherwise}",
            "{device} cannot be used right now. {otherwise}",
        ),
        Words(
            "找不到读卡器：检查 USB 线；换一个口再试。",
            "No reader: check the USB cable, try another port.",
        ),
    ),
    Fault.CARD_REMOVED: FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "卡拿得早了一点，还没读完。您填好的内容不会丢；请再放一次，等屏幕说好了再拿。",
            "The card was lifted a little early. Nothing you filled in is lost. Please lay it down again until the "
            "screen says it is read.",
        ),
        Words(
            "读卡途中卡被拿走：再放一次。",
            "The card was taken while it was read: lay it down again.",
        ),
    ),
    Fault.CARD_MUTE: FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "读不到卡里的内容。请看看是不是放反了，把卡翻个面再试；还不行，请到窗口。",
            "The card does not answer. Please turn it over and try again; if it still does not work, a window will "
            "help you.",
        ),
        Words(
            "卡没有应答：看是否放反，或换一张卡比较。",
            "The card is mute: turned over or broken. Compare with another card.",
        ),
    ),
    Fault.CARD_UNREADABLE: FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "这张卡没读出来。您填好的内容不会丢；请把卡放平，贴紧，停三秒；还不行，请到窗口。",
            "The card could not be read. Nothing you filled in is lost. Lay it flat and still for three seconds; if "
            "that fails, a window will help you.",
        ),
        Words(
            "卡读不出来：擦净感应区，换一张卡比较。",
            "Unreadable: clean the surface and compare with another card.",
        ),
    ),
    Fault.CARD_FOREIGN: FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "这不是身份证。请收好这张卡，把身份证平放在这里。",
            "This is not an ID card. Please take it back and lay your ID card here.",
        ),
        Words(
            "放的不是身份证，设备没有毛病。",
            "Not an identity card; the device is well.",
        ),
    ),
    Fault.CARD_BANK: FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "这是银行卡，我们没有读它。请收好银行卡，换身份证放在这里。",
            "This is a bank card; we have read nothing from it. Please put it away safely and use your ID card.",
        ),
        Words(
            "放的是银行卡，什么也没读；设备没有毛病。",
            "A bank card; nothing was read from it. The device is well.",
        ),
    ),
    Fault.CARD_TRANSIT: FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "这是公交卡，里面的钱不会动。请收好，换身份证放在这里。",
            "This is a transit card; its money is untouched. Please put it away and use your ID card.",
        ),
        Words(
            "放的是公交卡，设备没有毛病。",
            "A transit card; the device is well.",
        ),
    ),
    Fault.CARD_SOCIAL: FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "这是社保卡。这里要放身份证；请把社保卡收好，换身份证试试。",
            "This is a social security card. Please put it away and lay your ID card here.",
        ),
        Words(
            "放的是社保卡，设备没有毛病。",
            "A social security card; the device is well.",
        ),
    ),
    Fault.CARD_REJECTED: FaultEntry(
        Persistence.TEMPORARY,
        Mender.STAFF,
        Words(
            "机器没能认出这张身份证，不是您的错。您填好的内容不会丢；请拿着身份证到窗口，工作人员会帮您看。",
            "The machine could not confirm this ID card; you did nothing wrong. Nothing you filled in is lost. Please "
            "take the card to a window.",
        ),
        Words(
            "卡与安全模块互不认可：换一张卡比较；只有这张不行，请站里的人核对证件真伪。",
            "Card and security module refuse each other: compare with another card; if only this one fails, have the "
            "staff look at it.",
        ),
    ),
    Fault.NO_CARD: FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "还没有放卡。请把身份证平放在亮灯的地方。",
            "There is no card yet. Please lay your ID card where the light is.",
        ),
        Words(
            "没有卡：设备没有毛病，放一张卡再试。",
            "No card; the device is well. Lay one down and try again.",
        ),
    ),
    Fault.READER_UNSUITED: FaultEntry(
        Persistence.PERMANENT,
        Mender.TECHNICIAN,
        Words(
            "这台机器现在读不了身份证，机器会自动报修。{otherwise}",
            "This machine cannot read ID cards now; it calls for a technician by itself. {otherwise}",
        ),
        Words(
            "装的是普通读卡器，读不了居民身份证：换带安全模块（SAM_V）的阅读器。",
            "An ordinary contactless reader cannot read resident ID cards: fit one with a security module (SAM_V).",
        ),
    ),
    Fault.SAM_FAULT: FaultEntry(
        Persistence.PERMANENT,
        Mender.TECHNICIAN,
        Words(
            "{device}坏了，机器会自动报修。{otherwise}",
            "{device} is broken; it calls for a technician by itself. {otherwise}",
        ),
        Words(
            "阅读器里的安全模块自检失败或未授权：断电十秒；还报就返厂换模块。",
            "The reader's security module failed its self-test or is not authorised: switch it off for ten seconds, "
            "else send it back.",
        ),
    ),
    Fault.PAPER_OUT: FaultEntry(
        Persistence.TEMPORARY,
        Mender.STAFF,
        Words(
            "{device}没纸了，不用重新填，也没有多打。装好纸会自己接着打。{otherwise}",
            "{device} is out of paper. Nothing is lost or printed twice: it goes on when paper is in. {otherwise}",
        ),
        Words(
            "没有纸：装纸。",
            "Out of paper: load some.",
        ),
    ),
    Fault.COVER_OPEN: FaultEntry(
        Persistence.TEMPORARY,
        Mender.STAFF,
        Words(
            "{device}的盖子没关好，关好就会自己接着打。{otherwise}",
            "The cover of the printer is open; it goes on by itself when it is closed. {otherwise}",
        ),
        Words(
            "盖子开着：合上，听到咔哒一声。",
            "The cover is open: close it until it clicks.",
        ),
    ),
    Fault.CUTTER: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}的切刀卡住了，请不要用力拉纸。{otherwise}",
            "The printer's cutter is stuck; please do not pull the paper. {otherwise}",
        ),
        Words(
            "切刀卡住：断电，取出纸屑，再通电。",
            "The cutter is stuck: switch off, clear scraps of paper, switch on.",
        ),
    ),
    Fault.OVERHEATED: FaultEntry(
        Persistence.TEMPORARY,
        Mender.ITSELF,
        Words(
            "{device}有点热，歇一两分钟会自己接着打。{otherwise}",
            "The printer is too warm and goes on by itself in a minute or two. {otherwise}",
        ),
        Words(
            "打印头过热：等几分钟；常常这样就看机柜通风。",
            "The print head is too hot: wait some minutes; if it is often so, look at the cabinet's fans.",
        ),
    ),
    Fault.JAM: FaultEntry(
        Persistence.TEMPORARY,
        Mender.STAFF,
        Words(
            "{device}卡纸了，请不要用力拉。{otherwise}",
            "Paper is stuck in the printer; please do not pull at it. {otherwise}",
        ),
        Words(
            "卡纸：打开后盖取出，一张碎纸也别留。",
            "Paper jam: open the back, take every scrap out.",
        ),
    ),
    Fault.DOOR_OPEN: FaultEntry(
        Persistence.TEMPORARY,
        Mender.STAFF,
        Words(
            "{device}的门没关好，关好就会自己接着打。{otherwise}",
            "A door of the printer is open; it goes on by itself when it is closed. {otherwise}",
        ),
        Words(
            "门开着：关好前门和后盖。",
            "A door is open: close the front and the back.",
        ),
    ),
    Fault.TONER_OUT: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}没有墨粉了。{otherwise}",
            "The printer is out of toner. {otherwise}",
        ),
        Words(
            "没有墨粉：换硒鼓。",
            "Out of toner: change the cartridge.",
        ),
    ),
    Fault.OUTPUT_FULL: FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "出纸口满了。请把打好的纸都拿走，机器会自己接着打；您办的事不受影响。",
            "The output tray is full. Please take the printed pages out, and it goes on by itself; what you filed is "
            "safe.",
        ),
        Words(
            "出纸盘满了：把纸取走；没人要的按遗留材料登记。",
            "The output tray is full: empty it; pages nobody took are found property, write them down.",
        ),
    ),
    Fault.MEDIA_WRONG: FaultEntry(
        Persistence.TEMPORARY,
        Mender.STAFF,
        Words(
            "打印机里放的不是 A4 纸，您的证明还没有打。{otherwise}",
            "The printer holds the wrong paper, so your page is not printed yet. {otherwise}",
        ),
        Words(
            "纸盒里的纸和任务要的不一样：装 A4，把纸盒的尺寸设为 A4。",
            "Other paper lies in the tray than the job needs: load A4 and set the tray to A4.",
        ),
    ),
    Fault.STOPPED: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}被暂停了。{otherwise}",
            "The printer is paused. {otherwise}",
        ),
        Words(
            "打印机被暂停：在面板上按继续，或对队列执行 cupsenable。",
            "The printer is paused: press resume on its panel, or `cupsenable` its queue.",
        ),
    ),
    Fault.ABORTED: FaultEntry(
        Persistence.TEMPORARY,
        Mender.STAFF,
        Words(
            "这一份没有打出来，也不会多打。您办的事不受影响；请再按一次打印，还不行请到窗口。",
            "This page was not printed, and will not come twice. What you filed is safe. Please press print again, or "
            "go to a window.",
        ),
        Words(
            "打印机放弃了任务：看打印机面板，打一张测试页。",
            "The printer gave the job up: look at its panel and print a test page.",
        ),
    ),
    Fault.GLYPH_MISSING: FaultEntry(
        Persistence.PERMANENT,
        Mender.TECHNICIAN,
        Words(
            "有个字这台机器打不出来，我们不会用别的字代替。{otherwise}",
            "This machine has no shape for one of your characters, and will not print another in its place. "
            "{otherwise}",
        ),
        Words(
            "缺字库：安装 Noto CJK、BabelStone、HanaMin 字体。",
            "A font is missing: install Noto CJK, BabelStone and HanaMin.",
        ),
    ),
    Fault.UNPROVEN: FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "纸可能已经出来了。请看看出纸口，再按屏幕上的“拿到了”或“没有”；您办的事不受影响。",
            "The paper may have come out. Please look, then tell the screen whether you have it; what you filed is "
            "safe.",
        ),
        Words(
            "发出去了但打印机没有确认：看出纸口，查数据线。",
            "Sent but not confirmed: look at the paper exit and at the cable.",
        ),
    ),
    Fault.FROZEN: FaultEntry(
        Persistence.TEMPORARY,
        Mender.ITSELF,
        Words(
            "高拍仪的画面停住了，正在重新打开，请稍等几秒。{otherwise}",
            "The camera's picture stands still; it is being opened again, please wait a few seconds. {otherwise}",
        ),
        Words(
            "画面不动：拔插摄像头，换一个 USB 口。",
            "The picture is frozen: unplug and plug the camera, try another port.",
        ),
    ),
    Fault.NO_CAMERA: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "高拍仪现在用不了。{otherwise}",
            "The document camera cannot be used right now. {otherwise}",
        ),
        Words(
            "找不到摄像头：检查 USB 线。",
            "No camera: check the USB cable.",
        ),
    ),
    Fault.NO_DOCUMENT: FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "台面上还没有材料。请把材料正面朝上放在框里，手拿开，再按拍照。",
            "There is no paper under the camera yet. Please lay it face up in the frame, take your hand away and "
            "press again.",
        ),
        Words(
            "台面上没有材料：设备没有毛病。",
            "Nothing lies under the camera; the device is well.",
        ),
    ),
    Fault.DARK: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "高拍仪的画面是黑的，请看看镜头有没有被挡住。{otherwise}",
            "The camera's picture is black; please see whether something covers the lens. {otherwise}",
        ),
        Words(
            "画面全黑：擦镜头，取下镜头盖，看补光灯亮不亮。",
            "The picture is black: clean or uncover the lens, see whether the light over it works.",
        ),
    ),
    Fault.GARBLED: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "码没有扫对。请再扫一次；也可以在屏幕上按数字输入，您填好的内容都还在。",
            "The code did not come through. Please scan it again or type the number on the screen; nothing you filled "
            "in is lost.",
        ),
        Words(
            "扫来的不是码：核对波特率和编码设置，扫说明书上的恢复出厂码。",
            "What comes is no code: check speed and encoding, scan the factory reset code of its manual.",
        ),
    ),
    Fault.ON_BATTERY: FaultEntry(
        Persistence.TEMPORARY,
        Mender.ITSELF,
        Words(
            "现在停电，机器用着备用电。您办的事都存好了；请先把手上的这件办完。",
            "The power is out and the machine runs on its battery. What you filed is safe; please finish what you are "
            "doing.",
        ),
        Words(
            "市电断了，靠 UPS 供电：看空开和插座；不是停电就查 UPS。",
            "No mains: it runs on the UPS. Look at breaker and plug; if the street has power, look at the UPS.",
        ),
    ),
    Fault.BATTERY_LOW: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "备用电快用完了，机器就要关了。您办好的都存好了；请收好证件和材料，来电后再接着办。",
            "The battery is nearly empty and the machine will switch off. What you filed is safe; please take your "
            "card and papers and come back later.",
        ),
        Words(
            "UPS 电量低：恢复市电；来电后还低就换电池。",
            "The UPS battery is low: bring the mains back; if it stays low, change the battery.",
        ),
    ),
    Fault.CABINET_OPEN: FaultEntry(
        Persistence.TEMPORARY,
        Mender.STAFF,
        Words(
            "机柜的门开着，可能正在维护。您填好的内容都还在；请稍等，或换一台机器。",
            "The cabinet is open, perhaps somebody is at work on it. Nothing you filled in is lost; please wait, or "
            "use another machine.",
        ),
        Words(
            "机柜门开着：关好上锁；不是自己人开的，马上报告。",
            "The cabinet is open: close and lock it; if nobody of ours opened it, report it at once.",
        ),
    ),
}

DEVICE_FAULTS: dict[tuple[Fault, DeviceKind], FaultEntry] = {
    (Fault.CARD_BANK, DeviceKind.SOCIAL_CARD): FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "这是银行卡，我们没有读它。请收好银行卡，换社保卡插进来，或者用身份证。",
            "This is a bank card; we have read nothing from it. Please put it away safely and use your social "
            "security card or ID card.",
        ),
        Words(
            "放的是银行卡，什么也没读；设备没有毛病。",
            "A bank card; nothing was read from it. The device is well.",
        ),
    ),
    (Fault.CARD_FOREIGN, DeviceKind.SOCIAL_CARD): FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "这里只认社保卡。请收好这张卡，换社保卡插进来，或者用身份证。",
            "This slot is for social security cards. Please take this card back and use your social security card or "
            "your ID card.",
        ),
        Words(
            "插的不是社保卡，设备没有毛病。",
            "Not a social security card; the device is well.",
        ),
    ),
    (Fault.CARD_TRANSIT, DeviceKind.SOCIAL_CARD): FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "这是公交卡，里面的钱不会动。请收好，换社保卡插进来，或者用身份证。",
            "This is a transit card; its money is untouched. Please put it away and use your social security card or "
            "ID card.",
        ),
        Words(
            "放的是公交卡，设备没有毛病。",
            "A transit card; the device is well.",
        ),
    ),
    (Fault.CARD_UNREADABLE, DeviceKind.SOCIAL_CARD): FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "这张卡没读出来。您填好的内容都还在；请擦擦芯片，芯片朝上朝里再插一次；也可以改放身份证。",
            "The card could not be read. Nothing you filled in is lost. Please wipe the chip and put it in again, "
            "chip up and first, or use your ID card.",
        ),
        Words(
            "社保卡读不出来：清洁触点，换一张卡比较。",
            "Unreadable: clean the contacts and compare with another card.",
        ),
    ),
    (Fault.NO_CARD, DeviceKind.SOCIAL_CARD): FaultEntry(
        Persistence.TEMPORARY,
        Mender.CITIZEN,
        Words(
            "还没有插卡。请把社保卡插进来，芯片朝上朝里。",
            "There is no card yet. Please put your social security card in, chip up and first.",
        ),
        Words(
            "没有卡：设备没有毛病，插一张卡再试。",
            "No card; the device is well. Put one in and try again.",
        ),
    ),
    (Fault.PAPER_OUT, DeviceKind.PAGE): FaultEntry(
        Persistence.TEMPORARY,
        Mender.STAFF,
        Words(
            "{device}没纸了，不用重新填，也没有多打。装好纸会自己接着打。{otherwise}",
            "{device} is out of paper. Nothing is lost or printed twice: it goes on when paper is in. {otherwise}",
        ),
        Words(
            "A4 纸用完：往纸盒里装 A4 纸，推到底。",
            "The tray is empty: load A4 and push the tray in.",
        ),
    ),
    (Fault.PAPER_OUT, DeviceKind.RECEIPT): FaultEntry(
        Persistence.TEMPORARY,
        Mender.STAFF,
        Words(
            "{device}没纸了，不用重新填，也没有多打。装好纸会自己接着打。{otherwise}",
            "{device} is out of paper. Nothing is lost or printed twice: it goes on when paper is in. {otherwise}",
        ),
        Words(
            "小票纸用完：换一卷热敏纸（80 毫米），有字的一面朝外，合盖。",
            "The roll is empty: put in thermal paper, 80 mm, coated side out, and close the cover.",
        ),
    ),
    (Fault.TIMEOUT, DeviceKind.ID_CARD): FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "读卡时间太长，没有读完。您填好的内容不会丢；请把身份证拿起来，再平放一次。",
            "Reading took too long. Nothing you filled in is lost. Please lift your card and lay it down flat again.",
        ),
        Words(
            "读卡器收到命令不应答：拔插 USB；还不行就断电十秒。",
            "The reader takes commands and does not answer: replug it, then switch it off for ten seconds.",
        ),
    ),
    (Fault.TIMEOUT, DeviceKind.SITE_IO): FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}没有反应。{otherwise}",
            "{device} does not answer. {otherwise}",
        ),
        Words(
            "I/O 板不应答：核对从站号和波特率，看板上的通信灯闪不闪。",
            "The I/O board does not answer: check its station number and speed, and whether its line light blinks.",
        ),
    ),
    (Fault.TIMEOUT, DeviceKind.SOCIAL_CARD): FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "读卡时间太长，没有读完。您填好的内容都还在；请把卡拔出来，再插一次，芯片朝上朝里。",
            "Reading took too long. Nothing you filled in is lost. Please take the card out and put it in again, chip "
            "up and first.",
        ),
        Words(
            "设备不应答：断电十秒再通电。",
            "No answer: switch it off for ten seconds.",
        ),
    ),
    (Fault.UNREACHABLE, DeviceKind.PAGE): FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}现在用不了。{otherwise}",
            "{device} cannot be used right now. {otherwise}",
        ),
        Words(
            "连不上 A4 打印机：看它是否关机或休眠，网线是否松了，再核对档案里的 ipp 地址。",
            "The page printer is not reachable: is it off or asleep, is the network cable loose? Then check the ipp "
            "address in the profile.",
        ),
    ),
    (Fault.UNREACHABLE, DeviceKind.RECEIPT): FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}现在用不了。{otherwise}",
            "{device} cannot be used right now. {otherwise}",
        ),
        Words(
            "连不上小票打印机：看电源灯，插紧数据线；网口的先 ping 档案里的地址。",
            "The receipt printer is not reachable: look at its power light, push the cable in; if on the network, "
            "ping its address.",
        ),
    ),
    (Fault.UNREACHABLE, DeviceKind.SCANNER): FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}现在用不了。{otherwise}",
            "{device} cannot be used right now. {otherwise}",
        ),
        Words(
            "连不上扫码器：检查 USB 线；确认它在串口模式，档案里写的是 /dev/serial/by-id 的路径。",
            "The scanner is not reachable: check its USB cable, its serial mode, and the /dev/serial/by-id path in "
            "the profile.",
        ),
    ),
    (Fault.UNREACHABLE, DeviceKind.SITE_IO): FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}现在用不了。{otherwise}",
            "{device} cannot be used right now. {otherwise}",
        ),
        Words(
            "连不上 I/O 板：检查 24 伏供电、485 线的 A 和 B、串口路径。",
            "The I/O board is not reachable: check its 24 V supply, the A and B wires of RS-485, and the path of the "
            "serial port.",
        ),
    ),
}

CONDITIONS: dict[Condition, FaultEntry] = {
    Condition.NOT_KNOWN: FaultEntry(
        Persistence.TEMPORARY,
        Mender.ITSELF,
        Words(
            "{device}正在准备，请稍等。{otherwise}",
            "{device} is getting ready; please wait a moment. {otherwise}",
        ),
        Words(
            "还不知道设备怎样：过一会儿再查，不行就断电重启。",
            "Not known yet: try again, then switch it off and on.",
        ),
    ),
    Condition.DEVICE_ERROR: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}现在用不了。{otherwise}",
            "{device} cannot be used right now. {otherwise}",
        ),
        Words(
            "设备自己报错：看它的面板或指示灯。",
            "The device reports an error: look at its panel or lights.",
        ),
    ),
    Condition.SUPPLIES_OUT: FaultEntry(
        Persistence.TEMPORARY,
        Mender.STAFF,
        Words(
            "{device}的纸或墨粉用完了。{otherwise}",
            "The printer has run out of paper or toner. {otherwise}",
        ),
        Words(
            "耗材用完：补充。",
            "Supplies are out: refill.",
        ),
    ),
    Condition.SUPPLIES_UNKNOWN: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "{device}不说还有没有纸，先不用它。{otherwise}",
            "The printer does not tell whether it has paper, so it is not used now. {otherwise}",
        ),
        Words(
            "设备不说还有多少耗材：打开看看。",
            "It does not tell its supplies: open it and look.",
        ),
    ),
    Condition.PAPER_LOW: FaultEntry(
        Persistence.TEMPORARY,
        Mender.STAFF,
        Words(
            "纸快用完了，现在还能打，您照常办就行。",
            "Paper is running low, and it still prints: please go on as usual.",
        ),
        Words(
            "纸将尽：准备补充。",
            "Paper is low: bring some.",
        ),
    ),
    Condition.TONER_LOW: FaultEntry(
        Persistence.TEMPORARY,
        Mender.TECHNICIAN,
        Words(
            "墨粉快用完了，现在还能打，您照常办就行。",
            "Toner is running low, and it still prints: please go on as usual.",
        ),
        Words(
            "墨粉将尽：准备一个硒鼓。",
            "Toner is low: bring a cartridge.",
        ),
    ),
    Condition.JAMMED: FaultEntry(
        Persistence.TEMPORARY,
        Mender.STAFF,
        Words(
            "{device}卡纸了，请不要用力拉。{otherwise}",
            "Paper is stuck in the printer; please do not pull at it. {otherwise}",
        ),
        Words(
            "卡纸：打开后盖取出，一张碎纸也别留。",
            "Paper jam: open the back, take every scrap out.",
        ),
    ),
}
