"""The receipt (回执) of a filing: journalled before and after, printed only on proof, asked about when in doubt.

A filing whose receipt was not proven, because the screen died in between, is shown again to the same card: the same
filing, never a second one.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.core.clock import CHINA
from kiosk.core.devices import DeviceKind, DeviceState, Fault
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.ports import Link, StoreError, StoreFault, SubmissionState
from kiosk.core.print_ledger import PrintState
from kiosk.core.result import Err, Ok
from kiosk.services.effects import Answer, AskDelivered, Note, PrintReceipt, Settle
from kiosk.services.faults import PAPER_WANTED
from kiosk.services.flow.lost_pages import to_ask
from kiosk.services.flow.mouths import came_out
from kiosk.services.flow.pages import ask_about
from kiosk.services.flow.paper import note
from kiosk.services.messages import DeliveredCame, OwedCame, ReceiptPrinted
from kiosk.services.places import AtDone, AtGuide, AtHome, AtPutCard, AtQuestion, AtSearch, AtSpace, ReceiptPhase
from kiosk.services.readiness import device_well
from kiosk.services.steps import journey_steps
from kiosk.services.turn import Turn


def filed(turn: Turn) -> None:
    """It is on the disk: show it, and print. With the network up the paper waits a moment for the hall's word."""
    filing = turn.flow.sealed
    assert filing is not None
    slip = filing.slip
    wait = turn.around.delays.delivery_wait if turn.model.queue.link is Link.UP else 0.0
    turn.touch()
    steps = journey_steps(turn.flow.item, turn.flow.answers)
    print_at = turn.monotonic + wait
    turn.go(AtDone(filing.sealed.id, slip.application_no, slip, "printing", print_at=print_at, steps=steps))
    turn.set_visit(flow=None)
    tick(turn)


def owed_came(turn: Turn, message: OwedCame) -> None:
    """Filed under this card, receipt not proven."""
    if not turn.current(message.generation):
        turn.log(Event.of(EventName.LATE_RESULT_DROPPED))
        return
    match message.result:
        case Ok(slips):
            in_hand = {one.put.sealed.id for one in turn.model.filings} | turn.model.printing
            in_hand |= {one.note.job for one in turn.model.notes if _proof(one.note)}
            shown = turn.at(AtDone)
            if shown is not None:
                in_hand.add(shown.filing)
            turn.set_visit(
                owed=tuple(one for one in slips if one.owed.id not in in_hand),
                open_pages=tuple(entry for entry in message.pages if to_ask(turn.model, entry, turn.monotonic)),
            )
        case Err(error):
            turn.log(Event.of(EventName.STORE_REFUSED, fault=error.fault))
            return
    if isinstance(turn.visit.place, AtHome | AtSearch | AtGuide | AtPutCard | AtQuestion | AtSpace):
        show_owed(turn)


def show_owed(turn: Turn) -> bool:
    """Show the next filing whose receipt is owed, then the next page whose end is not known.

    What may be on paper already is asked about first.
    """
    if not turn.visit.owed:
        return _show_page(turn)
    first, *rest = turn.visit.owed
    turn.set_visit(owed=tuple(rest), flow=None)
    turn.log(Event.of(EventName.SUBMISSION_RECOVERED, submission=first.owed.id))
    phase: ReceiptPhase = "printing"
    print_at: float | None = turn.monotonic + turn.around.delays.delivery_wait
    if first.slip is None:
        phase, print_at = "failed", None
    elif first.owed.paper in (PrintState.SENT, PrintState.UNKNOWN):
        phase, print_at = "unproven", None
    turn.go(AtDone(first.owed.id, first.owed.application_no, first.slip, phase, print_at=print_at, recovered=True))
    tick(turn)
    return True


def tick(turn: Turn) -> None:
    """Print when it is time; meanwhile and afterwards ask whether the hall has it."""
    place = turn.at(AtDone)
    if place is None:
        return
    now = turn.monotonic
    if place.retry_at is not None and place.retry_at <= now:
        turn.go(replace(place, retry_at=now + turn.around.delays.paper_retry))
        printer_back(turn)
    elif place.print_at is not None and place.print_at <= now and not _starting(turn, place.print_at):
        _print(turn, place)
    elif not place.delivered and place.poll_at <= now:
        delays = turn.around.delays
        every = delays.queue_poll if place.print_at is None else delays.delivery_poll
        turn.go(replace(place, poll_at=now + every))
        turn.do(AskDelivered(turn.visit.generation, place.filing))


