"""One round of submissions: announce what is due, then do what each verdict asks for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.contract.signing import PublicKeys
from kiosk.contract.sync import Announce, AnnounceItem, Verdict
from kiosk.core.ports import StoreError, StoreFault, SubmissionState
from kiosk.core.result import Err, Result
from offline_queue.delivery import Delivery, Undelivered
from offline_queue.drain import Drain
from offline_queue.hall_client import HallClient
from offline_queue.pacing import Lane, Pacer
from offline_queue.policy import (
    Accept,
    CallError,
    Later,
    Park,
    Scope,
    Send,
    Trouble,
    announce_was_poisoned,
    decide,
    scope_of,
)
from offline_queue.rows import Waiting

_log = logging.getLogger(__name__)

ANNOUNCE_ITEMS = 64
"""The contract's limit."""
_PAGE = 256
_SENDS = 2
"""How often one submission is sent in one go when the hall still wants it afterwards."""


@dataclass(slots=True)
class SubmissionRound:
    """Brings unsent submissions to the hall, a batch at a time."""

    drain: Drain
    client: HallClient
    pacer: Pacer
    signing: Callable[[], PublicKeys]
    """The hall's receipt keys."""
    stopped: Callable[[], bool]
    batch: int = ANNOUNCE_ITEMS

    def run(self) -> bool:
        """One announcement and what follows from it; True if there is more to do at once. StepOver."""
        if self.pacer.wait(Lane.ANNOUNCE) > 0 or not (items := self._due()):
            return False
        entries = (AnnounceItem(id=item.id, sha256=item.sha256, size=item.size, blobs=item.blobs) for item in items)
        announced = self.client.announce(Announce(items=tuple(entries)))
        if isinstance(announced, Err):
            return self._announce_failed(items, announced.error)
        verdicts = announced.value.verdicts
        if [verdict.id for verdict in verdicts] != [item.id for item in items]:
            self.pacer.failed(Lane.ANNOUNCE, CallError(Trouble.GARBAGE))
            return False
        self.pacer.went_well(Lane.ANNOUNCE)
        self.batch = min(ANNOUNCE_ITEMS, self.batch * 2)
        for item, verdict in zip(items, verdicts, strict=True):
            if self.stopped():
                return False
            self._follow(item, verdict)
        return True

    def _due(self) -> list[Waiting]:
        """The next submissions to announce; looks past those that must wait."""
        ready: list[Waiting] = []
        after = 0
        while len(ready) < self.batch:
            page = self.drain.waiting(after=after, limit=_PAGE)
            if isinstance(page, Err):
                self.pacer.store_failed(page.error.fault.value)
            elif not page.value:
                break
            else:
                ready += self.pacer.due(page.value)
                after = page.value[-1].seq
        return self.pacer.due(ready)[: self.batch]

    def _announce_failed(self, items: list[Waiting], error: CallError) -> bool:
        if not announce_was_poisoned(error):
            self.pacer.failed(Lane.ANNOUNCE, error)
            return False
        if len(items) > 1:
            self.batch = len(items) // 2
        else:
            self._later(items[0], error)
        return True

    def _follow(self, item: Waiting, verdict: Verdict) -> None:
        """Do what the verdict asks for, until there is nothing more to do for this submission now."""
        self.drain.progress(item, SubmissionState.ANNOUNCED)
        for _ in range(_SENDS):
            decision = decide(verdict, id_=item.id, sha256=item.sha256, keys=self.signing())
            match decision:
                case Accept(receipt):
                    self._accept(item, receipt)
                    return
                case Park(code):
                    self._park(item, code)
                    return
                case Later():
                    self._later(item, decision)
                    return
                case Send(missing):
                    delivered = Delivery(self.drain, self.client).deliver(item, missing)
                    if isinstance(delivered, Err):
                        self._not_delivered(item, delivered.error)
                        return
                    self.pacer.went_well(Lane.DELIVER)
                    verdict = delivered.value
        self._later(item, Later("still_wanted"))

    def _not_delivered(self, item: Waiting, error: Undelivered) -> None:
        self.drain.progress(item, SubmissionState.SEALED)
        if isinstance(error, StoreError):
            if error.fault is not StoreFault.BROKEN:
                self.pacer.store_failed(error.fault.value)
            self._park(item, "damaged")
        elif scope_of(error, one_item=True) is Scope.ITEM:
            self._later(item, error)
        else:
            self.pacer.stumble(item)
            self.pacer.failed(Lane.DELIVER, error, one_item=True)

    def _accept(self, item: Waiting, receipt: bytes) -> None:
        self._must(self.drain.accept(item, receipt))
        self.pacer.done(item)
        _log.info("accepted %s", item.id)

    def _park(self, item: Waiting, code: str) -> None:
        self._must(self.drain.park(item, code=code))
        self.pacer.done(item, code)
        _log.warning("parked %s: %s", item.id, code)

    def _later(self, item: Waiting, why: CallError | Later) -> None:
        seconds = self.pacer.later(item, why)
        code = why.name if isinstance(why, CallError) else why.code
        self._must(self.drain.postpone(item, code=code, seconds=seconds))

    def _must(self, result: Result[None, StoreError]) -> None:
        if isinstance(result, Err):
            self.pacer.store_failed(result.error.fault.value)
