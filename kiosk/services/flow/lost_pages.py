"""Pages whose end was not seen, because the screen or the queue died over them: the printer is asked first.

What was never handed over is not on paper. What the printer cannot tell is asked of whoever it was for, or of staff;
nothing is printed again without a person's word.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from kiosk.core.devices import DeviceKind
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.ports import JobFate
from kiosk.core.print_ledger import PrintEntry, PrintState, Settled
from kiosk.core.result import Err, Ok
from kiosk.services.effects import AskFate, AskOpenPages, AskOwed, Settle
from kiosk.services.flow.mouths import came_out
from kiosk.services.flow.paper import note
from kiosk.services.messages import FateCame, OpenPagesCame
from kiosk.services.model import LostPage, Model
from kiosk.services.turn import Turn


def came(turn: Turn, message: OpenPagesCame) -> None:
    """What the ledger holds of the time before."""
    if turn.model.lost_pages is not None or isinstance(message.result, Err):
        return
    lost: list[LostPage] = []
    for entry in message.result.value:
        if entry.job in turn.model.printing:
            continue
        if entry.state is PrintState.INTENDED:
            note(turn, Settle(entry.job, PrintState.FAILED))
        else:
            deadline = turn.monotonic + turn.around.delays.fate_deadline
            lost.append(LostPage(entry.job, entry.pages, entry.sent_at, turn.monotonic, deadline))
    turn.set(lost_pages=tuple(lost))


def tick(turn: Turn) -> None:
    """Ask the ledger until it has told, then the printer for each page."""
    now, model = turn.monotonic, turn.model
    if model.lost_pages is None:
        asked = model.lost_asked_at
        if asked is None or now - asked >= turn.around.delays.mark_retry:
            turn.set(lost_asked_at=now)
            turn.do(AskOpenPages())
        return
    for page in model.lost_pages:
        if page.ask_at is not None and page.ask_at <= now:
            _put(turn, replace(page, ask_at=None))
            turn.do(AskFate(page.job, page.sent_at))


def fate_came(turn: Turn, message: FateCame) -> None:
    """The printer's late word."""
    page = next((one for one in turn.model.lost_pages or () if one.job == message.job), None)
    if page is None:
        return  # a person has answered meanwhile
    delays = turn.around.delays
    match message.result:
        case Ok(fate):
            _told(turn, page, fate)
        case Err(error) if turn.monotonic < page.deadline:
            turn.log(Event.of(EventName.PRINT_FATE_UNTOLD, fault=error.fault))
            _put(turn, replace(page, ask_at=turn.monotonic + delays.fate_poll))
        case Err(error):
            slower = turn.monotonic + delays.fate_slow
            _put(turn, replace(page, ask_at=slower, untold=True))
            if not page.untold:
                _settle(turn, page, PrintState.UNKNOWN, fault=error.fault.value)


def _told(turn: Turn, page: LostPage, fate: JobFate) -> None:
    match fate:
        case JobFate.PRINTED:
            came_out(turn, DeviceKind.PAGE, hers=False)
            _end(turn, page, PrintState.PROVEN, pages=page.pages)
        case JobFate.NOT_PRINTED:
            _end(turn, page, PrintState.FAILED)
        case JobFate.UNKNOWN:
            _end(turn, page, PrintState.UNKNOWN)
        case JobFate.PRINTING:
            _put(turn, replace(page, ask_at=turn.monotonic + turn.around.delays.fate_poll))
        case _:
            assert_never(fate)


def answered(turn: Turn, job: str) -> None:
    """A person has said what became of it: nobody else is asked."""
    _drop(turn, job)


def to_ask(model: Model, entry: PrintEntry, now: float) -> bool:
    """Is it time to ask a person about this page? Not while the printer works on it or has not had its say."""
    if entry.state not in (PrintState.SENT, PrintState.UNKNOWN) or entry.job in model.printing:
        return False
    if model.lost_pages is None:
        return False
    waited_for = next((one for one in model.lost_pages if one.job == entry.job), None)
    return waited_for is None or waited_for.deadline <= now


def _end(turn: Turn, page: LostPage, outcome: Settled, *, pages: int = 0) -> None:
    _drop(turn, page.job)
    _settle(turn, page, outcome, pages=pages)


def _settle(turn: Turn, page: LostPage, outcome: Settled, *, pages: int = 0, fault: str = "") -> None:
    turn.log(Event.of(EventName.PRINT_RECOVERED, outcome=outcome.value))
    note(turn, Settle(page.job, outcome, fault, pages))
    visit = turn.model.visit
    if outcome is PrintState.UNKNOWN and visit is not None and visit.session.card is not None:
        turn.do(AskOwed(visit.generation, visit.session.card))  # perhaps it was for her who stands here


def _put(turn: Turn, page: LostPage) -> None:
    assert turn.model.lost_pages is not None
    turn.set(lost_pages=tuple(page if one.job == page.job else one for one in turn.model.lost_pages))


def _drop(turn: Turn, job: str) -> None:
    if turn.model.lost_pages is not None:
        turn.set(lost_pages=tuple(one for one in turn.model.lost_pages if one.job != job))