def _starting(turn: Turn, since: float) -> bool:
    """A driver that crashed, or that comes back later than the screen, is there in a moment: wait for it."""
    status = turn.model.devices.get(DeviceKind.RECEIPT)
    if status is None:
        return False
    coming = status.state is DeviceState.STARTING or status.fault is Fault.DRIVER_LOST
    return coming and turn.monotonic < since + turn.around.delays.printer_start


def delivered_came(turn: Turn, message: DeliveredCame) -> None:
    """The hall has it: say so, and print that if the paper still waits."""
    place = turn.at(AtDone)
    if place is None or not turn.current(message.generation) or place.filing != message.filing:
        return
    if isinstance(message.result, Ok) and message.result.value is SubmissionState.ACCEPTED:
        print_at = None if place.print_at is None else turn.monotonic
        turn.go(replace(place, delivered_on=turn.now.astimezone(CHINA).date(), print_at=print_at))
        if print_at is not None:
            tick(turn)


def printed(turn: Turn, message: ReceiptPrinted) -> None:
    """Write down what the printer says; tell the citizen, if she is still here."""
    turn.set(printing=turn.model.printing - {message.filing})
    match message.result:
        case Ok(proof):
            note(turn, Settle(message.filing, PrintState.PROVEN, pages=proof.pages))
            turn.log(
                Event.of(EventName.PRINT_PROVEN, device=DeviceKind.RECEIPT, pages=proof.pages, millis=message.millis)
            )
            came_out(turn, DeviceKind.RECEIPT, hers=turn.current(message.generation))
            _show(turn, message, "printed")
        case Err(StoreError() as error):
            turn.log(Event.of(EventName.STORE_REFUSED, fault=error.fault))
            _show(turn, message, "unproven" if error.fault is StoreFault.CONFLICT else "failed")
        case Err(error) if error.fault is Fault.UNPROVEN:
            note(turn, Settle(message.filing, PrintState.UNKNOWN, error.fault.value))
            turn.log(Event.of(EventName.PRINT_UNPROVEN, device=DeviceKind.RECEIPT))
            _show(turn, message, "unproven")
        case Err(error):
            note(turn, Settle(message.filing, PrintState.FAILED, error.fault.value))
            turn.log(Event.of(EventName.PRINT_FAILED, device=DeviceKind.RECEIPT, fault=error.fault))
            _show(turn, message, "waiting_paper" if error.fault in PAPER_WANTED else "failed")


def print_again(turn: Turn, place: AtDone) -> None:
    """She says that no (complete) paper came out."""
    if place.phase in ("failed", "unproven", "waiting_paper") and place.slip is not None:
        denied = place.denied or place.phase == "unproven"
        turn.go(replace(place, phase="printing", print_at=turn.monotonic, retry_at=None, denied=denied))
        tick(turn)


def paper_taken(turn: Turn, place: AtDone) -> None:
    """She says the paper is there: that is proof."""
    if place.phase == "unproven":
        note(turn, Answer(place.filing, came_out=True))
        turn.go(replace(place, phase="printed"))


def printer_back(turn: Turn) -> None:
    """There is paper again: the slip comes by itself."""
    place = turn.at(AtDone)
    if place is not None and place.phase == "waiting_paper" and device_well(turn.model, DeviceKind.RECEIPT):
        _print(turn, place)


def _print(turn: Turn, place: AtDone) -> None:
    """The hand writes it down first, so that a crash in between leads to a question and not to silence."""
    assert place.slip is not None
    turn.go(replace(place, phase="printing", print_at=None, retry_at=None, denied=False))
    turn.log(Event.of(EventName.PRINT_INTENDED, device=DeviceKind.RECEIPT, pages=1))
    receipt = place.slip.receipt(delivered=place.delivered)
    turn.set(printing=turn.model.printing | {place.filing})
    turn.do(PrintReceipt(turn.visit.generation, place.filing, receipt, place.denied))


def _proof(word: Note) -> bool:
    match word:
        case Settle(outcome=PrintState.PROVEN) | Answer(came_out=True):
            return True
        case _:
            return False


def _show_page(turn: Turn) -> bool:
    if not turn.visit.open_pages:
        return False
    first, *rest = turn.visit.open_pages
    turn.set_visit(open_pages=tuple(rest), flow=None)
    ask_about(turn, first)
    return True


def _show(turn: Turn, message: ReceiptPrinted, phase: ReceiptPhase) -> None:
    place = turn.at(AtDone)
    if place is not None and turn.current(message.generation) and place.filing == message.filing:
        turn.touch()
        retry_at = turn.monotonic + turn.around.delays.paper_retry if phase == "waiting_paper" else None
        turn.go(replace(place, phase=phase, retry_at=retry_at))
