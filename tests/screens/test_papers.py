"""Papers on the screen: in doubt, of no use, not taken, left behind by somebody else."""

from __future__ import annotations

from typing import Any

import pytest

from kiosk.core import intents as i
from kiosk.core.print_ledger import REPRINT_REASONS
from kiosk.core.views import Snapshot
from screens.viewmodels.papers import SPOILED

Snapshots = dict[str, Snapshot]


def test_a_page_of_before_is_asked_about_in_plain_words(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["print_asked"])
    assert stage.find("上次打印的证照")
    assert stage.find("上次的证照打印出来了吗？")
    stage.tap("拿到了")
    stage.tap("再打一次")
    assert stage.acts() == [i.PaperTaken(), i.PrintAgain()]


def test_a_page_of_no_use_says_why(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["print_done"])
    assert not [node for node in stage.nodes() if node.name == "看不清"]
    stage.tap("纸有问题")
    stage.tap("看不清")
    assert stage.acts() == [i.PaperSpoiled("unreadable")]
    stage.show(snapshots["print_failed"])
    stage.show(snapshots["print_done"])
    assert not [node for node in stage.nodes() if node.name == "看不清"], "asked anew for the next paper"


def test_every_reason_has_its_button() -> None:
    assert {reason for reason, _ in SPOILED} == {reason.value for reason in REPRINT_REASONS}


def test_her_own_paper_is_spoken_of_above_the_page(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["paper_waiting"])
    told = [node.name for node in stage.nodes() if node.role == "AlertMessage"]
    assert any("请取走打印好的纸" in words and "A4出纸口" in words for words in told)
    stage.show(snapshots["print_done"])
    assert not any("请取走打印好的纸" in node.name for node in stage.nodes())


@pytest.mark.parametrize(
    ("sample", "mouths"), [("paper_left", "A4出纸口"), ("paper_left_both", "回执出纸口和A4出纸口")]
)
def test_somebody_elses_paper_covers_the_page(stage: Any, snapshots: Snapshots, sample: str, mouths: str) -> None:
    stage.show(snapshots[sample])
    assert stage.find("出纸口有别人的纸")
    assert any(mouths in node.name for node in stage.nodes())
    stage.tap("知道了")
    assert stage.acts() == [i.PapersSeen()]
