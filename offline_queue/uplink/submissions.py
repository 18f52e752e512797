"""Submissions on their way: what is due goes out over several connections; `settling` does what the verdicts ask.

Small ones go in batches. What needs files is announced first, so that a file that the hall has is not sent again; then
its files go up, one submission at a time, and its envelope after them. Decisions are in `policy` and `batching`,
waiting times in `pacing`, who goes first in `traffic`. One thread runs this; calls run on the lines' threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from kiosk.contract.signing import PublicKeys
from kiosk.contract.sync import Announce, AnnounceItem
from kiosk.core.ports import SubmissionState
from kiosk.core.result import Err, Ok
from offline_queue.disk.rows import Waiting
from offline_queue.drain import Drain
from offline_queue.hall_client import HallClient
from offline_queue.uplink.batching import first_of_each_case, next_batch, share
from offline_queue.uplink.delivery import Delivery
from offline_queue.uplink.hedging import Hedges
from offline_queue.uplink.lines import Done, Lines
from offline_queue.uplink.pacing import Lane, Pacer
from offline_queue.uplink.settling import Announced, Batch, Brought, Delivered, Greeted, Settling
from offline_queue.uplink.sync_state import SyncState
from offline_queue.uplink.traffic import WRITERS, Rank
from offline_queue.uplink.warmth import Warmth

BULK_LINES = 6
"""While some wait for their answers the others use the line: an answer takes as long as three batches and more."""
_BULK = range(BULK_LINES)
EXPRESS = (BULK_LINES, BULK_LINES + 1)
"""These carry nothing but what was just filed."""
_OPENED_EARLY = _BULK[1:WRITERS]
"""These are opened while a first batch asks whether the hall takes a backlog: when it does, the next go at once."""
_PAGE = 256
_FAR = 64 * _PAGE
"""So far ahead it is looked for something that need not wait."""
_LOOK_S = 1.0
"""The longest wait for a call before looking round."""
_SOON_S = 0.01
"""The shortest."""


@dataclass(slots=True)
class SubmissionRound:
    """Brings unsent submissions to the hall."""

    drain: Drain
    lines: Lines[Brought]
    pacer: Pacer
    state: SyncState
    signing: Callable[[], PublicKeys]
    """The hall's receipt keys."""
    stopped: Callable[[], bool]
    pending: Callable[[], int]
    """How many wait here."""
    warmth: Warmth
    hedges: Hedges
    settling: Settling = field(init=False)
    _flying: dict[int, tuple[Waiting, ...]] = field(default_factory=dict)
    """By line."""
    _ranks: dict[int, Rank] = field(default_factory=dict)
    _epochs: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settling = Settling(self.drain, self.pacer, self.state, self.signing)

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
        if self.stopped() or self.pacer.paused() > 0:
            return _LOOK_S
        fresh = self.pacer.wait(Lane.DELIVER) <= 0 and any(map(self.lines.free, EXPRESS))
        waits = [_LOOK_S]
        waits += [self.hedges.until_late(EXPRESS)] if fresh else []
        waits += [self.hedges.until_late(_BULK)] if self._bulk_may_go() and self._spare() else []
        return max(_SOON_S, min(waits))

    def rest(self, seconds: float) -> None:
        """Wait until a call is over, somebody nudges or the time is up."""
        if (done := self.lines.next(seconds=min(seconds, max(1.0, self.warmth.warm_for(EXPRESS))))) is not None:
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
            self.settling.size.restart()
        if not self._bulk_may_go():
            return
        for line in _BULK:
            if self._trying_out():
                self._open_early()
                self._repeat_late()
                return
            if self.lines.free(line) and not self._launch_bulk(line):
                return

    def _bulk_may_go(self) -> bool:
        return not self.pacer.away_for_long() and self.pacer.wait(Lane.BACKLOG) <= 0

    def _trying_out(self) -> bool:
        """Is one call asking what many would, whether there is a hall, and whether it takes a backlog?"""
        unproven = self.lines.busy > 0 and not self.pacer.proven()
        return unproven or (Rank.BACKLOG in self._ranks.values() and not self.pacer.taking())

    def _open_early(self) -> None:
        cold = [line for line in _OPENED_EARLY if self.lines.free(line) and self.warmth.cold([line]) is not None]
        if cold and Rank.BACKLOG in self._ranks.values() and self.pending() > len(self._in_flight()):
            for line in cold:
                self._greet(line)

    def _spare(self) -> list[int]:
        """What a late batch may go over besides: any free line, while a first one tries out only those opened early."""
        free = [line for line in _BULK if self.lines.free(line)]
        if not self._trying_out():
            return free
        return [line for line in free if line in _OPENED_EARLY] if self.pacer.proven() else []

    def _repeat_late(self) -> bool:
        """The beginning and the end of a backlog are not held up by one lost packet; in between others use the line."""
        late, spare = self.hedges.late(_BULK), self._spare()
        if late is None or not spare:
            return False
        self._repeat(late, over=spare[0], rank=Rank.BACKLOG)
        return True

    def _greet(self, line: int) -> None:
        self._start(line, (), Rank.INTERACTIVE, _greet, SubmissionState.SEALED)

    def _launch_fresh(self) -> None:
        """What somebody waits for, on the lines that are kept free for it; its files share the other lines."""
        free = [line for line in EXPRESS if self.lines.free(line)]
        if self.pacer.wait(Lane.DELIVER) > 0 or not free:
            return
        fresh = self._fresh_due()
        if due := [item for item in fresh if self._batchable(item)]:
            self._send_fresh(free[0], due)
            return
        unknown = [item for item in fresh if item.blobs and item.id not in self.settling.missing]
        if unknown and self.pacer.wait(Lane.ANNOUNCE) <= 0:
            self._send_announce(free[0], unknown)
        elif (late := self.hedges.late(EXPRESS)) is not None:
            self._repeat(late, over=free[0], rank=Rank.INTERACTIVE)
        elif self.pacer.proven() and (cold := self.warmth.cold(free)) is not None:
            self._greet(cold)

    def _send_fresh(self, line: int, due: Sequence[Waiting]) -> None:
        flight = self.lines.flight(line)
        batch = next_batch(due, size=self.settling.size, limits=self.settling.suspects.limits)
        if self._send(line, batch, Rank.INTERACTIVE):
            self.hedges.fresh(line, shortest_s=flight.shortest_s if flight else 0.0)

    def _repeat(self, late: int, *, over: int, rank: Rank) -> None:
        if self._send(over, self._flying[late], rank):
            self.hedges.repeated(late, over=over)

    def _launch_bulk(self, line: int) -> bool:
        """Give this line something to do; False if there is nothing."""
        if self.pacer.wait(Lane.DELIVER) <= 0 and not self._uploading():
            for item in self._fresh_due():
                if self.settling.missing.get(item.id):
                    self._send_files(line, item, Rank.BACKLOG)
                    return True
        due = self._due()
        if batch := [item for item in due if self._batchable(item)]:
            self._send_backlog(line, batch)
            return True
        unknown = [item for item in due if item.blobs and item.id not in self.settling.missing]
        if unknown and self.pacer.wait(Lane.ANNOUNCE) <= 0:
            self._send_announce(line, unknown)
            return True
        if not self._uploading() and self.pacer.wait(Lane.DELIVER) <= 0:
            for item in due:
                if self.settling.missing.get(item.id):
                    self._send_files(line, item, Rank.BLOBS)
                    return True
        return self._repeat_late()

    def _batchable(self, item: Waiting) -> bool:
        return not item.blobs or self.settling.missing.get(item.id) == ()

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
        while len(seen) < _FAR and sum(map(self._batchable, ready.values())) < self.settling.size.items:
            page = self.drain.waiting(after=seen[-1].seq if seen else 0, limit=_PAGE)
            if isinstance(page, Err):
                self.pacer.store_failed(page.error.fault.value)
            elif not page.value:
                break
            seen += page.value
            ready |= {item.id: item for item in self.pacer.due(page.value) if item.id not in flying}
        return self.pacer.due(first_of_each_case(seen, may_go=ready))

    def _send_backlog(self, line: int, due: Sequence[Waiting]) -> None:
        size, waiting = self.settling.size, self.pending() - len(self._in_flight())
        lines = 1 + list(self._ranks.values()).count(Rank.BACKLOG)
        size = replace(size, items=share(size.items, waiting=waiting, lines=lines))
        if self._send(line, next_batch(due, size=size, limits=self.settling.suspects.limits), Rank.BACKLOG):
            self.hedges.backlog(line)

    def _send(self, line: int, batch: Sequence[Waiting], rank: Rank) -> bool:
        """These in one request; False if not one of them can be read."""
        envelopes: dict[Waiting, bytes] = {}
        for item in batch:
            envelope = self.drain.envelope(item)
            if isinstance(envelope, Ok):
                envelopes[item] = envelope.value
            else:
                self.settling.not_read(item, envelope.error.fault)
        if not envelopes:
            return False
        items, contents = tuple(envelopes), tuple(envelopes.values())
        traffic, pending = self.state.traffic, self.pending() if rank is Rank.BACKLOG else None

        def call(client: HallClient) -> Brought:
            answer = client.batch(contents, rank=rank, traffic=traffic, pending=pending)
            return Batch(items, sum(map(len, contents)), rank, answer)

        self._start(line, items, rank, call, SubmissionState.UPLOADING)
        return True

    def _send_announce(self, line: int, due: Sequence[Waiting]) -> None:
        items = tuple(due[: self.settling.announce_items])
        entries = (AnnounceItem(id=item.id, sha256=item.sha256, size=item.size, blobs=item.blobs) for item in items)
        announce = Announce(items=tuple(entries))

        def call(client: HallClient) -> Brought:
            return Announced(items, client.announce(announce))

        self._start(line, items, Rank.BACKLOG, call, SubmissionState.SEALED)

    def _send_files(self, line: int, item: Waiting, rank: Rank) -> None:
        missing = self.settling.missing.pop(item.id)
        delivery = Delivery(self.drain, traffic=self.state.traffic, rank=rank, stopped=self.stopped)

        def call(client: HallClient) -> Brought:
            return Delivered(item, delivery.deliver(client, item, missing))

        self._start(line, (item,), Rank.BLOBS, call, SubmissionState.UPLOADING)

    def _start(
        self,
        line: int,
        items: tuple[Waiting, ...],
        rank: Rank,
        call: Callable[[HallClient], Brought],
        state: SubmissionState,
    ) -> None:
        for item in items:
            self.drain.progress(item, state)
        self._flying[line], self._ranks[line], self._epochs[line] = items, rank, self.settling.epoch
        self.lines.start(line, call)

    # --- what came of it --------------------------------------------------------------------------------------

    def _settle(self, done: Done[Brought]) -> None:
        for item in self._flying.pop(done.line, ()):
            self.drain.progress(item, SubmissionState.SEALED)
        self._ranks.pop(done.line, None)
        stale = self._epochs.pop(done.line) < self.settling.epoch
        self.warmth.used(done.line)
        answered = isinstance(done.result, Batch) and isinstance(done.result.answer, Ok)
        if self.hedges.ended(done.line, answered=answered):
            self.settling.settle(done.result, stale=stale)


def lines_over(client: HallClient) -> Lines[Brought]:
    """The usual number of connections, like `client`'s."""
    return Lines([client.another() for _ in range(BULK_LINES + len(EXPRESS))])


def _greet(client: HallClient) -> Brought:
    return Greeted(client.manifest())
