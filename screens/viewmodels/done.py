"""Done: it is filed."""

from __future__ import annotations

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlSingleton

from kiosk.core.intents import PaperTaken, PrintAgain
from kiosk.core.views import DoneView, Notice, NoticeCode
from screens.locale import zh_cn
from screens.viewmodels.base import PageModel
from screens.viewmodels.grouping import grouped
from screens.viewmodels.notices import NoticeModel

QML_IMPORT_NAME = "CitizensWindow"
QML_IMPORT_MAJOR_VERSION = 1

SAID_ELSEWHERE = frozenset(
    {
        NoticeCode.DELIVERED,
        NoticeCode.SAVED_OFFLINE,
        NoticeCode.RECEIPT_FAILED,
        NoticeCode.RECEIPT_UNPROVEN,
        NoticeCode.RECEIPT_PAPER_OUT,
    }
)
"""The page has a place of its own for the delivery and for the paper."""
RECEIPT_NOTICES = {
    "failed": NoticeCode.RECEIPT_FAILED,
    "unproven": NoticeCode.RECEIPT_UNPROVEN,
    "waiting_paper": NoticeCode.RECEIPT_PAPER_OUT,
}
RECEIPT_WORDS = {
    "printing": "正在打印回执，请稍等",
    "printed": "回执已打印，请从出纸口取走",
}


@QmlElement
@QmlSingleton
class DoneModel(PageModel):
    """Number, code, what happens next, where to ask; honest about the network and the paper."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: DoneView | None = None
        self._notice = NoticeModel(self)
        self._delivery = NoticeModel(self)

    def show(self, view: DoneView) -> None:
        """Show what was filed."""
        self._view = view
        code = NoticeCode.DELIVERED if view.delivered else NoticeCode.SAVED_OFFLINE
        self._delivery.show(Notice(code, (("kind", view.kind),)))
        told = view.notice
        if told is not None and told.code in SAID_ELSEWHERE:
            told = None
        self._notice.show(told)
        self.changed.emit()

    def clear(self) -> None:
        """Forget it."""
        self._view = None
        self._notice.show(None)
        self._delivery.show(None)
        self.changed.emit()

    @Property(str, notify=changed)
    def headline(self) -> str:
        """提交成功."""
        if self._view is None:
            return ""
        if self._view.recovered:
            return "刚才的申请已提交成功"
        if self._view.corrects:
            return "补交的材料已提交"
        return "问题已提交" if self._view.kind == "consultation" else "申请已提交"

    @Property(str, notify=changed)
    def corrects(self) -> str:
        """受理编号 of the case that it corrects, in groups; empty for a first filing."""
        return grouped(self._view.corrects) if self._view and self._view.corrects else ""

    @Property(bool, notify=changed)
    def recovered(self) -> bool:
        """The screen had died after filing."""
        return self._view.recovered if self._view else False

    @Property(str, notify=changed)
    def itemName(self) -> str:
        """The item's name."""
        return self._view.item_name if self._view else ""

    @Property(str, notify=changed)
    def number(self) -> str:
        """受理编号, in groups."""
        return grouped(self._view.application_no) if self._view else ""

    @Property(str, notify=changed)
    def code(self) -> str:
        """查询码."""
        return self._view.query_code if self._view else ""

    @Property(str, notify=changed)
    def place(self) -> str:
        """Where to ask."""
        return self._view.query_place if self._view else ""

    @Property(str, notify=changed)
    def limit(self) -> str:
        """When it will be decided."""
        view = self._view
        return zh_cn.limit(view.limit_days, view.limit_unit, view.limit_by) if view else ""

    @Property(str, notify=changed)
    def receipt(self) -> str:
        """printing, printed, failed, unproven, waiting_paper."""
        return self._view.receipt if self._view else ""

    @Property(str, notify=changed)
    def receiptWords(self) -> str:
        """What became of the paper."""
        if self._view is None:
            return ""
        trouble = RECEIPT_NOTICES.get(self._view.receipt)
        return zh_cn.notice(Notice(trouble)).title if trouble else RECEIPT_WORDS[self._view.receipt]

    @Property(str, notify=changed)
    def receiptAdvice(self) -> str:
        """What to do about the paper; empty when it is well."""
        trouble = RECEIPT_NOTICES.get(self._view.receipt) if self._view else None
        return zh_cn.notice(Notice(trouble)).text if trouble else ""

    @Property(NoticeModel, constant=True)
    def delivery(self) -> NoticeModel:
        """Is it at the hall, or safe here?"""
        return self._delivery

    @Property(NoticeModel, constant=True)
    def notice(self) -> NoticeModel:
        """Trouble or news."""
        return self._notice

    @Slot()
    def printAgain(self) -> None:
        """再打一次."""
        self.send(PrintAgain())

    @Slot()
    def paperTaken(self) -> None:
        """拿到了."""
        self.send(PaperTaken())
