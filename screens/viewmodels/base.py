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

    `replace` keeps the delegates of rows whose keys (their first field) stay, so that a field under the citizen's
    fingers is never rebuilt by a new snapshot.
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
        keys = [self._key(row) for row in new]
        if not self._step_to(new, keys):
            self.beginResetModel()
            self._rows = new
            self.endResetModel()
            return
        old, self._rows = self._rows, new
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            if before != after:
                here = self.index(number, 0)
                self.dataChanged.emit(here, here)

    def _key(self, row: Any) -> object:
        return getattr(row, self._fields[0])

    def _step_to(self, new: tuple[Any, ...], keys: list[object]) -> bool:
        """Take out what is gone and put in what is new; False if what stays is in another order, or nothing stays."""
        staying = [row for row in self._rows if self._key(row) in keys]
        order = [self._key(row) for row in staying]
        if not staying or len(set(keys)) < len(keys) or order != [key for key in keys if key in order]:
            return keys == [self._key(row) for row in self._rows]
        for number in reversed(range(len(self._rows))):
            if self._key(self._rows[number]) not in keys:
                self.beginRemoveRows(QModelIndex(), number, number)
                self._rows = self._rows[:number] + self._rows[number + 1 :]
                self.endRemoveRows()
        for number, key in enumerate(keys):
            if key not in order:
                self.beginInsertRows(QModelIndex(), number, number)
                self._rows = (*self._rows[:number], new[number], *self._rows[number:])
                self.endInsertRows()
        return True


def camel(name: str) -> str:
    """snake_case as camelCase."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)
