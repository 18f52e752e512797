"""A code under the scanner (扫码): a receipt leads to its case, a licence is checked on the spot."""

from __future__ import annotations

from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.views import Notice, NoticeCode
from kiosk.services.effects import CheckCode
from kiosk.services.flow.space import open_space
from kiosk.services.flow.visit import start
from kiosk.services.messages import CodeChecked
from kiosk.services.places import AtCode, AtHome, AtSearch, AtSpace
from kiosk.services.turn import Turn


def scanned(turn: Turn, text: str) -> None:
    """Only where nothing is lost by leaving the page: a code held up by mistake must not end a form."""
    start(turn)
    visit = turn.model.visit
    if visit is None or visit.gone is not None:
        return
    if isinstance(visit.place, AtHome | AtSearch | AtSpace | AtCode):
        turn.touch()
        turn.do(CheckCode(visit.generation, text))


def checked(turn: Turn, message: CodeChecked) -> None:
    """Show what it says, unless she has gone on."""
    if not turn.current(message.generation) or not isinstance(turn.visit.place, AtHome | AtSearch | AtSpace | AtCode):
        turn.log(Event.of(EventName.LATE_RESULT_DROPPED))
        return
    turn.touch()
    if message.code is None:
        turn.log(Event.of(EventName.CODE_SCANNED, kind="unknown"))
        turn.go(AtHome())
        turn.set_visit(card_notice=Notice(NoticeCode.CODE_UNKNOWN))
        return
    turn.log(Event.of(EventName.CODE_SCANNED, kind=message.code.kind))
    turn.set_visit(card_notice=None)
    turn.go(AtCode(message.code))


def progress(turn: Turn, place: AtCode) -> None:
    """看办理进度: her case first, once her card says that she may see it."""
    if place.code.kind == "receipt":
        open_space(turn, "applications", number=place.code.number)
