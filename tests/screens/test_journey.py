"""Touching what the accessibility tree shows tells the services what the citizen wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kiosk.core import intents as i
from kiosk.core import views as v
from kiosk.core.answers import AnswerFault
from kiosk.core.intents import Intent
from kiosk.core.views import Snapshot
from screens import inspect

Snapshots = dict[str, Snapshot]

TAPS: list[tuple[str, str, str, str | None, Intent]] = [
    # sample, role, name, description, what must be dispatched
    ("attract", "Button", "开始", None, i.Start()),
    ("home", "Button", "开始", None, i.Start()),
    ("home", "Button", "参保证明", None, i.OpenTile("440604-RS-0102")),
    ("home", "Button", "搜索", None, i.Search("")),
    ("home_known", "Button", "我的办件", "", i.OpenMySpace("applications")),
    ("home_known", "Button", "退出", None, i.Finish()),
    ("home_known", "Button", "点此延长", None, i.ExtendTime()),
    ("search", "Button", "返回首页", None, i.Home()),
    ("guide", "Button", "开始办理", None, i.Begin()),
    ("guide", "Button", "到窗口办理", None, i.WindowSlip()),
    ("guide_certificate", "Button", "打印", None, i.Begin()),
    ("put_card", "Button", "上一步", None, i.Back()),
    ("question_choice", "RadioButton", "就学", None, i.SetAnswer("reason", "study")),
    ("question_yesno", "RadioButton", "是", None, i.SetAnswer("same", True)),
    ("question_yesno", "RadioButton", "否", None, i.SetAnswer("same", False)),
    ("question_choice", "Button", "下一步", None, i.Next()),
    ("question_exit", "Button", "到窗口办理", None, i.WindowSlip()),
    ("materials", "Button", "用已有的", "居住证明", i.ReuseLicence("housing", "lic-1")),
    ("materials", "Button", "拍摄", "就业证明", i.OpenCapture("work")),
    ("materials", "Button", "用别的", "广东省居住证", i.DropMaterial("permit")),
    ("materials_ready", "Button", "下一步", None, i.Next()),
    ("capture_review", "Button", "重拍", None, i.Retake()),
    ("capture_review", "Button", "就用这张", None, i.AcceptShot()),
    ("capture_down", "Button", "到窗口办理", None, i.WindowSlip()),
    ("check", "Button", "修改", "现居住地址", i.ChangeAnswer("where")),
    ("check", "Button", "修改", "材料", i.ChangeAnswer("materials")),
    ("check", "Button", "确认提交", None, i.Submit()),
    ("done_offline", "Button", "完成", None, i.Finish()),
    ("done_offline", "Button", "返回首页", None, i.Home()),
    ("done_unproven", "Button", "拿到了", None, i.PaperTaken()),
    ("done_unproven", "Button", "再打一次", None, i.PrintAgain()),
    ("my_applications", "PageTab", "我的证照", None, i.OpenMySpace("licences")),
    ("my_correction", "Button", "现在补交", "居住证签注", i.Correct("440604261116T0010009F")),
    ("my_licences", "Button", "打印", "不动产权证书", i.PrintLicence("lic-1")),
    ("my_unreachable", "Button", "再试一次", None, i.OpenMySpace("applications")),
    ("print_done", "Button", "完成", None, i.Finish()),
    ("print_refused", "Button", "到窗口办理", None, i.WindowSlip()),
    ("print_failed", "Button", "再打一次", None, i.PrintAgain()),
    ("print_unproven", "Button", "拿到了", None, i.PaperTaken()),
    ("window_slip", "Button", "上一步", None, i.Back()),
    ("window_slip_failed", "Button", "再打一次", None, i.PrintAgain()),
    ("check", "Button", "呼叫帮助", None, i.CallHelp()),
    ("idle_warning", "Button", "还在办理", None, i.ExtendTime()),
    ("idle_warning", "Button", "退出", None, i.Finish()),
]


def test_every_tap_tells_the_services(stage: Any, snapshots: Snapshots) -> None:
    for sample, role, name, description, wanted in TAPS:
        stage.show(snapshots[sample])
        stage.acts()
        stage.tap(name, role=role, description=description)
        assert stage.acts() == [wanted], (sample, name)


def test_pressing_by_assistive_technology_does_the_same(stage: Any, snapshots: Snapshots) -> None:
    from PySide6.QtGui import QAccessible

    stage.show(snapshots["check"])

    def walk(interface: Any) -> Any:
        if interface.text(QAccessible.Text.Name) == "确认提交":
            return interface
        for number in range(interface.childCount()):
            found = walk(interface.child(number))
            if found is not None:
                return found
        return None

    walk(QAccessible.queryAccessibleInterface(stage.screens.window)).actionInterface().doAction("Press")
    stage.settle()
    assert stage.acts() == [i.Submit()]


def test_a_camera_that_shows_nothing_yet_cannot_shoot(stage: Any, snapshots: Snapshots, samples: Any) -> None:
    stage.show(snapshots["capture_waiting"])
    assert "disabled" in next(node for node in stage.nodes() if node.name == "拍照").states
    stage.screens.preview(samples.preview())
    stage.settle()
    assert "很好，可以拍照了" in stage.texts()
    stage.tap("拍照")
    assert stage.acts() == [i.Shoot()]


def test_touching_counts_as_still_here(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["check"])
    stage.intents.clear()
    inspect.tap(stage.screens.window, 540, 1400)
    stage.settle()
    assert stage.intents == [i.Touched()]


def test_an_idle_dialog_covers_everything(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["check"])
    button = stage.find("确认提交")
    stage.show(replace(snapshots["check"], chrome=snapshots["idle_warning"].chrome))
    stage.acts()
    inspect.tap(stage.screens.window, *button.rect.centre)
    stage.settle()
    assert stage.acts() == []


def test_a_forgotten_card_is_said_loudly(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["card_left"])
    assert stage.find("请取走您的身份证", role="AlertMessage")


def test_offline_is_said_as_it_is(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["done_offline"])
    assert "已安全保存在本机" in stage.texts()
    assert "已送达" not in stage.texts()
    stage.show(snapshots["done_delivered"])
    assert "已送达网上办事大厅" in stage.texts()


def test_the_window_is_offered_on_every_step(stage: Any, snapshots: Snapshots) -> None:
    for name in ("guide", "put_card", "question", "materials", "capture", "check", "print_failed"):
        stage.show(snapshots[name])
        assert stage.find("到窗口办理", role="Button"), name


def test_everything_that_is_touched_has_a_name(stage: Any, snapshots: Snapshots) -> None:
    for name, snapshot in snapshots.items():
        stage.show(snapshot)
        for node in stage.nodes():
            if node.role in ("Button", "RadioButton", "PageTab", "EditableText"):
                assert node.name, (name, node)


def test_all_sentences_of_a_page_can_be_read_out(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["check"])
    for row in snapshots["check"].view.rows:
        assert row.value in stage.texts()
    stage.show(snapshots["question"])
    assert stage.find("身份证号").value == "" or "440699 ******** 1234" in stage.texts()
    assert "440699197603151234" not in stage.texts()


def test_snapshots_older_than_the_screen_are_not_shown(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["check"])
    stage.screens.show(replace(snapshots["home"], sequence=0))
    stage.settle()
    assert stage.find("确认提交")


def test_the_next_question_is_another_page(stage: Any, snapshots: Snapshots) -> None:
    """Two question pages in a row: no text of the first in the second."""
    first = snapshots["question_phone"]
    stage.show(first)
    for digit in "138":
        stage.tap(digit)
    view = first.view
    assert isinstance(view, v.QuestionView)
    second = replace(view, page_id="other", fields=(replace(view.fields[0], id="other", label="固定电话"),))
    stage.show(replace(first, view=second))
    assert stage.find("固定电话", role="EditableText").value == ""


def test_a_question_that_appears_leaves_the_others_alone(stage: Any, snapshots: Snapshots) -> None:
    """A field shown because of another's answer: what is being written stays, focus and all."""
    asked = snapshots["question"]
    view = asked.view
    assert isinstance(view, v.QuestionView)
    stage.show(asked)
    for letter in "nihao":
        stage.tap(letter)
    more = v.FieldView("extra", "yesno", "还有别的吗", "", None, "", False)
    stage.show(replace(asked, view=replace(view, fields=(view.fields[0], more, *view.fields[1:]))))
    written = stage.find("现居住地址", role="EditableText")
    assert written.value == "nihao"
    assert "focused" in written.states


