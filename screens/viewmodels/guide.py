"""Item guide and put-card."""

from __future__ import annotations

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlSingleton

from kiosk.core.intents import Begin
from kiosk.core.views import GuideView, PutCardView
from screens.locale import zh_cn
from screens.viewmodels.base import PageModel
from screens.viewmodels.notices import NoticeModel

QML_IMPORT_NAME = "CitizensWindow"
QML_IMPORT_MAJOR_VERSION = 1

BEGIN = {"begin": "开始办理", "print": "打印", "ask": "提问"}


@QmlElement
@QmlSingleton
class GuideModel(PageModel):
    """办事指南."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: GuideView | None = None
        self._notice = NoticeModel(self)

    def show(self, view: GuideView) -> None:
        """Show this item."""
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
        """Item name."""
        return self._view.item.name if self._view else ""

    @Property(str, notify=changed)
    def department(self) -> str:
        """Who decides."""
        return self._view.item.department if self._view else ""

    @Property(str, notify=changed)
    def summary(self) -> str:
        """In one sentence."""
        return self._view.item.summary if self._view else ""

    @Property(list, notify=changed)
    def materials(self) -> list[str]:
        """What to bring, the card first."""
        if self._view is None:
            return []
        return (["居民身份证"] if self._view.needs_card else []) + list(self._view.materials)

    @Property(str, notify=changed)
    def fee(self) -> str:
        """What it costs."""
        return self._view.fee if self._view else ""

    @Property(str, notify=changed)
    def limit(self) -> str:
        """How long it takes."""
        return (zh_cn.limit(self._view.limit_days, self._view.limit_unit) or "当场办好") if self._view else ""

    @Property(str, notify=changed)
    def result(self) -> str:
        """What the citizen gets."""
        return self._view.result if self._view else ""

    @Property(str, notify=changed)
    def visits(self) -> str:
        """How often one must go to a window."""
        if self._view is None:
            return ""
        return "不用跑窗口" if self._view.visits == 0 else f"要到窗口{self._view.visits}次"

    @Property(bool, notify=changed)
    def offlineOk(self) -> bool:
        """Can be filed without network."""
        return self._view.offline_ok if self._view else False

    @Property(str, notify=changed)
    def trouble(self) -> str:
        """Why it cannot be done here now."""
        return zh_cn.unavailable(self._view.item.available) if self._view else ""

    @Property(str, notify=changed)
    def beginLabel(self) -> str:
        """开始办理, 打印 or 提问."""
        return BEGIN[self._view.primary] if self._view else ""

    @Property(NoticeModel, constant=True)
    def notice(self) -> NoticeModel:
        """Trouble or news."""
        return self._notice

    @Slot()
    def begin(self) -> None:
        """The big button."""
        self.send(Begin())


@QmlElement
@QmlSingleton
class PutCardModel(PageModel):
    """请放上身份证."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: PutCardView | None = None
        self._notice = NoticeModel(self)

    def show(self, view: PutCardView) -> None:
        """Ask for the card, or say that it is being read."""
        self._view = view
        self._notice.show(view.notice)
        self.changed.emit()

    def clear(self) -> None:
        """Forget what for."""
        self._view = None
        self._notice.show(None)
        self.changed.emit()

    @Property(str, notify=changed)
    def purpose(self) -> str:
        """What the card is for."""
        return zh_cn.PURPOSES.get(self._view.purpose, self._view.purpose) if self._view else ""

    @Property(bool, notify=changed)
    def journey(self) -> bool:
        """Is it for an item, and so the first step of a journey?"""
        return self._view is not None and self._view.purpose not in zh_cn.PURPOSES

    @Property(bool, notify=changed)
    def reading(self) -> bool:
        """The card is being read."""
        return self._view.reading if self._view else False

    @Property(NoticeModel, constant=True)
    def notice(self) -> NoticeModel:
        """Trouble or news."""
        return self._notice
