"""The call for help (呼叫帮助) on its way to the hall. Thread-safe.

In memory only: the terminal sees that a restarted queue does not know its call, and tells it again.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime

from kiosk.core.ports import HelpCall, HelpState


class HelpLine:
    """One call at a time; the latest one counts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._call: HelpCall | None = None
        self._new = False

    @property
    def call(self) -> HelpCall | None:
        """The latest call, and how far it is."""
        return self._call

    def take(self, at: datetime) -> None:
        """Somebody calls. The same instant again is the same call."""
        with self._lock:
            if self._call is None or self._call.at != at:
                self._call = HelpCall(at, HelpState.WAITING)
                self._new = True

    def pop_new(self) -> bool:
        """Was there a new call since this was asked last?"""
        with self._lock:
            new, self._new = self._new, False
            return new

    def to_tell(self, now: datetime) -> HelpCall | None:
        """The call that the hall must (still) be told of."""
        call = self._call
        return call if call is not None and call.state is not HelpState.SEEN and call.stands(now) else None

    def told(self, at: datetime, *, acknowledged: bool) -> None:
        """The hall has answered a heartbeat that carried this call."""
        with self._lock:
            if self._call is not None and self._call.at == at:
                self._call = replace(self._call, state=HelpState.SEEN if acknowledged else HelpState.SENT)
