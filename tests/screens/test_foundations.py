"""What the screens stand on: PySide that does not leak, colours that can be told apart, glyphs for every name."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QGuiApplication, QTextLayout

ROOT = Path(__file__).parents[2]


class Sender(QObject):
    said = Signal()


class Receiver(QObject):
    @Slot()
    def hear(self) -> None:
        pass


def test_pyside_keeps_its_hands_off_the_singletons(application: QGuiApplication) -> None:
    """PySide6 6.12 on Python 3.11 drops references of None and True until the process dies."""
    gc.collect()
    before = [sys.getrefcount(one) for one in (None, True, False)]
    timer = QTimer()
    for _ in range(10_000):
        timer.start(1000)
    timer.stop()
    sender, receiver = Sender(), Receiver()
    for _ in range(2_000):
        sender.said.connect(receiver.hear)
        sender.said.disconnect(receiver.hear)
    gc.collect()
    after = [sys.getrefcount(one) for one in (None, True, False)]
    assert all(abs(now - then) < 50 for now, then in zip(after, before, strict=True)), (before, after)


def luminance(colour: QColor) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF())


def contrast(one: QColor, other: QColor) -> float:
    """WCAG 2.2 contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


TEXT_ON = [
    ("ink", "canvas"), ("ink", "surface"), ("ink", "tint"), ("ink", "key"), ("ink", "keyFunction"), ("ink", "warnTint"),
    ("inkSoft", "canvas"), ("inkSoft", "surface"), ("inkSoft", "keyFunction"), ("inkSoft", "key"),
    ("headerInk", "header"), ("primaryInk", "primary"), ("primaryInk", "primaryDown"), ("accent", "surface"),
    ("accent", "tint"), ("accent", "tintDown"), ("accent", "canvas"), ("accent", "key"),
    ("ok", "okTint"), ("ok", "surface"), ("ok", "tint"), ("ok", "canvas"), ("warn", "warnTint"), ("warn", "surface"),
    ("error", "errorTint"), ("error", "canvas"),
]  # fmt: skip
EDGES_ON = [("border", "surface"), ("border", "canvas"), ("accent", "surface"), ("error", "surface"), ("ok", "surface")]


@pytest.mark.parametrize("high", [False, True])
def test_every_ink_can_be_read_on_its_ground(stage: Any, high: bool) -> None:
    """4.5 to 1 for text, 3 to 1 for what bounds a field (WCAG 2.2, 1.4.3 and 1.4.11); 7 to 1 in 高对比."""
    if high:
        stage.screens._display.toggleContrast()
    tokens = stage.screens._engine.evaluate("(function(theme, name) { return theme[name].toString() })")
    theme = theme_of(stage)

    def colour(name: str) -> QColor:
        found = tokens.call([theme, name]).toString()
        assert found.startswith("#"), (name, found)
        return QColor(found)

    for ink, ground in TEXT_ON:
        assert contrast(colour(ink), colour(ground)) >= (7 if high else 4.5), (ink, ground)
    for edge, ground in EDGES_ON:
        assert contrast(colour(edge), colour(ground)) >= 3, (edge, ground)


def theme_of(stage: Any) -> Any:
    """The token singleton, as QML's own engine hands it out."""
    from PySide6.QtCore import QUrl
    from PySide6.QtQml import QQmlComponent

    engine = stage.screens._engine
    probe = QQmlComponent(engine)
    probe.setData(
        b'import QtQml\nimport "theme"\nQtObject { property QtObject theme: Theme }',
        QUrl.fromLocalFile(str(ROOT / "screens" / "Probe.qml")),
    )
    made = probe.create()
    assert made is not None, probe.errorString()
    made.setParent(stage.screens)
    return engine.newQObject(made).property("theme")


@pytest.mark.parametrize("character", list("䶮㛃𣲗𬱖𮧵龚鑫滘"))
def test_every_character_of_a_name_has_a_glyph(application: QGuiApplication, character: str) -> None:
    layout = QTextLayout(character, application.font())
    layout.beginLayout()
    layout.createLine()
    layout.endLayout()
    runs = layout.glyphRuns()
    assert runs
    for run in runs:
        assert 0 not in run.glyphIndexes(), f"tofu from {run.rawFont().familyName()}"


def test_missing_glyphs_would_be_found(application: QGuiApplication) -> None:
    """The test above can fail: a code point that no font of ours draws."""
    layout = QTextLayout("\U000e0fff\U0003ffff", application.font())
    layout.beginLayout()
    layout.createLine()
    layout.endLayout()
    assert any(0 in run.glyphIndexes() for run in layout.glyphRuns())


def test_every_icon_that_is_named_exists() -> None:
    import re

    from screens.images import icon_folder
    from screens.locale import zh_cn

    folder = icon_folder()
    names = set(zh_cn._SYMBOLS.values()) | {"wifi-off"}
    for file in (ROOT / "screens").rglob("*.qml"):
        text = file.read_text(encoding="utf-8")
        for match in re.finditer(r"(?:symbol|name|primarySymbol): ([^\n]+)", text):
            names |= set(re.findall(r'"([a-z][a-z0-9-]+)"', match.group(1)))
    names -= {"failed", "done", "printing", "fetching", "unproven", "ok", "warn", "error"}
    missing = [name for name in names if not (folder / f"{name}.svg").is_file()]
    assert missing == []
    assert len(names) > 30


def test_the_screens_come_and_go_without_a_word(pinyin: Path) -> None:
    """A whole process: started, shown, closed; nothing on stderr, exit code 0."""
    program = """
import sys
from pathlib import Path
from screens.application import create_application
from screens.bridge import Screens
from screens.settings import ScreenSettings
sys.path.insert(0, "tests/screens")
import samples
application = create_application(platform="offscreen")
screens = Screens(lambda intent: None, ScreenSettings(pinyin=Path("build/keyboard/pinyin.sqlite")))
for name in ("attract", "home", "question", "check"):
    screens.show(samples.snapshots()[name])
    for _ in range(20):
        application.processEvents()
screens.close()
del screens
del application
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={"PATH": "/usr/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_kiosk_refuses_to_be_closed_but_not_to_end(pinyin: Path) -> None:
    """Alt+F4 does nothing; SIGTERM's `quit` ends the loop (Qt alone would ask the window, which says no)."""
    program = """
from pathlib import Path
from PySide6.QtCore import QTimer
from screens.application import create_application
from screens.bridge import Screens
from screens.settings import ScreenSettings
application = create_application(platform="offscreen")
screens = Screens(lambda intent: None, ScreenSettings(pinyin=Path("build/keyboard/pinyin.sqlite"), kiosk=True))
print(screens.window.close(), screens.window.isVisible())
QTimer.singleShot(50, application.quit)
QTimer.singleShot(20000, lambda: application.exit(3))
status = application.exec()
screens.close()
raise SystemExit(status)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={"PATH": "/usr/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "False True\n", "")
