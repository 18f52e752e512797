"""One question page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import assert_never

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlSingleton

from kiosk.core.intents import Next, SetAnswer
from kiosk.core.views import FieldView, QuestionView, Step
from screens.locale import zh_cn
from screens.viewmodels.base import PageModel, Rows
from screens.viewmodels.notices import NoticeModel

QML_IMPORT_NAME = "CitizensWindow"
QML_IMPORT_MAJOR_VERSION = 1

YES_NO = (("true", "yes", "是"), ("false", "no", "否"))
"""As stored here, as an item's own words are keyed, as said without such words."""
ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
TEXT_KINDS = ("text", "long_text", "address", "phone", "number", "date")


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field as QML draws it. `control` is `line`, `area`, `choice` or `fixed`; `keys` the keyboard it wants."""

    key: str
    field: str
    control: str
    keys: str
    label: str
    hint: str
    value: str
    chip: str
    options: list[dict[str, str]]
    required: bool
    max_length: int
    error: str


def field_row(page: str, field: FieldView) -> FieldRow:
    """What to draw for a field."""
    options: list[dict[str, str]] = []
    if field.type == "yesno":
        own = dict(field.options)
        options = [{"value": said, "label": own.get(name, label)} for said, name, label in YES_NO]
    elif field.type == "choice":
        options = [{"value": value, "label": label} for value, label in field.options]
    error = zh_cn.notice(field.error) if field.error else None
    return FieldRow(
        key=f"{page}/{field.id}",
        field=field.id,
        control=_control(field),
        keys=_keys(field),
        label=field.label,
        hint=field.hint,
        value=_shown(field),
        chip=zh_cn.source(field.source),
        options=options,
        required=field.required,
        max_length=10 if field.type == "date" else field.max_length,
        error=f"{error.title}。{error.text}" if error else "",
    )


def _control(field: FieldView) -> str:
    if field.locked:
        return "fixed"
    if field.type in ("yesno", "choice"):
        return "choice"
    return "area" if field.type == "long_text" else "line"


def _keys(field: FieldView) -> str:
    match field.type:
        case "phone" | "number":
            return "digits"
        case "date":
            return "date"
        case "address":
            return "address"
        case "text" if "姓名" in field.label:
            return "name"
        case _:
            return "text"


def _shown(field: FieldView) -> str:
    """The value as text; a number that came from the card is never shown whole."""
    match field.value:
        case None:
            return ""
        case bool():
            said, name, label = YES_NO[0 if field.value else 1]
            return dict(field.options).get(name, label) if field.locked else said
        case int():
            return str(field.value)
        case str():
            if field.locked and ID_NUMBER.fullmatch(field.value):
                return f"{field.value[:6]} ******** {field.value[-4:]}"
            if field.locked and field.type == "choice":
                return dict(field.options).get(field.value, field.value)
            return field.value
        case _ as never:
            assert_never(never)


def answer(field: FieldView, text: str) -> str | bool | int | None:
    """What the citizen meant, as the journey stores it; an emptied field is no answer."""
    if text == "":
        return None
    match field.type:
        case "yesno":
            return text == "true"
        case "number" if text.isascii() and text.isdigit():
            return int(text)
        case _:
            return text


@QmlElement
@QmlSingleton
class QuestionModel(PageModel):
    """One thing a page."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: QuestionView | None = None
        self._fields = Rows(FieldRow, self)
        self._notice = NoticeModel(self)

    def show(self, view: QuestionView) -> None:
        """Ask this."""
        self._view = view
        self._notice.show(view.notice)
        self._fields.replace([field_row(view.page_id, field) for field in view.fields])
        self.changed.emit()

    def clear(self) -> None:
        """Forget every answer."""
        self._view = None
        self._notice.show(None)
        self._fields.replace(())
        self.changed.emit()

    @Property(str, notify=changed)
    def itemName(self) -> str:
        """The item's name."""
        return self._view.item_name if self._view else ""

    @Property(str, notify=changed)
    def title(self) -> str:
        """The question."""
        return self._view.title if self._view else ""

    @Property(str, notify=changed)
    def text(self) -> str:
        """More about it."""
        return self._view.text if self._view else ""

    @Property(str, notify=changed)
    def progress(self) -> str:
        """Which question of how many."""
        if self._view is None or self._view.total < 2:
            return ""
        return f"第{self._view.index}页，共{self._view.total}页"

    @Property(bool, notify=changed)
    def longText(self) -> bool:
        """Does it ask for more than a line? Then every line of the screen counts."""
        return self._view is not None and any(field.type == "long_text" for field in self._view.fields)

    @Property(str, notify=changed)
    def person(self) -> str:
        """Who is filling this in, masked; empty where a field of the page says it already."""
        if self._view is None or self._view.person is None or any(field.locked for field in self._view.fields):
            return ""
        return f"{self._view.person.name}　{self._view.person.id_number}"

    @Property(str, notify=changed)
    def slot(self) -> str:
        """Can the 社保卡 fill something in: `none`, `ready`, `reading`, `done`?"""
        return self._view.slot if self._view else "none"

    @Property(str, notify=changed)
    def nextWords(self) -> str:
        """What comes next, if it is another step."""
        if self._view is None:
            return ""
        step: Step = "check" if self._view.changing else self._view.next_step
        return "" if step == self._view.step else zh_cn.STEP_WORDS[step]

    @Property(QObject, constant=True)
    def fields(self) -> QObject:
        """The fields."""
        return self._fields

    @Property(NoticeModel, constant=True)
    def notice(self) -> NoticeModel:
        """Trouble or news."""
        return self._notice

    @Slot(str, str)
    def edit(self, field_id: str, text: str) -> None:
        """The citizen changed a field."""
        for field in self._view.fields if self._view else ():
            if field.id == field_id and not field.locked:
                self.send(SetAnswer(field_id, answer(field, text)))

    @Slot()
    def next(self) -> None:
        """下一步."""
        self.send(Next())
