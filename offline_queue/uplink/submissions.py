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
from kiosk.core.ports import StoreFault, SubmissionState
from kiosk.core.result import Err, Ok
from offline_queue.disk.rows import Waiting
from offline_queue.drain import Drain
from offline_queue.hall_client import HallClient
from offline_queue.uplink.batching import BatchSize, first_of_each_case, next_batch, share
from offline_queue.uplink.delivery import Delivery
from offline_queue.uplink.express import Express
from offline_queue.uplink.lines import Done, Lines
from offline_queue.uplink.pacing import Lane, Pacer
from offline_queue.uplink.settling import Announced, Batch, Brought, Delivered, Greeted, Settling
from offline_queue.uplink.sync_state import SyncState
from offline_queue.uplink.traffic import Rank

BULK_LINES = 6
"""While some wait for their answers the others use the line: an answer takes as long as three batches and more."""
EXPRESS = (BULK_LINES, BULK_LINES + 1)
"""These carry nothing but what was just filed."""
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
    express: Express
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
            self.settling.size.restart()
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
        unknown = [item for item in fresh if item.blobs and item.id not in self.settling.missing]
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
                if self.settling.missing.get(item.id):
                    self._send_files(line, item, Rank.BACKLOG)
                    return True
        due = self._due()
        if batch := [item for item in due if self._batchable(item)]:
            return self._send_batch(line, batch, Rank.BACKLOG)
        unknown = [item for item in due if item.blobs and item.id not in self.settling.missing]
        if unknown and self.pacer.wait(Lane.ANNOUNCE) <= 0:
            self._send_announce(line, unknown)
            return True
        if self._uploading() or self.pacer.wait(Lane.DELIVER) > 0:
            return False
        for item in due:
            if self.settling.missing.get(item.id):
                self._send_files(line, item, Rank.BLOBS)
                return True
        return False

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

    def _send_batch(self, line: int, due: Sequence[Waiting], rank: Rank) -> bool:
        pending = self.pending() if rank is Rank.BACKLOG else None
        batch = next_batch(due, size=self._size(pending), limits=self.settling.suspects.limits)
        envelopes: dict[Waiting, bytes] = {}
        for item in batch:
            envelope = self.drain.envelope(item)
            if isinstance(envelope, Ok):
                envelopes[item] = envelope.value
            elif envelope.error.fault is StoreFault.BROKEN:
                self.settling.park(item, "damaged")
            else:
                self.pacer.store_failed(envelope.error.fault.value)
        if not envelopes:
            return True
        items, contents = tuple(envelopes), tuple(envelopes.values())
        traffic = self.state.traffic

        def call(client: HallClient) -> Brought:
            answer = client.batch(contents, rank=rank, traffic=traffic, pending=pending)
            return Batch(items, sum(map(len, contents)), rank, answer)

        self._start(line, items, rank, call, SubmissionState.UPLOADING)
        return True

    def _size(self, pending: int | None) -> BatchSize:
        """Of the next batch; `pending`: of a backlog, those on the way included."""
        size = self.settling.size
        if pending is None:
            return size
        waiting = pending - sum(map(len, self._flying.values()))
        lines = 1 + list(self._ranks.values()).count(Rank.BACKLOG)
        return replace(size, items=share(size.items, waiting=waiting, lines=lines))

    def _send_announce(self, line: int, due: Sequence[Waiting]) -> None:
        items = tuple(due[: self.settling.announce_items])
        entries = (AnnounceItem(id=item.id, sha256=item.sha256, size=item.size, blobs=item.blobs) for item in items)
        announce = Announce(items=tuple(entries))
        call: Callable[[HallClient], Brought] = lambda client: Announced(items, client.announce(announce))  # noqa: E731
        self._start(line, items, Rank.BACKLOG, call, SubmissionState.SEALED)

    def _send_files(self, line: int, item: Waiting, rank: Rank) -> None:
        missing = self.settling.missing.pop(item.id)
        delivery = Delivery(self.drain, traffic=self.state.traffic, rank=rank, stopped=self.stopped)
        call: Callable[[HallClient], Brought] = lambda client: Delivered(  # noqa: E731
            item, delivery.deliver(client, item, missing)
        )
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
        twice = done.line in EXPRESS and self.express.used(done.line)
        if twice and isinstance(done.result, Batch) and self._answered(done.result):
            return
        self.settling.settle(done.result, stale=stale)

    def _answered(self, batch: Batch) -> bool:
        """It went over two lines, and the other one was quicker."""
        return not {item.id for item in batch.items} & set(self.state.fresh())


def lines_over(client: HallClient) -> Lines[Brought]:
    """The usual number of connections, like `client`'s."""
    return Lines([client.another() for _ in range(BULK_LINES + len(EXPRESS))])


def _greet(client: HallClient) -> Brought:
    return Greeted(client.manifest())
