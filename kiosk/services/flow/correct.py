"""现在补交: the journey of an item once more, for a case that came back (补正), with what she answered before.

The hall alone knows her former answers, and gives them to her own session only; without network she answers again.
What she had begun of it here goes on, with network or without, as long as the same is wanted.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.contract.person import ApplicationSummary, FormerAnswers
from kiosk.core.answers import CITIZEN, Answer, Answers, validate
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.item import Item
from kiosk.core.ports import Link
from kiosk.core.result import Err, Ok
from kiosk.services.corrections import wants_correction
from kiosk.services.effects import FetchFormerAnswers
from kiosk.services.flow import unfinished
from kiosk.services.flow.home import cannot_begin
from kiosk.services.flow.item import OWN_FIELDS, to_what_is_missing
from kiosk.services.messages import FormerAnswersCame
from kiosk.services.places import AtSpace, Flow
from kiosk.services.turn import Turn


def begin(turn: Turn, place: AtSpace, number: str) -> None:
    """Only what can be finished is begun; a number that is not on her screen is nobody's touch."""
    case = next((one for one in turn.visit.applications if one.application_no == number), None)
    item = wants_correction(case, turn.catalogue) if case is not None else None
    if place.correcting or case is None or item is None or number in turn.visit.corrected:
        return
    if (refusal := cannot_begin(turn, item)) is not None:
        turn.go(replace(place, notice=refusal))
    elif unfinished.resume(turn, unfinished.of(turn, number, wanted=case.message)):
        return
    elif turn.model.queue.link is Link.DOWN:
        _open(turn, item, case, Answers())
    else:
        turn.go(replace(place, notice=None, correcting=number))
        turn.do(FetchFormerAnswers(turn.visit.generation, turn.visit.session.proof, number))


def former_answers_came(turn: Turn, message: FormerAnswersCame) -> None:
    """What she answered before, or nothing: then she answers again."""
    place = turn.at(AtSpace)
    if not turn.current(message.generation) or place is None or place.correcting != message.application_no:
        turn.log(Event.of(EventName.LATE_RESULT_DROPPED))
        return
    turn.go(replace(place, correcting=""))
    case = next((one for one in turn.visit.applications if one.application_no == message.application_no), None)
    item = wants_correction(case, turn.catalogue) if case is not None else None
    if case is None or item is None:
        return
    if unfinished.resume(turn, unfinished.of(turn, case.application_no, wanted=case.message)):
        return  # it came while the hall was asked
    match message.result:
        case Ok(former):
            _open(turn, item, case, _answers(turn, item, former))
        case Err(error):
            turn.log(Event.of(EventName.HALL_FAILED, fault=error.fault))
            _open(turn, item, case, Answers())


def _open(turn: Turn, item: Item, case: ApplicationSummary, answers: Answers) -> None:
    """At the first thing that is missing: mostly the paper that is wanted. Kept as a draft from her first change on."""
    flow = Flow(item, turn.catalogue.number, answers, corrects=case.application_no, wanted=case.message)
    turn.set_visit(flow=flow)
    turn.log(Event.of(EventName.ITEM_BEGUN, item=item.code, version=item.version))
    to_what_is_missing(turn)
    turn.set_visit(kept=turn.flow)


def _answers(turn: Turn, item: Item, former: FormerAnswers) -> Answers:
    """Those that still fit; who she is, her card says anew."""
    kept: dict[str, Answer] = {}
    for question in (question for page in item.pages for question in page.fields):
        if question.id not in former.answers or question.prefill in OWN_FIELDS:
            continue
        match validate(question, former.answers[question.id]):
            case Ok(value):
                kept[question.id] = Answer(value, CITIZEN, turn.now)
            case Err():
                continue
    return Answers(kept)
