"""The Qt application object with everything that must be set before or right after it is made."""

from __future__ import annotations

import os

from PySide6.QtCore import QEvent
from PySide6.QtGui import QAccessible, QFont, QGuiApplication

FONT_FAMILIES = ("Noto Sans CJK SC", "BabelStone Han", "HanaMinA", "HanaMinB")
"""Together they draw every character of GB 18030-2022 that a name may hold."""


class _Application(QGuiApplication):
    """Ends when the program says so: Qt would first ask the windows, and the kiosk's window always refuses."""

    def event(self, event: QEvent) -> bool:
        """Leave the loop on Quit."""
        if event.type() == QEvent.Type.Quit:
            self.exit(0)
            return True
        return super().event(event)


def create_application(*, platform: str | None = None) -> QGuiApplication:
    """The one QGuiApplication of the process: software renderer, uncompressed touch, our fonts, accessibility on."""
    os.environ["LC_ALL"] = "C.UTF-8"  # Qt complains about others, and a machine may have none; our words are our own
    os.environ["QT_QUICK_BACKEND"] = "software"
    os.environ["QML_NO_TOUCH_COMPRESSION"] = "1"
    # opencv-python leaves its own Qt's paths behind when it is imported
    for stray in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        os.environ.pop(stray, None)
    if platform is not None:
        os.environ["QT_QPA_PLATFORM"] = platform
    application = _Application(["kiosk"])
    font = QFont()
    font.setFamilies(list(FONT_FAMILIES))
    application.setFont(font)
    QAccessible.setActive(True)
    return application
