"""呼叫帮助: a call goes to the queue, from there to the hall, and the word that staff know comes back the same way.

Nothing is said that is not known: how far the call is, the queue tells. A queue that was restarted knows no call and
is told again; a screen that was restarted takes up the call that the queue knows.
"""

from __future__ import annotations

from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.ports import HelpCall, HelpState, QueueStatus
from kiosk.services.effects import CallHelp
from kiosk.services.turn import Turn


def call(turn: Turn) -> None:
    """She touches 呼叫帮助. While a call is on its way another touch changes nothing."""
    known = turn.model.help
    if known is not None and known.state is not HelpState.SEEN:
        return
    turn.set(help=HelpCall(turn.now, HelpState.WAITING), help_until=None)
    turn.do(CallHelp(turn.now))
    turn.log(Event.of(EventName.HELP_CALLED))


def queue_came(turn: Turn, status: QueueStatus) -> None:
    """How far is the call?"""
    mine, theirs = turn.model.help, status.help
    if mine is None:
        if theirs is not None and theirs.state is not HelpState.SEEN and theirs.stands(turn.now):
            turn.set(help=theirs)
    elif theirs is not None and theirs.at == mine.at:
        _follow(turn, mine, theirs)
    elif mine.state is not HelpState.SEEN:
        turn.do(CallHelp(mine.at))


def tick(turn: Turn) -> None:
    """Everything has its time: a call that nobody hears, and the news that somebody did."""
    known, until = turn.model.help, turn.model.help_until
    if known is None:
        return
    over = not known.stands(turn.now) if until is None else until <= turn.monotonic
    if over:
        turn.set(help=None, help_until=None)


def _follow(turn: Turn, mine: HelpCall, theirs: HelpCall) -> None:
    if theirs.state is HelpState.SEEN and mine.state is not HelpState.SEEN:
        turn.set(help_until=turn.monotonic + turn.around.delays.help_seen)
    if mine.state is not HelpState.SEEN:
        turn.set(help=theirs)
