"""Takes a keyboard-wedge scanner's keys out of a window's keyboard; see `screens.wedge`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QWindow

from kiosk.core.scanned_code import HeldCode, without_symbology
from screens.wedge import GAP_MS, Key, Kind, Verdict, Wedge

_ENTERS = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})
_MODIFIERS = frozenset({Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta})
_COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_LATE_S = GAP_MS / 1000
"""The timer came so much too late: this thread was busy, and keys may be waiting in the queue."""


@dataclass(frozen=True, slots=True)
class _Stroke:
    """What it takes to make a key event once more: Qt's own object is gone when its delivery ends."""

    type: QEvent.Type
    key: int
    modifiers: Qt.KeyboardModifier
    scan_code: int
    virtual_key: int
    native_modifiers: int
    text: str
    repeated: bool
    count: int

    @classmethod
    def of(cls, event: QKeyEvent) -> _Stroke:
        """Everything that an event holds."""
        return cls(
            event.type(),
            event.key(),
            event.modifiers(),
            event.nativeScanCode(),
            event.nativeVirtualKey(),
            event.nativeModifiers(),
            event.text(),
            event.isAutoRepeat(),
            event.count(),
        )

    def event(self) -> QKeyEvent:
        """The same event, anew."""
        return QKeyEvent(
            self.type,
            self.key,
            self.modifiers,
            self.scan_code,
            self.virtual_key,
            self.native_modifiers,
            self.text,
            self.repeated,
            self.count,
        )


class WedgeFilter(QObject):
    """Watches one window's keys; `on_code` is called with each code, once however long it is held."""

    def __init__(self, window: QWindow, on_code: Callable[[str], None]) -> None:
        super().__init__()
        self._window = window
        self._on_code = on_code
        self._wedge = Wedge()
        self._held = HeldCode()
        self._replaying = False
        self._due = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(GAP_MS + 1)
        self._timer.timeout.connect(self._lapse)
        window.installEventFilter(self)

    def close(self) -> None:
        """Leave the window's keyboard alone; keys that are held back are forgotten."""
        self._timer.stop()
        self._window.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt's question whether this event ends here."""
        if self._replaying or not isinstance(event, QKeyEvent) or event.type() == QEvent.Type.ShortcutOverride:
            return False
        key = Key(
            kind=_kind_of(event),
            code=event.key(),
            pressed=event.type() == QEvent.Type.KeyPress,
            text=event.text(),
            source=_Stroke.of(event),
        )
        self._follow(self._wedge.key(key, event.timestamp()))
        return True

    def _lapse(self) -> None:
        if time.monotonic() - self._due > _LATE_S:
            self._wait()
        else:
            self._follow(self._wedge.lapse())

    def _wait(self) -> None:
        self._due = time.monotonic() + self._timer.interval() / 1000
        self._timer.start()

    def _follow(self, verdict: Verdict) -> None:
        self._replaying = True
        try:
            for key in verdict.replay:
                assert isinstance(key.source, _Stroke)
                QCoreApplication.sendEvent(self._window, key.source.event())
        finally:
            self._replaying = False
        if self._wedge.holding:
            self._wait()
        else:
            self._timer.stop()
        if verdict.scanned is not None:
            code = without_symbology(verdict.scanned)
            if code.strip() and self._held.fresh(code, time.monotonic()):
                self._on_code(code)


def _kind_of(event: QKeyEvent) -> Kind:
    if event.isAutoRepeat():
        return Kind.OTHER
    if event.key() in _MODIFIERS:
        return Kind.MODIFIER
    if event.key() in _ENTERS:
        return Kind.ENTER
    printable = event.text().isprintable() and event.text() != ""
    return Kind.CHARACTER if printable and not event.modifiers() & _COMMANDS else Kind.OTHER
