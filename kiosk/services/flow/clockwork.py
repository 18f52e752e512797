"""What time alone brings about: sessions that end, tries that come again, questions to the queue."""

from __future__ import annotations

from typing import assert_never

from kiosk.contract.promise import promise_level
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.ports import Link, QueueStatus
from kiosk.core.session import Ended, Running, TimerState, Warned, timer_state
from kiosk.services.effects import AskQueue
from kiosk.services.flow import assistance, lost_pages, mouths, pages, receipt, submit
from kiosk.services.flow.paper import retry_notes
from kiosk.services.flow.visit import EndReason, end, link_came_up
from kiosk.services.messages import QueueCame
from kiosk.services.model import Model, Visit
from kiosk.services.places import AtCapture, AtDone, AtPrint, AtSending, AtSlip
from kiosk.services.turn import Surroundings, Turn


def tick(turn: Turn) -> None:
    """Look at the clock."""
    now = turn.monotonic
    asked = turn.model.queue_asked_at
    if asked is None or now - asked >= turn.around.delays.queue_poll:
        turn.set(queue_asked_at=now)
        turn.do(AskQueue())
    assistance.tick(turn)
    submit.retry(turn)
    retry_notes(turn)
    lost_pages.tick(turn)
    receipt.tick(turn)
    pages.tick(turn)
    mouths.tick(turn)
    if turn.model.visit is not None:
        match session_clock(turn.model, turn.model.visit, turn.around):
            case Ended(reason):
                end(turn, EndReason(reason))
            case Running() | Warned():
                pass
            case _ as never:
                assert_never(never)


def session_clock(model: Model, visit: Visit, around: Surroundings) -> TimerState:
    """What the session's clocks say now. While a card is being read nothing ends: it may be the one we wait for."""
    gone = visit.gone if not visit.reading else None
    return timer_state(
        now=around.clock.monotonic(),
        last_touch=visit.last_touch,
        card_lifted_at=None if gone is None else gone.since,
        busy=busy(visit),
        large_text=model.large_text,
        delays=around.session_delays,
    )


def busy(visit: Visit) -> bool:
    """A device or the queue works for her right now: she waits for us, not we for her."""
    return visit.reading or working(visit)


def working(visit: Visit) -> bool:
    """Likewise, but for her card."""
    match visit.place:
        case AtSending():
            return True
        case AtDone(phase="printing") | AtSlip(phase="printing"):
            return True
        case AtPrint(phase="fetching" | "printing") | AtCapture(phase="shooting"):
            return True
        case _:
            return False


def _look_at_promise(turn: Turn, queue: QueueStatus) -> None:
    """How near the twelve hours it is (P53). A queue process that does not answer has delivered nothing."""
    if queue.link is Link.UNKNOWN and not queue.accepting:
        return
    level = promise_level(queue.oldest_unsent_s if queue.pending else 0)
    if level is not turn.model.promise:
        turn.set(promise=level)
        turn.log(Event.of(EventName.PROMISE_CHANGED, level=level.value))


def queue_came(turn: Turn, message: QueueCame) -> None:
    """The queue in numbers; a network that is back is used at once."""
    before = turn.model.queue.link
    turn.set(queue=message.status)
    _look_at_promise(turn, message.status)
    if message.status.link is not before:
        turn.log(Event.of(EventName.LINK_CHANGED, link=message.status.link))
        if message.status.link is Link.UP:
            link_came_up(turn)
    assistance.queue_came(turn, message.status)
