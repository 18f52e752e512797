"""Questions, materials, capture, check-answers, done, print."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal

from kiosk.contract.bundle import Calendar
from kiosk.contract.person import LicenceSummary
from kiosk.contract.submission import AnswerValue
from kiosk.core.answers import ID_CARD, LICENCE, Answers
from kiosk.core.devices import DeviceKind
from kiosk.core.item import Material, Question, Span
from kiosk.core.journey import missing_materials, path, visible_materials
from kiosk.core.masking import mask_id_number, mask_name
from kiosk.core.views import (
    CaptureView,
    CheckRow,
    CheckView,
    DoneView,
    FieldView,
    MaterialRow,
    MaterialsView,
    Notice,
    NoticeCode,
    PrintView,
    QuestionView,
    SendingView,
    Step,
)
from kiosk.core.workdays import due_day
from kiosk.services.filing import material_uses
from kiosk.services.flow.item import locked, needs_materials
from kiosk.services.flow.materials import material, reusable
from kiosk.services.flow.social import wanted as wanted_social_card
from kiosk.services.model import Model, Visit
from kiosk.services.places import (
    AtCapture,
    AtCheck,
    AtDone,
    AtExit,
    AtMaterials,
    AtPrint,
    AtQuestion,
    CapturedPage,
    Flow,
    ReceiptPhase,
    ReusedLicence,
)
from kiosk.services.readiness import device_well, wants_paper
from kiosk.services.render import words
from kiosk.services.render.browse import person
from kiosk.services.steps import journey_steps

MaterialState = Literal["needed", "reused", "captured", "from_card"]


def question_view(model: Model, visit: Visit, flow: Flow, place: AtQuestion) -> QuestionView:
    """One thing a page."""
    walk = path(flow.item, flow.answers)
    pages = [shown.page.id for shown in walk.pages]
    shown = walk.page(place.page)
    assert shown is not None, "a page is shown only while it is on the path"
    index = pages.index(place.page) + 1
    errors = dict(place.errors)
    changing = flow.checked is not None
    slot = _slot(model, visit)
    return QuestionView(
        item_name=_name(flow),
        page_id=place.page,
        title=shown.page.title,
        text=shown.page.text,
        fields=tuple(_field(question, flow.answers, errors.get(question.id)) for question in shown.fields),
        step="fill",
        index=index,
        total=len(pages),
        changing=changing,
        next_step=_next_step(flow, last=index == len(pages), changing=changing),
        person=person(visit.session),
        notice=visit.social.notice if slot != "none" and visit.social.notice else _resumed(visit),
        steps=journey_steps(flow.item, flow.answers),
        slot=slot,
    )


def _name(flow: Flow) -> str:
    """What she is doing; on every page of it she sees that it is a correction (补正)."""
    return f"{words.CORRECTION}{flow.item.name}" if flow.corrects else flow.item.name


def _resumed(visit: Visit) -> Notice | None:
    return Notice(NoticeCode.RESUMED) if visit.resumed is not None and visit.resumed == visit.place else None


def _slot(model: Model, visit: Visit) -> Literal["none", "ready", "reading", "done"]:
    if not wanted_social_card(visit) or not device_well(model, DeviceKind.SOCIAL_CARD):
        return "none"
    if visit.social_card is not None:
        return "done"
    return "reading" if visit.social.reading else "ready"


def exit_view(visit: Visit, flow: Flow, place: AtExit) -> QuestionView:
    """An exit page: nothing to fill in, the window is the way on."""
    walk = path(flow.item, flow.answers)
    page = next(page for page in flow.item.pages if page.id == place.page)
    return QuestionView(
        item_name=_name(flow),
        page_id=page.id,
        title=page.title,
        text=page.text,
        fields=(),
        step="fill",
        index=len(walk.pages) + 1,
        total=len(walk.pages) + 1,
        changing=flow.checked is not None,
        next_step="fill",
        person=person(visit.session),
        notice=Notice(NoticeCode.EXIT_PAGE),
        steps=journey_steps(flow.item, flow.answers),
    )


def materials_view(visit: Visit, flow: Flow, place: AtMaterials) -> MaterialsView:
    """Which papers, and what is already held. With the hall away nothing can be reused, and that is said."""
    rows = tuple(_material(visit, flow, one) for one in visible_materials(flow.item, flow.answers))
    wanting = any(
        row.state == "needed" and "licence_library" in one.sources
        for row, one in zip(rows, visible_materials(flow.item, flow.answers), strict=True)
    )
    fault = visit.licences_asked.fault
    honest = Notice(fault) if wanting and fault is not None else None
    missing = missing_materials(flow.item, flow.answers, material_uses(flow, visit.session))
    steps = journey_steps(flow.item, flow.answers)
    told = place.notice or honest or _resumed(visit)
    return MaterialsView(_name(flow), rows, complete=not missing, notice=told, steps=steps, wanted=flow.wanted)


def capture_view(visit: Visit, flow: Flow, place: AtCapture) -> CaptureView:
    """Under the camera."""
    wanted = material(flow, place.material)
    assert wanted is not None, "only a material of this case is photographed"
    return CaptureView(
        item_name=_name(flow),
        material_id=place.material,
        title=wanted.name,
        hint=wanted.hint,
        phase=place.phase,
        shot_jpeg=place.shot.page_jpeg if place.shot is not None else b"",
        advice=place.advice,
        notice=_with_draft(visit, place.notice),
        steps=journey_steps(flow.item, flow.answers),
    )


def _with_draft(visit: Visit, told: Notice | None) -> Notice | None:
    """Trouble sounds different when her answers are safe."""
    if told is None or visit.kept is None:
        return told
    return Notice(told.code, (*told.params, ("kept", "yes")))


def check_view(visit: Visit, flow: Flow, place: AtCheck) -> CheckView:
    """Everything once more; or, for a certificate, what will be on the paper."""
    steps = journey_steps(flow.item, flow.answers)
    told = place.notice or _resumed(visit)
    return CheckView(_name(flow), tuple(_check_rows(visit, flow)), flow.item.kind, notice=told, steps=steps)


def sending_view(flow: Flow) -> SendingView:
    """Being written down."""
    return SendingView(_name(flow), steps=journey_steps(flow.item, flow.answers))


def done_view(model: Model, place: AtDone, calendar: Calendar) -> DoneView:
    """It is filed."""
    slip = place.slip
    phase = place.phase
    if phase == "printing" and wants_paper(model, DeviceKind.RECEIPT):
        phase = "waiting_paper"
    return DoneView(
        item_name=slip.item_name if slip else "",
        kind=slip.kind if slip else "application",
        application_no=place.application_no,
        query_code=slip.query_code if slip else "",
        query_place=slip.query_place if slip else "",
        delivered=place.delivered,
        receipt=phase,
        limit_days=slip.limit_days if slip else None,
        limit_unit=slip.limit_unit if slip else "",
        limit_by=_limit_by(place, calendar),
        corrects=slip.corrects if slip else "",
        recovered=place.recovered,
        notice=_done_notice(place, phase),
        steps=place.steps,
    )


def _limit_by(place: AtDone, calendar: Calendar) -> date | None:
    """The last day of what is promised, counted as the hall counts; not known of a filing that it may have long had."""
    slip, day = place.slip, place.delivered_on
    if slip is None or day is None or place.recovered or not slip.limit_days:
        return None
    return due_day(day, Span(days=slip.limit_days, unit="day" if slip.limit_unit == "day" else "workday"), calendar)


def print_view(model: Model, place: AtPrint) -> PrintView:
    """A page on its way to the tray."""
    flow = model.visit.flow if model.visit is not None and isinstance(place.origin, AtCheck) else None
    steps = journey_steps(flow.item, flow.answers) if flow is not None else ()
    if place.phase == "printing" and wants_paper(model, DeviceKind.PAGE):
        return PrintView(place.title, "waiting_paper", place.pages, Notice(NoticeCode.PAGE_PAPER_OUT), steps)
    return PrintView(place.title, place.phase, place.pages, place.notice, steps)


def _done_notice(place: AtDone, phase: ReceiptPhase) -> Notice | None:
    match phase:
        case "failed":
            return Notice(NoticeCode.RECEIPT_FAILED)
        case "unproven":
            return Notice(NoticeCode.RECEIPT_UNPROVEN)
        case "waiting_paper":
            return Notice(NoticeCode.RECEIPT_PAPER_OUT)
        case "printing" | "printed":
            if place.delivered:
                return Notice(NoticeCode.DELIVERED)
            return Notice(NoticeCode.SAVED_OFFLINE) if place.print_at is None else None


def _field(question: Question, answers: Answers, error: Notice | None) -> FieldView:
    given = answers.get(question.id)
    fixed = locked(question, answers)
    value = given.value if given else None
    if fixed and question.prefill == "card.id_number":
        value = mask_id_number(str(value))
    return FieldView(
        id=question.id,
        type=question.type,
        label=question.label,
        hint=question.hint,
        value=value,
        source=_source(given.source) if given else "",
        locked=fixed,
        options=tuple((option.v, option.t) for option in question.options),
        required=question.required,
        max_length=question.max_length,
        error=error,
    )


def _source(source: str) -> str:
    return "licence" if source.startswith(LICENCE) else source


def _next_step(flow: Flow, *, last: bool, changing: bool) -> Step:
    if changing:
        return "check"
    if not last:
        return "fill"
    return "materials" if needs_materials(flow) else "check"


def _material(visit: Visit, flow: Flow, wanted: Material) -> MaterialRow:
    held = flow.held.get(wanted.id)
    offer = reusable(flow, visit.licences, wanted)
    match held:
        case ReusedLicence(licence):
            return _row(wanted, "reused", licence)
        case CapturedPage():
            return _row(wanted, "captured", offer)
        case None if "card_reader" in wanted.sources and visit.session.card is not None:
            return _row(wanted, "from_card", None)
        case None:
            return _row(wanted, "needed", offer)


def _check_rows(visit: Visit, flow: Flow) -> Iterator[CheckRow]:
    if flow.item.kind == "certificate":
        yield CheckRow(words.CERTIFICATE, flow.item.results[0].name if flow.item.results else flow.item.name, "", "")
        yield CheckRow(words.ISSUER, flow.item.department, "", "")
    if visit.session.card is not None:
        yield CheckRow(words.NAME, mask_name(visit.session.card.name), ID_CARD, "")
        yield CheckRow(words.ID_NUMBER, mask_id_number(visit.session.card.id_number), ID_CARD, "")
    # What is sealed already can only be sent as it is: nothing to change any more.
    may_change = flow.sealed is None
    for shown in path(flow.item, flow.answers).pages:
        for question in shown.fields:
            given = flow.answers.get(question.id)
            if given is not None and given.given:
                value = mask_id_number(str(given.value)) if _is_number(question, flow) else _said(question, given.value)
                change = "" if locked(question, flow.answers) or not may_change else shown.page.id
                yield CheckRow(question.label, value, _source(given.source), change)
            else:
                yield CheckRow(question.label, "", "", shown.page.id if may_change else "")
    for wanted in visible_materials(flow.item, flow.answers):
        match flow.held.get(wanted.id):
            case ReusedLicence(licence):
                yield CheckRow(wanted.name, licence.type_name, "licence", "materials" if may_change else "")
            case CapturedPage():
                yield CheckRow(wanted.name, words.PHOTOGRAPHED, "camera", "materials" if may_change else "")
            case None:
                yield CheckRow(wanted.name, words.FROM_CARD, ID_CARD, "")


def _is_number(question: Question, flow: Flow) -> bool:
    return question.prefill == "card.id_number" and locked(question, flow.answers)


def _said(question: Question, value: AnswerValue) -> str:
    match value:
        case None:
            return ""
        case bool():
            own = {option.v: option.t for option in question.options}
            return own.get("yes", words.YES) if value else own.get("no", words.NO)
        case int():
            return str(value)
        case str():
            return next((option.t for option in question.options if option.v == value), value)


def _row(wanted: Material, state: MaterialState, licence: LicenceSummary | None) -> MaterialRow:
    return MaterialRow(
        id=wanted.id,
        title=wanted.name,
        hint=wanted.hint,
        state=state,
        reusable=licence,
        can_capture="camera" in wanted.sources,
    )
