"""Submit: written down first, promised after (先落盘再承诺).

One press of 确认提交 mints one submission id. Number, seal and write-down follow; a try that fails is made again with
the same bytes, so that one filing can never become two. When the queue stays away the citizen is told that nothing is
filed yet; her answers stay, and "again" means the same bytes again.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.contract.numbers import mint_query_code, mint_submission_id
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.journey import complete
from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.result import Err, Ok
from kiosk.core.slip import Place as SlipPlace
from kiosk.core.views import Notice
from kiosk.services.effects import Put, ReserveNumber, Seal
from kiosk.services.faults import store_notice
from kiosk.services.filing import build_submission, captures, material_uses
from kiosk.services.flow import unfinished
from kiosk.services.flow.item import to_check
from kiosk.services.flow.pages import order_certificate
from kiosk.services.flow.receipt import filed
from kiosk.services.messages import FilingSealed, NumberCame, PutCame
from kiosk.services.model import Filing
from kiosk.services.places import AtCheck, AtSending
from kiosk.services.turn import Turn


def submit(turn: Turn) -> None:
    """确认提交 / 确认打印 on check-answers."""
    flow = turn.flow
    if flow.sealed is not None:
        _send_again(turn)
    elif not complete(flow.item, flow.answers, material_uses(flow, turn.visit.session)):
        to_check(turn)
    elif flow.item.kind == "certificate":
        order_certificate(turn)
    else:
        unix_ms = int(turn.now.timestamp() * 1000)
        filing = mint_submission_id(unix_ms=unix_ms, random_bytes=turn.around.random_bytes)
        turn.go(AtSending(filing, turn.monotonic + turn.around.delays.put_deadline))
        turn.do(ReserveNumber(turn.visit.generation, filing))


def number_came(turn: Turn, message: NumberCame) -> None:
    """The number is reserved: seal. Or the queue is away: a little later again."""
    place = turn.at(AtSending)
    if place is None or not turn.current(message.generation) or place.filing != message.filing:
        turn.log(Event.of(EventName.LATE_RESULT_DROPPED))
        return
    match message.result:
        case Ok(number):
            unfinished.about_to_file(turn, message.filing)
            turn.do(_seal_order(turn, message.filing, number))
        case Err(error) if _worth_waiting(error) and turn.monotonic < place.deadline:
            turn.go(replace(place, retry_at=turn.monotonic + turn.around.delays.put_retry))
        case Err(error):
            turn.log(Event.of(EventName.STORE_REFUSED, fault=error.fault))
            _refused(turn, error)


def sealed(turn: Turn, message: FilingSealed) -> None:
    """Sealed: from here on it goes to the disk, whoever stands in front of the screen."""
    filing = message.filing
    size = len(filing.sealed.envelope) + sum(map(len, filing.sealed.blobs))
    blobs = len(filing.sealed.blobs)
    turn.log(Event.of(EventName.SUBMISSION_SEALED, submission=filing.sealed.id, blobs=blobs, bytes=size))
    put = Put(filing.sealed, filing.card_tag, filing.sealed_slip)
    turn.set(filings=(*turn.model.filings, Filing(put, turn.monotonic + turn.around.delays.put_deadline)))
    turn.do(put)
    place = turn.at(AtSending)
    if place is not None and turn.current(message.generation) and place.filing == filing.sealed.id:
        turn.set_flow(sealed=filing)


def put_came(turn: Turn, message: PutCame) -> None:
    """It is on the disk, or it is not yet, or it was refused."""
    filing = next((one for one in turn.model.filings if one.put.sealed.id == message.filing), None)
    if filing is None:
        return
    others = tuple(one for one in turn.model.filings if one is not filing)
    place = turn.at(AtSending)
    watched = place is not None and place.filing == message.filing
    match message.result:
        case Ok():
            turn.set(filings=others)
            turn.log(Event.of(EventName.SUBMISSION_PUT, submission=message.filing, millis=message.millis))
            if watched:
                unfinished.filed(turn)
                filed(turn)
        case Err(error) if _worth_waiting(error) and turn.monotonic < filing.deadline:
            retry_at = turn.monotonic + turn.around.delays.put_retry
            turn.set(filings=(*others, replace(filing, in_flight=False, retry_at=retry_at)))
        case Err(error) if _worth_waiting(error) and watched:
            turn.set(filings=(*others, replace(filing, in_flight=False, retry_at=None)))
            turn.log(Event.of(EventName.STORE_REFUSED, fault=error.fault))
            _refused(turn, error)
        case Err(error):
            turn.set(filings=others)
            turn.log(Event.of(EventName.STORE_REFUSED, fault=error.fault))
            if watched:
                turn.set_flow(sealed=None)
                _refused(turn, error)


def retry(turn: Turn) -> None:
    """On a tick: what waits for its next try."""
    now = turn.monotonic
    due = [one for one in turn.model.filings if one.retry_at is not None and one.retry_at <= now]
    for one in due:
        turn.do(one.put)
    turn.set(
        filings=tuple(replace(one, in_flight=True, retry_at=None) if one in due else one for one in turn.model.filings)
    )
    place = turn.at(AtSending)
    if place is not None and place.retry_at is not None and place.retry_at <= now:
        turn.go(replace(place, retry_at=None))
        turn.do(ReserveNumber(turn.visit.generation, place.filing))


def walk_away(turn: Turn) -> None:
    """Home instead of once more: whether it is there after all, or is a draft again, the queue is asked."""
    flow = turn.visit.flow
    if turn.at(AtCheck) is None or flow is None or flow.sealed is None:
        return
    turn.set(filings=tuple(one for one in turn.model.filings if one.in_flight or one.retry_at is not None))
    if turn.visit.session.card is not None:
        unfinished.ask(turn)


def _send_again(turn: Turn) -> None:
    """She says "again": the same id, the same bytes."""
    assert turn.flow.sealed is not None
    filing = turn.flow.sealed
    deadline = turn.monotonic + turn.around.delays.put_deadline
    put = Put(filing.sealed, filing.card_tag, filing.sealed_slip)
    others = tuple(one for one in turn.model.filings if one.put.sealed.id != filing.sealed.id)
    turn.set(filings=(*others, Filing(put, deadline)))
    turn.go(AtSending(filing.sealed.id, deadline))
    turn.do(put)


def _seal_order(turn: Turn, filing: str, number: str) -> Seal:
    settings, flow = turn.around.settings, turn.flow
    return Seal(
        generation=turn.visit.generation,
        submission=build_submission(
            flow=flow,
            session=turn.visit.session,
            filing=filing,
            application_no=number,
            query_code=mint_query_code(turn.around.random_bytes),
            terminal_id=settings.terminal_id,
            at=turn.now,
        ),
        captures=captures(flow),
        card=turn.visit.session.card,
        item=flow.item,
        place=slip_place(turn),
    )


def slip_place(turn: Turn) -> SlipPlace:
    """What every slip says about where it comes from."""
    settings, catalogue = turn.around.settings, turn.catalogue
    return SlipPlace(
        hall_name=catalogue.hall_name,
        query_place=catalogue.query_place,
        site_name=settings.site_name,
        terminal_name=settings.terminal_name,
    )


def _worth_waiting(error: StoreError) -> bool:
    """The queue process is away; its supervisor brings it back in under a second."""
    return error.fault is StoreFault.STORE_DOWN


def _refused(turn: Turn, error: StoreError) -> None:
    turn.touch()
    turn.go(AtCheck(Notice(store_notice(error.fault))))
