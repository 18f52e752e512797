"""The queue process (`kiosk sync`): the one owner of the store, which also brings everything to the hall.

It may be killed at any moment; whoever supervises it starts it again.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import sqlite3
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.core.clock import Clock, SystemClock
from kiosk.core.ports import QueueStatus, StoreError
from kiosk.core.profile import DataLayout, Profile
from kiosk.core.result import Err, Result
from offline_queue.counters import count_on
from offline_queue.disk.files import Locked, make_directory
from offline_queue.disk.schema import SchemaError
from offline_queue.disk.space import SpaceLimits
from offline_queue.hall_client import CallLimits, HallClient
from offline_queue.ipc.server import QueueServer
from offline_queue.ipc.service import QueueService
from offline_queue.journal.watch import JournalWatch, Signer, boot_id
from offline_queue.keys.identity import NotEnrolled, believed_keys, load_enrolment, load_identity
from offline_queue.keys.renewal import Renewal, RenewalPlan
from offline_queue.outbox import Intake
from offline_queue.store import Retention, Store
from offline_queue.sync import Sender, SyncWorker
from offline_queue.uplink.bundles import BundleKeeper
from offline_queue.uplink.policy import SyncDelays
from offline_queue.uplink.sync_state import SyncState

_log = logging.getLogger(__name__)

_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})

EXIT_STORE = 3
"""The store cannot be opened or must not be used."""
EXIT_LOCKED = 4
"""Another queue process owns this data directory."""
EXIT_FAULT = 70
"""A thread met the unexpected; sysexits(3) EX_SOFTWARE."""


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """Everything that may be tuned; the defaults are what a terminal uses."""

    delays: SyncDelays = field(default_factory=SyncDelays)
    calls: CallLimits = field(default_factory=CallLimits)
    space: SpaceLimits = field(default_factory=SpaceLimits)
    retention: Retention = field(default_factory=Retention)
    enrolment_s: float = 2.0
    """How often a terminal that is not enrolled yet looks for its identity."""
    renewal: RenewalPlan = field(default_factory=RenewalPlan)
    renewal_s: float = 60.0
    """How long the first look at the certificate waits: the link has to come first."""
    stop_s: float = 3.0
    """How long a call to the hall may still take when the process is asked to end."""


class QueueProcess:
    """Store, socket and sync worker of one data directory."""

    def __init__(
        self,
        profile: Profile,
        *,
        data: Path,
        software: str,
        options: QueueOptions | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Open the store and listen; raises Locked, SchemaError, sqlite3.Error or OSError."""
        self._profile = profile
        self._data = data
        self._layout = DataLayout(data)
        self._software = software
        self._options = options or QueueOptions()
        self._clock = clock or SystemClock()
        self._state = SyncState(monotonic=self._clock.monotonic, clock=self._clock)
        self._worker: SyncWorker | None = None
        self._stopped = threading.Event()
        make_directory(Path(self._layout.run))
        self._store = Store(
            Path(self._layout.queue),
            clock=self._clock,
            limits=self._options.space,
            retention=self._options.retention,
        )
        intake = Intake(self._store, clock=self._state.clock, region=profile.region, terminal_id=profile.terminal_id)
        self._service = QueueService(
            self._store, intake, self._state, wake=self._wake, hall_keys=lambda: believed_keys(data)
        )
        self._watch = JournalWatch(
            self._store,
            clock=self._clock,
            boot=boot_id(),
            drafts=Path(self._layout.drafts),
            logs=Path(self._layout.logs),
        )
        self._server = QueueServer(Path(self._layout.queue_socket), self._service.answer)
        self._sync = threading.Thread(target=self._synchronise, name="sync", daemon=True)
        self._renewing = threading.Thread(target=self._renew, name="renewal", daemon=True)

    def start(self) -> None:
        """Answer the socket and bring everything to the hall, in threads."""
        self._count_on()
        self._tell(self._watch.start(software=self._software))
        self._server.start()
        self._sync.start()
        self._renewing.start()

    def stop(self) -> None:
        """End in order; what was cut off is done again at the next start."""
        self._stopped.set()
        self._server.stop()
        if (worker := self._worker) is not None:
            worker.stop()
        self._sync.join(self._options.stop_s)
        self._tell(self._watch.stop())
        self._store.close()

    def status(self) -> QueueStatus:
        """The queue in numbers."""
        return self._service.status()

    def _wake(self) -> None:
        if (worker := self._worker) is not None:
            worker.wake()

    @staticmethod
    def _tell(journalled: Result[None, StoreError]) -> None:
        """A journal that cannot be written keeps nobody from being served."""
        if isinstance(journalled, Err):
            _log.warning("journal: %s %s", journalled.error.fault, journalled.error.detail)

    def _synchronise(self) -> None:
        while not self._stopped.is_set():
            try:
                worker, client = self._make_worker()
            except NotEnrolled as error:
                self._state.trouble("identity", "not_enrolled")
                _log.warning("not enrolled: %s", error)
                self._stopped.wait(self._options.enrolment_s)
                continue
            self._state.well("identity")
            self._worker = worker
            if not self._stopped.is_set():
                worker.run()
            client.close()

    def _renew(self) -> None:
        """证书续期: its own thread, for nothing else waits for it."""
        options = self._options
        renewal = Renewal(
            self._data,
            hall=self._hall_client,
            now=self._state.clock.now,
            changed=self._identity_changed,
            plan=options.renewal,
        )
        renewal.run(self._stopped, state=self._state, pause_s=options.renewal_s)

    def _hall_client(self) -> HallClient:
        identity = load_identity(self._data)
        return HallClient(base_url=self._profile.hall.url, identity=identity, limits=self._options.calls)

    def _identity_changed(self) -> None:
        """Whoever works with the old one ends; the next worker finds the new one."""
        if (worker := self._worker) is not None:
            worker.stop()

    def _count_on(self) -> None:
        """Before anybody asks for a number: the hall knows which ones this terminal's id may have given already."""
        try:
            counters = load_enrolment(self._data).counters
        except NotEnrolled:
            return
        if counters and isinstance(done := count_on(self._store, counters), Err):
            _log.warning("counters: %s %s", done.error.fault, done.error.detail)

    def _make_worker(self) -> tuple[SyncWorker, HallClient]:
        identity = load_identity(self._data)
        if identity.terminal_id != self._profile.terminal_id:
            raise NotEnrolled("identity belongs to another terminal than the profile")
        self._count_on()
        self._watch.answer_for(Signer(identity.terminal_id, identity.signing))
        bundles = BundleKeeper(Path(self._layout.bundle_file), enrolled_keys=identity.enrolled_keys)
        client = HallClient(base_url=self._profile.hall.url, identity=identity, limits=self._options.calls)
        worker = SyncWorker(
            sender=Sender(identity.terminal_id, self._software),
            store=self._store,
            state=self._state,
            client=client,
            bundles=bundles,
            clock=self._clock,
            random=random.SystemRandom().random,
            delays=self._options.delays,
            watch=self._watch,
        )
        return worker, client


def main(profile: Profile, *, data: Path, software: str, options: QueueOptions | None = None) -> int:
    """Run until SIGTERM or SIGINT; the exit code. Logs ids and codes, never contents.

    A caller that has set up logging or crash handling keeps its own.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _die
    # Blocked here and in every thread, and waited for below: no handler can cut in while a lock is held.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        process = QueueProcess(profile, data=data, software=software, options=options)
    except Locked as error:
        _log.error("%s", error)
        return EXIT_LOCKED
    except (SchemaError, sqlite3.Error, OSError) as error:
        _log.error("queue cannot start: %s", error)
        return EXIT_STORE
    _log.info("queue of %s, SQLite %s", profile.terminal_id, sqlite3.sqlite_version)
    process.start()
    signal.sigwait(_ENDING)
    process.stop()
    return 0


def _die(failure: threading.ExceptHookArgs) -> None:
    """Half a process is worse than none: the supervisor starts a whole one."""
    _log.critical("thread failed", exc_info=failure.exc_value)
    os._exit(EXIT_FAULT)
