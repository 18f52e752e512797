"""What came of a call: every verdict is done as it asks, every failure has its pause; and what was learnt by it.

Decisions are in `policy`, waiting times in `pacing`. Nothing is sent from here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from kiosk.contract.signing import PublicKeys
from kiosk.contract.sync import BatchVerdicts, BundleManifest, Verdict, Verdicts
from kiosk.core.ports import StoreError, StoreFault, SubmissionState
from kiosk.core.result import Err, Ok, Result
from offline_queue.disk.rows import Waiting
from offline_queue.drain import Drain
from offline_queue.uplink.batching import BatchSize, Suspects
from offline_queue.uplink.delivery import Undelivered
from offline_queue.uplink.pacing import Lane, Pacer
from offline_queue.uplink.policy import (
    Accept,
    CallError,
    Later,
    Park,
    Scope,
    Send,
    Trouble,
    announce_was_poisoned,
    decide,
    one_may_have_spoilt_it,
    scope_of,
)
from offline_queue.uplink.sync_state import SyncState
from offline_queue.uplink.traffic import Rank

_log = logging.getLogger(__name__)

ANNOUNCE_ITEMS = 64
"""The contract's limit."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Envelopes that went together, and the hall's word on each."""

    items: tuple[Waiting, ...]
    bytes: int
    rank: Rank
    answer: Result[BatchVerdicts, CallError]


@dataclass(frozen=True, slots=True)
class Announced:
    """What was announced, and what the hall wants of it."""

    items: tuple[Waiting, ...]
    answer: Result[Verdicts, CallError]


@dataclass(frozen=True, slots=True)
class Delivered:
    """One that has files, with its files."""

    item: Waiting
    answer: Result[Verdict, Undelivered]


@dataclass(frozen=True, slots=True)
class Greeted:
    """The line is open."""

    answer: Result[BundleManifest, CallError]


Brought: TypeAlias = Batch | Announced | Delivered | Greeted


@dataclass(slots=True)
class Settling:
    """Does what calls brought; what it has learnt decides what is sent next."""

    drain: Drain
    pacer: Pacer
    state: SyncState
    signing: Callable[[], PublicKeys]
    """The hall's receipt keys."""
    size: BatchSize = field(default_factory=BatchSize)
    announce_items: int = ANNOUNCE_ITEMS
    suspects: Suspects = field(default_factory=Suspects)
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What the hall said of files: those it lacks, by submission."""
    epoch: int = 0
    """Counts lost links: calls that were on the way together fail together, and that is one failure."""

    def settle(self, brought: Brought, *, stale: bool) -> None:
        """`stale`: the link was lost after this call began, and that has been counted. StepOver."""
        match brought:
            case Batch() as batch:
                self._batch_came(batch, stale=stale)
            case Announced(items, answer):
                self._announced(items, answer, stale=stale)
            case Delivered(item, answer):
                self._delivered(item, answer, stale=stale)
            case Greeted(answer):
                # Whether the hall can be reached is the heartbeat's word.
                _log.debug("greeting: %s", "open" if isinstance(answer, Ok) else answer.error.name)
            case _:
                assert_never(brought)

    def _batch_came(self, batch: Batch, *, stale: bool) -> None:
        lane = Lane.DELIVER if batch.rank is Rank.INTERACTIVE else Lane.BACKLOG
        if isinstance(batch.answer, Err):
            self._batch_failed(batch, batch.answer.error, lane, stale=stale)
            return
        verdicts = batch.answer.value.verdicts
        if len(verdicts) != len(batch.items):
            self._batch_failed(batch, CallError(Trouble.GARBAGE), lane, stale=stale)
            return
        self.pacer.went_well(lane)
        self.size.grow()
        self.suspects.cleared(batch.items)
        accepted: list[tuple[Waiting, bytes]] = []
        others: list[tuple[Waiting, Verdict | None]] = []
        for item, verdict in zip(batch.items, verdicts, strict=True):
            decision = verdict and decide(verdict, id_=item.id, sha256=item.sha256, keys=self.signing())
            if isinstance(decision, Accept):
                accepted.append((item, decision.receipt))
            else:
                others.append((item, verdict))
        self._accept(accepted)
        _log.info("batch: %d of %d accepted, %d bytes", len(accepted), len(batch.items), batch.bytes)
        for item, verdict in others:
            if verdict is None:
                self.later(item, CallError(Trouble.PROBLEM, 422))
            else:
                self._follow(item, verdict, sent=True)

    def _batch_failed(self, batch: Batch, error: CallError, lane: Lane, *, stale: bool) -> None:
        _log.info("batch of %d, %d bytes: %s", len(batch.items), batch.bytes, error.name)
        if error.trouble is Trouble.TIMEOUT or error.status == 413:
            self.size.shrink(len(batch.items), batch.bytes)
        spoilt = one_may_have_spoilt_it(error)
        scope = scope_of(error, one_item=True)
        if len(batch.items) > 1 and spoilt:
            self.suspects.refused(batch.items)
            if announce_was_poisoned(error):
                return  # the hall is well and quick to say no: the halves go at once
        elif spoilt and scope is Scope.ITEM:
            self.later(batch.items[0], error)
            return
        elif spoilt:
            self.pacer.stumble(batch.items[0])
        self._failed(lane, error, stale=stale)

    def _failed(self, lane: Lane, error: CallError, *, stale: bool) -> None:
        if scope_of(error, one_item=False) is Scope.LINK:
            if stale:
                return
            self.epoch += 1
        self.pacer.failed(lane, error)

    def _announced(self, items: tuple[Waiting, ...], answer: Result[Verdicts, CallError], *, stale: bool) -> None:
        if isinstance(answer, Err):
            if not announce_was_poisoned(answer.error):
                self._failed(Lane.ANNOUNCE, answer.error, stale=stale)
            elif len(items) > 1:
                self.announce_items = len(items) // 2
            else:
                self.later(items[0], answer.error)
            return
        verdicts = answer.value.verdicts
        if [verdict.id for verdict in verdicts] != [item.id for item in items]:
            self.pacer.failed(Lane.ANNOUNCE, CallError(Trouble.GARBAGE))
            return
        self.pacer.went_well(Lane.ANNOUNCE)
        self.announce_items = min(ANNOUNCE_ITEMS, self.announce_items * 2)
        for item, verdict in zip(items, verdicts, strict=True):
            self._follow(item, verdict)

    def _delivered(self, item: Waiting, answer: Result[Verdict, Undelivered], *, stale: bool) -> None:
        if isinstance(answer, Ok):
            self.pacer.went_well(Lane.DELIVER)
            self._follow(item, answer.value, uploaded=True)
            return
        error = answer.error
        if isinstance(error, StoreError):
            self.not_read(item, error.fault)
        elif scope_of(error, one_item=True) is Scope.ITEM:
            self.later(item, error)
        else:
            if scope_of(error, one_item=True) is Scope.LINK:
                self.pacer.stumble(item)
            self._failed(Lane.DELIVER, error, stale=stale)

    def _follow(self, item: Waiting, verdict: Verdict, *, sent: bool = False, uploaded: bool = False) -> None:
        """Do what the verdict asks for. `sent`: the envelope was there already; `uploaded`: so were its files."""
        decision = decide(verdict, id_=item.id, sha256=item.sha256, keys=self.signing())
        match decision:
            case Accept(receipt):
                self._accept([(item, receipt)])
            case Park(code):
                self.park(item, code)
            case Later():
                self.later(item, decision)
            case Send(missing):
                if not set(missing) <= {ref.sha256 for ref in item.blobs}:
                    self.later(item, CallError(Trouble.GARBAGE))
                elif uploaded or (sent and not missing):
                    self.later(item, Later("still_wanted"))
                else:
                    self.missing[item.id] = missing
                    self.drain.progress(item, SubmissionState.ANNOUNCED)
            case _:
                assert_never(decision)

    def _accept(self, accepted: Sequence[tuple[Waiting, bytes]]) -> None:
        if not accepted:
            return
        self._must(self.drain.accept_many(accepted))
        for item, _ in accepted:
            self._forget(item)
            self.pacer.done(item)
            _log.info("accepted %s", item.id)

    def park(self, item: Waiting, code: str) -> None:
        """Final, and not a yes: kept, not sent any more. StepOver."""
        self._must(self.drain.park(item, code=code))
        self._forget(item)
        self.pacer.done(item, code)
        _log.warning("parked %s: %s", item.id, code)

    def not_read(self, item: Waiting, fault: StoreFault) -> None:
        """Our own disk does not give it: what it changed is parked, what it holds back is tried again. Where the whole
        store is away, writing that down fails, and everything waits. StepOver."""
        if fault is StoreFault.BROKEN:
            self.park(item, "damaged")
        else:
            self.later(item, Later("unreadable"))

    def later(self, item: Waiting, why: CallError | Later) -> None:
        """This one waits, and holds up nobody. StepOver."""
        self._forget(item)
        seconds = self.pacer.later(item, why)
        code = why.name if isinstance(why, CallError) else why.code
        self._must(self.drain.postpone(item, code=code, seconds=seconds))

    def _forget(self, item: Waiting) -> None:
        self.missing.pop(item.id, None)
        self.suspects.cleared([item])
        self.state.done_with(item.id)

    def _must(self, result: Result[None, StoreError]) -> None:
        if isinstance(result, Err):
            self.pacer.store_failed(result.error.fault.value)
