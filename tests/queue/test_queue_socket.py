"""The queue process's socket and its client: whoever dies or lies on one end, the other end stays well."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import stat
import struct
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.contract.envelope import MAX_BLOBS
from kiosk.contract.frames import MAX_HEAD, Frame, FrameReader, encode_frame
from kiosk.contract.sync import DeviceReport
from kiosk.core.ports import (
    Assistance,
    HelpCall,
    HelpState,
    Link,
    Outbox,
    Owed,
    StoreFault,
    SubmissionState,
)
from kiosk.core.print_ledger import PrintState
from kiosk.core.result import Err, Ok
from offline_queue.client import ClientDelays, QueueClient
from offline_queue.disk.database import transaction
from offline_queue.ipc.local_socket import FrameSocket, connect, listen
from offline_queue.ipc.messages import parse_request
from offline_queue.ipc.server import QueueServer, ServerLimits
from offline_queue.ipc.service import QueueService
from offline_queue.outbox import Intake
from offline_queue.paper.ledger_client import LedgerClient
from offline_queue.store import Store
from offline_queue.uplink.sync_state import SyncState
from tests.queue.conftest import FakeClock, Terminal
from tests.queue.worker_bench import Bench

QUICK = ClientDelays(call_s=0.3, status_s=0.3, again_s=0.01)
TAG = bytes(range(32))


class Running:
    """Store, service and socket without the sync worker."""

    def __init__(self, root: Path, clock: FakeClock) -> None:
        self.path = root / "queue.sock"
        self.woken = 0
        self.state = SyncState()
        self.store = Store(root / "queue", clock=clock)
        intake = Intake(self.store, clock=clock, region="440699", terminal_id="T001")
        self.service = QueueService(self.store, intake, self.state, wake=self._wake)
        self.server = QueueServer(self.path, self.service.answer, limits=ServerLimits(request_s=0.5, connections=4))
        self.server.start()
        self.client = QueueClient(self.path)

    def _wake(self) -> None:
        self.woken += 1

    def stop(self) -> None:
        self.server.stop()
        self.store.close()


@pytest.fixture
def running(tmp_path: Path, clock: FakeClock) -> Iterator[Running]:
    made = Running(tmp_path, clock)
    yield made
    made.stop()


def test_the_whole_port_over_the_socket(running: Running, terminal: Terminal) -> None:
    outbox: Outbox = running.client
    sealed = terminal.filing(1, blobs=2)
    assert outbox.reserve_number() == Ok(sealed.application_no)
    assert outbox.put(sealed, card_tag=TAG, slip=b"\x00slip\xff") == Ok(None)
    assert running.woken == 1
    assert outbox.state(sealed.id) == Ok(SubmissionState.SEALED)
    assert outbox.state("unknown") == Ok(SubmissionState.ABSENT)
    owed = Owed(sealed.id, sealed.application_no, PrintState.INTENDED, b"\x00slip\xff")
    assert outbox.owed(TAG) == Ok((owed,))
    assert outbox.owed(b"") == Ok(())
    assert LedgerClient(running.path).settle(sealed.id, PrintState.PROVEN) == Ok(None)
    assert outbox.owed(TAG) == Ok(())
    status = outbox.status()
    assert (status.link, status.pending, status.parked, status.accepting) == (Link.UNKNOWN, 1, 0, True)


def test_refusals_come_through_with_their_code(running: Running, terminal: Terminal) -> None:
    sealed, other = terminal.filing(1), terminal.filing(1)
    assert running.client.put(sealed, card_tag=TAG, slip=b"") == Ok(None)
    refused = running.client.put(other, card_tag=TAG, slip=b"")
    assert isinstance(refused, Err)
    assert refused.error.fault is StoreFault.CONFLICT
    missing = LedgerClient(running.path).sent("unknown", attempt="a")
    assert isinstance(missing, Err)
    assert missing.error.fault is StoreFault.BROKEN


def test_technicians_and_devices(running: Running, terminal: Terminal) -> None:
    running.client.put(terminal.filing(1), card_tag=TAG, slip=b"secret slip")
    entries = running.client.entries()
    assert isinstance(entries, Ok)
    assert [(row["state"], row["receipt"], row["attempts"]) for row in entries.value] == [("sealed", "intended", 0)]
    report = DeviceReport(kind="receipt", state="online", media="none", paper="low", toner="none")
    assert running.client.report_devices((report,)) == Ok(None)
    assert running.state.devices == (report,)


def test_a_call_for_help_goes_in_and_its_state_comes_out(running: Running, clock: FakeClock) -> None:
    assistance: Assistance = running.client
    assert running.client.status().help is None
    at = clock.now() + timedelta(microseconds=1)
    for _ in range(2):
        assert assistance.call_help(at) == Ok(None)
        assert running.client.status().help == HelpCall(at, HelpState.WAITING)
    assert running.woken == 2
    running.state.help.told(at, acknowledged=True)
    assert running.client.status().help == HelpCall(at, HelpState.SEEN)
    refused = QueueClient(running.path.with_name("nobody"), delays=QUICK).call_help(at)
    assert isinstance(refused, Err)


def test_the_socket_is_for_this_user_only(running: Running) -> None:
    assert stat.S_IMODE(running.path.stat().st_mode) == 0o600


def test_a_data_directory_deeper_than_a_socket_address(tmp_path: Path, clock: FakeClock) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    made = Running(deep, clock)
    assert isinstance(made.client.reserve_number(), Ok)
    made.stop()


def test_nobody_listens(tmp_path: Path, terminal: Terminal) -> None:
    client = QueueClient(tmp_path / "nobody.sock", delays=QUICK)
    refused = client.put(terminal.filing(1), card_tag=TAG, slip=b"")
    assert isinstance(refused, Err)
    assert refused.error.fault is StoreFault.STORE_DOWN
    status = client.status()
    assert (status.link, status.accepting, status.last_error) == (Link.UNKNOWN, False, "store_down")


def test_a_restart_goes_unnoticed(tmp_path: Path, clock: FakeClock, terminal: Terminal) -> None:
    first = Running(tmp_path, clock)
    sealed = terminal.filing(1)
    assert first.client.put(sealed, card_tag=TAG, slip=b"") == Ok(None)
    first.stop()
    results: list[Any] = []
    caller = threading.Thread(target=lambda: results.append(first.client.put(sealed, card_tag=TAG, slip=b"")))
    caller.start()
    second = Running(tmp_path, clock)
    caller.join()
    assert results == [Ok(None)]
    second.stop()


def test_a_client_that_dies_in_the_middle_of_a_put_files_nothing(running: Running, terminal: Terminal) -> None:
    raw = recorded_put(running.path.parent, terminal)
    for cut in (1, 7, 8, 100, len(raw) // 2, len(raw) - 1):
        dying = connect(running.path, seconds=1)
        dying.sendall(raw[:cut])
        dying.close()
    backlog = running.store.backlog()
    assert isinstance(backlog, Ok)
    assert backlog.value.pending == 0
    assert isinstance(running.client.reserve_number(), Ok)


def recorded_put(root: Path, terminal: Terminal) -> bytes:
    """The bytes of a put, taken from a client that talks to nobody."""
    path = root / "recorder.sock"
    server = listen(path)
    caller = threading.Thread(
        target=QueueClient(path, delays=QUICK).put,
        args=(terminal.filing(9, blobs=1),),
        kwargs={"card_tag": TAG, "slip": b"s"},
    )
    caller.start()
    connection, _ = server.accept()
    reader, raw = FrameReader(), b""
    while True:
        piece = connection.recv(65536)
        raw += piece
        if reader.feed(piece):
            break
    connection.close()
    server.close()
    path.unlink()
    caller.join()
    return raw


def test_a_client_that_dawdles_is_cut_off_and_others_are_served(running: Running) -> None:
    slow = [connect(running.path, seconds=5) for _ in range(4)]
    for connection in slow:
        connection.sendall(b"\x00")
    assert isinstance(running.client.reserve_number(), Ok)  # every slot was taken; the deadline freed one
    for connection in slow:
        connection.settimeout(5)
        assert connection.recv(1) == b""
        connection.close()


def ask(path: Path, raw: bytes) -> bytes:
    """Send bytes, hang up our side, read what comes."""
    connection = connect(path, seconds=5)
    answer = b""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65536):
            answer += piece
    connection.close()
    return answer


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
FILING_OPS = ("reserve_number", "put", "owed", "state", "list", "devices", "call_help", "papers_left", "", "x")
PAPER_OPS = ("intend", "sent", "settle", "answer", "reprint", "open_pages")
SHEET_OPS = ("load_sheets", "void_sheet", "return_sheet", "sheets", "count_sheets")
OPS = st.sampled_from(FILING_OPS + PAPER_OPS + SHEET_OPS)
HEADS = st.builds(
    lambda op, extra, fields: {**fields, **extra, "op": op},
    OPS,
    st.dictionaries(st.text(max_size=10), JSON, max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "id": JSON | st.just("01a20244-e801-7b86-b273-ff34fce19d6b"),
            "application_no": JSON,
            "card_tag": JSON | st.just("00ff"),
            "slip": JSON,
            "envelope": JSON,
            "blobs": JSON,
            "state": JSON,
            "devices": JSON,
            "job": JSON | st.just("job-1"),
            "hall_job": JSON | st.just("job-1"),
            "attempt": JSON | st.just("a"),
            "outcome": JSON | st.sampled_from(["proven", "failed", "unknown"]),
            "fault": JSON | st.just("jam"),
            "pages": JSON | st.integers(-1, 3),
            "numbered": JSON | st.booleans(),
            "came_out": JSON | st.booleans(),
            "reason": JSON | st.just("damaged"),
            "first": JSON | st.just("GD0001"),
            "serial": JSON | st.just("GD0001"),
            "count": JSON | st.integers(-1, 20),
            "papers": JSON | st.just(["page"]),
            "at": JSON | st.just("2026-11-22T08:00:00Z"),
        },
    ),
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = Running(tmp_path_factory.mktemp("fuzz"), FakeClock())
    yield made
    made.stop()


@given(head=HEADS, tail=st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_every_frame_gets_an_answer_and_files_nothing(fuzzed: Running, head: dict[str, Any], tail: bytes) -> None:
    (frame,) = FrameReader().feed(ask(fuzzed.path, encode_frame(head, tail)))
    assert ("ok" in frame.head) != ("err" in frame.head)
    if "err" in frame.head:
        assert frame.head["err"] in set(StoreFault)
    backlog = fuzzed.store.backlog()
    assert isinstance(backlog, Ok)
    assert backlog.value.pending == 0


@given(raw=st.binary(max_size=300) | st.binary(max_size=64).map(lambda raw: struct.pack(">II", 4, MAX_HEAD) + raw))
@settings(max_examples=100, deadline=None)
def test_no_bytes_harm_the_server(fuzzed: Running, raw: bytes) -> None:
    ask(fuzzed.path, raw)
    assert isinstance(fuzzed.client.state("x"), Ok)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x00\x00",
        b"HTTP/1.1 200 OK\r\n\r\n",
        encode_frame({}),
        encode_frame({"err": "unheard of"}),
        encode_frame({"ok": {"no": "sense"}}),
        encode_frame({"ok": 7}),
        encode_frame({"ok": [{"id": "x"}]}, b"tail"),
        encode_frame({"ok": [{"id": "x", "application_no": "y", "state": "z", "slip": 4}]}, b"tail"),
    ],
)
def test_an_answer_that_makes_no_sense_is_an_error_never_a_crash(tmp_path: Path, answer: bytes) -> None:
    with lying_queue(tmp_path / "liar.sock", answer) as path:
        client = QueueClient(path, delays=QUICK)
        results = (client.reserve_number() if b"7" in answer else client.owed(TAG), client.owed(TAG), client.state("x"))
        for result in results:
            assert isinstance(result, Err)
        assert client.status().accepting is False


@contextlib.contextmanager
def lying_queue(path: Path, answer: bytes) -> Iterator[Path]:
    server = listen(path)

    def lie() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                connection.recv(65536)
                connection.sendall(answer)
                connection.close()

    thread = threading.Thread(target=lie)
    thread.start()
    yield path
    server.shutdown(socket.SHUT_RDWR)
    thread.join()
    server.close()


def test_a_dribbling_peer_does_not_hold_the_client(tmp_path: Path, wait_for: Callable[..., bool]) -> None:
    ours, theirs = socket.socketpair()
    stop = threading.Event()

    def dribble() -> None:
        with contextlib.suppress(OSError):
            for byte in encode_frame({"ok": None}, bytes(100)):
                if stop.wait(0.02):
                    return
                theirs.sendall(bytes([byte]))

    thread = threading.Thread(target=dribble)
    thread.start()
    with pytest.raises(TimeoutError):
        FrameSocket(ours).receive(seconds=0.3)
    stop.set()
    thread.join()
    ours.close()
    theirs.close()


@given(HEADS)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_parsing_a_request_quotes_nothing_of_it(head: dict[str, Any]) -> None:
    marked = {**head, "op": "put", "id": "440699199001011236"}
    with pytest.raises(ValueError, match=r"^request has \d+ faults$"):
        parse_request(marked)


def test_a_stale_socket_of_a_dead_owner_is_replaced(tmp_path: Path, clock: FakeClock) -> None:
    stale = listen(tmp_path / "queue.sock")
    stale.close()
    assert (tmp_path / "queue.sock").exists()
    made = Running(tmp_path, clock)
    assert isinstance(made.client.reserve_number(), Ok)
    made.stop()
    assert not (tmp_path / "queue.sock").exists()


@pytest.mark.parametrize(
    "head",
    [
        {"op": []},
        {"op": {}},
        {"op": "held", "after": 2**63},
        {"op": "held_envelope", "seq": 2**63, "id": "019ab0c0-0000-7000-8000-000000000000", "sha256": "0" * 64},
    ],
)
def test_no_head_is_more_than_a_refusal(bench: Bench, head: dict[str, Any]) -> None:
    answer, _ = QueueService(bench.store, bench.intake, bench.state, wake=lambda: None).answer(Frame(head))
    assert "err" in answer


def test_a_page_of_filings_with_all_their_materials_fits_into_a_frame(bench: Bench) -> None:
    bench.file(*range(1, 41))

    def work(db: sqlite3.Connection) -> None:
        with transaction(db):
            db.executemany(
                "insert into blobs (seq, position, sha256, size) values (?, ?, ?, 3000)",
                [(seq, at, f"{seq:032x}{at:032x}") for seq in range(1, 41) for at in range(MAX_BLOBS)],
            )

    assert bench.store.db.run(work) == Ok(None)
    service = QueueService(bench.store, bench.intake, bench.state, wake=lambda: None)
    assert len(encode_frame(*service.answer(Frame({"op": "held", "after": 0})))) < 1024 * 1024
