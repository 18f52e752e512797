"""Departments that decide by themselves (模拟部门): they open a case, read the licences it reuses again, and decide.

Everything they do goes through the same doors as a real department's system would: events, licences, the press.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Row, select

from hall.cases.corrections import Corrections, filing_of
from hall.cases.history import EventType, append
from hall.catalogue.bundles import Catalogue
from hall.licences.papers import paper_of
from hall.licences.people import Licence, NewLicence, People, today_in_china
from hall.licences.press import Paper, Press
from hall.store.database import Store
from hall.store.jobs import Job, NotYet, enqueue
from hall.store.moments import to_ms, years_later
from hall.store.schema import cases, corrections
from hall.store.vault import Vault
from kiosk.contract.corrections import CorrectionReason
from kiosk.contract.submission import Submission
from kiosk.core.clock import Clock
from kiosk.core.item import Item, Outcome

_PERMIT_TYPE = "居住证"
_ANSWERS = {
    "social_security": "您好，参保和缴费情况可以在任何一台市民之窗放上身份证查询，参保证明当场可以打印。",
    "household": "您好，居住证签注请带身份证在市民之窗办理，已有的电子证照不用再交，三个工作日内办好。",
    "housing": "您好，您反映的住房和物业问题已转属地街道，工作人员会到现场看一看，再把结果告诉您。",
    "traffic": "您好，您反映的交通问题已转交通管理部门，他们会核实路段情况并作出安排。",
    "suggestion": "您好，谢谢您的建议。我们已经记录，并转给有关部门研究。",
}
_OTHER_ANSWER = "您好，您的问题已经收到并转给有关部门，他们会按规定处理。"


@dataclass(frozen=True, slots=True)
class _Decision:
    """What a department says at the end."""

    type: EventType
    message: str
    licence: NewLicence | None = None
    paper: Paper | None = None
    reason: CorrectionReason | None = None
    """Why a correction is wanted."""


class Departments:
    """All departments of the hall, simulated."""

    def __init__(
        self,
        *,
        store: Store,
        vault: Vault,
        people: People,
        catalogue: Catalogue,
        press: Press,
        corrections: Corrections,
        decide_after_s: float,
        clock: Clock,
    ) -> None:
        self._store = store
        self._vault = vault
        self._people = people
        self._catalogue = catalogue
        self._press = press
        self._corrections = corrections
        self._decide_after_ms = round(decide_after_s * 1000)
        self._clock = clock

    def accept(self, job: Job) -> None:
        """受理: the case is taken in hand and will be decided after a while."""
        at = to_ms(self._clock.now())

        def write(connection: Connection) -> None:
            case = connection.execute(select(cases).where(cases.c.application_no == job.subject)).one()
            if case.state == "received":
                item = self._catalogue.item(case.item_code, case.item_version)
                append(
                    connection,
                    self._vault,
                    job.subject,
                    what=EventType.ACCEPTED,
                    actor=item.department if item else "department",
                    at=at,
                )
            enqueue(connection, "department.decide", job.subject, due_at=at + self._decide_after_ms)

        self._store.write(write)

    def decide(self, job: Job) -> None:
        """办理: decide once; a second call finds the case decided and does nothing."""
        self._decide(job.subject)

    def decide_again(self, job: Job) -> None:
        """补正后办理: on the materials of this correction."""
        with self._store.read() as connection:
            case_no = connection.execute(
                select(corrections.c.case_no).where(corrections.c.submission_id == job.subject)
            ).scalar_one()
        self._decide(case_no)

    def _decide(self, case_no: str) -> None:
        with self._store.read() as connection:
            case = connection.execute(select(cases).where(cases.c.application_no == case_no)).one()
            filing = filing_of(connection, case)
        if case.state == "received":
            raise NotYet(200)
        if case.state not in ("accepted", "handling"):
            return
        item = self._catalogue.item(case.item_code, filing.item_version)
        if item is None:
            raise LookupError("item version vanished")
        now, calendar = self._clock.now(), self._catalogue.calendar()
        decision = self._decision(item, case, filing.opened(self._vault), now)
        document = self._press.make(decision.paper, now=now) if decision.paper else None

        def write(connection: Connection) -> None:
            at = to_ms(now)
            row = connection.execute(select(cases).where(cases.c.application_no == case_no)).one()
            if row.events != case.events:
                raise NotYet(200)  # something came meanwhile: look at it first
            if row.state == "accepted":
                append(connection, self._vault, case_no, what=EventType.HANDLING, actor=item.department, at=at)
                row = connection.execute(select(cases).where(cases.c.application_no == case_no)).one()
            if decision.reason is not None:
                self._corrections.want(
                    connection,
                    row,
                    item,
                    message=decision.message,
                    reason=decision.reason,
                    now=now,
                    calendar=calendar,
                )
                return
            data = {"message": decision.message}
            if decision.licence is not None:
                data["licence_id"] = self._people.grant(
                    connection, str(case.person), decision.licence, document=document, at=at
                )
            append(connection, self._vault, case_no, what=decision.type, actor=item.department, at=at, data=data)

        self._store.write(write)

    def _decision(self, item: Item, case: Row[tuple[object, ...]], submission: Submission, now: datetime) -> _Decision:
        if item.kind == "consultation":
            topic = submission.answers["topic"].value if "topic" in submission.answers else ""
            return _Decision(EventType.ANSWERED, _ANSWERS.get(str(topic), _OTHER_ANSWER))
        person = str(case._mapping["person"] or "")
        facts = self._people.facts(person)
        if facts is None or not item.results:
            return _Decision(EventType.DENIED, "这件事需要到窗口办理，请带身份证到任一综合窗口。")
        if (wanted := self._licence_fault(item, submission, person, now)) is not None:
            return wanted
        outcome = next((result for result in item.results if result.kind == "licence"), None)
        if outcome is None or outcome.template is None:
            return _Decision(EventType.GRANTED, f"已办好：{item.results[0].name}已登记，不用再跑一趟。")
        licence = self._renewed(outcome, item, submission, person, now)
        paper = paper_of(item, template=outcome.template, title=outcome.name, licence=licence, holder=facts)
        return _Decision(EventType.GRANTED, f"已办好，{outcome.name}可以在任何一台市民之窗打印。", licence, paper)

    def _licence_fault(self, item: Item, submission: Submission, person: str, now: datetime) -> _Decision | None:
        """Reused licences are read again now: they may have run out while the case was on its way."""
        allowed = {material.id: material.licence for material in item.materials}
        today = today_in_china(now)
        for use in submission.materials:
            if use.source != "licence_library":
                continue
            licence = self._people.licence(use.licence_id)
            if licence is None or licence.person != person or licence.type_name not in allowed[use.id]:
                return _wanted(CorrectionReason.LICENCE_MISSING, f"没有找到您名下的{use.name}，请补交。")
            if not licence.usable(today):
                return _wanted(CorrectionReason.LICENCE_INVALID, f"您的{use.name}已经失效，请补交有效的。")
        return None

    def _renewed(self, outcome: Outcome, item: Item, submission: Submission, person: str, now: datetime) -> NewLicence:
        held = self._held(person, outcome.name)
        answers = {name: record.value for name, record in submission.answers.items()}
        today = now.date()
        address = str(answers.get("address") or (held.fields.get("address", "") if held else ""))
        prefix = f"JZ{item.code[:6]}{today.year}"
        return NewLicence(
            type_name=outcome.name,
            number=self._store.write(lambda connection: self._people.next_number(connection, prefix)),
            issuer=item.department,
            valid_from=today_in_china(now),
            valid_to=years_later(date.fromisoformat(today_in_china(now)), outcome.validity_years).isoformat(),
            fields={
                key: value
                for key, value in {
                    "address": address,
                    "reason": _reason(item, answers.get("reason")),
                    "employer": str(answers.get("employer") or ""),
                    "first_issued": held.fields.get("first_issued", held.valid_from) if held else today_in_china(now),
                }.items()
                if value
            },
            application_no=submission.application_no,
        )

    def _held(self, person: str, type_name: str) -> Licence | None:
        return next((licence for licence in self._people.licences(person) if licence.type_name == type_name), None)


def _wanted(reason: CorrectionReason, message: str) -> _Decision:
    return _Decision(EventType.CORRECTION_WANTED, message, reason=reason)


def _reason(item: Item, value: object) -> str:
    """The words of the chosen reason."""
    options = (
        option for page in item.pages for field in page.fields if field.id == "reason" for option in field.options
    )
    return next((option.t for option in options if option.v == value), "")
