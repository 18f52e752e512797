"""What keys send: input method and key events to whatever has the focus, as from any keyboard."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QColor, QGuiApplication, QInputMethodEvent, QKeyEvent, QTextCharFormat

NO_MODIFIER = Qt.KeyboardModifier.NoModifier


def compose(letters: str, colour: QColor) -> None:
    """Show letters that are not text yet, underlined, the cursor behind them; no letters: none are shown any more."""
    form = QTextCharFormat()
    form.setFontUnderline(True)
    form.setForeground(colour)
    attribute, kinds = QInputMethodEvent.Attribute, QInputMethodEvent.AttributeType
    end = len(letters)
    _deliver(
        QInputMethodEvent(letters, [attribute(kinds.TextFormat, 0, end, form), attribute(kinds.Cursor, end, 1, None)])
    )


def commit(text: str) -> None:
    """Put text in at the cursor."""
    event = QInputMethodEvent("", [])
    event.setCommitString(text)
    _deliver(event)


def press(key: Qt.Key, modifiers: Qt.KeyboardModifier = NO_MODIFIER) -> None:
    """Press and release a key that has no text."""
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        _deliver(QKeyEvent(kind, key, modifiers))


def _deliver(event: QEvent) -> None:
    target = QGuiApplication.focusObject()
    if target is not None:
        QCoreApplication.sendEvent(target, event)
