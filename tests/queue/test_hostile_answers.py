"""Whatever stands in an answer, it is a typed trouble, and the process goes on: the same answer may come every time."""

from __future__ import annotations

import base64
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kiosk.contract.enrolment import EnrolResponse
from kiosk.contract.journal import JournalBatch
from kiosk.contract.signing import SigningKey
from kiosk.core.result import Err, Ok
from offline_queue.hall_client import CallLimits, HallClient
from offline_queue.journal.watch import Signer
from offline_queue.keys.identity import load_identity
from offline_queue.keys.renewal_keys import BadGeneration, check_answer, new_tls_key
from offline_queue.outbox import Intake
from offline_queue.store import Store
from offline_queue.uplink.sync_state import SyncState
from tests.queue.conftest import FakeClock, Terminal, TestHall, reply
from tests.queue.worker_bench import Bench

JSON = "application/json"
P256, SM2 = bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a811ccf5501822d")


@pytest.fixture
def client(terminal: Terminal) -> Iterator[HallClient]:
    identity = load_identity(terminal.data)
    made = HallClient(base_url=terminal.profile.hall.url, identity=identity, limits=CallLimits(call_s=3))
    yield made
    made.close()


@pytest.mark.parametrize(
    "answer",
    [
        '{"returned":[{"id":"%s","order":9223372036854775808,"code":"x"}]}',
        '{"send_again":[{"id":"%s","order":-1}]}',
        '{"hall_time":"9999-12-31T23:59:59.999999Z"}',
    ],
)
def test_no_number_in_a_heartbeats_answer_ends_the_queue(bench: Bench, hall: TestHall, answer: str) -> None:
    (filed,) = bench.file(1)
    raw = answer.replace("%s", filed.id).encode()
    hall.faults["/v1/heartbeat"] = lambda hall, http, request: reply(http, 200, raw, JSON)
    bench.settle(seconds=6)
    assert bench.states()[filed.id] == "accepted"


def test_a_hall_at_the_end_of_time_is_not_believed(terminal: Terminal, clock: FakeClock) -> None:
    state = SyncState(monotonic=clock.monotonic, clock=clock)
    state.clock.heard(datetime.fromisoformat("9999-12-31T22:00:00+00:00"), asked=clock.monotonic())
    store = Store(Path(terminal.layout.queue), clock=clock)
    intake = Intake(store, clock=state.clock, region="440699", terminal_id="T001")
    clock.advance(60)
    assert isinstance(intake.reserve_number(), Ok)
    store.close()


def test_no_retry_after_ends_the_queue(bench: Bench, hall: TestHall) -> None:
    (filed,) = bench.file(1)
    verdict = f'{{"id":"{filed.id}","status":"retry","retry_after_s":1{"0" * 400}}}'
    raw = f'{{"hall_time":"2026-11-22T08:00:00Z","verdicts":[{verdict}]}}'.encode()
    hall.faults["/v1/batches"] = lambda hall, http, request: reply(http, 200, raw, JSON)
    bench.settle(seconds=6)
    hall.faults.clear()
    bench.settle(seconds=1000)
    assert bench.states()[filed.id] == "accepted"


def test_no_mark_of_the_journal_ends_the_queue(bench: Bench, hall: TestHall) -> None:
    def far(hall: TestHall, http: Any, request: Any) -> bool:
        epoch = JournalBatch.parse(request.body).before.epoch.hex()
        raw = f'{{"epoch":"{epoch}","seq":-1{"0" * 30},"head":"","state":"known"}}'
        return reply(http, 200, raw.encode(), JSON)

    bench.worker._watch.answer_for(Signer("T001", SigningKey.generate()))
    hall.faults["/v1/journal"] = far
    bench.file(1)
    for _ in range(20):
        bench.settle(seconds=61)
    assert bench.asked("/v1/journal")


def test_an_offset_of_thousands_of_digits_is_garbage(client: HallClient, hall: TestHall) -> None:
    headers = {"Upload-Offset": "9" * 5000}
    hall.faults["/v1/blobs"] = lambda hall, http, request: reply(http, 200, b"", JSON, headers)
    assert isinstance(client.blob_offset("0" * 64), Err)


@pytest.mark.parametrize("location", ["https://[", "/\xce\xe4", "http://:99999999/"])
def test_wherever_it_is_redirected_to_nobody_looks_there(client: HallClient, hall: TestHall, location: str) -> None:
    headers = {"Location": location}
    hall.faults["/v1/bundle"] = lambda hall, http, request: reply(http, 302, b"", "text/html", headers)
    answer = client.manifest()
    assert isinstance(answer, Err)
    assert answer.error.name == "redirect"


def test_the_page_of_a_portal_is_not_read_without_end(client: HallClient, hall: TestHall) -> None:
    def flood(hall: TestHall, http: Any, request: Any) -> bool:
        http.send_response(302)
        http.send_header("Location", "/login")
        http.send_header("Content-Length", str(50_000_000))
        http.end_headers()
        http.close_connection = True
        try:
            for _ in range(50):
                http.wfile.write(bytes(1_000_000))
        except OSError:
            pass  # the terminal has hung up
        return True

    hall.faults["/v1/bundle"] = flood
    tracemalloc.start()
    answer = client.manifest()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (isinstance(answer, Err), peak < 10_000_000) == (True, True), peak


def test_a_certificate_on_a_curve_that_is_not_known_here_is_refused(pki: Any) -> None:
    def on_sm2(pem: bytes) -> str:
        body = base64.b64decode(b"".join(pem.splitlines()[1:-1])).replace(P256, SM2)
        return f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(body).decode()}-----END CERTIFICATE-----\n"

    answer = EnrolResponse.model_construct(
        terminal_id="T001",
        certificate=on_sm2(pki.client) + on_sm2(pki.ca),
        ca=on_sm2(pki.ca),
        expires_at=datetime.now(UTC),
    )
    with pytest.raises(BadGeneration):
        check_answer(answer, terminal_id="T001", tls_key=new_tls_key(), root=pki.ca)
