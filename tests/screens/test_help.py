"""呼叫帮助 on the screen: only what is known, and whom to ring; large type ends with its citizen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kiosk.core import intents as i
from kiosk.core.views import Snapshot
from screens.locale import zh_cn

Snapshots = dict[str, Snapshot]


@pytest.mark.parametrize(
    ("sample", "button", "said", "not_said"),
    [
        ("help_waiting", "正在呼叫", ["正在呼叫工作人员", "0757-12345678"], "已呼叫"),
        ("help_offline", "等待联网", ["呼叫还没送出", "一通就自动送出", "请打 0757-12345678（祖庙"], "已呼叫"),
        ("help_without_telephone", "等待联网", ["呼叫还没送出", "身边的人"], "请打"),
        ("help_sent", "已呼叫", ["等工作人员看到", "0757-12345678"], "已知道"),
        ("help_seen", "已有人知道", ["工作人员已知道"], "0757"),
    ],
)
def test_what_became_of_the_call(
    stage: Any, snapshots: Snapshots, sample: str, button: str, said: list[str], not_said: str
) -> None:
    stage.show(snapshots[sample])
    assert stage.find(button, role="Button")
    (told,) = [node.name for node in stage.nodes() if node.role == "AlertMessage"]
    for words in said:
        assert words in told
    assert not_said not in told
    stage.show(snapshots["check"])
    assert stage.find("呼叫帮助", role="Button")
    assert not [node for node in stage.nodes() if node.role == "AlertMessage" and "呼叫" in node.name]


def test_nobody_called_nothing_said() -> None:
    assert zh_cn.help_called("none", online=False, window="窗口", phone="1") is None


def test_large_type_of_one_citizen_is_not_for_the_next_whose_card_took_its_place(
    stage: Any, snapshots: Snapshots
) -> None:
    home = snapshots["home_known"]
    stage.show(replace(home, chrome=replace(home.chrome, session=1)))
    stage.tap("大字版")
    assert stage.acts() == [i.DisplayChanged(True)]
    stage.show(replace(home, chrome=replace(home.chrome, session=1)))
    assert "checked" in stage.find("大字版").states
    stage.show(replace(home, chrome=replace(home.chrome, session=2)))
    assert "checked" not in stage.find("大字版").states
    assert stage.acts() == [i.DisplayChanged(False)]


def test_saved_and_delivered_promise_only_what_is_true(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["done_offline"])
    assert "没有网络" not in stage.texts()
    assert "一联网就自动上报" in stage.texts()
    delivered = snapshots["done_delivered"]
    stage.show(delivered)
    assert "任何一台机器点“我的办件”" in stage.texts()
    stage.show(replace(delivered, view=replace(delivered.view, kind="consultation")))
    assert "我的办件" not in stage.texts(), "who asked without a card has no 我的办件"
