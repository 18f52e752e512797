"""Only the stations a journey has; own words for yes and no; what to bring and what not; numbers in groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kiosk.core import intents as i
from kiosk.core import views as v
from kiosk.core.views import Snapshot
from screens.viewmodels.grouping import grouped
from screens.viewmodels.guide import to_bring, to_spare
from screens.viewmodels.steps import position

Snapshots = dict[str, Snapshot]


def progress(stage: Any) -> list[str]:
    return [node.name for node in stage.nodes() if node.role == "ProgressBar"]


def test_a_certificate_has_three_steps_and_says_which(stage: Any, snapshots: Snapshots) -> None:
    check = snapshots["check"]
    steps: tuple[v.Step, ...] = ("card", "check", "paper")
    stage.show(replace(check, view=replace(check.view, kind="certificate", steps=steps)))
    assert progress(stage) == ["第2步，共3步：核对确认"]
    assert "准备材料" not in stage.texts()
    stage.show(replace(snapshots["print"], view=replace(snapshots["print"].view, steps=steps)))
    assert progress(stage) == ["第3步，共3步：打印取走"]


def test_what_is_no_journey_has_no_steps(stage: Any, snapshots: Snapshots) -> None:
    for sample in ("home", "guide", "my_licences", "print", "window_slip"):
        stage.show(snapshots[sample])
        assert progress(stage) == [], sample
    recovered = replace(snapshots["done_recovered"].view, steps=())
    assert position(recovered) == ((), -1)


def test_yes_and_no_in_the_words_of_the_item(stage: Any, snapshots: Snapshots) -> None:
    asked = snapshots["question_yesno"]
    field = replace(asked.view.fields[0], options=(("yes", "一样"), ("no", "不一样")), error=None)
    stage.show(replace(asked, view=replace(asked.view, fields=(field,))))
    stage.acts()
    stage.tap("不一样", role="RadioButton")
    assert stage.acts() == [i.SetAnswer("same", False)]
    stage.show(replace(asked, view=replace(asked.view, fields=(replace(field, value=True, locked=True),))))
    assert "一样" in stage.texts() or any(node.value == "一样" for node in stage.nodes())


def test_the_card_is_asked_for_until_it_lies_there(snapshots: Snapshots) -> None:
    read = snapshots["guide"].view
    assert isinstance(read, v.GuideView)
    away = replace(read, card_read=False)
    assert [line.title for line in to_bring(away)][:2] == ["居民身份证", "居住证明"]
    assert [line.title for line in to_bring(read)] == ["居住证明", "就业证明（看情况，用到时会告诉您）"]
    assert [line.title for line in to_spare(read)] == ["居民身份证", "广东省居住证", "申请表"]
    assert [line.title for line in to_spare(away)] == ["广东省居住证", "申请表"]


def test_numbers_are_grouped_as_on_the_receipt(stage: Any, snapshots: Snapshots) -> None:
    assert grouped("440604261122T0010018P") == "440604-261122-T001-0018-P"
    assert grouped("440604261122T0010018A") == "440604261122T0010018A"
    stage.show(snapshots["done_offline"])
    assert "440604-261122-T001-0018-P" in stage.texts()


def test_content_near_the_edge_of_its_place_settles(
    make_stage: Callable[..., Any], snapshots: Snapshots, samples: Any
) -> None:
    """Narrower content can be lower: the buttons that turn pages must not come and go for ever."""
    stage = make_stage(1080, 1920)
    for rows in range(1, 7):
        for words in range(0, 90, 9):
            papers = tuple(
                replace(samples.PAPERS.rows[2], id=f"m{number}", hint="证" * words) for number in range(rows)
            )
            stage.show(snapshots["question_choice"])
            stage.show(replace(snapshots["materials"], view=replace(samples.PAPERS, rows=papers)))
    assert "还差6份材料" in stage.texts()
