"""Words for the print ledger (打印台账): what printers and people say of papers. Goes on when the citizen has left."""

from __future__ import annotations

from dataclasses import replace

from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.ports import StoreFault
from kiosk.core.result import Err, Ok
from kiosk.services.effects import Note
from kiosk.services.messages import Noted
from kiosk.services.model import PendingNote
from kiosk.services.turn import Turn

_FINAL = frozenset({StoreFault.CONFLICT, StoreFault.BROKEN})
"""The ledger knows better, or does not know the paper (any more)."""


def note(turn: Turn, word: Note) -> None:
    """Write it down; a newer word replaces an older one on the same paper that still waits."""
    pending = PendingNote(word, turn.monotonic + turn.around.delays.mark_patience)
    others = tuple(one for one in turn.model.notes if one.note.job != word.job)
    turn.set(notes=(*others, pending))
    turn.do(word)


def noted(turn: Turn, message: Noted) -> None:
    """The queue has written it down, or will be asked again: the hall must hear of it, and no page come twice."""
    kept: list[PendingNote] = []
    for one in turn.model.notes:
        if one.note != message.note:
            kept.append(one)
            continue
        match message.result:
            case Ok():
                pass
            case Err(error) if error.fault in _FINAL:
                turn.log(Event.of(EventName.STORE_REFUSED, fault=error.fault))
            case Err(error):
                kept.append(_again(turn, one, error.fault))
    turn.set(notes=tuple(kept))


def _again(turn: Turn, pending: PendingNote, fault: StoreFault) -> PendingNote:
    now, delays = turn.monotonic, turn.around.delays
    if now < pending.patient_until:
        return replace(pending, retry_at=now + delays.mark_retry)
    if not pending.late:
        turn.log(Event.of(EventName.STORE_REFUSED, fault=fault))
    return replace(pending, retry_at=now + delays.mark_slow, late=True)


def retry_notes(turn: Turn) -> None:
    """On a tick."""
    due = [one for one in turn.model.notes if one.retry_at is not None and one.retry_at <= turn.monotonic]
    for one in due:
        turn.do(one.note)
    turn.set(notes=tuple(replace(one, retry_at=None) if one in due else one for one in turn.model.notes))
