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


class Bench:
    """One terminal's queue, stepped by hand on a fake clock."""

    def __init__(self, terminal: Terminal, hall: TestHall, clock: FakeClock, *, state: SyncState | None = None) -> None:
        self.terminal, self.hall, self.clock = terminal, hall, clock
        self.store = Store(Path(terminal.layout.queue), clock=clock)
        self.intake = Intake(self.store, clock=clock, region="440699", terminal_id="T001")
        self.state = state or SyncState()
        identity = load_identity(terminal.data)
        limits = CallLimits(connect_s=2, call_s=2, transfer_s=2)
        self.client = HallClient(base_url=terminal.profile.hall.url, identity=identity, limits=limits)
        self.bundles = BundleKeeper(Path(terminal.layout.bundle_file), enrolled_keys=identity.enrolled_keys)
        self.worker = SyncWorker(
            sender=Sender("T001", "test"),
            store=self.store,
            state=self.state,
            client=self.client,
            bundles=self.bundles,
            clock=clock,
            random=lambda: 0.999,
            delays=SyncDelays(),
        )

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

    def close(self) -> None:
        self.worker.close()
        self.client.close()
        self.store.close()


def closing(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
    http.close_connection = True
    return True


def portal(status: int, body: bytes = b"<html>Please log in</html>", media: str = "text/html") -> Fault:
    return lambda hall, http, request: reply(http, status, body, media, {"Location": "https://127.0.0.1/"})
