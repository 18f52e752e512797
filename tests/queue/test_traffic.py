"""Who goes first on the line: pieces, ranks, a citizen's question; and which submissions go together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.contract.batch import BATCH_BYTES, MAX_BATCH_ITEMS, framed_size
from kiosk.core.result import Ok, Result
from offline_queue.batching import FIRST_ITEMS, BatchSize, Suspects, first_of_each_case, next_batch
from offline_queue.client import QueueClient
from offline_queue.gateway import ASKING_S, DirectHall
from offline_queue.hall_client import HallClient
from offline_queue.identity import load_identity
from offline_queue.lines import Lines
from offline_queue.policy import CallError
from offline_queue.process import QueueProcess
from offline_queue.rows import Waiting
from offline_queue.tcp import line_options
from offline_queue.traffic import ASKING_LIMIT_S, PIECE_BYTES, Rank, Traffic, YieldingBody
from tests.queue.conftest import FakeClock, Terminal, TestHall

# --- traffic ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("using", "waits"),
    [
        ((), ()),
        ((Rank.BLOBS,), ()),
        ((Rank.BACKLOG,), (Rank.BLOBS,)),
        ((Rank.INTERACTIVE,), (Rank.BACKLOG, Rank.BLOBS)),
        ((Rank.BLOBS, Rank.INTERACTIVE), (Rank.BACKLOG, Rank.BLOBS)),
    ],
)
def test_the_smaller_rank_goes_first(using: tuple[Rank, ...], waits: tuple[Rank, ...]) -> None:
    traffic = Traffic()
    held = [traffic.using(rank) for rank in using]
    for one in held:
        one.__enter__()
    assert tuple(rank for rank in Rank if not traffic.clear(rank)) == waits
    for one in held:
        one.__exit__(None, None, None)
    assert all(traffic.clear(rank) for rank in Rank)


def test_a_question_stops_all_but_what_was_just_filed_and_ends_by_itself(clock: FakeClock) -> None:
    traffic = Traffic(monotonic=clock.monotonic)
    traffic.asking(1e9)
    assert [traffic.clear(rank) for rank in Rank] == [True, False, False]
    traffic.asking(0)
    assert all(traffic.clear(rank) for rank in Rank)
    traffic.asking(1e9)
    clock.advance(ASKING_LIMIT_S)
    assert all(traffic.clear(rank) for rank in Rank)


def test_a_body_stops_between_two_pieces_and_goes_on_when_the_way_is_free() -> None:
    traffic = Traffic()
    body = YieldingBody(bytes(3 * PIECE_BYTES), rank=Rank.BACKLOG, traffic=traffic)
    assert len(body) == 3 * PIECE_BYTES
    got: list[bytes] = [body.read(10**6)]
    with traffic.using(Rank.INTERACTIVE):
        reader = threading.Thread(target=lambda: got.extend(iter(body.read, b"")))
        reader.start()
        reader.join(0.1)
        assert reader.is_alive()
        assert len(got) == 1
    reader.join(10)
    assert b"".join(got) == bytes(3 * PIECE_BYTES)


def test_a_body_is_patient_but_not_for_ever() -> None:
    traffic = Traffic()
    body = YieldingBody(bytes(3 * PIECE_BYTES), rank=Rank.BLOBS, traffic=traffic, patience_s=0.05)
    with traffic.using(Rank.BACKLOG):
        assert len(b"".join(body)) == 3 * PIECE_BYTES


@given(st.binary(max_size=3 * PIECE_BYTES), st.lists(st.integers(1, 20000), max_size=20))
def test_whatever_is_asked_for_a_body_gives_all_its_bytes_in_order(content: bytes, sizes: list[int]) -> None:
    body = YieldingBody(content, rank=Rank.BACKLOG, traffic=Traffic())
    read = b"".join(body.read(size) for size in sizes)
    assert read + b"".join(body) == content


def test_the_kernel_is_asked_only_for_what_it_has() -> None:
    options = line_options()
    assert (6, 1, 1) in options  # TCP_NODELAY is everywhere


# --- a citizen's question over the socket ----------------------------------------------------------------------------


@pytest.fixture
def process(terminal: Terminal) -> Iterator[QueueProcess]:
    made = QueueProcess(terminal.profile, data=terminal.data, software="test")
    made._server.start()
    yield made
    made._server.stop()
    made._store.close()


def test_the_terminals_question_holds_uploads_back_and_its_end_lets_them_go(
    process: QueueProcess, terminal: Terminal, hall: TestHall, wait_for: Callable[..., bool]
) -> None:
    traffic = process._state.traffic
    queue = QueueClient(Path(terminal.layout.queue_socket))
    client = HallClient(base_url=hall.url, identity=load_identity(terminal.data))
    gateway = DirectHall(client, signing_keys=dict, asking=queue.asking)
    seen: list[bool] = []

    def ask(_: HallClient) -> Result[None, CallError]:
        seen.append(wait_for(lambda: not traffic.clear(Rank.BACKLOG), seconds=5))
        return Ok(None)

    assert gateway.ask(ask) == Ok(None)
    assert seen == [True]
    assert wait_for(lambda: traffic.clear(Rank.BACKLOG), seconds=ASKING_S / 2)
    gateway.close()


def test_a_question_is_asked_though_no_queue_process_is_there(terminal: Terminal) -> None:
    queue = QueueClient(Path(terminal.layout.queue_socket))
    Path(terminal.layout.run).mkdir(parents=True)
    began = time.monotonic()
    queue.asking(10)
    assert time.monotonic() - began < 2


# --- batches ---------------------------------------------------------------------------------------------------------


def waiting(seq: int, *, size: int = 500, case: str = "") -> Waiting:
    return Waiting(seq, f"id-{seq}", "00" * 32, size, 0, (), case or f"case-{seq}")


@given(st.lists(st.integers(1, 100_000), max_size=150), st.integers(1, 64), st.integers(1024, BATCH_BYTES))
def test_a_batch_is_the_first_ones_in_their_order_and_never_too_large(sizes: list[int], items: int, room: int) -> None:
    due = [waiting(seq, size=size) for seq, size in enumerate(sizes)]
    batch = next_batch(due, size=BatchSize(items, room), limits={})
    assert batch == due[: len(batch)]
    assert bool(batch) is bool(due)
    assert len(batch) <= min(items, MAX_BATCH_ITEMS)
    total = sum(framed_size(item.size) for item in batch)
    assert len(batch) == 1 or total <= room
    if 0 < len(batch) < min(len(due), items):
        assert total + framed_size(due[len(batch)].size) > room


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("place", [0.0, 0.5, 0.99])
def test_a_bad_one_stands_alone_after_few_halvings_and_good_ones_are_not_sent_with_it(count: int, place: float) -> None:
    due = [waiting(seq) for seq in range(count)]
    bad = due[int(place * count)]
    suspects, size, sent = Suspects(), BatchSize(items=64), 0
    accepted: list[Waiting] = []
    while due:
        batch = next_batch(due, size=size, limits=suspects.limits)
        sent += 1
        assert sent < 40
        if bad not in batch:
            suspects.cleared(batch)
            accepted += batch
            due = [item for item in due if item not in batch]
        elif len(batch) == 1:
            due.remove(bad)
        else:
            suspects.refused(batch)
    assert len(accepted) == count - 1


def test_the_size_grows_and_shrinks_within_its_bounds() -> None:
    size = BatchSize()
    assert size.items == FIRST_ITEMS
    for _ in range(10):
        size.grow()
    assert (size.items, size.bytes) == (MAX_BATCH_ITEMS, BATCH_BYTES)
    size.shrink(64, 60_000)
    assert (size.items, size.bytes) == (32, 30_000)
    for _ in range(20):
        size.shrink(1, 1)
    assert (size.items, size.bytes) == (1, 1024)


def test_one_case_goes_in_the_order_of_filing() -> None:
    items = [waiting(1, case="a"), waiting(2, case="b"), waiting(3, case="a"), waiting(4, case="c")]
    assert first_of_each_case(items, may_go=[item.id for item in items]) == [items[0], items[1], items[3]]
    assert first_of_each_case(items, may_go=["id-3", "id-4"]) == [items[3]]


# --- lines -----------------------------------------------------------------------------------------------------------


def test_lines_work_side_by_side_and_bring_back_what_they_did(terminal: Terminal, hall: TestHall) -> None:
    client = HallClient(base_url=hall.url, identity=load_identity(terminal.data))
    lines: Lines[str] = Lines([client.another(), client.another()])
    gate = threading.Event()
    lines.start(0, lambda _: str(gate.wait(10)))
    lines.start(1, lambda _: "quick")
    assert not lines.free(0)
    done = lines.next(seconds=10)
    assert done is not None
    assert (done.line, done.result, lines.free(1)) == (1, "quick", True)
    lines.nudge()
    assert lines.next(seconds=10) is None
    gate.set()
    done = lines.next(seconds=10)
    assert done is not None
    assert (done.line, done.result, lines.busy) == (0, "True", 0)
    assert lines.next(seconds=0.0) is None
    lines.close()
    client.close()
