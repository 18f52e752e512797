"""Who goes first on the line: pieces, ranks, a citizen's question; and which submissions go together."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.contract.batch import BATCH_BYTES, MAX_BATCH_ITEMS, framed_size
from kiosk.core.result import Ok, Result
from offline_queue.client import QueueClient
from offline_queue.disk.rows import Waiting
from offline_queue.gateway import ASKING_S, DirectHall
from offline_queue.hall_client import HallClient
from offline_queue.keys.identity import load_identity
from offline_queue.process import QueueProcess
from offline_queue.uplink.batching import (
    FIRST_ITEMS,
    LAST_ITEMS,
    BatchSize,
    Suspects,
    first_of_each_case,
    next_batch,
    share,
)
from offline_queue.uplink.lines import Lines
from offline_queue.uplink.policy import CallError
from offline_queue.uplink.tcp import Flight, flight_of, line_options
from offline_queue.uplink.traffic import ASKING_LIMIT_S, HERE_S, PIECE_BYTES, WRITERS, Rank, Traffic, YieldingBody
from offline_queue.uplink.window import LEAST_BYTES, Window
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


class WatchedLine:
    """A connection with so much on the way."""

    def __init__(self, flight: Flight | None = None) -> None:
        self.told = flight
        self.prolonged = 0.0

    def flight(self) -> Flight | None:
        return self.told

    def prolong(self, seconds: float) -> None:
        self.prolonged += seconds


def with_a_citizen() -> Traffic:
    """Of a terminal at which somebody stands."""
    traffic = Traffic()
    traffic.somebody_is_here()
    return traffic


def test_of_bodies_that_nobody_waits_for_one_is_written_at_a_time_and_a_citizens_beside_it() -> None:
    traffic, line = with_a_citizen(), WatchedLine()
    content = bytes(2 * PIECE_BYTES)
    got: list[bytes] = []
    with traffic.sending(content, Rank.BACKLOG, over=WatchedLine()) as first:
        first.read()
        with traffic.sending(content, Rank.BACKLOG, over=line) as second:
            reader = threading.Thread(target=lambda: got.extend(second))
            reader.start()
            reader.join(0.1)
            assert reader.is_alive()
            with traffic.sending(content, Rank.INTERACTIVE, over=WatchedLine()) as fresh:
                assert b"".join(fresh) == content
            assert not got
            assert b"".join(first) == content[PIECE_BYTES:]
            reader.join(10)
    assert b"".join(got) == content
    assert 0.1 <= line.prolonged <= 10  # its request has not become late by it


def test_a_file_that_is_half_written_lets_the_backlog_go_first() -> None:
    traffic = with_a_citizen()
    got: list[bytes] = []
    with traffic.sending(bytes(2 * PIECE_BYTES), Rank.BLOBS, over=WatchedLine()) as file:
        file.read()
        with traffic.sending(bytes(2 * PIECE_BYTES), Rank.BACKLOG, over=WatchedLine()) as batch:
            reader = threading.Thread(target=lambda: got.extend(file))
            reader.start()
            reader.join(0.1)
            assert not got
            began = time.monotonic()
            assert len(b"".join(batch)) == 2 * PIECE_BYTES
            assert time.monotonic() - began < 5
        reader.join(10)
    assert got == [bytes(PIECE_BYTES)]


def test_the_turn_of_a_body_whose_request_failed_is_over() -> None:
    traffic = with_a_citizen()
    with traffic.sending(bytes(2 * PIECE_BYTES), Rank.BACKLOG, over=WatchedLine()) as broken:
        broken.read()
    began = time.monotonic()
    with traffic.sending(bytes(2 * PIECE_BYTES), Rank.BACKLOG, over=WatchedLine()) as next_one:
        assert len(b"".join(next_one)) == 2 * PIECE_BYTES
    assert time.monotonic() - began < 5


def test_a_full_line_holds_the_backlog_back_until_it_has_room_and_never_a_citizen() -> None:
    traffic, line = with_a_citizen(), WatchedLine(Flight(bytes=64 * 1024, bytes_per_s=125_000, shortest_s=0.2))
    got: list[bytes] = []
    with traffic.sending(bytes(PIECE_BYTES), Rank.BACKLOG, over=line) as body:
        reader = threading.Thread(target=lambda: got.extend(body))
        reader.start()
        reader.join(0.1)
        assert reader.is_alive()
        with traffic.sending(bytes(PIECE_BYTES), Rank.INTERACTIVE, over=line) as fresh:
            assert fresh.read()
        line.told = Flight(bytes=30_000, bytes_per_s=125_000, shortest_s=0.2)
        reader.join(10)
    assert got == [bytes(PIECE_BYTES)]


def test_when_nobody_is_at_the_terminal_any_more_the_line_may_be_tried_out(clock: FakeClock) -> None:
    traffic = Traffic(monotonic=clock.monotonic)
    full = WatchedLine(Flight(bytes=64 * 1024, bytes_per_s=125_000, shortest_s=0.2))
    content = bytes(2 * PIECE_BYTES)

    def beside() -> bytes:
        """What a second body gets written while the first one is under way."""
        with (
            traffic.sending(content, Rank.BACKLOG, over=full) as first,
            traffic.sending(content, Rank.BACKLOG, over=full) as second,
        ):
            got: list[bytes] = []
            threads = [threading.Thread(target=first.read), threading.Thread(target=lambda: got.append(second.read()))]
            for thread in threads:
                thread.start()
                thread.join(0.2)
            written = b"".join(got)
            clock.advance(HERE_S)
            traffic.asking(0)  # whoever waits looks at the clock
            for thread in threads:
                thread.join(10)
            return written

    assert beside() == bytes(PIECE_BYTES)
    traffic.somebody_is_here()
    assert beside() == b""
    assert beside() == bytes(PIECE_BYTES), "she has gone"


def test_when_nobody_is_there_a_few_are_written_at_once_and_the_next_one_when_one_of_them_is_through() -> None:
    traffic, content, got = Traffic(), bytes(2 * PIECE_BYTES), [0] * (WRITERS + 1)
    with ExitStack() as stack:
        bodies = [
            stack.enter_context(traffic.sending(content, Rank.BACKLOG, over=WatchedLine())) for _ in range(WRITERS + 1)
        ]
        for place, body in enumerate(bodies[:-1]):
            got[place] += len(body.read())
        reader = threading.Thread(target=lambda: got.append(len(b"".join(bodies[-1]))))
        reader.start()
        reader.join(0.1)
        assert got == [PIECE_BYTES] * WRITERS + [0]
        assert reader.is_alive()
        assert b"".join(bodies[0]) == content[PIECE_BYTES:]
        reader.join(10)
    assert got[-1] == len(content)


def test_a_citizen_who_files_all_the_time_does_not_stop_the_backlog_for_good() -> None:
    traffic = Traffic()
    bodies = [
        YieldingBody(bytes(2 * PIECE_BYTES), rank=Rank.BACKLOG, traffic=traffic, patience_s=0.1) for _ in range(2)
    ]
    with traffic.using(Rank.INTERACTIVE):
        sent = [b"".join(body) for body in bodies]
    assert sent == [bytes(2 * PIECE_BYTES)] * 2


# --- how much is on the way ------------------------------------------------------------------------------------------


def test_the_window_is_what_arrives_in_the_time_there_and_back_and_a_little_more(clock: FakeClock) -> None:
    window = Window(clock.monotonic)

    def full(bytes_: int, *, rate: float = 125_000, delay: float = 0.4) -> bool:
        return window.full([Flight(bytes_ // 2, rate, delay), Flight(bytes_ - bytes_ // 2, rate / 2, delay * 2)])

    assert not full(74_000)
    assert full(76_000)
    # Little was sent, so little arrived: that says nothing of the line.
    assert not full(74_000, rate=1000)
    clock.advance(60)
    assert full(74_000, rate=1000)
    assert not full(LEAST_BYTES - 2, rate=0)
    assert not window.full([])


def test_a_line_that_becomes_better_is_found_out(clock: FakeClock) -> None:
    window, carried = Window(clock.monotonic), 10_000.0
    for _ in range(40):
        sent = 0
        while not window.full([Flight(sent, carried, 0.1)]):
            sent += 1000
        carried = min(1e6, sent / 0.1)
        clock.advance(0.1)
    assert carried == 1e6


def test_the_kernel_tells_what_is_on_the_way() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
        told = flight_of(near)
        assert told is not None
        assert told.bytes == 0
        assert 0 < told.shortest_s < 1
        near.setblocking(False)
        try:
            while True:
                near.send(bytes(65536))
        except BlockingIOError:
            held = flight_of(near)
        assert held is not None
        assert held.bytes > 10_000  # nobody reads at the other end
        near.close()
        far.close()
    assert flight_of(near) is None


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


@given(st.integers(1, 1000), st.integers(1, 6))
def test_the_last_batches_become_small_and_everything_goes(waiting: int, lines: int) -> None:
    sizes = []
    while waiting > 0:
        sizes.append(min(waiting, share(MAX_BATCH_ITEMS, waiting=waiting, lines=lines)))
        waiting -= sizes[-1]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] <= MAX_BATCH_ITEMS
    if lines > 1:
        # With every line in use, what is on the way at the end is a small part of what was.
        assert sizes[-1] <= LAST_ITEMS


def test_a_batch_that_must_be_small_stays_small() -> None:
    assert share(1, waiting=1000, lines=1) == 1
    assert share(MAX_BATCH_ITEMS, waiting=60, lines=1) == 60


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
