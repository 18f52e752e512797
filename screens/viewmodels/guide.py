"""Item guide and put-card."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlSingleton

from kiosk.core.intents import Begin
from kiosk.core.views import GuideView, PutCardView
from screens.locale import zh_cn
from screens.viewmodels.base import PageModel, Rows
from screens.viewmodels.notices import NoticeModel

QML_IMPORT_NAME = "CitizensWindow"
QML_IMPORT_MAJOR_VERSION = 1

CARD = "居民身份证"


@dataclass(frozen=True, slots=True)
class PaperLine:
    """One paper and a few words on it."""

    title: str
    hint: str


def to_bring(view: GuideView) -> list[PaperLine]:
    """What must lie in her hand; what lies on the reader or is held already is not asked for."""
    lines = [PaperLine(CARD, "放在读卡区就行，不用复印")] if view.needs_card and not view.card_read else []
    for paper in view.papers:
        if paper.need == "bring":
            lines.append(PaperLine(paper.title, paper.hint))
        elif paper.need == "maybe":
            lines.append(PaperLine(f"{paper.title}（看情况，用到时会告诉您）", paper.hint))
    return lines


def to_spare(view: GuideView) -> list[PaperLine]:
    """What people bring for nothing."""
    lines = [PaperLine(CARD, "已经读取，不用复印")] if view.card_read else []
    lines += [PaperLine(paper.title, "查到您已有，直接用") for paper in view.papers if paper.need == "held"]
    if view.primary == "begin":
        lines.append(PaperLine("申请表", "在屏幕上填，不用带纸"))
    return lines


PUT_CARD = "把身份证放在读卡区"
HOW = {
    "begin": ["回答几个问题", "核对一遍，确认提交", "拿好回执，凭编号查进度"],
    "print": ["核对一遍，点“确认打印”", "从机器的出纸口取走"],
    "ask": ["选是哪方面的事，写下问题", "核对一遍，确认提交", "拿好回执，凭编号看答复"],
}
BEGIN = {"begin": "开始办理", "print": "打印", "ask": "提问"}


@QmlElement
@QmlSingleton
class GuideModel(PageModel):
    """办事指南."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: GuideView | None = None
        self._bring = Rows(PaperLine, self)
        self._spare = Rows(PaperLine, self)
        self._notice = NoticeModel(self)

    def show(self, view: GuideView) -> None:
        """Show this item."""
        self._view = view
        self._bring.replace(to_bring(view))
        self._spare.replace(to_spare(view))
        self._notice.show(view.notice)
        self.changed.emit()

    def clear(self) -> None:
        """Forget it."""
        self._view = None
        self._bring.replace(())
        self._spare.replace(())
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

    @Property(QObject, constant=True)
    def bring(self) -> QObject:
        """What to bring, the card first."""
        return self._bring

    @Property(QObject, constant=True)
    def spare(self) -> QObject:
        """What can stay at home."""
        return self._spare

    @Property(list, notify=changed)
    def how(self) -> list[str]:
        """How it goes, where the papers leave room to say it."""
        if self._view is None or self._view.papers:
            return []
        return ([] if self._view.card_read or not self._view.needs_card else [PUT_CARD]) + HOW[self._view.primary]

    @Property(bool, notify=changed)
    def nothing(self) -> bool:
        """Is there nothing (more) to bring?"""
        return self._bring.rowCount() == 0

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
