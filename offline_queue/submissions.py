"""Submissions on their way: what is due goes out over several connections, and every verdict is done as it asks.

Small ones go in batches. What needs files is announced first, so that a file that the hall has is not sent again; then
its files go up, one submission at a time, and its envelope after them. Decisions are in `policy` and `batching`,
waiting times in `pacing`, who goes first in `traffic`. One thread runs this; calls run on the lines' threads.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from kiosk.contract.signing import PublicKeys
from kiosk.contract.sync import Announce, AnnounceItem, BatchVerdicts, BundleManifest, Verdict, Verdicts
from kiosk.core.ports import StoreError, StoreFault, SubmissionState
from kiosk.core.result import Err, Ok, Result
from offline_queue.batching import BatchSize, Suspects, first_of_each_case, next_batch
from offline_queue.delivery import Delivery, Undelivered
from offline_queue.drain import Drain
from offline_queue.express import Express
from offline_queue.hall_client import HallClient
from offline_queue.lines import Done, Lines
from offline_queue.pacing import Lane, Pacer, StepOver
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
    one_may_have_spoilt_it,
    scope_of,
)
from offline_queue.rows import Waiting
from offline_queue.sync_state import SyncState
from offline_queue.traffic import Rank

_log = logging.getLogger(__name__)

ANNOUNCE_ITEMS = 64
"""The contract's limit."""
BULK_LINES = 4
"""While one waits for its answer the others use the line; more only fill queues on the way."""
EXPRESS = (BULK_LINES, BULK_LINES + 1)
"""These carry nothing but what was just filed."""
_PAGE = 256
_FAR = 64 * _PAGE
"""So far ahead it is looked for something that need not wait."""
_LOOK_S = 1.0
"""The longest wait for a call before looking round."""
_SOON_S = 0.01
"""The shortest."""


@dataclass(frozen=True, slots=True)
class _Batch:
    items: tuple[Waiting, ...]
    bytes: int
    rank: Rank
    answer: Result[BatchVerdicts, CallError]


@dataclass(frozen=True, slots=True)
class _Announced:
    items: tuple[Waiting, ...]
    answer: Result[Verdicts, CallError]


@dataclass(frozen=True, slots=True)
class _Delivered:
    item: Waiting
    answer: Result[Verdict, Undelivered]


@dataclass(frozen=True, slots=True)
class _Greeted:
    """The line is open."""

    answer: Result[BundleManifest, CallError]


_Brought: TypeAlias = _Batch | _Announced | _Delivered | _Greeted


