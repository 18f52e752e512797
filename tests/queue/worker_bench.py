"""One terminal's queue, its sync worker stepped by hand, and the simplest ways in which a hall misbehaves."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from kiosk.core.ports import SealedSubmission
from kiosk.core.result import Ok
from offline_queue.hall_client import CallLimits, HallClient
from offline_queue.keys.identity import load_identity
from offline_queue.outbox import Intake
from offline_queue.store import Store
from offline_queue.sync import Sender, SyncWorker
from offline_queue.uplink.bundles import BundleKeeper
from offline_queue.uplink.policy import SyncDelays
from offline_queue.uplink.sync_state import SyncState
from tests.queue.conftest import FakeClock, Request, Terminal, TestHall, reply

Fault = Callable[[TestHall, BaseHTTPRequestHandler, Request], bool]


class Stepped:
    """One terminal's queue and its real sync worker, stepped by hand on a fake clock."""

    def __init__(
        self,
        terminal: Terminal,
        clock: FakeClock,
        *,
        call_s: float,
        state: SyncState,
        random: Callable[[], float],
        delays: SyncDelays,
    ) -> None:
        """`call_s`: seconds that a call may take, whatever it brings."""
        self.terminal, self.clock, self.state = terminal, clock, state
        self.store = Store(Path(terminal.layout.queue), clock=clock)
        self.intake = Intake(self.store, clock=clock, region="440699", terminal_id="T001")
        identity = load_identity(terminal.data)
        limits = CallLimits(connect_s=call_s, call_s=call_s, transfer_s=call_s)
        self.client = HallClient(base_url=terminal.profile.hall.url, identity=identity, limits=limits)
        self.bundles = BundleKeeper(Path(terminal.layout.bundle_file), enrolled_keys=identity.enrolled_keys)
        self.worker = SyncWorker(
            sender=Sender("T001", "test"),
            store=self.store,
            state=state,
            client=self.client,
            bundles=self.bundles,
            clock=clock,
            random=random,
            delays=delays,
        )

    def close(self) -> None:
        self.worker.stop()
        self.worker.close()
        self.client.close()
        self.store.close()


class Bench(Stepped):
    """It files, settles and tells, with a hall that counts what it is asked."""

    def __init__(self, terminal: Terminal, hall: TestHall, clock: FakeClock, *, state: SyncState | None = None) -> None:
        super().__init__(
            terminal, clock, call_s=2, state=state or SyncState(), random=lambda: 0.999, delays=SyncDelays()
        )
        self.hall = hall

    def file(self, *serials: int, blobs: int = 0, blob_bytes: int = 3000) -> list[SealedSubmission]:
        filings = [self.terminal.filing(serial, blobs=blobs, blob_bytes=blob_bytes) for serial in serials]
        for sealed in filings:
            assert self.intake.put(sealed, card_tag=b"", slip=b"") == Ok(None)
        return filings

    def settle(self, *, seconds: float = 0.0) -> None:
        """Step until nothing is due at once, then let time pass and do it again."""
        self._until_quiet()
        if seconds:
            self.clock.advance(seconds)
            self._until_quiet()

    def _until_quiet(self) -> None:
        for _ in range(500):
            if self.worker.step() > 0:
                return
        pytest.fail("the worker spins")

    def states(self) -> dict[str, str]:
        entries = self.store.entries()
        assert isinstance(entries, Ok)
        return {entry.id: entry.state.value for entry in entries.value}

    def codes(self) -> dict[str, str]:
        entries = self.store.entries()
        assert isinstance(entries, Ok)
        return {entry.id: entry.last_code for entry in entries.value}

    def asked(self, path: str) -> int:
        return sum(asked.startswith(path) for _, asked in self.hall.requests)


def closing(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
    http.close_connection = True
    return True


def portal(status: int, body: bytes = b"<html>Please log in</html>", media: str = "text/html") -> Fault:
    return lambda hall, http, request: reply(http, status, body, media, {"Location": "https://127.0.0.1/"})
