"""Check answers, sending."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlSingleton

from kiosk.core.intents import ChangeAnswer, Submit
from kiosk.core.views import CheckView, SendingView
from screens.locale import zh_cn
from screens.viewmodels.base import PageModel, Rows
from screens.viewmodels.notices import NoticeModel

QML_IMPORT_NAME = "CitizensWindow"
QML_IMPORT_MAJOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One line of check-answers."""

    label: str
    value: str
    chip: str
    change: str


@QmlElement
@QmlSingleton
class CheckModel(PageModel):
    """核对确认."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: CheckView | None = None
        self._rows = Rows(AnswerRow, self)
        self._notice = NoticeModel(self)

    def show(self, view: CheckView) -> None:
        """Show these answers."""
        self._view = view
        self._rows.replace([AnswerRow(row.label, row.value, zh_cn.source(row.source), row.change) for row in view.rows])
        self._notice.show(view.notice)
        self.changed.emit()

    def clear(self) -> None:
        """Forget them."""
        self._view = None
        self._rows.replace(())
        self._notice.show(None)
        self.changed.emit()

    @Property(str, notify=changed)
    def itemName(self) -> str:
        """The item's name."""
        return self._view.item_name if self._view else ""

    @Property(str, notify=changed)
    def submitLabel(self) -> str:
        """确认打印 for a certificate, otherwise 确认提交."""
        return "确认打印" if self.prints else "确认提交"

    @Property(bool, notify=changed)
    def prints(self) -> bool:
        """Is it a certificate, printed at once?"""
        return self._view is not None and self._view.kind == "certificate"

    @Property(int, notify=changed)
    def count(self) -> int:
        """Number of answers."""
        return self._rows.rowCount()

    @Property(QObject, constant=True)
    def rows(self) -> QObject:
        """The answers."""
        return self._rows

    @Property(NoticeModel, constant=True)
    def notice(self) -> NoticeModel:
        """Trouble or news."""
        return self._notice

    @Slot(str)
    def change(self, target: str) -> None:
        """修改."""
        self.send(ChangeAnswer(target))

    @Slot()
    def submit(self) -> None:
        """确认提交 / 确认打印."""
        self.send(Submit())


@QmlElement
@QmlSingleton
class SendingModel(PageModel):
    """Being written down."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: SendingView | None = None

    def show(self, view: SendingView) -> None:
        """Show that it takes a blink."""
        self._view = view
        self.changed.emit()

    def clear(self) -> None:
        """Forget it."""
        self._view = None
        self.changed.emit()

    @Property(str, notify=changed)
    def itemName(self) -> str:
        """The item's name."""
        return self._view.item_name if self._view else ""
