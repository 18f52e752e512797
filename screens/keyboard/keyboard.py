"""The keyboard's state. Keys reach the focused field as input method and key events, like those of any keyboard."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor
from PySide6.QtQml import QmlElement, QmlSingleton

from screens.keyboard import strokes
from screens.keyboard.engine import MAX_LETTERS, Candidate, Mode, PinyinEngine
from screens.keyboard.paging import grid_pages
from screens.viewmodels.base import Rows

QML_IMPORT_NAME = "CitizensWindow"
QML_IMPORT_MAJOR_VERSION = 1

MODES = {"address": Mode.ADDRESS, "name": Mode.NAME}


BAR_LIMIT = 60
"""Candidates in the one-line bar; all of them are in the pages behind 更多候选."""


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """One candidate."""

    position: int
    words: str


@QmlElement
@QmlSingleton
class Keyboard(QObject):
    """Which keys are shown, what pinyin is being typed, what it may mean. Learns nothing; `wipe` forgets everything."""

    changed = Signal()
    confirmed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine: PinyinEngine | None = None
        self._kind = ""
        self._page = "letters"
        self._chinese = True
        self._shift = False
        self._expanded = False
        self._composing = QColor(Qt.GlobalColor.black)
        self._typed = ""
        self._found: list[Candidate] = []
        self._candidates = Rows(CandidateRow, self)
        self._grid = Rows(CandidateRow, self)
        self._grid_starts: list[int] = []
        self._grid_page = 0

    def use(self, engine: PinyinEngine) -> None:
        """Look candidates up here."""
        self._engine = engine

    def wipe(self) -> None:
        """Forget what is being typed and put the keys away."""
        self._kind = ""
        self._typed = ""
        self._expanded = self._shift = False
        self._search()

    # --- what QML sees

    @Property(bool, notify=changed)
    def visible(self) -> bool:
        """A text field has the focus."""
        return bool(self._kind)

    @Property(str, notify=changed)
    def page(self) -> str:
        """letters, symbols, digits or date."""
        return self._page

    @Property(bool, notify=changed)
    def chinese(self) -> bool:
        """Letters are pinyin."""
        return self._chinese

    @Property(bool, notify=changed)
    def shift(self) -> bool:
        """Letters are capitals."""
        return self._shift

    @Property(bool, notify=changed)
    def expanded(self) -> bool:
        """All candidates are shown instead of the keys."""
        return self._expanded and bool(self._found)

    @Property(str, notify=changed)
    def typed(self) -> str:
        """Letters not yet turned into text."""
        return self._typed

    @Property(QObject, constant=True)
    def candidates(self) -> QObject:
        """What the letters may mean, best first."""
        return self._candidates

    @Property(QObject, constant=True)
    def grid(self) -> QObject:
        """The page of candidates that is open."""
        return self._grid

    @Property(bool, notify=changed)
    def gridBefore(self) -> bool:
        """Is there a page before?"""
        return self._grid_page > 0

    @Property(bool, notify=changed)
    def gridAfter(self) -> bool:
        """Is there a page after?"""
        return self._grid_page + 1 < len(self._grid_starts)

    # --- fields

    @Slot(QColor)
    def colour(self, composing: QColor) -> None:
        """Letters not yet turned into text are drawn in this colour."""
        self._composing = composing

    @Slot(str)
    def attach(self, kind: str) -> None:
        """A field got the focus: `text`, `name`, `address`, `digits`, `date` or `search`."""
        self._typed = ""
        self._kind = kind
        self._page = kind if kind in ("digits", "date") else "letters"
        self._chinese = True
        self._shift = self._expanded = False
        self._search()

    @Slot()
    def detach(self) -> None:
        """The field lost the focus; it has dropped the letters itself."""
        self.wipe()

    @Slot()
    def flush(self) -> None:
        """Take the highlighted candidate before going on, so that nothing typed is lost."""
        if self._typed:
            self._accept_first()

    # --- keys

    @Slot(str)
    def key(self, text: str) -> None:
        """A key with text on it."""
        if self._page == "letters" and self._chinese and text.isascii() and text.isalpha():
            if len(self._typed) < MAX_LETTERS:
                self._typed += text
                self._compose()
            return
        self.flush()
        strokes.commit(text.upper() if self._shift else text)
        if self._shift:
            self._shift = False
            self.changed.emit()

    @Slot()
    def segment(self) -> None:
        """分词: the next letter begins a new syllable."""
        if self._typed and not self._typed.endswith("'"):
            self._typed += "'"
            self._compose()

    @Slot()
    def backspace(self) -> None:
        """Take back one letter, or one character of the text."""
        if self._typed:
            self._typed = self._typed[:-1]
            self._compose()
        else:
            strokes.press(Qt.Key.Key_Backspace)

    @Slot()
    def empty(self) -> None:
        """清空: the whole field."""
        strokes.press(Qt.Key.Key_End)
        strokes.press(Qt.Key.Key_Home, Qt.KeyboardModifier.ShiftModifier)
        strokes.press(Qt.Key.Key_Backspace)

    @Slot()
    def space(self) -> None:
        """Take the first candidate, or a blank."""
        if self._typed:
            self._accept_first()
        else:
            strokes.commit(" ")

    @Slot()
    def confirm(self) -> None:
        """确认: take the first candidate; with nothing typed, the field is done."""
        if self._typed:
            self._accept_first()
        else:
            self.confirmed.emit()

    @Slot(int)
    def choose(self, position: int) -> None:
        """Take this candidate; the letters that it does not cover stay."""
        if 0 <= position < len(self._found):
            chosen = self._found[position]
            self._typed = self._typed[chosen.taken :]
            self._expanded = False
            strokes.commit(chosen.text)
            self._compose()

    @Slot()
    def toggleLanguage(self) -> None:
        """中/英."""
        self._drop()
        self._chinese = not self._chinese
        self._shift = False
        self.changed.emit()

    @Slot()
    def toggleShift(self) -> None:
        """Capitals for one letter."""
        self._shift = not self._shift
        self.changed.emit()

    @Slot()
    def toggleExpanded(self) -> None:
        """All candidates, or the keys."""
        self._expanded = not self._expanded
        self._grid_starts = grid_pages([found.text for found in self._found]) if self._expanded else []
        self._turn_to(0)
        self.changed.emit()

    @Slot(int)
    def turn(self, pages: int) -> None:
        """上翻 (-1) or 下翻 (1) among all candidates."""
        if 0 <= self._grid_page + pages < len(self._grid_starts):
            self._turn_to(self._grid_page + pages)
            self.changed.emit()

    def _turn_to(self, page: int) -> None:
        self._grid_page = page
        starts = [*self._grid_starts, len(self._found)]
        shown = range(starts[page], starts[page + 1]) if self._grid_starts else range(0)
        self._grid.replace([CandidateRow(number, self._found[number].text) for number in shown])

    @Slot(str)
    def show(self, page: str) -> None:
        """拼音 (`letters`) or 123 (`symbols`)."""
        self.flush()
        self._page = page
        self._expanded = False
        self.changed.emit()

    @Slot(int, str, int, result=bool)
    def hardware(self, key: int, text: str, modifiers: int) -> bool:
        """A key of a real keyboard; False: let the field have it."""
        if self._page != "letters" or not self._chinese or modifiers & ~Qt.KeyboardModifier.ShiftModifier.value:
            return False
        if text.isascii() and text.isalpha() and text.islower():
            self.key(text)
            return True
        if not self._typed:
            return False
        if key == Qt.Key.Key_Backspace:
            self.backspace()
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._accept_first()
        elif text == "'":
            self.segment()
        elif text in "123456789" and text:
            self.choose(int(text) - 1)
        else:
            return False
        return True

    # --- out

    def _accept_first(self) -> None:
        """First candidates until no letter is left; letters that mean nothing stay letters."""
        while self._typed:
            if self._found:
                self.choose(0)
            else:
                rest, self._typed = self._typed, ""
                strokes.commit(rest.replace("'", ""))
                self._search()

    def _drop(self) -> None:
        if self._typed:
            self._typed = ""
            self._compose()

    def _compose(self) -> None:
        """Show the letters underlined in the field, and their candidates."""
        strokes.compose(self._typed, self._composing)
        self._search()

    def _search(self) -> None:
        mode = MODES.get(self._kind, Mode.TEXT)
        found = self._engine.candidates(self._typed, mode) if self._engine is not None and self._typed else []
        self._found = found
        self._candidates.replace([CandidateRow(number, word.text) for number, word in enumerate(found[:BAR_LIMIT])])
        self._expanded = False
        self._grid_starts = []
        self._turn_to(0)
        self.changed.emit()
