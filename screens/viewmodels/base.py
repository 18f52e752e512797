"""What all view-models share: one way to send an intent, and one list model over frozen rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QByteArray, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from kiosk.core.intents import Intent

Index = QModelIndex | QPersistentModelIndex
FIRST_ROLE = Qt.ItemDataRole.UserRole


class PageModel(QObject):
    """The model of one kind of page."""

    intent = Signal(object)

    def send(self, intent: Intent) -> None:
        """Tell the services what the citizen did."""
        self.intent.emit(intent)

    def clear(self) -> None:
        """Forget everything of the citizen's. Every page must say how."""
        raise NotImplementedError


class Rows(QAbstractListModel):
    """Frozen dataclass instances as a Qt list; each field is a role, named in camelCase.

    `replace` keeps the delegates alive as long as the keys (the rows' first field) stay the same, so that a field under
    the citizen's fingers is never rebuilt by a new snapshot.
    """

    def __init__(self, row: type[Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._fields = tuple(field.name for field in dataclasses.fields(row))
        self._rows: tuple[Any, ...] = ()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        """Number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = FIRST_ROLE) -> object:
        """One field of one row."""
        number = role - FIRST_ROLE
        if not index.isValid() or not 0 <= number < len(self._fields):
            return None
        return getattr(self._rows[index.row()], self._fields[number])

    def roleNames(self) -> dict[int, QByteArray]:
        """Field names as QML knows them."""
        return {FIRST_ROLE + number: QByteArray(camel(name).encode()) for number, name in enumerate(self._fields)}

    @property
    def rows(self) -> tuple[Any, ...]:
        """What is in it."""
        return self._rows

    def replace(self, rows: Sequence[Any]) -> None:
        """Show these rows."""
        new = tuple(rows)
        key = self._fields[0]
        if [getattr(row, key) for row in new] != [getattr(row, key) for row in self._rows]:
            self.beginResetModel()
            self._rows = new
            self.endResetModel()
            return
        old, self._rows = self._rows, new
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            if before != after:
                here = self.index(number, 0)
                self.dataChanged.emit(here, here)


def camel(name: str) -> str:
    """snake_case as camelCase."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)
