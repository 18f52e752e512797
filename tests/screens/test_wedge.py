"""Keyboard-wedge scanners: what is a code, what is a person; and real key events on the real screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtTest import QTest

from kiosk.core.scanned_code import MAX_CODE_BYTES
from kiosk.core.views import FieldView, QuestionView, Snapshot
from screens.bridge import Screens
from screens.settings import ScreenSettings
from screens.wedge import GAP_MS, MIN_KEYS, Key, Kind, Verdict, Wedge
from screens.wedge_filter import WedgeFilter

Snapshots = dict[str, Snapshot]
ENTER = 0x0D
SHIFT = 0x10


@dataclass
class Desk:
    """A keyboard, and what became of its keys."""

    wedge: Wedge
    given: list[Key]
    codes: list[str]
    at: int = 1000

    def take(self, verdict: Verdict) -> None:
        self.given += verdict.replay
        if verdict.scanned is not None:
            self.codes.append(verdict.scanned)

    def press(self, character: str, *, gap: int = 5, release: bool = True) -> None:
        """One key, `gap` ms after the one before; the timer runs in between."""
        if gap > GAP_MS and self.wedge.holding:
            self.take(self.wedge.lapse())
        self.at += gap
        kind = Kind.ENTER if character == "\r" else Kind.CHARACTER
        code = ENTER if character == "\r" else ord(character.upper())
        self.take(self.wedge.key(Key(kind, code, True, character), self.at))
        if release:
            self.take(self.wedge.key(Key(kind, code, False, character), self.at))

    def type(self, text: str, *, gap: int = 5) -> None:
        for character in text:
            self.press(character, gap=gap)

    def rest(self) -> None:
        self.at += 10 * GAP_MS
        self.take(self.wedge.lapse())

    @property
    def typed(self) -> str:
        """What a focused field got."""
        return "".join(key.text for key in self.given if key.pressed)


@pytest.fixture
def desk() -> Desk:
    return Desk(Wedge(), [], [])


@pytest.mark.parametrize("gap", [0, 1, 6, 20, GAP_MS])
def test_fast_keys_that_end_with_enter_are_a_code(desk: Desk, gap: int) -> None:
    desk.type("FS4406\r", gap=gap)
    assert (desk.codes, desk.given) == (["FS4406"], [])
    desk.rest()
    desk.type("FS4407\r", gap=gap)
    assert (desk.codes, desk.given) == (["FS4406", "FS4407"], [])


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("FS440\r", 5),  # too short
        ("FS440699", 5),  # no Enter
        ("FS440699\r", GAP_MS + 1),  # too slow
        ("ab12cd\r", 90),
        ("\r", 5),
        ("\r\r\r\r\r\r\r\r", 5),
    ],
)
def test_all_else_is_given_back_as_it_came(desk: Desk, text: str, gap: int) -> None:
    desk.type(text, gap=gap)
    desk.rest()
    assert (desk.codes, desk.typed) == ([], text)


def test_typing_before_and_after_a_code_stays(desk: Desk) -> None:
    desk.type("ab", gap=120)
    desk.press("F", gap=120)
    desk.type("S440699\r")
    desk.type("cd", gap=120)
    desk.rest()
    assert (desk.codes, desk.typed) == (["FS440699"], "abcd")


def test_a_late_enter_is_no_end_of_a_code(desk: Desk) -> None:
    desk.type("FS440699")
    desk.press("\r", gap=GAP_MS + 1)
    assert (desk.codes, desk.typed) == ([], "FS440699\r")


def test_the_rest_of_a_code_is_no_code(desk: Desk) -> None:
    """The screen was busy: its timer gave the beginning back though the keys came in time."""
    desk.type("FS44")
    desk.take(desk.wedge.lapse())
    desk.type("06991122\r")
    assert desk.codes == []
    assert desk.typed == "FS4406991122\r"
    desk.type("FS4406991122\r")
    assert desk.codes == ["FS4406991122"]


def test_shift_goes_its_way_and_disturbs_nothing(desk: Desk) -> None:
    for character in "FS4406":
        desk.take(desk.wedge.key(Key(Kind.MODIFIER, SHIFT), desk.at))
        desk.press(character)
        desk.take(desk.wedge.key(Key(Kind.MODIFIER, SHIFT, False), desk.at))
    desk.press("\r")
    assert desk.codes == ["FS4406"]
    assert [(key.code, key.pressed) for key in desk.given] == [(SHIFT, True), (SHIFT, False)] * 6


def test_a_key_that_no_scanner_sends_ends_it(desk: Desk) -> None:
    desk.type("FS4406")
    desk.take(desk.wedge.key(Key(Kind.OTHER, 0x25), desk.at))
    desk.type("\r")
    assert desk.codes == []
    assert [key.code for key in desk.given if key.pressed] == [*map(ord, "FS4406"), 0x25, ENTER]


def test_releases_of_a_codes_keys_go_nowhere_even_if_late(desk: Desk) -> None:
    for character in "FS4567\r":
        desk.press(character, release=False)
    for character in "FS4567":
        desk.take(desk.wedge.key(Key(Kind.CHARACTER, ord(character), False), desk.at))
    desk.take(desk.wedge.key(Key(Kind.ENTER, ENTER, False), desk.at))
    assert (desk.codes, desk.given) == (["FS4567"], [])
    desk.press("\r", gap=500)
    assert [(key.code, key.pressed) for key in desk.given] == [(ENTER, True), (ENTER, False)]


def test_an_endless_code_goes_nowhere_and_ends(desk: Desk) -> None:
    desk.type("x" * (MAX_CODE_BYTES + 500) + "\r")
    assert (desk.codes, desk.given) == ([], [])
    desk.type("abc", gap=100)
    desk.rest()
    assert desk.typed == "abc"
    desk.type("x" * MAX_CODE_BYTES + "\r")
    assert desk.codes == ["x" * MAX_CODE_BYTES]


def test_what_is_typed_is_in_no_text_about_it(desk: Desk) -> None:
    assert "secret" not in repr(Key(Kind.CHARACTER, 1, True, "secret"))
    assert "secret" not in repr(Verdict(scanned="secret"))


keys = st.tuples(st.sampled_from("ab1\r"), st.sampled_from([0, 1, 20, 35, 36, 100]), st.booleans())


@given(st.lists(st.one_of(keys, st.just(None)), max_size=60))
def test_every_key_is_given_back_once_in_order_or_part_of_a_code(strokes: list[tuple[str, int, bool] | None]) -> None:
    desk = Desk(Wedge(), [], [])
    pressed = ""
    for stroke in strokes:
        if stroke is None:
            desk.take(desk.wedge.lapse())
            continue
        character, gap, release = stroke
        pressed += character
        desk.press(character, gap=gap, release=release)
    desk.rest()
    assert all(len(code) >= MIN_KEYS and f"{code}\r" in pressed for code in desk.codes)
    left = iter(pressed)
    assert all(character in left for character in desk.typed), "in another order than pressed"
    assert len(desk.typed) + sum(len(code) + 1 for code in desk.codes) == len(pressed)


@given(st.text(alphabet="abcdefg123\r", max_size=40), st.integers(GAP_MS + 1, 500))
def test_no_hand_is_ever_taken_for_a_scanner(text: str, gap: int) -> None:
    desk = Desk(Wedge(), [], [])
    desk.type(text, gap=gap)
    desk.rest()
    assert (desk.codes, desk.typed) == ([], text)


# --- on the screen


@pytest.fixture
def codes() -> list[str]:
    return []


@pytest.fixture
def field(stage: Any, snapshots: Snapshots, codes: list[str]) -> Iterator[Callable[[], str]]:
    """A page with one text field that has the focus, and a scanner on the keyboard; what stands in the field."""
    view = snapshots["question"].view
    assert isinstance(view, QuestionView)
    one = FieldView("f", "text", "备注", "", None, "", False)
    stage.show(replace(snapshots["question"], view=replace(view, page_id="p-wedge", fields=(one,))))
    stage.screens.window.requestActivate()
    node = stage.find("备注", role="EditableText")
    x, y = node.rect.centre
    QTest.mouseClick(stage.screens.window, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    stage.until(lambda: "focused" in stage.find("备注", role="EditableText").states)
    filter_ = WedgeFilter(stage.screens.window, codes.append)
    yield lambda: str(stage.find("备注", role="EditableText").value)
    filter_.close()


def burst(window: Any, text: str) -> None:
    """As a scanner types: one key right after the other."""
    for character in text:
        QTest.keyClick(window, character)
    QTest.keyClick(window, Qt.Key.Key_Return)


def type_slowly(stage: Any, text: str) -> None:
    for character in text:
        QTest.keyClick(stage.screens.window, character)
        QTest.qWait(90)


def test_a_scan_never_shows_in_the_focused_field(stage: Any, field: Callable[[], str], codes: list[str]) -> None:
    burst(stage.screens.window, "FS4406992611220001")
    QTest.qWait(100)
    assert codes == ["FS4406992611220001"]
    assert field() == ""
    burst(stage.screens.window, "]Q1FS2")
    QTest.qWait(100)
    assert codes == ["FS4406992611220001", "FS2"]
    assert field() == ""


def test_a_hand_on_a_keyboard_is_replayed_intact(stage: Any, field: Callable[[], str], codes: list[str]) -> None:
    type_slowly(stage, "12345678")
    QTest.qWait(100)
    stage.settle()
    assert field() == "12345678"
    QTest.keyClick(stage.screens.window, Qt.Key.Key_Backspace)
    stage.settle()
    assert field() == "1234567"
    assert codes == []


def test_a_scan_amid_typing(stage: Any, field: Callable[[], str], codes: list[str]) -> None:
    type_slowly(stage, "12")
    burst(stage.screens.window, "FS4406992611220001")
    QTest.qWait(100)
    type_slowly(stage, "34")
    QTest.qWait(100)
    stage.settle()
    assert (field(), codes) == ("1234", ["FS4406992611220001"])


def test_a_busy_screen_leaks_nothing(stage: Any, field: Callable[[], str], codes: list[str]) -> None:
    """The keys of a scan wait in the queue while the thread is busy; the timer is long over due when it is free."""
    code = "FS4406992611220001"
    for character in code[:8]:
        QTest.keyClick(stage.screens.window, character)
    began = time.monotonic()
    time.sleep(0.2)
    stage.application.processEvents()  # the timer fires first, late
    assert field() == "" and time.monotonic() - began >= 0.2
    QTest.qWait(200)
    assert codes == []


def test_the_screens_of_a_terminal_with_a_wedge_tell_its_codes(
    application: QGuiApplication, pinyin: Path, messages: list[str], codes: list[str]
) -> None:
    screens = Screens(lambda _intent: None, ScreenSettings(pinyin=pinyin, motion=False), on_code=codes.append)
    try:
        burst(screens.window, "FS4406992611220001")
        assert codes == ["FS4406992611220001"]
        QTest.keyClick(screens.window, "x")  # still held back when the screens are taken down
    finally:
        screens.close()
    QTest.qWait(100)
    assert codes == ["FS4406992611220001"]


def test_the_same_code_held_under_it_is_one_code(stage: Any, field: Callable[[], str], codes: list[str]) -> None:
    for _ in range(3):
        burst(stage.screens.window, "FS4406992611220001")
    assert codes == ["FS4406992611220001"]


def test_a_key_that_is_held_down_is_no_scanner(stage: Any, field: Callable[[], str], codes: list[str]) -> None:
    window = stage.screens.window
    for number in range(12):
        event = QKeyEvent(
            QEvent.Type.KeyPress, Qt.Key.Key_7, Qt.KeyboardModifier.NoModifier, 0, 0, 0, "7", number > 0, 1
        )
        QGuiApplication.sendEvent(window, event)
    QTest.keyClick(window, Qt.Key.Key_Return)
    QTest.qWait(100)
    assert codes == [] and set(field()) <= {"7"}