@pytest.mark.parametrize("fault", list(AnswerFault))
def test_every_wrong_answer_has_words(fault: AnswerFault) -> None:
    from screens.locale import zh_cn

    told = zh_cn.notice(v.Notice(v.NoticeCode.ANSWER_INVALID, (("fault", fault.value),)))
    assert told.title not in ("", "这一项好像不对")


@pytest.mark.parametrize("code", list(v.NoticeCode))
def test_every_notice_has_a_sentence(code: v.NoticeCode) -> None:
    from screens.locale import zh_cn

    sentence = zh_cn.notice(v.Notice(code))
    assert sentence.title and sentence.text


def test_many_snapshots_from_other_threads_arrive(stage: Any, snapshots: Snapshots, samples: Any) -> None:
    from threading import Thread

    capture = snapshots["capture"]
    frame = samples.preview()
    last = 400

    def flood(numbers: range) -> None:
        for number in numbers:
            stage.screens.show(replace(capture, sequence=1000 + number))
            if number % 20 == 0:
                stage.screens.preview(frame)

    threads = [Thread(target=flood, args=(range(start, last + 1, 2),)) for start in (1, 2)]
    for thread in threads:
        thread.start()
    stage.until(lambda: stage.screens.snapshot_sequence == 1000 + last)
    for thread in threads:
        thread.join()
    stage.settle()
    assert stage.find("居住证明")


