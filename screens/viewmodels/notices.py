"""A notice as every page shows it."""

from __future__ import annotations

from PySide6.QtCore import Property, QObject, Signal
from PySide6.QtQml import QmlElement

from kiosk.core.views import Notice
from screens.locale import zh_cn

QML_IMPORT_NAME = "CitizensWindow"
QML_IMPORT_MAJOR_VERSION = 1


@QmlElement
class NoticeModel(QObject):
    """Trouble or news: tone, headline, what to do next. Empty when there is none."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sentence: zh_cn.Sentence | None = None
        self._code = ""
        self._advise = True

    def show(self, notice: Notice | None, *, advise: bool = True) -> None:
        """Tell this, or nothing; without the advice where the page itself is the advice."""
        self._sentence = None if notice is None else zh_cn.notice(notice)
        self._advise = advise
        self._code = "" if notice is None else notice.code.value
        self.changed.emit()

    @Property(bool, notify=changed)
    def present(self) -> bool:
        """Is there one?"""
        return self._sentence is not None

    @Property(str, notify=changed)
    def code(self) -> str:
        """The NoticeCode."""
        return self._code

    @Property(str, notify=changed)
    def tone(self) -> str:
        """`info`, `ok`, `warn` or `error`."""
        return self._sentence.tone if self._sentence else "info"

    @Property(str, notify=changed)
    def title(self) -> str:
        """What happened."""
        return self._sentence.title if self._sentence else ""

    @Property(str, notify=changed)
    def text(self) -> str:
        """What to do next."""
        return self._sentence.text if self._sentence and self._advise else ""
