"""The sync worker: submissions on one thread; outcomes of pages, bundle and heartbeat, its errands, on another.

A heartbeat that waits for its answer must not hold up what a citizen waits for, nor a bundle the heartbeat of a hall
that is busy. `step` does both in turn, what is due, and says how long nothing will be. Decisions are in `policy`,
waiting times in `pacing`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.contract.sync import BundleManifest, Heartbeat
from kiosk.core.clock import Clock
from kiosk.core.ports import StoreError
from kiosk.core.result import Err, Ok, Result
from offline_queue.drain import Drain
from offline_queue.hall_client import HallClient
from offline_queue.journal.pieces import JournalPieces
from offline_queue.journal.round import JournalRound
from offline_queue.journal.watch import JournalWatch, boot_id
from offline_queue.paper.sheets import SheetBook
from offline_queue.requeue import SecondChances
from offline_queue.returns import ReturnBook
from offline_queue.store import Store
from offline_queue.uplink.bundle_fetch import BundleFetch
from offline_queue.uplink.bundles import BundleKeeper, BundleRefused
from offline_queue.uplink.hedging import Hedges
from offline_queue.uplink.outcomes import OutcomeBox, OutcomeRound
from offline_queue.uplink.pacing import Lane, Pacer, StepOver
from offline_queue.uplink.policy import SyncDelays
from offline_queue.uplink.submissions import SubmissionRound, lines_over
from offline_queue.uplink.sync_state import SyncState
from offline_queue.uplink.traffic import Rank
from offline_queue.uplink.warmth import Warmth

_log = logging.getLogger(__name__)

_KEYS_BACK = 32
"""Bundles; a terminal that was away for longer is enrolled anew."""
_KEYS_ROOM = 256 * 1024
_LEAST_REST_S = 0.25
"""Of the thread for submissions: a heartbeat is due for as long as the other thread waits for its answer."""


@dataclass(frozen=True, slots=True)
class Sender:
    """What a heartbeat says about where it comes from."""

    terminal_id: str
    software: str


class SyncWorker:
    """Brings everything to the hall, for ever."""

    def __init__(
        self,
        *,
        sender: Sender,
        store: Store,
        state: SyncState,
        client: HallClient,
        bundles: BundleKeeper,
        clock: Clock,
        random: Callable[[], float],
        delays: SyncDelays,
        watch: JournalWatch | None = None,
    ) -> None:
        """`random` gives numbers in [0, 1) for the jitter; `watch` keeps the journal going and answers for it."""
        self._sender = sender
        self._store = store
        self._state = state
        self._client = client
        self._bundles = bundles
        self._clock = clock
        self._delays = delays
        self._pacer = Pacer(state=state, clock=clock, random=random, delays=delays)
        self._stopped = threading.Event()
        self._filed = threading.Event()
        self._errand = threading.Event()
        self._house_at = clock.monotonic() + delays.house
        self._round = SubmissionRound(
            lines=lines_over(client),
            warmth=Warmth(clock.monotonic),
            hedges=Hedges(clock.monotonic),
            drain=Drain(store),
            pacer=self._pacer,
            state=state,
            signing=lambda: bundles.keys.signing,
            stopped=self._stopped.is_set,
            pending=self._pending,
        )
        self._watch = watch or JournalWatch(store, clock=clock, boot=boot_id())
        self._journal = JournalRound(
            store.journal,
            JournalPieces(store.journal, store.db),
            client,
            self._pacer,
            state.traffic,
            self._stopped.is_set,
        )
        self._outcomes = OutcomeRound(OutcomeBox(store), client, self._pacer, self._stopped.is_set)
        self._sheets = SheetBook(store)
        self._bundle = BundleFetch(client, state.traffic)
        self._second_chances = SecondChances(store)
        self._returns = ReturnBook(store)
        if (waited := self._oldest()) >= delays.outage:
            self._pacer.returning(away_s=waited)

    def run(self) -> None:
        """Until `stop`."""
        errands = threading.Thread(target=self._run_errands, name="errands", daemon=True)
        errands.start()
        while not self._stopped.is_set():
            pause = self._post()
            if pause > 0:
                self._round.rest(pause)
            if self._filed.is_set():
                self._filed.clear()
                self._pacer.wake()
        errands.join()
        self.close()

    def _run_errands(self) -> None:
        while not self._stopped.is_set():
            if self._errand.wait(self._run_errand()):
                self._errand.clear()

    def wake(self) -> None:
        """Something was filed or printed, or somebody calls for help."""
        self._filed.set()
        self._errand.set()
        self._round.nudge()

    def stop(self) -> None:
        """End after the call in hand."""
        self._stopped.set()
        self.wake()

    def close(self) -> None:
        """Drop the connections for submissions; calls under way end by their own deadlines."""
        self._round.close()

    def step(self) -> float:
        """Do what is due; seconds until something is due again, unless woken."""
        return min(self._run_errand(), self._post())

    def _post(self) -> float:
        """Submissions; seconds until there is more to do."""
        try:
            if self._round.run():
                return 0.0
        except StepOver:
            if self._round.busy:
                return 0.0
        return self._pacer.paused() or max(_LEAST_REST_S, self._pacer.idle())

    def _run_errand(self) -> float:
        """Everything but submissions; seconds until there is more to do."""
        self._keep_house()
        self._journalled(self._watch.tick())
        called = self._state.help.pop_new()
        if called:
            self._pacer.hurry(Lane.HEARTBEAT)
        if (paused := self._pacer.paused()) > 0:
            return min(paused, self._until_house())
        try:
            if called:
                self._heartbeat()  # somebody stands there and waits; papers and bundles do not
            more = self._outcomes.run()
            self._manifest()
            self._heartbeat()
            if self._state.traffic.clear(Rank.BLOBS):  # not while somebody's filing needs the line
                more = self._journal.run() or more
        except StepOver:
            return min(self._pacer.paused(), self._until_house())
        return 0.0 if more else self._pacer.idle(self._until_house())

    def _pending(self) -> int:
        backlog = self._store.backlog()
        return backlog.value.pending if not isinstance(backlog, Err) else 0

    def _oldest(self) -> int:
        backlog = self._store.backlog()
        return backlog.value.oldest_unsent_s if not isinstance(backlog, Err) else 0

    def _until_house(self) -> float:
        return max(0.0, self._house_at - self._clock.monotonic())

    def _keep_house(self) -> None:
        if self._until_house() <= 0:
            self._journalled(self._watch.keep_house())
            self._house_at = self._clock.monotonic() + self._delays.house

    def _journalled(self, done: Result[None, StoreError]) -> None:
        """A journal that cannot be written holds up nothing; it is tried again, and a technician sees it."""
        if isinstance(done, Err):
            self._state.trouble("house", done.error.fault.value)
        else:
            self._state.well("house")
        if self._watch.large:
            self._state.trouble("journal_size", "journal_large")
        else:
            self._state.well("journal_size")

    def _manifest(self) -> None:
        if self._pacer.wait(Lane.MANIFEST) > 0:
            return
        manifest = self._client.manifest()
        if isinstance(manifest, Err):
            self._pacer.failed(Lane.MANIFEST, manifest.error)
            return
        if self._bundles.wants(manifest.value) and not self._fetch(manifest.value):
            return
        self._pacer.went_well(Lane.MANIFEST, again=self._delays.manifest)

    def _fetch(self, manifest: BundleManifest) -> bool:
        old = self._bundles.held()
        raw = self._bundle.fetch(manifest, have=self._bundles.number if old else 0, old=old)
        if isinstance(raw, Err):
            self._pacer.failed(Lane.MANIFEST, raw.error)
            return False
        taken = self._bundles.take(raw.value, manifest)
        if isinstance(taken, Err) and taken.error is BundleRefused.UNSIGNED and self._learn_keys(manifest):
            taken = self._bundles.take(raw.value, manifest)
        if isinstance(taken, Err):
            # Signed wrongly or torn: asking again at once would bring the same bytes.
            self._pacer.went_well(Lane.MANIFEST, again=self._delays.manifest)
            self._state.trouble(Lane.MANIFEST, taken.error.value)
            _log.warning("bundle %d refused: %s", manifest.number, taken.error.value)
            return False
        _log.info("bundle %d", manifest.number)
        return True

    def _learn_keys(self, manifest: BundleManifest) -> bool:
        """The hall changed its key while we were away (换钥): an older bundle says so."""
        for number in range(manifest.number - 1, max(self._bundles.number, manifest.number - _KEYS_BACK) - 1, -1):
            raw = self._client.bundle(number, size=2 * manifest.size + _KEYS_ROOM) if number > 0 else None
            if isinstance(raw, Ok) and self._bundles.learn(raw.value):
                return True
        return False

    def _heartbeat(self) -> None:
        if self._pacer.wait(Lane.HEARTBEAT) > 0:
            return
        backlog = self._store.backlog()
        if isinstance(backlog, Err):
            self._pacer.store_failed(backlog.error.fault.value)
        sheets = self._sheets.count()
        if isinstance(sheets, Err):
            self._pacer.store_failed(sheets.error.fault.value)
        heard = self._returns.heard()
        if isinstance(heard, Err):
            self._pacer.store_failed(heard.error.fault.value)
        call = self._state.help.to_tell(self._clock.now())
        heartbeat = Heartbeat(
            terminal_id=self._sender.terminal_id,
            at=self._clock.now(),
            software=self._sender.software,
            bundle=self._bundles.number,
            pending=backlog.value.pending,
            parked=backlog.value.parked,
            oldest_unsent_s=backlog.value.oldest_unsent_s,
            devices=self._state.devices,
            papers_left=self._state.papers_left,
            sheets_ready=sheets.value.ready,
            help_called_at=call.at if call else None,
            returns_heard=heard.value,
        )
        asked = self._clock.monotonic()
        sent = self._client.heartbeat(heartbeat)
        if isinstance(sent, Err):
            self._pacer.failed(Lane.HEARTBEAT, sent.error, again=self._delays.heartbeat)
            return
        self._pacer.went_well(Lane.HEARTBEAT, again=self._delays.heartbeat)
        if isinstance(taken := self._returns.take(sent.value.returned), Err):
            self._pacer.store_failed(taken.error.fault.value)
        if isinstance(again := self._second_chances.take(sent.value.send_again), Err):
            self._pacer.store_failed(again.error.fault.value)
        if again.value:
            self._filed.set()
        if sent.value.hall_time is not None:
            self._state.clock.heard(sent.value.hall_time, asked=asked)
        if call:
            self._state.help.told(call.at, acknowledged=sent.value.help_acknowledged_at is not None)
