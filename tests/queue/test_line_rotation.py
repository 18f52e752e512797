"""换钥: the hall's sealing and signing keys change while submissions wait; nothing is lost and nothing is doubted."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.contract.envelope import parse_envelope
from kiosk.contract.signing import SigningKey, verify_receipt
from kiosk.core.ports import SubmissionState
from kiosk.core.result import Ok
from offline_queue.client import QueueClient
from offline_queue.keys.identity import current_keys, load_identity
from offline_queue.process import QueueOptions, QueueProcess
from offline_queue.seal import TerminalSealer
from offline_queue.uplink.bundles import BundleKeeper
from offline_queue.uplink.policy import Backoff, SyncDelays
from tests.hall.conftest import HallProcess, TestTerminal, enrolled
from tests.queue.conftest import FakeClock, HallSecrets, Terminal, TestHall, reply
from tests.queue.lying_line import Bench

Wait = Callable[..., bool]
QUICK = QueueOptions(
    delays=SyncDelays(
        heartbeat=0.5, manifest=0.2, link=Backoff(0.05, 0.2), hall=Backoff(0.05, 0.2), item=Backoff(0.05, 0.2)
    )
)


@pytest.fixture
def real_hall(tmp_path: Path) -> HallProcess:
    process = HallProcess(tmp_path / "real")
    process.do("publish")
    return process


def sealed_by(terminal: TestTerminal, queue: QueueClient) -> tuple[str, str]:
    """Files one; its id and the id of the hall's key that it is sealed to."""
    number = queue.reserve_number()
    assert isinstance(number, Ok)
    session = TerminalSealer.of(terminal.machine.data).open_session()
    sealed = session.seal(terminal.question(application_no=number.value), ())
    session.close()
    assert queue.put(sealed, card_tag=b"", slip=b"") == Ok(None)
    return sealed.id, parse_envelope(sealed.envelope).header.hall_key


def test_what_waits_under_the_old_keys_opens_and_receipts_of_the_new_ones_verify(
    real_hall: HallProcess, tmp_path: Path, expected_logs: set[str], wait_for: Wait
) -> None:
    expected_logs.add("offline_queue")
    real_hall.start()
    terminal = enrolled(real_hall, tmp_path / "terminal")
    machine = terminal.machine
    first = current_keys(load_identity(machine.data), machine.data)
    process = QueueProcess(machine.profile, data=machine.data, software="test", options=QUICK)
    process.start()
    queue = QueueClient(Path(machine.layout.queue_socket))
    try:
        assert wait_for(lambda: Path(machine.layout.bundle_file).is_file())
        real_hall.kill()
        waiting = [sealed_by(terminal, queue)]
        # Twice, so that no bundle tells of the newest key under the one of enrolment.
        for _ in range(2):
            done = real_hall.do("rotate_keys")
        real_hall.start()
        running = real_hall.do("rotate_keys")  # and once more while it runs
        assert running["seal"] != done["seal"]
        assert wait_for(lambda: queue.state(waiting[0][0]) == Ok(SubmissionState.ACCEPTED)), queue.entries()
        assert wait_for(
            lambda: running["seal"] == TerminalSealer.of(machine.data).open_session()._seal.hall_key  # type: ignore[attr-defined]
        )
        waiting.append(sealed_by(terminal, queue))
        assert waiting[1][1] == running["seal"] != waiting[0][1]
        assert wait_for(lambda: queue.status().pending == 0), queue.entries()
        real_hall.kill()
        real_hall.start()  # signs with the newest from here on
        waiting.append(sealed_by(terminal, queue))
        assert wait_for(lambda: queue.status().pending == 0), queue.entries()
        assert queue.status().parked == 0
    finally:
        process.stop()
        real_hall.kill()
        terminal.http.close()
    believed = current_keys(load_identity(machine.data), machine.data).signing
    assert {running["sign"], done["sign"], *first.signing} <= set(believed)
    signers = {receipt[2:6].hex() for receipt in receipts(machine.layout.queue_db)}
    assert running["sign"] in signers and len(signers) >= 2
    for receipt in receipts(machine.layout.queue_db):
        verify_receipt(receipt, believed)


def receipts(database: object) -> list[bytes]:
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    rows = db.execute("select receipt from receipts order by seq").fetchall()
    db.close()
    return [bytes(row[0]) for row in rows]


def test_a_terminal_that_was_away_learns_the_key_from_the_bundle_that_brought_it(
    terminal: Terminal, hall: TestHall, clock: FakeClock, expected_logs: set[str]
) -> None:
    """Bundle 1 brings key B under key A, bundle 2 is signed by B alone: the newest one only makes sense after both."""
    expected_logs.add("offline_queue")
    fresh = HallSecrets(SigningKey.generate(), terminal.secrets.sealing, terminal.secrets.recovery)
    bundles: dict[int, bytes] = {}
    hall.publish(1, keys=(*terminal.secrets.public(), fresh.public()[0]))
    bundles[1] = hall.bundle
    hall.publish(2, key=fresh.signing, keys=fresh.public())
    bundles[2] = hall.bundle
    hall.faults["/v1/bundle/1"] = lambda _h, http, _r: reply(http, 200, bundles[1], "application/octet-stream")
    bench = Bench(terminal, clock, seed=1)
    bench.worker.step()
    bench.close()
    assert bench.bundles.number == 2
    after_restart = BundleKeeper(
        Path(terminal.layout.bundle_file), enrolled_keys=load_identity(terminal.data).enrolled_keys
    )
    assert after_restart.number == 2
    assert fresh.signing.id in current_keys(load_identity(terminal.data), terminal.data).signing


def test_a_key_that_nobody_vouches_for_is_not_learned(
    terminal: Terminal, hall: TestHall, clock: FakeClock, expected_logs: set[str]
) -> None:
    expected_logs.add("offline_queue")
    stranger = HallSecrets.generate()
    hall.publish(2, key=stranger.signing, keys=stranger.public())
    bench = Bench(terminal, clock, seed=1)
    bench.worker.step()
    bench.close()
    assert bench.bundles.number == 0
    assert stranger.signing.id not in current_keys(load_identity(terminal.data), terminal.data).signing