@dataclass(slots=True)
class SubmissionRound:
    """Brings unsent submissions to the hall."""

    drain: Drain
    lines: Lines[_Brought]
    pacer: Pacer
    state: SyncState
    signing: Callable[[], PublicKeys]
    """The hall's receipt keys."""
    stopped: Callable[[], bool]
    pending: Callable[[], int]
    """How many wait here."""
    express: Express
    size: BatchSize = field(default_factory=BatchSize)
    announce_items: int = ANNOUNCE_ITEMS
    _suspects: Suspects = field(default_factory=Suspects)
    _missing: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What the hall said of files: those it lacks, by submission."""
    _flying: dict[int, tuple[Waiting, ...]] = field(default_factory=dict)
    """By line."""
    _ranks: dict[int, Rank] = field(default_factory=dict)
    _epochs: dict[int, int] = field(default_factory=dict)
    _epoch: int = 0
    """Counts lost links: calls that were on the way together fail together, and that is one failure."""

    def run(self) -> bool:
        """Take what came back, send what is due, wait for one call; True if there is more to do. StepOver."""
        self.take()
        if self.pacer.paused() <= 0:
            self._launch()
        if not self.lines.busy:
            return False
        if (done := self.lines.next(seconds=self._look_s())) is not None:
            self._settle(done)
        return True

    def _look_s(self) -> float:
        """Until something may be sent though nothing came back: a late batch, when a line is free for it."""
        held_up = self.stopped() or self.pacer.paused() > 0 or self.pacer.wait(Lane.DELIVER) > 0
        if held_up or not any(map(self.lines.free, EXPRESS)):
            return _LOOK_S
        return min(_LOOK_S, max(_SOON_S, self.express.until_late()))

    def rest(self, seconds: float) -> None:
        """Wait until a call is over, somebody nudges or the time is up."""
        if (done := self.lines.next(seconds=min(seconds, max(1.0, self.express.warm_for())))) is not None:
            self._settle(done)

    @property
    def busy(self) -> bool:
        """Are calls under way?"""
        return self.lines.busy > 0

    def nudge(self) -> None:
        """There is something new; for other threads."""
        self.lines.nudge()

    def close(self) -> None:
        """Drop the connections."""
        self.lines.close()

    def take(self) -> None:
        """What came back by itself. StepOver."""
        while (done := self.lines.next(seconds=0.0)) is not None:
            self._settle(done)

    # --- sending ----------------------------------------------------------------------------------------------

    def _launch(self) -> None:
        if self.stopped():
            return
        self._launch_fresh()
        if not self.pacer.taking() and not self.lines.busy:
            self.size.restart()
        if self.pacer.away_for_long() or self.pacer.wait(Lane.BACKLOG) > 0:
            return
        for line in range(BULK_LINES):
            if self.lines.busy and not self.pacer.proven():
                return
            if Rank.BACKLOG in self._ranks.values() and not self.pacer.taking():
                return
            if self.lines.free(line) and not self._launch_bulk(line):
                return

    def _launch_fresh(self) -> None:
        """What somebody waits for, on the lines that are kept free for it; its files share the other lines."""
        free = [line for line in EXPRESS if self.lines.free(line)]
        if self.pacer.wait(Lane.DELIVER) > 0 or not free:
            return
        fresh = self._fresh_due()
        if due := [item for item in fresh if self._batchable(item)]:
            self._send_express(free[0], due)
            return
        unknown = [item for item in fresh if item.blobs and item.id not in self._missing]
        if unknown and self.pacer.wait(Lane.ANNOUNCE) <= 0:
            self._send_announce(free[0], unknown)
        elif (late := self.express.late()) is not None:
            self.express.repeated(late)
            self._send_express(free[0], self._flying[late], again=True)
        elif self.pacer.proven() and (cold := self.express.cold(free)) is not None:
            self._start(cold, (), Rank.INTERACTIVE, _greet, SubmissionState.SEALED)

    def _send_express(self, line: int, due: Sequence[Waiting], *, again: bool = False) -> None:
        flight = self.lines.flight(line)
        if self._send_batch(line, due, Rank.INTERACTIVE) and not self.lines.free(line):
            self.express.sent(line, shortest_s=flight.shortest_s if flight else 0.0, again=again)

    def _launch_bulk(self, line: int) -> bool:
        """Give this line something to do; False if there is nothing."""
        if self.pacer.wait(Lane.DELIVER) <= 0 and not self._uploading():
            for item in self._fresh_due():
                if self._missing.get(item.id):
                    self._send_files(line, item, Rank.BACKLOG)
                    return True
        due = self._due()
        if batch := [item for item in due if self._batchable(item)]:
            return self._send_batch(line, batch, Rank.BACKLOG)
        unknown = [item for item in due if item.blobs and item.id not in self._missing]
        if unknown and self.pacer.wait(Lane.ANNOUNCE) <= 0:
            self._send_announce(line, unknown)
            return True
        if self._uploading() or self.pacer.wait(Lane.DELIVER) > 0:
            return False
        for item in due:
            if self._missing.get(item.id):
                self._send_files(line, item, Rank.BLOBS)
                return True
        return False

    def _batchable(self, item: Waiting) -> bool:
        return not item.blobs or self._missing.get(item.id) == ()

    def _uploading(self) -> bool:
        return Rank.BLOBS in self._ranks.values()

    def _in_flight(self) -> set[str]:
        return {item.id for items in self._flying.values() for item in items}

    def _fresh_due(self) -> list[Waiting]:
        flying = self._in_flight()
        if not (names := [name for name in self.state.fresh() if name not in flying]):
            return []
        named = self.drain.named(names)
        if isinstance(named, Err):
            self.pacer.store_failed(named.error.fault.value)
        return self.pacer.due(named.value)

    def _due(self) -> list[Waiting]:
        """The next that may be sent, enough for a batch; looks past those that must wait."""
        flying = self._in_flight() | set(self.state.fresh())
        seen: list[Waiting] = []
        ready: dict[str, Waiting] = {}
        while len(seen) < _FAR and sum(map(self._batchable, ready.values())) < self.size.items:
            page = self.drain.waiting(after=seen[-1].seq if seen else 0, limit=_PAGE)
            if isinstance(page, Err):
                self.pacer.store_failed(page.error.fault.value)
            elif not page.value:
                break
            seen += page.value
            ready |= {item.id: item for item in self.pacer.due(page.value) if item.id not in flying}
        return self.pacer.due(first_of_each_case(seen, may_go=ready))

    def _send_batch(self, line: int, due: Sequence[Waiting], rank: Rank) -> bool:
        batch = next_batch(due, size=self.size, limits=self._suspects.limits)
        envelopes: dict[Waiting, bytes] = {}
        for item in batch:
            envelope = self.drain.envelope(item)
            if isinstance(envelope, Ok):
                envelopes[item] = envelope.value
            elif envelope.error.fault is StoreFault.BROKEN:
                self._park(item, "damaged")
            else:
                self.pacer.store_failed(envelope.error.fault.value)
        if not envelopes:
            return True
        items, contents = tuple(envelopes), tuple(envelopes.values())
        pending = self.pending() if rank is Rank.BACKLOG else None
        traffic = self.state.traffic

        def call(client: HallClient) -> _Brought:
            answer = client.batch(contents, rank=rank, traffic=traffic, pending=pending)
            return _Batch(items, sum(map(len, contents)), rank, answer)

        self._start(line, items, rank, call, SubmissionState.UPLOADING)
        return True

    def _send_announce(self, line: int, due: Sequence[Waiting]) -> None:
        items = tuple(due[: self.announce_items])
        entries = (AnnounceItem(id=item.id, sha256=item.sha256, size=item.size, blobs=item.blobs) for item in items)
        announce = Announce(items=tuple(entries))
        call: Callable[[HallClient], _Brought] = lambda client: _Announced(items, client.announce(announce))  # noqa: E731
        self._start(line, items, Rank.BACKLOG, call, SubmissionState.SEALED)

    def _send_files(self, line: int, item: Waiting, rank: Rank) -> None:
        missing = self._missing.pop(item.id)
        delivery = Delivery(self.drain, traffic=self.state.traffic, rank=rank, stopped=self.stopped)
        call: Callable[[HallClient], _Brought] = lambda client: _Delivered(  # noqa: E731
            item, delivery.deliver(client, item, missing)
        )
        self._start(line, (item,), Rank.BLOBS, call, SubmissionState.UPLOADING)

    def _start(
        self,
        line: int,
        items: tuple[Waiting, ...],
        rank: Rank,
        call: Callable[[HallClient], _Brought],
        state: SubmissionState,
    ) -> None:
        for item in items:
            self.drain.progress(item, state)
        self._flying[line], self._ranks[line], self._epochs[line] = items, rank, self._epoch
        self.lines.start(line, call)

    # --- what came of it --------------------------------------------------------------------------------------

    def _settle(self, done: Done[_Brought]) -> None:
        for item in self._flying.pop(done.line, ()):
            self.drain.progress(item, SubmissionState.SEALED)
        self._ranks.pop(done.line, None)
        stale = self._epochs.pop(done.line) < self._epoch
        twice = done.line in EXPRESS and self.express.used(done.line)
        match done.result:
            case _Batch(items=items) if twice and not {item.id for item in items} & set(self.state.fresh()):
                return  # the other one was answered before
            case _Batch() as batch:
                self._batch_came(batch, stale=stale)
            case _Announced(items, answer):
                self._announced(items, answer, stale=stale)
            case _Delivered(item, answer):
                self._delivered(item, answer, stale=stale)
            case _Greeted(answer):
                # Whether the hall can be reached is the heartbeat's word.
                _log.debug("line %d: %s", done.line, "open" if isinstance(answer, Ok) else answer.error.name)
            case _:
                assert_never(done.result)

    def _batch_came(self, batch: _Batch, *, stale: bool) -> None:
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
        self._suspects.cleared(batch.items)
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
                self._later(item, CallError(Trouble.PROBLEM, 422))
            else:
                self._follow(item, verdict, sent=True)

    def _batch_failed(self, batch: _Batch, error: CallError, lane: Lane, *, stale: bool) -> None:
        _log.info("batch of %d, %d bytes: %s", len(batch.items), batch.bytes, error.name)
        if error.trouble is Trouble.TIMEOUT or error.status == 413:
            self.size.shrink(len(batch.items), batch.bytes)
        spoilt = one_may_have_spoilt_it(error)
        scope = scope_of(error, one_item=True)
        if len(batch.items) > 1 and spoilt:
            self._suspects.refused(batch.items)
            if announce_was_poisoned(error):
                return  # the hall is well and quick to say no: the halves go at once
        elif spoilt and scope is Scope.ITEM:
            self._later(batch.items[0], error)
            return
        elif spoilt:
            self.pacer.stumble(batch.items[0])
        self._failed(lane, error, stale=stale)

    def _failed(self, lane: Lane, error: CallError, *, stale: bool) -> None:
        if scope_of(error, one_item=False) is Scope.LINK:
            if stale:
                return
            self._epoch += 1
        self.pacer.failed(lane, error)

    def _announced(self, items: tuple[Waiting, ...], answer: Result[Verdicts, CallError], *, stale: bool) -> None:
        if isinstance(answer, Err):
            if not announce_was_poisoned(answer.error):
                self._failed(Lane.ANNOUNCE, answer.error, stale=stale)
            elif len(items) > 1:
                self.announce_items = len(items) // 2
            else:
                self._later(items[0], answer.error)
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
            if error.fault is not StoreFault.BROKEN:
                self.pacer.store_failed(error.fault.value)
            self._park(item, "damaged")
        elif scope_of(error, one_item=True) is Scope.ITEM:
            self._later(item, error)
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
                self._park(item, code)
            case Later():
                self._later(item, decision)
            case Send(missing):
                if not set(missing) <= {ref.sha256 for ref in item.blobs}:
                    self._later(item, CallError(Trouble.GARBAGE))
                elif uploaded or (sent and not missing):
                    self._later(item, Later("still_wanted"))
                else:
                    self._missing[item.id] = missing
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

    def _park(self, item: Waiting, code: str) -> None:
        self._must(self.drain.park(item, code=code))
        self._forget(item)
        self.pacer.done(item, code)
        _log.warning("parked %s: %s", item.id, code)

    def _later(self, item: Waiting, why: CallError | Later) -> None:
        self._forget(item)
        seconds = self.pacer.later(item, why)
        code = why.name if isinstance(why, CallError) else why.code
        self._must(self.drain.postpone(item, code=code, seconds=seconds))

    def _forget(self, item: Waiting) -> None:
        self._missing.pop(item.id, None)
        self._suspects.cleared([item])
        self.state.done_with(item.id)

    def _must(self, result: Result[None, StoreError]) -> None:
        if isinstance(result, Err):
            self.pacer.store_failed(result.error.fault.value)


def lines_over(client: HallClient) -> Lines[_Brought]:
    """The usual number of connections, like `client`'s."""
    return Lines([client.another() for _ in range(BULK_LINES + len(EXPRESS))])


def _greet(client: HallClient) -> _Brought:
    return _Greeted(client.manifest())


__all__ = ["ANNOUNCE_ITEMS", "BULK_LINES", "EXPRESS", "StepOver", "SubmissionRound", "lines_over"]
