"""A session leaves nothing on the screen, in a model, in the keyboard or in a picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from kiosk.core.views import Snapshot
from screens.viewmodels.base import Rows
from screens.viewmodels.notices import NoticeModel

Snapshots = dict[str, Snapshot]
PERSONAL = ["欧阳", "440699", "季华五路", "138****1234", "K0604", "T001-0018", "7428", "路灯", "2345", "租赁"]


def remains(stage: Any) -> str:
    """Everything that any view-model still tells QML, and everything on the screen."""
    parts = [stage.texts()]
    for model in (*stage.screens._pages.values(), stage.screens._keyboard, stage.screens._chrome):
        meta = model.metaObject()
        for number in range(meta.propertyCount()):
            name = meta.property(number).name()
            if name in ("tiles", "objectName"):
                continue  # tiles are nobody's; PySide gives objectName as a method, whose address may hold any digits
            value = getattr(model, name)
            if isinstance(value, Rows):
                parts.append(str(value.rows))
            elif not isinstance(value, QObject):  # its name is an address, which may hold any digits
                parts.append(str(value))
            if isinstance(value, NoticeModel):
                parts += [str(value.title), str(value.text), str(value.code)]
    return "\n".join(parts)


@pytest.mark.parametrize(
    "name",
    [
        *("home_known", "question", "question_wrong", "question_long", "materials", "capture_review", "check"),
        *("done_offline", "my_applications", "my_licences", "search"),
    ],
)
def test_the_end_of_a_session_wipes_everything(stage: Any, snapshots: Snapshots, samples: Any, name: str) -> None:
    busy = snapshots["check"].chrome
    stage.show(replace(snapshots[name], chrome=busy))
    stage.screens.preview(samples.preview())
    stage.settle()
    QGuiApplication.clipboard().setText("440699197603151234")
    stage.show(snapshots["attract"])
    left = remains(stage)
    assert [word for word in PERSONAL if word in left] == []
    assert len(stage.screens._pictures) == 0
    assert stage.screens._frame is None
    assert stage.screens._shot[0] == b""
    assert QGuiApplication.clipboard().text() == ""


def test_letters_being_typed_are_wiped(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["question"])
    stage.type("ouyang")
    stage.show(snapshots["attract"])
    keyboard = stage.screens._keyboard
    assert keyboard.property("typed") == ""
    assert not keyboard.property("visible")
    assert keyboard.property("candidates").rows == ()
    stage.show(snapshots["question"])
    assert stage.find("现居住地址", role="EditableText").value == ""


def test_a_page_that_is_left_is_forgotten_at_once(stage: Any, snapshots: Snapshots) -> None:
    stage.show(snapshots["question_wrong"])
    stage.show(snapshots["materials"])
    assert "季华机电" not in remains(stage)


def test_a_live_picture_is_gone_when_its_page_is(stage: Any, snapshots: Snapshots, samples: Any) -> None:
    stage.show(snapshots["capture"])
    stage.screens.preview(samples.preview())
    stage.settle()
    assert len(stage.screens._pictures) == 1
    stage.show(snapshots["materials"])
    assert len(stage.screens._pictures) == 0
    stage.screens.preview(samples.preview())  # a frame that was still on its way
    stage.settle()
    assert len(stage.screens._pictures) == 0


def test_pictures_overtake_each_other(stage: Any, snapshots: Snapshots, samples: Any) -> None:
    stage.show(snapshots["capture"])
    for number in range(30):
        stage.screens.preview(samples.preview("blurred" if number < 29 else "ok", number))
    stage.settle()
    assert "很好，可以拍照了" in stage.texts()
    assert stage.screens._frame is None
