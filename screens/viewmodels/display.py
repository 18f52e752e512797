"""How this one citizen wants to see the screen: large type, contrast, within reach. Never leaves the screens."""

from __future__ import annotations

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlSingleton

QML_IMPORT_NAME = "CitizensWindow"
QML_IMPORT_MAJOR_VERSION = 1


@QmlElement
@QmlSingleton
class Display(QObject):
    """大字版, 高对比, 低位操作; undone at the end of each session."""

    changed = Signal()
    enlarged = Signal(bool)
    """Large type went on or off."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._large = False
        self._contrast = False
        self._reach = False
        self._motion = True

    @Property(bool, notify=changed)
    def large(self) -> bool:
        """大字版: all text 1.3 times as large."""
        return self._large

    @Property(bool, notify=changed)
    def contrast(self) -> bool:
        """高对比: yellow and white on black."""
        return self._contrast

    @Property(bool, notify=changed)
    def reach(self) -> bool:
        """低位操作: everything to touch lies in the lower two thirds."""
        return self._reach

    @Property(bool, notify=changed)
    def motion(self) -> bool:
        """May things move?"""
        return self._motion

    def set_motion(self, motion: bool) -> None:
        """From the settings; not the citizen's choice."""
        self._motion = motion
        self.changed.emit()

    @Slot()
    def toggleLarge(self) -> None:
        """大字版 on or off."""
        self._large = not self._large
        self.changed.emit()
        self.enlarged.emit(self._large)

    @Slot()
    def toggleContrast(self) -> None:
        """高对比 on or off."""
        self._contrast = not self._contrast
        self.changed.emit()

    @Slot()
    def toggleReach(self) -> None:
        """低位操作 on or off."""
        self._reach = not self._reach
        self.changed.emit()

    def reset(self) -> None:
        """The next citizen starts with the ordinary screen."""
        if not (self._large or self._contrast or self._reach):
            return
        large = self._large
        self._large = self._contrast = self._reach = False
        self.changed.emit()
        if large:
            self.enlarged.emit(False)
