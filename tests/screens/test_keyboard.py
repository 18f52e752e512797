"""Chinese typed with the keyboard on the screen, by touch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from kiosk.core import intents as i
from kiosk.core import views as v
from kiosk.core.views import Snapshot
from screens.keyboard.engine import Candidate, Mode, PinyinEngine

Snapshots = dict[str, Snapshot]
TABLE = Path(__file__).parents[2] / "build" / "keyboard" / "pinyin.sqlite"


@pytest.fixture(scope="module")
def engine(pinyin: Path) -> Iterator[PinyinEngine]:
    made = PinyinEngine(pinyin)
    yield made
    made.close()


FIRST = [
    ("nihao", Mode.TEXT, "你好"),
    ("jihua", Mode.TEXT, "计划"),
    ("jihua", Mode.ADDRESS, "季华"),
    ("jihuawulu", Mode.ADDRESS, "季华五路"),
    ("foshanshi", Mode.TEXT, "佛山市"),
    ("chanchengqu", Mode.TEXT, "禅城区"),
    ("guicheng", Mode.TEXT, "桂城"),
    ("beijiao", Mode.ADDRESS, "北滘"),
    ("foshanshichanchengquzumiaojiedao", Mode.ADDRESS, "佛山市禅城区祖庙街道"),
    ("shenfenzheng", Mode.TEXT, "身份证"),
    ("juzhuzheng", Mode.TEXT, "居住证"),
    ("gongjijin", Mode.TEXT, "公积金"),
    ("woyaobanjuzhuzheng", Mode.TEXT, "我要办居住证"),
    ("xi'an", Mode.TEXT, "西安"),
    ("zhrmghg", Mode.TEXT, "中华人民共和国"),
    ("ouyang", Mode.NAME, "欧阳"),
    ("zhang", Mode.NAME, "张"),
    ("lv", Mode.TEXT, "率"),
]


@pytest.mark.parametrize(("typed", "mode", "wanted"), FIRST)
def test_the_first_candidate_is_what_people_mean(engine: PinyinEngine, typed: str, mode: Mode, wanted: str) -> None:
    assert engine.candidates(typed, mode)[0].text == wanted


RARE = [("yan", "䶮"), ("jie", "㛃"), ("wei", "𣲗"), ("di", "𬱖"), ("wei", "𮧵"), ("ou", "区"), ("shan", "单")]


@pytest.mark.parametrize(("typed", "wanted"), RARE)
def test_rare_names_are_there(engine: PinyinEngine, typed: str, wanted: str) -> None:
    assert wanted in [found.text for found in engine.candidates(typed, Mode.NAME)]


def test_an_apostrophe_parts_syllables(engine: PinyinEngine) -> None:
    joined = [found.text for found in engine.candidates("xian")]
    parted = [found.text for found in engine.candidates("xi'an")]
    assert joined[0] == "先"
    assert parted[0] == "西安"
    assert "先" not in parted


def test_every_keystroke_is_fast(engine: PinyinEngine) -> None:
    sentence = "foshanshichanchengquzumiaojiedaojihuawuluxuexi"
    engine.candidates("a")
    spent = []
    for length in range(1, 41):
        started = time.process_time()
        engine.candidates(sentence[:length], Mode.ADDRESS)
        spent.append(time.process_time() - started)
    assert sorted(spent)[len(spent) // 2] < 0.005


def test_a_missing_table_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make setup"):
        PinyinEngine(tmp_path / "none.sqlite")


@given(typed=st.text(alphabet="abcdefghijklmnopqrstuvwxyz'", max_size=48), mode=st.sampled_from(list(Mode)))
def test_whatever_is_typed_candidates_take_some_of_it(typed: str, mode: Mode) -> None:
    engine = PinyinEngine(TABLE)
    try:
        found = engine.candidates(typed, mode)
    finally:
        engine.close()
    assert all(isinstance(one, Candidate) and one.text and 0 < one.taken <= len(typed) for one in found)
    assert len({one.text for one in found}) == len(found)


# --- on the screen


def field(snapshot: Snapshot, *, label: str, kind: str, **more: Any) -> Snapshot:
    view = snapshot.view
    assert isinstance(view, v.QuestionView)
    one = v.FieldView("f", kind, label, "", None, "", False, **more)
    return replace(snapshot, view=replace(view, page_id=f"p-{label}", fields=(one,)))


def answers(stage: Any) -> list[Any]:
    return [act.value for act in stage.acts() if isinstance(act, i.SetAnswer)]


def test_ouyang_by_touch(stage: Any, snapshots: Snapshots) -> None:
    stage.show(field(snapshots["question"], label="姓名", kind="text"))
    stage.type("ouyang")
    assert stage.find("姓名", role="EditableText").value == "ouyang"
    stage.tap("欧阳", description="候选")
    assert stage.find("姓名", role="EditableText").value == "欧阳"
    assert answers(stage) == ["欧阳"]


def test_jihua_by_touch_after_the_district(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["question"])
    stage.type("zumiaojiedao")
    stage.tap("空格")
    stage.type("jihua")
    stage.tap("季华", description="候选")
    stage.tap("123符号")
    for sign in "5号":
        stage.tap(sign)
    assert stage.find("现居住地址", role="EditableText").value == "祖庙街道季华5号"
    assert answers(stage)[-1] == "祖庙街道季华5号"


def test_a_candidate_may_take_only_the_first_syllables(stage: Any, snapshots: Snapshots) -> None:
    stage.show(field(snapshots["question"], label="名称", kind="text"))
    stage.type("jihuawulu")
    stage.tap("更多候选")
    stage.tap("季华", description="候选")
    assert stage.find("名称", role="EditableText").value == "季华wulu"
    stage.tap("五路", description="候选")
    assert stage.find("名称", role="EditableText").value == "季华五路"


def test_a_rare_character_is_reached_by_turning_pages(stage: Any, snapshots: Snapshots) -> None:
    stage.show(field(snapshots["question"], label="姓名", kind="text"))
    stage.type("yan")
    stage.tap("更多候选")
    for _ in range(30):
        if any(node.name == "䶮" and "offscreen" not in node.states for node in stage.nodes()):
            break
        stage.tap("下翻", description="候选")
    stage.tap("䶮", description="候选")
    assert stage.find("姓名", role="EditableText").value == "䶮"


def test_deleting_letters_and_characters(stage: Any, snapshots: Snapshots) -> None:
    stage.show(field(snapshots["question"], label="名称", kind="text"))
    stage.type("nihaa")
    stage.tap("删除")
    stage.type("o")
    stage.tap("空格")
    assert stage.find("名称", role="EditableText").value == "你好"
    stage.tap("删除")
    assert stage.find("名称", role="EditableText").value == "你"


def test_english_and_capitals(stage: Any, snapshots: Snapshots) -> None:
    stage.show(field(snapshots["question"], label="名称", kind="text"))
    stage.tap("中/英")
    stage.tap("大写")
    stage.tap("A")
    stage.tap("b")
    stage.tap("空格")
    stage.tap("c")
    assert stage.find("名称", role="EditableText").value == "Ab c"


def test_next_takes_what_is_still_being_typed(stage: Any, snapshots: Snapshots) -> None:
    stage.show(field(snapshots["question"], label="名称", kind="text"))
    stage.type("nihao")
    stage.tap("下一步")
    assert stage.acts() == [i.SetAnswer("f", "你好"), i.Next()]


def test_phone_and_number_and_date(stage: Any, snapshots: Snapshots) -> None:
    stage.show(field(snapshots["question"], label="手机号码", kind="phone", max_length=11))
    for digit in "138001380001":
        stage.tap(digit)
    assert answers(stage)[-1] == "13800138000"
    stage.show(field(snapshots["question"], label="人数", kind="number"))
    stage.tap("1")
    stage.tap("2")
    stage.tap("清空")
    stage.tap("3")
    assert answers(stage) == [1, 12, None, 3]
    stage.show(field(snapshots["question"], label="日期", kind="date"))
    for digit in "19760315":
        stage.tap(digit)
    assert answers(stage)[-1] == "1976-03-15"
    assert stage.find("日期", role="EditableText").value == "1976-03-15"


def test_a_real_keyboard_works_too(stage: Any, snapshots: Snapshots) -> None:
    stage.show(field(snapshots["question"], label="名称", kind="text"))
    for letter in "nihao":
        QTest.keyClick(stage.screens.window, Qt.Key(ord(letter.upper())))
    stage.settle()
    QTest.keyClick(stage.screens.window, Qt.Key.Key_1)
    QTest.keyClick(stage.screens.window, Qt.Key.Key_5)
    stage.settle()
    assert stage.find("名称", role="EditableText").value == "你好5"
    QTest.keyClick(stage.screens.window, Qt.Key.Key_Backspace)
    stage.settle()
    assert stage.find("名称", role="EditableText").value == "你好"


def test_a_late_snapshot_does_not_eat_letters(stage: Any, snapshots: Snapshots) -> None:
    snapshot = field(snapshots["question"], label="名称", kind="text")
    stage.show(snapshot)
    stage.type("nihao")
    stage.tap("空格")
    stage.type("ma")
    stage.show(snapshot)  # the services have not heard of the answer yet
    assert stage.find("名称", role="EditableText").value == "你好ma"
    stage.tap("空格")
    assert stage.find("名称", role="EditableText").value == "你好吗"


def test_the_search_box_asks_at_once(stage: Any, snapshots: Snapshots) -> None:
    stage.show(replace(snapshots["search"], view=v.SearchView("", ())))
    stage.type("juzhuzheng")
    stage.tap("居住证", description="候选")
    assert stage.acts() == [i.Search("居住证")]


def test_confirm_puts_the_keys_away(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["question"])
    assert any(node.name == "键盘" for node in stage.nodes())
    stage.tap("收起")
    assert not any(node.name == "键盘" for node in stage.nodes())
    stage.tap("现居住地址", role="EditableText")
    stage.tap("确认")
    assert not any(node.name == "键盘" for node in stage.nodes())


def test_a_long_question_by_touch(stage: Any, snapshots: Snapshots) -> None:
    stage.show(field(snapshots["question"], label="问题", kind="long_text", max_length=5))
    for _ in range(3):
        stage.type("nihao")
        stage.tap("空格")
    assert stage.find("问题", role="EditableText").value == "你好你好你"
