"""One item, question by question (一页一问), to check-answers."""

from __future__ import annotations

from typing import assert_never

from kiosk.core.answers import CITIZEN, ID_CARD, SOCIAL_CARD, Answer, AnswerFault, Answers, validate
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.item import Item, Question
from kiosk.core.journey import (
    AfterPages,
    BeforePages,
    ShownPage,
    ToExit,
    ToPage,
    after_change,
    first_unanswered,
    missing_materials,
    next_page,
    path,
    prev_page,
    visible_materials,
)
from kiosk.core.prefill import prefills
from kiosk.core.result import Err, Ok
from kiosk.core.views import Notice, NoticeCode
from kiosk.services.filing import material_uses
from kiosk.services.flow.visit import notice
from kiosk.services.places import AtCheck, AtExit, AtGuide, AtHome, AtMaterials, AtQuestion, AtSpace, Flow
from kiosk.services.turn import Turn

OWN_FIELDS = frozenset({"card.name", "card.id_number", "card.birth", "card.nation"})
"""Who she is, is not a matter of opinion: taken from the card, such an answer is locked."""


def begin_item(turn: Turn, guide: AtGuide) -> None:
    """The first question, with what is known already filled in; or straight to the check."""
    item = turn.catalogue.newest[guide.code]
    if not under_way(turn, item):
        turn.set_visit(flow=Flow(item, turn.catalogue.number))
        turn.log(Event.of(EventName.ITEM_BEGUN, item=item.code, version=item.version))
    offer_prefills(turn)
    _follow(turn, next_page(item, turn.flow.answers, None))


def under_way(turn: Turn, item: Item) -> bool:
    """Did she only step back to its guide?"""
    flow = turn.visit.flow
    return flow is not None and flow.item == item and not flow.corrects


def offer_prefills(turn: Turn) -> None:
    """Fill in what card and licences say, where she has not answered (少填一半)."""
    flow = turn.visit.flow
    if flow is None or flow.sealed is not None:
        return
    visit = turn.visit
    known = prefills(
        flow.item, card=visit.session.card, licences=visit.licences, at=turn.now, social_card=visit.social_card
    )
    turn.set_flow(answers=flow.answers.offered(known))


def set_answer(turn: Turn, place: AtQuestion, field: str, value: str | bool | int | None) -> None:
    """Take down what she says; whether it will do is said at 下一步."""
    question = next((one for one in shown_page(turn.flow, place).fields if one.id == field), None)
    if question is None or locked(question, turn.flow.answers):
        return
    known = turn.flow.answers.get(field)
    if known is None or known.value != value or type(known.value) is not type(value):
        turn.set_flow(answers=turn.flow.answers.with_answer(field, Answer(value, CITIZEN, turn.now)))
    turn.go(AtQuestion(place.page, tuple(error for error in place.errors if error[0] != field)))


def next_step(turn: Turn, place: AtQuestion) -> None:
    """下一步: only with every answer of this page in order."""
    errors: list[tuple[str, Notice]] = []
    answers = turn.flow.answers
    for question in shown_page(turn.flow, place).fields:
        given = answers.get(question.id)
        match validate(question, given.value if given else None):
            case Ok(value):
                if given is None or given.value != value:
                    answers = answers.with_answer(question.id, Answer(value, CITIZEN, turn.now))
            case Err(fault):
                errors.append((question.id, _answer_notice(fault)))
    if errors:
        turn.go(AtQuestion(place.page, tuple(errors)))
        return
    turn.set_flow(answers=answers)
    before = turn.flow.checked
    if before is None:
        _follow(turn, next_page(turn.flow.item, answers, place.page))
    else:
        _follow(turn, after_change(turn.flow.item, before, answers, place.page))


