"""A page on its way to the tray; the slip for a window; out of service."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlSingleton

from kiosk.core.intents import PaperSpoiled, PaperTaken, PrintAgain
from kiosk.core.views import OutOfServiceView, PrintView, WindowSlipView
from screens.viewmodels.base import PageModel, Rows
from screens.viewmodels.chrome import ChipRow, chip_rows
from screens.viewmodels.notices import NoticeModel

QML_IMPORT_NAME = "CitizensWindow"
QML_IMPORT_MAJOR_VERSION = 1

PRINT_WORDS = {
    "fetching": "正在准备文件",
    "printing": "正在打印，请稍等",
    "done": "打印好了，请从下方出纸口取走",
    "failed": "没有打印出来",
    "unproven": "纸打印齐了吗？",
    "waiting_paper": "打印机没纸了，加好后自动继续",
}
EARLIER = "上次打印的证照"
SPOILED = (
    ("jammed", "卡纸了"),
    ("unreadable", "看不清"),
    ("damaged", "纸破了"),
    ("lost_in_printer", "没出来"),
)
"""纸有问题: `VoidReason` and what is written on the button."""
SLIP_WORDS = {
    "printing": "正在打印办事清单",
    "done": "办事清单已打印，请取走带到窗口",
    "failed": "清单没有打印出来，请记下或拍下窗口地址",
}


@QmlElement
@QmlSingleton
class PrintModel(PageModel):
    """打印."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: PrintView | None = None
        self._notice = NoticeModel(self)

    def show(self, view: PrintView) -> None:
        """Show how far it is."""
        self._view = view
        self._notice.show(view.notice)
        self.changed.emit()

    def clear(self) -> None:
        """Forget it."""
        self._view = None
        self._notice.show(None)
        self.changed.emit()

    @Property(str, notify=changed)
    def title(self) -> str:
        """What is printed."""
        return (self._view.title or EARLIER) if self._view else ""

    @Property(str, notify=changed)
    def phase(self) -> str:
        """fetching, printing, done, failed, unproven, waiting_paper."""
        return self._view.phase if self._view else ""

    @Property(str, notify=changed)
    def words(self) -> str:
        """The same in words."""
        return PRINT_WORDS[self._view.phase] if self._view else ""

    @Property(str, notify=changed)
    def pages(self) -> str:
        """How many pages, in words."""
        return f"共{self._view.pages}页" if self._view and self._view.pages else ""

    @Property(NoticeModel, constant=True)
    def notice(self) -> NoticeModel:
        """Trouble or news."""
        return self._notice

    @Property(list, constant=True)
    def spoiledReasons(self) -> list[list[str]]:
        """Reasons to print a page again that came out, with their words."""
        return [list(pair) for pair in SPOILED]

    @Slot(str)
    def spoiled(self, reason: str) -> None:
        """纸有问题: why."""
        self.send(PaperSpoiled(reason))

    @Slot()
    def printAgain(self) -> None:
        """再打一次."""
        self.send(PrintAgain())

    @Slot()
    def paperTaken(self) -> None:
        """拿到了."""
        self.send(PaperTaken())


@dataclass(frozen=True, slots=True)
class WindowRow:
    """One window that does it."""

    title: str
    address: str
    hours: str
    phone: str


@QmlElement
@QmlSingleton
class WindowSlipModel(PageModel):
    """到窗口办理."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: WindowSlipView | None = None
        self._windows = Rows(WindowRow, self)
        self._reason = NoticeModel(self)

    def show(self, view: WindowSlipView) -> None:
        """Show where to go."""
        self._view = view
        self._windows.replace([WindowRow(*window) for window in view.windows])
        self._reason.show(view.reason, advise=False)
        self.changed.emit()

    def clear(self) -> None:
        """Forget it."""
        self._view = None
        self._windows.replace(())
        self._reason.show(None)
        self.changed.emit()

    @Property(str, notify=changed)
    def itemName(self) -> str:
        """The item's name."""
        return self._view.item_name if self._view else ""

    @Property(str, notify=changed)
    def phase(self) -> str:
        """printing, done, failed."""
        return self._view.phase if self._view else ""

    @Property(str, notify=changed)
    def words(self) -> str:
        """The same in words."""
        return SLIP_WORDS[self._view.phase] if self._view else ""

    @Property(QObject, constant=True)
    def windows(self) -> QObject:
        """Where to go."""
        return self._windows

    @Property(NoticeModel, constant=True)
    def reason(self) -> NoticeModel:
        """Why."""
        return self._reason

    @Slot()
    def printAgain(self) -> None:
        """再打一次."""
        self.send(PrintAgain())


@QmlElement
@QmlSingleton
class OutOfServiceModel(PageModel):
    """Nothing can be offered here now."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: OutOfServiceView | None = None
        self._reasons = Rows(ChipRow, self)

    def show(self, view: OutOfServiceView) -> None:
        """Say why, and where else."""
        self._view = view
        self._reasons.replace(chip_rows(view.reasons, serving=False))
        self.changed.emit()

    def clear(self) -> None:
        """Nothing personal in it."""

    @Property(str, notify=changed)
    def elsewhere(self) -> str:
        """The nearest other terminal."""
        return self._view.elsewhere if self._view else ""

    @Property(QObject, constant=True)
    def reasons(self) -> QObject:
        """What is broken."""
        return self._reasons