def test_a_torn_picture_is_passed_over(stage: Any, snapshots: Snapshots, samples: Any) -> None:
    stage.show(snapshots["capture"])
    frame = samples.preview()
    for jpeg in (b"", b"\xff\xd8\xff", frame.jpeg[: len(frame.jpeg) // 20], b"\0" * 1000):
        stage.screens.preview(replace(frame, jpeg=jpeg))
    stage.settle()
    assert stage.find("居住证明")


def test_display_choices_end_with_the_session(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["home_known"])
    for name in ("大字版", "高对比", "低位操作"):
        stage.tap(name)
        assert "checked" in stage.find(name).states
    assert stage.acts() == [i.DisplayChanged(True)]
    stage.show(snapshots["attract"])
    assert stage.acts() == [i.DisplayChanged(False)]
    for name in ("大字版", "高对比", "低位操作"):
        assert "checked" not in stage.find(name).states


def test_display_choices_nobody_used_are_forgotten(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["attract"])
    stage.tap("大字版")
    assert stage.screens._forget.isActive()
    stage.screens._forget.setInterval(0)
    stage.until(lambda: "checked" not in stage.find("大字版").states)


def test_frames_are_cheap(make_stage: Callable[..., Any], snapshots: Snapshots) -> None:
    """Fifty page changes with drawing, to keep an accidental O(n²) out; far above what a slow machine needs."""
    import time

    stage = make_stage()
    started = time.process_time()
    for number in range(50):
        stage.show(snapshots["question" if number % 2 else "check"])
        stage.screens.window.grabWindow()
    assert (time.process_time() - started) / 50 < 0.5
