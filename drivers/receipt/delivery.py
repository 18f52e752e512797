"""One slip from the first byte to its end: proven, or not and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from drivers.receipt.conversation import Conversation
from drivers.receipt.models import Proving
from drivers.receipt.timings import Timings
from kiosk.core.devices import DeviceStatus


class Ending(StrEnum):
    """How the delivery of a slip ended. Everything but PROVEN leaves it open whether it is on paper."""

    PROVEN = "proven"
    UNPROVABLE = "this printer cannot prove what it prints"
    LATE = "no proof in time"
    HINDERED = "printer cannot go on"
    STUCK = "printer says it is well and does not go on"
    SILENT = "printer fell silent"
    BROKEN = "line broke while printing"


class Delivery:
    """Sends the strips of one slip and waits for its proof; LinkLost from `run` is its end as well.

    A printer that says what is wrong with it (no paper, cover open) is waited for until the time is up, if `patient`.
    One that says that it is well must go on.
    """

    def __init__(
        self,
        line: Conversation,
        token: bytes,
        *,
        timings: Timings,
        monotonic: Callable[[], float],
        look: Callable[[], DeviceStatus],
        patient: bool = True,
    ) -> None:
        """`look`: the status after what was heard last, published if it is new."""
        self._line = line
        self._token = token
        self._timings = timings
        self._monotonic = monotonic
        self._look = look
        self._patient = patient
        self._asked_at = monotonic()
        self._last_round: int | None = None
        """Number of the status round that was the newest when everything was drained."""

    def run(self, strips: Sequence[bytes], *, until: float) -> Ending:
        """To the end, at the latest `until`."""
        line, status = self._line, self._look()
        line.begin(strips, self._token)
        moved_at, progress = self._monotonic(), line.progress
        while True:
            line.step(self._timings.step)
            now, before, status = self._monotonic(), status, self._look()
            if (ending := self._ending(status)) is not None:
                return ending
            if line.progress != progress or status != before:
                moved_at, progress = now, line.progress
            if line.silent_s >= self._timings.silence:
                return Ending.SILENT
            if now >= until:
                return Ending.LATE
            if not status.well and not self._patient:
                return Ending.HINDERED
            if status.well and now - moved_at >= self._timings.proof:
                return Ending.STUCK
            if now - self._asked_at >= (self._timings.look if status.well else self._timings.poll):
                line.ask()
                self._asked_at = now

    def _ending(self, status: DeviceStatus) -> Ending | None:
        line = self._line
        match line.model.proving:
            case Proving.PROCESS_ID:
                return Ending.PROVEN if line.proven(self._token) and line.drained else None
            case Proving.DRAINED:
                if not self._well_since_drained(status):
                    return None
                return Ending.LATE if line.doubtful else Ending.PROVEN
            case Proving.NONE | Proving.FOUND_OUT:
                return Ending.UNPROVABLE if self._well_since_drained(status) else None

    def _well_since_drained(self, status: DeviceStatus) -> bool:
        """Everything is worked off, and a look that was begun after it found the printer well."""
        line = self._line
        if not line.drained:
            return False
        if self._last_round is None:
            # A round in progress may have asked before: only the one after it counts.
            self._last_round = line.rounds + (1 if line.silent_s else 0)
        if line.rounds > self._last_round:
            return status.well
        line.ask()
        return False
