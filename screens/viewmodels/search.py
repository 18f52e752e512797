"""Search."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlSingleton

from kiosk.core.intents import OpenItem, Search
from kiosk.core.views import SearchView
from screens.locale import zh_cn
from screens.viewmodels.base import PageModel, Rows

QML_IMPORT_NAME = "CitizensWindow"
QML_IMPORT_MAJOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One item found."""

    code: str
    title: str
    department: str
    summary: str
    why: str
    trouble: str


@QmlElement
@QmlSingleton
class SearchModel(PageModel):
    """Find an item by everyday words, pinyin or initials."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._query = ""
        self._results = Rows(ResultRow, self)

    def show(self, view: SearchView) -> None:
        """Show these results."""
        self._query = view.query
        self._results.replace(
            [
                ResultRow(
                    card.code, card.name, card.department, card.summary, card.why, zh_cn.unavailable(card.available)
                )
                for card in view.results
            ]
        )
        self.changed.emit()

    def clear(self) -> None:
        """Forget what was asked."""
        self._query = ""
        self._results.replace(())
        self.changed.emit()

    @Property(str, notify=changed)
    def query(self) -> str:
        """What was asked, as the services know it."""
        return self._query

    @Property(int, notify=changed)
    def count(self) -> int:
        """Number of results."""
        return self._results.rowCount()

    @Property(QObject, constant=True)
    def results(self) -> QObject:
        """Best first."""
        return self._results

    @Slot(str)
    def ask(self, text: str) -> None:
        """Typed in the box."""
        self.send(Search(text))

    @Slot(str)
    def open(self, code: str) -> None:
        """Chose an item."""
        self.send(OpenItem(code))
