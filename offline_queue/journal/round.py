"""Brings the journal to the hall, behind everything else: a batch a step, and only what is signed for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.contract.journal import Head, JournalBatch, JournalError, JournalMark
from kiosk.core.ports import StoreError
from kiosk.core.result import Err, Result
from offline_queue.hall_client import HallClient
from offline_queue.journal.files import Walk
from offline_queue.journal.pieces import JournalPieces
from offline_queue.journal.table import Journal, JournalState
from offline_queue.uplink.pacing import Lane, Pacer
from offline_queue.uplink.policy import CallError, Trouble
from offline_queue.uplink.traffic import Traffic

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class JournalRound:
    """The hall says how far it has come; we go on from there."""

    journal: Journal
    pieces: JournalPieces
    client: HallClient
    pacer: Pacer
    traffic: Traffic
    stopped: Callable[[], bool]
    _forked: bool = False
    """The hall called our last epoch forked, and has taken nothing since."""
    _back: int = -1
    """Where the hall sent us back to; twice to the same place leads nowhere."""

    def run(self) -> bool:
        """One batch; True if there is more. StepOver."""
        if self.stopped() or self.pacer.wait(Lane.JOURNAL) > 0:
            return False
        state = self.journal.state()
        if isinstance(state, Err):
            self.pacer.store_failed(state.error.fault.value)
        batch = self.pieces.next(state.value)
        if isinstance(batch, Err):
            self.pacer.store_failed(batch.error.fault.value)
        if batch.value is None:
            return False
        answer = self.client.journal(batch.value, traffic=self.traffic)
        if isinstance(answer, Err):
            self.pacer.failed(Lane.JOURNAL, answer.error)
            return False
        if not self._follow(state.value, batch.value, answer.value):
            self.pacer.failed(Lane.JOURNAL, CallError(Trouble.GARBAGE))
            return False
        self.pacer.went_well(Lane.JOURNAL)
        return True

    def _follow(self, state: JournalState, batch: JournalBatch, mark: JournalMark) -> bool:
        """Do what the hall's mark asks for; False if it makes no sense."""
        if mark.epoch != batch.before.epoch.hex():
            return False
        match mark.state:
            case "forked":
                return self._fork()
            case "unknown":
                return self._go_to(0, state)
            case "known":
                end = _end(batch)
                if mark.seq == end.seq and mark.head == end.hash.hex():
                    self._forked, self._back = False, -1
                    self._must(self.journal.told(end.seq))
                    return True
                if mark.seq > end.seq and end.epoch != state.head.epoch:
                    # More of an earlier epoch than we have any more: that is why a new one began.
                    self._must(self.journal.told(end.seq))
                    return True
                if mark.seq == end.seq or mark.seq > state.head.seq:
                    return self._fork()
                return self._go_to(mark.seq, state)

    def _fork(self) -> bool:
        if self._forked:
            return False
        _log.warning("journal: the hall holds other records under our numbers")
        self._must(self.journal.fork())
        self._forked = True
        return True

    def _go_to(self, seq: int, state: JournalState) -> bool:
        """It has less than we thought, or more: a hall set up anew, an answer that got lost."""
        if seq == state.told or seq == self._back:
            return False
        self._back = seq
        self._must(self.journal.told(min(seq, state.checkpointed)))
        return True

    def _must(self, result: Result[None, StoreError]) -> None:
        if isinstance(result, Err):
            self.pacer.store_failed(result.error.fault.value)


def _end(batch: JournalBatch) -> Head:
    walk = Walk(batch.before)
    for body in batch.bodies:
        _, fault = walk.step(body)
        if fault is not None:
            raise JournalError(fault.code, fault.seq)
    return walk.head
