"""Papers in their mouths (出纸口未取走): a paper that nobody takes is somebody's data in the open.

Only where there is a sensor: the I/O board's, or the printer's own. Without one nothing is known and nothing is said.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from kiosk.core.devices import DeviceKind, MediaState
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.print_ledger import PaperKind
from kiosk.services.effects import TellPapersLeft
from kiosk.services.model import InMouth, Model
from kiosk.services.turn import Turn

Printer = Literal[DeviceKind.RECEIPT, DeviceKind.PAGE]
_MOUTHS: dict[DeviceKind, PaperKind] = {DeviceKind.RECEIPT: PaperKind.RECEIPT, DeviceKind.PAGE: PaperKind.PAGE}
_PRINTERS = {mouth: printer for printer, mouth in _MOUTHS.items()}


def felt(model: Model, mouth: PaperKind) -> bool | None:
    """Does a paper lie there now? None: nobody can feel it. The cabinet's sensor knows better than the printer's."""
    sensor = model.site.slip_waiting if mouth is PaperKind.RECEIPT else model.site.page_waiting
    if sensor is not None:
        return sensor
    status = model.devices.get(_PRINTERS[mouth])
    match status.media if status is not None else MediaState.UNKNOWN:
        case MediaState.PRESENT:
            return True
        case MediaState.ABSENT:
            return False
        case MediaState.JAMMED | MediaState.UNKNOWN | MediaState.NONE:
            return None


def waiting(model: Model) -> tuple[PaperKind, ...]:
    """Papers that she should take at last."""
    return tuple(mouth for mouth, paper in model.mouths.items() if paper.alarmed and not paper.left)


def left_behind(model: Model) -> tuple[PaperKind, ...]:
    """Papers of somebody who has gone, before whoever stands here has said that she knows."""
    return tuple(mouth for mouth, paper in model.mouths.items() if paper.left and paper.seen and not paper.noted)


def came_out(turn: Turn, printer: DeviceKind, *, hers: bool) -> None:
    """A paper is proven: from now on it should be taken, by whoever stands here if it is hers."""
    _put(turn, _MOUTHS[printer], InMouth(turn.monotonic, left=not hers))


def gone_away(turn: Turn) -> None:
    """The session is over: what lies there now is nobody's."""
    for mouth in PaperKind:
        paper = turn.model.mouths.get(mouth)
        if felt(turn.model, mouth) is True:
            _leave(turn, mouth)
        elif paper is not None:
            _put(turn, mouth, replace(paper, left=True))  # proven, and not felt yet


def acknowledged(turn: Turn) -> None:
    """She has read that these papers are not hers."""
    for mouth, paper in turn.model.mouths.items():
        if paper.left:
            _put(turn, mouth, replace(paper, noted=True))


def tick(turn: Turn) -> None:
    """Look at the mouths."""
    for mouth in PaperKind:
        _look(turn, mouth)
    _tell(turn)


def _look(turn: Turn, mouth: PaperKind) -> None:
    now, delays = turn.monotonic, turn.around.delays
    there, paper = felt(turn.model, mouth), turn.model.mouths.get(mouth)
    if there is None:
        _forget(turn, mouth)
    elif paper is None:
        if there and turn.model.visit is None:
            _leave(turn, mouth)  # of before this program was started
    elif there and paper.left and not paper.seen:
        _leave(turn, mouth)
    elif there:
        long = now - paper.since >= delays.collect
        if long and not paper.alarmed and not paper.left:
            turn.log(Event.of(EventName.PAPER_WAITING, device=_PRINTERS[mouth]))
        _put(turn, mouth, replace(paper, seen=True, alarmed=paper.alarmed or long))
    elif paper.seen or now - paper.since >= delays.feel:
        if paper.seen and (paper.alarmed or paper.left):
            seconds = max(0, int(now - paper.since))
            turn.log(Event.of(EventName.PAPER_TAKEN, device=_PRINTERS[mouth], seconds=seconds))
        _forget(turn, mouth)


def _leave(turn: Turn, mouth: PaperKind) -> None:
    paper = turn.model.mouths.get(mouth) or InMouth(turn.monotonic)
    if not (paper.left and paper.seen):
        turn.log(Event.of(EventName.PAPER_LEFT, device=_PRINTERS[mouth]))
    _put(turn, mouth, replace(paper, seen=True, left=True, noted=False))


def _tell(turn: Turn) -> None:
    papers = frozenset(mouth for mouth, paper in turn.model.mouths.items() if paper.left and paper.seen)
    told, at = turn.model.papers_told
    due = bool(papers) and turn.monotonic - at >= turn.around.delays.papers_left_again
    if papers != told or due:
        turn.set(papers_told=(papers, turn.monotonic))
        turn.do(TellPapersLeft(papers))


def _put(turn: Turn, mouth: PaperKind, paper: InMouth) -> None:
    turn.set(mouths={**turn.model.mouths, mouth: paper})


def _forget(turn: Turn, mouth: PaperKind) -> None:
    turn.set(mouths={one: paper for one, paper in turn.model.mouths.items() if one is not mouth})