def step_back(turn: Turn, current: str | None) -> None:
    """上一步. In the middle of a change that means: leave it as it was."""
    before = turn.flow.checked
    if before is not None:
        turn.set_flow(answers=before, checked=None)
        turn.go(AtCheck())
        return
    match prev_page(turn.flow.item, turn.flow.answers, current):
        case ToPage(page):
            turn.go(AtQuestion(page))
        case BeforePages() if turn.flow.corrects:
            number = turn.flow.corrects
            turn.set_visit(flow=None)
            turn.go(AtSpace("applications", number=number))
        case BeforePages():
            turn.go(AtGuide(turn.flow.item.code, AtHome()))


def back_from_check(turn: Turn) -> None:
    """上一步 on check-answers: the materials if there is anything to choose, else the last question."""
    if not _submitted(turn):
        if needs_materials(turn.flow):
            turn.go(AtMaterials())
        else:
            step_back(turn, None)


def change(turn: Turn, target: str) -> None:
    """修改 on check-answers."""
    if _submitted(turn):
        return
    if target == "materials" and needs_materials(turn.flow):
        turn.go(AtMaterials())
    elif path(turn.flow.item, turn.flow.answers).page(target) is not None:
        turn.set_flow(checked=turn.flow.answers)
        turn.go(AtQuestion(target))


def to_check(turn: Turn) -> bool:
    """To check-answers if nothing is missing any more; otherwise to what is."""
    flow = turn.flow
    unanswered = first_unanswered(flow.item, flow.answers)
    ends_at = path(flow.item, flow.answers).exit
    if unanswered is not None:
        turn.go(AtQuestion(unanswered))
    elif ends_at is not None:
        turn.go(AtExit(ends_at.id))
    elif missing := missing_materials(flow.item, flow.answers, material_uses(flow, turn.visit.session)):
        turn.go(AtMaterials(notice(NoticeCode.ANSWER_MISSING, material=missing[0].name)))
    else:
        turn.go(AtCheck())
        return True
    return False


def to_what_is_missing(turn: Turn) -> None:
    """Where a flow that came with answers begins; her cards fill in what they know, the page says what is wanted."""
    offer_prefills(turn)
    to_check(turn)
    if turn.at(AtMaterials) is not None:
        turn.go(AtMaterials())


def needs_materials(flow: Flow) -> bool:
    """Is there any material that the card alone does not settle?"""
    return any("card_reader" not in material.sources for material in visible_materials(flow.item, flow.answers))


def shown_page(flow: Flow, place: AtQuestion) -> ShownPage:
    """The page that she looks at, with the fields that are asked on it now."""
    page = path(flow.item, flow.answers).page(place.page)
    assert page is not None, "a page is shown only while it is on the path"
    return page


def locked(question: Question, answers: Answers) -> bool:
    """Is this answer taken from a card and not hers to change?"""
    given = answers.get(question.id)
    if given is None:
        return False
    return given.source == SOCIAL_CARD or (given.source == ID_CARD and question.prefill in OWN_FIELDS)


def _follow(turn: Turn, step: ToPage | ToExit | AfterPages) -> None:
    match step:
        case ToPage(page):
            turn.go(AtQuestion(page))
        case ToExit(page):
            turn.go(AtExit(page))
        case AfterPages():
            changed = turn.flow.checked is not None
            turn.set_flow(checked=None)
            missing = missing_materials(turn.flow.item, turn.flow.answers, material_uses(turn.flow, turn.visit.session))
            if needs_materials(turn.flow) and (missing or not changed):
                turn.go(AtMaterials())
            else:
                to_check(turn)
        case _:
            assert_never(step)


def _submitted(turn: Turn) -> bool:
    """Sealed already: the same bytes or nothing, or it could be filed twice."""
    return turn.flow.sealed is not None


def _answer_notice(fault: AnswerFault) -> Notice:
    if fault is AnswerFault.MISSING:
        return Notice(NoticeCode.ANSWER_MISSING)
    return notice(NoticeCode.ANSWER_INVALID, fault=fault.value)
