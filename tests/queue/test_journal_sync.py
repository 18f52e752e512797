"""The journal on the sync worker's loop: last of all, signed, on its own when the hall does not want it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from kiosk.contract.journal import JournalMark
from kiosk.contract.problems import ProblemCode
from kiosk.core.ports import SubmissionState
from kiosk.core.result import Ok
from offline_queue.hall_client import CallLimits, HallClient
from offline_queue.journal.table import JournalState
from offline_queue.journal.watch import JournalWatch, Signer
from offline_queue.keys.identity import load_identity
from offline_queue.outbox import Intake
from offline_queue.store import Store
from offline_queue.sync import Sender, SyncWorker
from offline_queue.uplink.bundles import BundleKeeper
from offline_queue.uplink.policy import SyncDelays
from offline_queue.uplink.sync_state import SyncState
from tests.queue.conftest import FakeClock, Request, Terminal, TestHall, reply, reply_json, reply_problem


@dataclass
class Bench:
    """A queue whose worker is stepped by hand."""

    terminal: Terminal
    hall: TestHall
    clock: FakeClock
    store: Store
    state: SyncState
    client: HallClient
    worker: SyncWorker

    def settle(self, seconds: float = 0.0) -> None:
        self.clock.advance(seconds)
        for _ in range(300):
            if self.worker.step() > 0:
                return
        pytest.fail("the worker spins")

    def file(self, *serials: int) -> list[str]:
        intake = Intake(self.store, clock=self.clock, region="440699", terminal_id="T001")
        sealed = [self.terminal.filing(serial) for serial in serials]
        for one in sealed:
            assert intake.put(one, card_tag=b"", slip=b"") == Ok(None)
        return [one.id for one in sealed]

    @property
    def journal(self) -> JournalState:
        state = self.store.journal.state()
        assert isinstance(state, Ok)
        return state.value


@pytest.fixture
def bench(terminal: Terminal, hall: TestHall, clock: FakeClock, expected_logs: set[str]) -> Iterator[Bench]:
    expected_logs.add("offline_queue")
    hall.publish(1)
    store = Store(Path(terminal.layout.queue), clock=clock)
    state = SyncState(monotonic=clock.monotonic)
    identity = load_identity(terminal.data)
    client = HallClient(
        base_url=terminal.profile.hall.url, identity=identity, limits=CallLimits(connect_s=2, call_s=2, transfer_s=2)
    )
    worker = SyncWorker(
        sender=Sender("T001", "test"),
        store=store,
        state=state,
        client=client,
        bundles=BundleKeeper(Path(terminal.layout.bundle_file), enrolled_keys=identity.enrolled_keys),
        clock=clock,
        random=lambda: 0.999,
        delays=SyncDelays(),
        watch=JournalWatch(store, clock=clock, boot=b"b" * 16, signer=Signer("T001", identity.signing)),
    )
    yield Bench(terminal, hall, clock, store, state, client, worker)
    worker.close()
    client.close()
    store.close()


def asked(bench: Bench) -> int:
    return sum(path == "/v1/journal" for _, path in bench.hall.requests)


def test_what_happened_is_signed_after_five_minutes_and_told_once(bench: Bench) -> None:
    (one,) = bench.file(1)
    bench.settle()
    assert bench.store.state(one) == Ok(SubmissionState.ACCEPTED)
    assert asked(bench) == 0, "nothing is signed for yet"
    bench.settle(301)
    assert bench.hall.checkpoints == 1
    assert bench.journal.told == bench.journal.checkpointed
    before = asked(bench)
    for _ in range(10):
        bench.settle(6)
    assert asked(bench) == before, "nothing new, nothing told"


def test_a_quiet_terminal_signs_now_and_then(bench: Bench) -> None:
    bench.settle(301)
    for _ in range(4):
        bench.settle(6 * 3600 + 1)
    assert bench.hall.checkpoints == 5


@pytest.mark.parametrize("fault", ["old hall", "garbage", "another epoch", "behind for ever"])
def test_a_hall_that_makes_no_sense_of_it_holds_up_nothing(bench: Bench, fault: str) -> None:
    def answer(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        match fault:
            case "old hall":
                return reply_problem(http, 404, ProblemCode.NOT_FOUND)
            case "garbage":
                return reply(http, 200, b"<html>welcome</html>", "text/html")
            case "another epoch":
                return reply_json(http, 200, JournalMark(epoch="00" * 16, seq=1, head="00" * 32, state="known"))
            case _:
                epoch = bench.journal.head.epoch.hex()
                return reply_json(http, 200, JournalMark(epoch=epoch, seq=0, head="", state="unknown"))

    bench.hall.faults["/v1/journal"] = answer
    bench.settle(301)
    assert bench.journal.told == 0
    (one,) = bench.file(1)
    bench.settle(6)
    assert bench.store.state(one) == Ok(SubmissionState.ACCEPTED)
    assert bench.state.last_error in ("not_found", "garbage")
    assert asked(bench) < 5
    del bench.hall.faults["/v1/journal"]
    for _ in range(4):
        bench.settle(100)
    assert bench.journal.told == bench.journal.checkpointed > 0
    assert bench.state.last_error == ""


def test_a_hall_that_cries_fork_every_time_gets_one_new_epoch(bench: Bench) -> None:
    def forked(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        return reply_json(
            http, 200, JournalMark(epoch=bench.journal.head.epoch.hex(), seq=9, head="00" * 32, state="forked")
        )

    bench.hall.faults["/v1/journal"] = forked
    first = bench.journal.head.epoch
    epochs = {first}
    for _ in range(20):
        bench.settle(301)
        epochs.add(bench.journal.head.epoch)
    assert len(epochs) == 2
