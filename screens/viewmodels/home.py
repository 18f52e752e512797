"""Attract and home."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlSingleton

from kiosk.core.intents import DropDraft, OpenMySpace, OpenTile, ResumeDraft, Search, Start
from kiosk.core.views import HomeView, Person
from screens.locale import zh_cn
from screens.viewmodels.base import PageModel, Rows
from screens.viewmodels.notices import NoticeModel

QML_IMPORT_NAME = "CitizensWindow"
QML_IMPORT_MAJOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class TileRow:
    """One tile."""

    target: str
    title: str
    subtitle: str
    symbol: str
    trouble: str
    """Why it cannot be done here now; empty if it can."""


@QmlElement
@QmlSingleton
class HomeModel(PageModel):
    """您好，今天想办什么事？"""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._person: Person | None = None
        self._unfinished = ""
        self._tiles = Rows(TileRow, self)
        self._notice = NoticeModel(self)

    def show(self, view: HomeView) -> None:
        """Show these tiles."""
        self._person = view.person
        self._unfinished = view.unfinished
        self._notice.show(view.notice)
        self._tiles.replace(
            [
                TileRow(tile.target, tile.title, tile.subtitle, tile.icon, zh_cn.unavailable_tile(tile.available))
                for tile in view.tiles
            ]
        )
        self.changed.emit()

    def clear(self) -> None:
        """Forget the person; tiles are nobody's."""
        self._person = None
        self._unfinished = ""
        self._notice.show(None)
        self.changed.emit()

    @Property(str, notify=changed)
    def personName(self) -> str:
        """Masked; empty before the card was read."""
        return self._person.name if self._person else ""

    @Property(str, notify=changed)
    def personNumber(self) -> str:
        """Masked ID number."""
        return self._person.id_number if self._person else ""

    @Property(str, notify=changed)
    def unfinished(self) -> str:
        """Item that she began here before; empty if there is none."""
        return self._unfinished

    @Slot()
    def resume(self) -> None:
        """接着办."""
        self.send(ResumeDraft())

    @Slot()
    def discard(self) -> None:
        """不要了."""
        self.send(DropDraft())

    @Property(NoticeModel, constant=True)
    def notice(self) -> NoticeModel:
        """Why the card that lies there cannot be used."""
        return self._notice

    @Property(QObject, constant=True)
    def tiles(self) -> QObject:
        """The tiles."""
        return self._tiles

    @Slot()
    def start(self) -> None:
        """开始."""
        self.send(Start())

    @Slot(str)
    def openTile(self, target: str) -> None:
        """Touched a tile."""
        self.send(OpenTile(target))

    @Slot()
    def search(self) -> None:
        """Open the search page."""
        self.send(Search(""))

    @Slot(str)
    def openMySpace(self, tab: str) -> None:
        """我的办件 / 我的证照."""
        self.send(OpenMySpace(tab))
