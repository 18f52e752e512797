"""What a code under the scanner says."""

from __future__ import annotations

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlSingleton

from kiosk.contract.numbers import ApplicationNumber
from kiosk.core.intents import OpenMySpace
from kiosk.core.views import CodeView
from screens.locale import zh_cn
from screens.viewmodels.base import PageModel

QML_IMPORT_NAME = "CitizensWindow"
QML_IMPORT_MAJOR_VERSION = 1


@QmlElement
@QmlSingleton
class CodeModel(PageModel):
    """扫码结果."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: CodeView | None = None

    def show(self, view: CodeView) -> None:
        """Show this."""
        self._view = view
        self.changed.emit()

    def clear(self) -> None:
        """Forget it."""
        self._view = None
        self.changed.emit()

    @Property(str, notify=changed)
    def headline(self) -> str:
        """What it is."""
        return zh_cn.code_headline(self._view.kind) if self._view else ""

    @Property(str, notify=changed)
    def verdict(self) -> str:
        """Is it genuine?"""
        return zh_cn.code_verdict(self._view).title if self._view else ""

    @Property(str, notify=changed)
    def verdictText(self) -> str:
        """And what that means."""
        return zh_cn.code_verdict(self._view).text if self._view else ""

    @Property(str, notify=changed)
    def tone(self) -> str:
        """`ok`, `warn`, `error` or `info`."""
        return zh_cn.code_verdict(self._view).tone if self._view else "info"

    @Property(str, notify=changed)
    def symbol(self) -> str:
        """The same as a picture."""
        tone = zh_cn.code_verdict(self._view).tone if self._view else "info"
        return {"ok": "circle-check", "info": "receipt"}.get(tone, "alert-triangle")

    @Property(str, notify=changed)
    def title(self) -> str:
        """Kind of licence."""
        return self._view.title if self._view else ""

    @Property(str, notify=changed)
    def holder(self) -> str:
        """As the paper shows it."""
        return self._view.holder if self._view else ""

    @Property(str, notify=changed)
    def number(self) -> str:
        """In groups for the eye."""
        if self._view is None:
            return ""
        if self._view.kind == "receipt":
            return ApplicationNumber.parse(self._view.number).printed()
        return self._view.number

    @Property(str, notify=changed)
    def validTo(self) -> str:
        """Until when, in words."""
        if self._view is None or not self._view.valid_to:
            return ""
        return zh_cn.iso_day(self._view.valid_to)

    @Property(bool, notify=changed)
    def progress(self) -> bool:
        """Is the way to 我的办件 open?"""
        return self._view is not None and self._view.progress

    @Slot()
    def openProgress(self) -> None:
        """看办理进度."""
        self.send(OpenMySpace("applications"))
