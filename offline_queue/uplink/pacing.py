"""When to try what again: pauses and failure counts, in memory, on the monotonic clock.

A restart tries everything at once, which is right. Also notes what every call says about the connection, and sees when
a long outage ends: then backlogs begin spread over time, for the whole city comes back at once. Thread-safe.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from kiosk.core.clock import Clock
from kiosk.core.ports import Link
from offline_queue.disk.rows import Waiting
from offline_queue.uplink.policy import CallError, Later, Scope, SyncDelays, Trouble, link_after, pause_after, scope_of
from offline_queue.uplink.sync_state import SyncState

_log = logging.getLogger(__name__)


_LINK = "link"
_ITEM = "item"
_STORE = "store"


class Lane(StrEnum):
    """Kinds of calls that go wrong on their own."""

    ANNOUNCE = "announce"
    DELIVER = "deliver"
    """Just filed, and uploads."""
    BACKLOG = "backlog"
    OUTCOME = "outcome"
    MANIFEST = "manifest"
    HEARTBEAT = "heartbeat"
    JOURNAL = "journal"


_HANDING_IN = (Lane.DELIVER, Lane.BACKLOG)
_SENDING = (Lane.ANNOUNCE, Lane.DELIVER, Lane.BACKLOG, Lane.OUTCOME)


class StepOver(Exception):
    """Nothing more to ask of the hall now; the pause is set."""


@dataclass(frozen=True, slots=True)
class _Pause:
    scope: Scope
    until: float


class Pacer:
    """One pause for everything, one per lane, one per submission."""

    def __init__(self, *, state: SyncState, clock: Clock, random: Callable[[], float], delays: SyncDelays) -> None:
        self.delays = delays
        self._state = state
        self._clock = clock
        self._random = random
        self._pause: _Pause | None = None
        self._link_failures = 0
        self._failures = dict.fromkeys(Lane, 0)
        self._lanes = dict.fromkeys(Lane, 0.0)
        self._items: dict[str, float] = {}
        self._stumbles: dict[str, int] = {}
        self._lost_at: float | None = None
        self._taking = False
        self._lock = threading.RLock()

    # --- asking -----------------------------------------------------------------------------------------------

    def paused(self) -> float:
        """Seconds until the hall may be asked for anything."""
        with self._lock:
            return 0.0 if self._pause is None else self._left(self._pause.until)

    def away_for_long(self) -> bool:
        """Nobody has answered for so long that a backlog must not be what tries the line."""
        with self._lock:
            return self._lost_at is not None and self._clock.monotonic() - self._lost_at >= self.delays.outage

    def proven(self) -> bool:
        """Did the hall answer lately? If not, one call tries the line, not many."""
        return self._state.link is Link.UP

    def taking(self) -> bool:
        """Does the hall take our backlog? Until it has said so, one small batch asks, not one on every line."""
        return self._taking

    def wait(self, lane: Lane) -> float:
        """Seconds until this lane is due."""
        return self._left(self._lanes[lane])

    def idle(self, *others: float) -> float:
        """Seconds until anything is due, `others` included."""
        with self._lock:
            waits = [*others, self.wait(Lane.MANIFEST), self.wait(Lane.HEARTBEAT)]
            waits += (left for lane in _SENDING if (left := self.wait(lane)) > 0)
            # Those whose time has come wait for their lane, or for somebody to answer at all.
            waits += (left for until in self._items.values() if (left := self._left(until)) > 0)
            return min(waits)

    def due(self, items: Iterable[Waiting]) -> list[Waiting]:
        """Those that may be tried now, the stumblers last, otherwise in the order of filing."""
        with self._lock:
            ready = [item for item in items if self._left(self._items.get(item.id, 0.0)) <= 0]
        return sorted(ready, key=lambda item: (self._stumbles.get(item.id, 0), item.seq))

    # --- noting -----------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Something was filed: a broken link is tried at once, a hall that asked for peace is left in peace."""
        with self._lock:
            if self._pause is not None and self._pause.scope is Scope.LINK:
                self._pause = None

    def hurry(self, lane: Lane) -> None:
        """Due at once, unless everything waits."""
        self._lanes[lane] = self._clock.monotonic()

    def went_well(self, lane: Lane, *, again: float = 0.0) -> None:
        """The hall answered as it should; `again`: seconds until this lane is due once more."""
        with self._lock:
            self._pause = None
            self._link_failures = 0
            self._failures[lane] = 0
            self._taking |= lane is Lane.BACKLOG
            self._lanes[lane] = self._clock.monotonic() + again
            self._found()
        self._see(Link.UP)
        # Either way of handing in shows that handing in works.
        for source in (_LINK, _STORE, *(_HANDING_IN if lane in _HANDING_IN else (lane,))):
            self._state.well(source)

    def failed(self, lane: Lane, error: CallError, *, again: float = 0.0) -> None:
        """Set the pause that this failure asks for; StepOver if it stops everything.

        For a failure that concerns one submission only, call `later` instead.
        """
        scope = scope_of(error, one_item=False)
        self._see(link_after(error))
        self._state.trouble(_LINK if scope is Scope.LINK else lane, error.name)
        with self._lock:
            self._failures[lane] += 1
            self._link_failures += scope is Scope.LINK
            failures = self._link_failures if scope is Scope.LINK else self._failures[lane]
            seconds = pause_after(error, scope=scope, failures=failures, delays=self.delays, random=self._random)
            now = self._clock.monotonic()
            self._taking &= scope is Scope.TASK and lane is not Lane.BACKLOG
            if scope is Scope.LINK:
                self._lost_at = now if self._lost_at is None else self._lost_at
            else:
                self._found()
            if scope in (Scope.LINK, Scope.HALL):
                self._pause = _Pause(scope, now + seconds)
                raise StepOver
            self._lanes[lane] = now + max(seconds, again)

    def broke(self, lane: Lane, error: CallError) -> None:
        """The line broke over this very call, perhaps over what was in it: its lane waits, longer each time.

        Whether the line is there, other calls find out.
        """
        self._state.trouble(lane, error.name)
        with self._lock:
            self._failures[lane] += 1
            self._lanes[lane] = self._clock.monotonic() + self.delays.hall.delay(self._failures[lane], self._random)

    def returning(self, *, away_s: float) -> None:
        """This terminal starts with something that has waited so long: perhaps the whole district was without power."""
        with self._lock:
            self._lost_at = self._clock.monotonic() - away_s

    def _found(self) -> None:
        """Somebody answered."""
        if self.away_for_long():
            self._lanes[Lane.BACKLOG] = self._clock.monotonic() + self.delays.spread * self._random()
        self._lost_at = None

    def later(self, item: Waiting, why: CallError | Later) -> float:
        """Only this submission waits; how long (seconds)."""
        if isinstance(why, CallError):
            error, code = why, why.name
            self._see(link_after(error))
        else:
            error, code = CallError(Trouble.GARBAGE, retry_after_s=why.retry_after_s or None), why.code
        seconds = pause_after(
            error, scope=Scope.ITEM, failures=item.attempts + 1, delays=self.delays, random=self._random
        )
        with self._lock:
            self._items[item.id] = self._clock.monotonic() + seconds
        self._state.trouble(_ITEM, code)
        return seconds

    def stumble(self, item: Waiting) -> None:
        """The link broke while this one was being sent: let others go first, it may be too big for the line."""
        with self._lock:
            self._stumbles[item.id] = self._stumbles.get(item.id, 0) + 1

    def done(self, item: Waiting, code: str = "") -> None:
        """Nothing more to do for this one: accepted, or parked with a code."""
        with self._lock:
            self._items.pop(item.id, None)
            self._stumbles.pop(item.id, None)
        if code:
            self._state.trouble(_ITEM, code)
        else:
            self._state.well(_ITEM)

    def store_failed(self, code: str) -> NoReturn:
        """Our own disk: what was sent will be sent again, and the hall will say that it has it. StepOver."""
        self._state.trouble(_STORE, code)
        with self._lock:
            self._pause = _Pause(Scope.HALL, self._clock.monotonic() + self.delays.store)
        raise StepOver

    def _left(self, until: float) -> float:
        return max(0.0, until - self._clock.monotonic())

    def _see(self, link: Link | None) -> None:
        if link is not None and self._state.see_link(link):
            _log.info("link %s", link)
