"""What surrounds every page: header, footer, clock, remaining time, the two alarms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from time import monotonic

from PySide6.QtCore import Property, QObject, QTimer, Signal, Slot
from PySide6.QtQml import QmlElement, QmlSingleton

from kiosk.core import views
from kiosk.core.intents import Back, CallHelp, ExtendTime, Finish, Home, PapersSeen, Touched, WindowSlip
from kiosk.core.print_ledger import PaperKind
from screens.locale import zh_cn
from screens.viewmodels import steps
from screens.viewmodels.base import PageModel, Rows

QML_IMPORT_NAME = "CitizensWindow"
QML_IMPORT_MAJOR_VERSION = 1

TICK_MS = 1000
TOUCH_EVERY_S = 1.0
"""The idle clock needs to hear of a touch once a second, not of every move."""


@dataclass(frozen=True, slots=True)
class ChipRow:
    """One entry of the device strip."""

    device: str
    tone: str
    symbol: str
    words: str


def chip_rows(chips: tuple[views.DeviceChip, ...], *, serving: bool = True) -> tuple[ChipRow, ...]:
    """The device strip in words."""
    told = [(chip.kind, zh_cn.device_chip(chip, serving=serving)) for chip in chips]
    return tuple(ChipRow(str(kind), words.tone, words.symbol, words.text) for kind, words in told)


def online(chrome: views.Chrome) -> bool:
    """Is the network known to be well?"""
    return any(chip.kind == "network" and chip.state == "ok" for chip in chrome.devices)


def help_sentence(chrome: views.Chrome) -> zh_cn.Sentence | None:
    """What became of the call for help; None when nobody called."""
    window = chrome.help_window
    name, phone = (window.name, window.phone) if window else ("", "")
    return zh_cn.help_called(chrome.help, online=online(chrome), window=name, phone=phone)


def papers_notice(code: views.NoticeCode, papers: tuple[PaperKind, ...]) -> zh_cn.Sentence | None:
    """What to say of papers in their mouths; None when there is none."""
    return zh_cn.notice(views.Notice(code, (("papers", "+".join(papers)),))) if papers else None


def page_key(view: views.View) -> str:
    """Names a page so that two of the same kind differ."""
    match view:
        case views.QuestionView(page_id=part) | views.CaptureView(material_id=part) | views.MySpaceView(tab=part):
            return f"{view.name}/{part}"
        case _:
            return view.name


@QmlElement
@QmlSingleton
class Chrome(PageModel):
    """Everything around the page. Counts the seconds down between two snapshots by itself."""

    changed = Signal()
    ticked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._chrome = views.Chrome("", "", (), False, False, None, False)
        self._view: views.View = views.AttractView()
        self._devices = Rows(ChipRow, self)
        self._help: zh_cn.Sentence | None = None
        self._waiting: zh_cn.Sentence | None = None
        self._left: zh_cn.Sentence | None = None
        self._now: Callable[[], datetime] | None = None
        self._clock = ("", "")
        self._seconds_at = 0.0
        self._touched_at = -TOUCH_EVERY_S
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)

    def start(self, now: Callable[[], datetime]) -> None:
        """Show the time of `now` from here on."""
        self._now = now
        self._tick()
        self._timer.start()

    def stop(self) -> None:
        """No more ticks."""
        self._timer.stop()

    def show(self, snapshot: views.Snapshot) -> None:
        """Surround this."""
        self._chrome = snapshot.chrome
        self._view = snapshot.view
        self._seconds_at = monotonic()
        self._devices.replace(chip_rows(snapshot.chrome.devices))
        self._help = help_sentence(snapshot.chrome)
        self._waiting = papers_notice(views.NoticeCode.PAPER_WAITING, snapshot.chrome.papers_waiting)
        self._left = papers_notice(views.NoticeCode.PAPER_LEFT, snapshot.chrome.papers_left)
        self.changed.emit()
        self.ticked.emit()

    @Slot()
    def _tick(self) -> None:
        if self._now is not None:
            self._clock = zh_cn.clock(self._now())
        self.ticked.emit()

    def _seconds_left(self) -> int | None:
        if self._chrome.seconds_left is None:
            return None
        return max(0, ceil(self._chrome.seconds_left - (monotonic() - self._seconds_at)))

    @Property(str, notify=changed)
    def page(self) -> str:
        """Name of the view."""
        return self._view.name

    @Property(str, notify=changed)
    def pageKey(self) -> str:
        """Changes when another page is shown, also one of the same kind."""
        return page_key(self._view)

    @Property(str, notify=changed)
    def siteName(self) -> str:
        """Where this terminal stands."""
        return self._chrome.site_name

    @Property(str, notify=changed)
    def terminalName(self) -> str:
        """Which one it is."""
        return self._chrome.terminal_name

    @Property(str, notify=ticked)
    def time(self) -> str:
        """14:26."""
        return self._clock[0]

    @Property(str, notify=ticked)
    def date(self) -> str:
        """3月8日 星期日."""
        return self._clock[1]

    @Property(str, notify=ticked)
    def timeLeft(self) -> str:
        """2:40, or empty when no clock runs."""
        seconds = self._seconds_left()
        return "" if seconds is None else zh_cn.time_left(seconds)

    @Property(int, notify=ticked)
    def secondsLeft(self) -> int:
        """For the countdown of the idle dialog; 0 when no clock runs."""
        return self._seconds_left() or 0

    @Property(bool, notify=changed)
    def inSession(self) -> bool:
        """A citizen is here."""
        return self._chrome.in_session

    @Property(bool, notify=changed)
    def warning(self) -> bool:
        """The idle dialog is up."""
        return self._chrome.warning

    @Property(str, notify=changed)
    def leftCard(self) -> str:
        """A card was forgotten: `id_card` on the reader, `social_card` in the slot; empty: none."""
        if self._chrome.card_left:
            return "id_card"
        return "social_card" if self._chrome.social_left else ""

    @Property(str, notify=changed)
    def paperWaiting(self) -> str:
        """She should take her paper at last; empty when there is none."""
        return f"{self._waiting.title}。{self._waiting.text}" if self._waiting else ""

    @Property(bool, notify=changed)
    def papersLeft(self) -> bool:
        """Somebody else's paper lies in a mouth."""
        return self._left is not None

    @Property(str, notify=changed)
    def papersLeftTitle(self) -> str:
        """What it is."""
        return self._left.title if self._left else ""

    @Property(str, notify=changed)
    def papersLeftText(self) -> str:
        """What to do with it."""
        return self._left.text if self._left else ""

    @Property(bool, notify=changed)
    def helpCalled(self) -> bool:
        """呼叫帮助 was touched; `help` says how far the call is."""
        return self._chrome.help != "none"

    @Property(str, notify=changed)
    def helpLabel(self) -> str:
        """On the button: 呼叫帮助, or what became of the call."""
        return zh_cn.help_label(self._chrome.help, online=online(self._chrome))

    @Property(str, notify=changed)
    def helpTitle(self) -> str:
        """What became of the call; empty when there is none."""
        return self._help.title if self._help else ""

    @Property(str, notify=changed)
    def helpText(self) -> str:
        """What to do meanwhile."""
        return self._help.text if self._help else ""

    @Property(str, notify=changed)
    def helpTone(self) -> str:
        """`info`, `ok` or `warn`."""
        return self._help.tone if self._help else "info"

    @Property(bool, notify=changed)
    def canSlip(self) -> bool:
        """到窗口办理 is offered on every step of a journey."""
        match self._view:
            case views.PrintView(phase=phase):
                return phase in ("failed", "unproven", "waiting_paper")
            case (
                views.GuideView()
                | views.PutCardView()
                | views.QuestionView()
                | views.MaterialsView()
                | views.CaptureView()
                | views.CheckView()
            ):
                return True
            case _:
                return False

    @Property(list, notify=changed)
    def steps(self) -> list[str]:
        """The stations of the journey in words; none outside of one."""
        return steps.words(steps.position(self._view)[0])

    @Property(int, notify=changed)
    def stepNumber(self) -> int:
        """Which of them this page belongs to, from 0; -1 outside of a journey."""
        return steps.position(self._view)[1]

    @Property(QObject, constant=True)
    def devices(self) -> QObject:
        """The device strip."""
        return self._devices

    @Slot()
    def touched(self) -> None:
        """Any touch."""
        if monotonic() - self._touched_at >= TOUCH_EVERY_S:
            self._touched_at = monotonic()
            self.send(Touched())

    @Slot()
    def extend(self) -> None:
        """还在办理."""
        self.send(ExtendTime())

    @Slot()
    def papersSeen(self) -> None:
        """知道了: the paper is somebody else's."""
        self.send(PapersSeen())

    @Slot()
    def callHelp(self) -> None:
        """呼叫帮助."""
        self.send(CallHelp())

    @Slot()
    def windowSlip(self) -> None:
        """到窗口办理."""
        self.send(WindowSlip())

    @Slot()
    def back(self) -> None:
        """上一步."""
        self.send(Back())

    @Slot()
    def home(self) -> None:
        """返回首页."""
        self.send(Home())

    @Slot()
    def finish(self) -> None:
        """退出 / 完成."""
        self.send(Finish())
