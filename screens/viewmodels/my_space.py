"""我的办件 and 我的证照."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlSingleton

from kiosk.contract.person import ApplicationSummary, CaseState, LicenceSummary
from kiosk.core.intents import Correct, OpenMySpace, PrintLicence
from kiosk.core.views import MySpaceView
from screens.locale import zh_cn
from screens.viewmodels.base import PageModel, Rows
from screens.viewmodels.grouping import grouped
from screens.viewmodels.notices import NoticeModel

QML_IMPORT_NAME = "CitizensWindow"
QML_IMPORT_MAJOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class MatterRow:
    """One case or one licence: headline, chip, lines, and what can be printed."""

    key: str
    title: str
    chip: str
    tone: str
    line: str
    more: str
    printable: str
    """Licence id, or empty."""
    stages: list[str]
    """How a case goes, in words; none for a licence."""
    stage: int
    """Where it stands, from 0."""
    correct: str = ""
    """受理号, where 现在补交 leads on; empty: nothing is wanted, or not here."""
    wanted: bool = False
    """Something is wanted of her: `more` says what, and until when."""


def stages(state: CaseState) -> tuple[list[str], int]:
    """A case's way from the first page to the decision; none once it was withdrawn."""
    words, _ = zh_cn.case_state(state)
    match state:
        case "received":
            return ["已提交", "办理中", "办好"], 0
        case "accepted" | "handling" | "correction_wanted":
            return ["已提交", words, "办好"], 1
        case "granted" | "denied" | "answered":
            return ["已提交", "已办理", words], 2
        case "withdrawn" | "expired":
            return [], -1
        case _ as never:
            assert_never(never)


def application_row(case: ApplicationSummary, *, correctable: bool = False) -> MatterRow:
    """What to draw for a case."""
    words, tone = zh_cn.case_state(case.state)
    dates = f"{zh_cn.day(case.received_at)}提交"
    if case.due_at is not None and case.state in ("received", "accepted", "handling"):
        dates += f"，最晚{zh_cn.day(case.due_at)}办好"
    return MatterRow(
        case.application_no,
        case.item_name,
        words,
        tone,
        f"受理编号 {grouped(case.application_no)}",
        _wanted(case, correctable=correctable) if case.state == "correction_wanted" else case.message or dates,
        case.licence_id,
        *stages(case.state),
        correct=case.application_no if correctable else "",
        wanted=case.state == "correction_wanted",
    )


def _wanted(case: ApplicationSummary, *, correctable: bool) -> str:
    """What she is to bring, until when, and where if not here."""
    until = f"最晚{zh_cn.day(case.correct_by)}补交。" if case.correct_by is not None else ""
    return f"{case.message}{until}" if correctable else f"{case.message}{until}这件事请到窗口补交。"


def licence_row(held: LicenceSummary) -> MatterRow:
    """What to draw for a licence; its number is shown by its last four characters."""
    words, tone = ("有效", "ok") if held.usable else ("已失效", "warn")
    until = f"有效期至{held.valid_to}" if held.valid_to else "长期有效"
    line = f"{held.holder}　编号尾号 {held.number[-4:]}"
    printable = held.id if held.printable else ""
    return MatterRow(held.id, held.type_name, words, tone, line, f"{held.issuer}　{until}", printable, [], -1)


@QmlElement
@QmlSingleton
class MySpaceModel(PageModel):
    """One citizen's matters."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: MySpaceView | None = None
        self._rows = Rows(MatterRow, self)
        self._notice = NoticeModel(self)

    def show(self, view: MySpaceView) -> None:
        """Show this tab."""
        self._view = view
        if view.tab == "applications":
            self._rows.replace(
                [
                    application_row(case, correctable=case.application_no in view.correctable)
                    for case in view.applications
                ]
            )
        else:
            self._rows.replace([licence_row(held) for held in view.licences])
        self._notice.show(view.notice)
        self.changed.emit()

    def clear(self) -> None:
        """Forget it all."""
        self._view = None
        self._rows.replace(())
        self._notice.show(None)
        self.changed.emit()

    @Property(str, notify=changed)
    def tab(self) -> str:
        """applications or licences."""
        return self._view.tab if self._view else "applications"

    @Property(str, notify=changed)
    def personName(self) -> str:
        """Masked."""
        return self._view.person.name if self._view else ""

    @Property(bool, notify=changed)
    def loading(self) -> bool:
        """The hall has not answered yet."""
        return self._view.loading if self._view else False

    @Property(int, notify=changed)
    def count(self) -> int:
        """Number of rows."""
        return self._rows.rowCount()

    @Property(QObject, constant=True)
    def rows(self) -> QObject:
        """Cases or licences."""
        return self._rows

    @Property(NoticeModel, constant=True)
    def notice(self) -> NoticeModel:
        """Trouble or news."""
        return self._notice

    @Slot(str)
    def open(self, tab: str) -> None:
        """Switch tab."""
        self.send(OpenMySpace(tab))

    @Slot(str)
    def correct(self, application_no: str) -> None:
        """现在补交."""
        self.send(Correct(application_no))

    @Slot(str)
    def printLicence(self, licence: str) -> None:
        """打印."""
        self.send(PrintLicence(licence))
