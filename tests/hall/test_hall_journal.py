"""What the hall makes of a terminal's journal: it follows, it remembers, and whoever changes something is found out."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from kiosk.contract.journal import Head, JournalBatch, JournalKind, JournalMark, Note, body_of, checkpoint, follow
from kiosk.contract.signing import SigningKey
from kiosk.core.clock import SystemClock
from kiosk.core.profile import DataLayout
from kiosk.core.result import Ok
from offline_queue.hall_client import HallClient
from offline_queue.journal import notes as journal_notes
from offline_queue.journal.check import verify_journal
from offline_queue.journal.pieces import JournalPieces
from offline_queue.journal.round import JournalRound
from offline_queue.journal.table import JournalLimits
from offline_queue.journal.watch import JournalWatch, Signer
from offline_queue.keys.identity import load_identity
from offline_queue.process import QueueProcess
from offline_queue.store import Store
from offline_queue.uplink.pacing import Pacer
from offline_queue.uplink.policy import SyncDelays
from offline_queue.uplink.sync_state import SyncState
from tests.hall.conftest import HallProcess, TestTerminal, enrolled, eventually, perform

BOOT = b"b" * 16


class Queue:
    """A terminal's queue as far as the journal goes."""

    def __init__(self, data: Path, url: str, *, limits: JournalLimits | None = None) -> None:
        identity = load_identity(data)
        clock = SystemClock()
        self.data = data
        self.store = Store(Path(DataLayout(data).queue), clock=clock, journal=limits or JournalLimits(records=16))
        signer = Signer(identity.terminal_id, identity.signing)
        self.watch = JournalWatch(self.store, clock=clock, boot=BOOT, signer=signer)
        self.state = SyncState()
        self.pacer = Pacer(state=self.state, clock=clock, random=lambda: 0.5, delays=SyncDelays())
        self.client = HallClient(base_url=url, identity=identity)
        pieces = JournalPieces(self.store.journal, self.store.db)
        self.round = JournalRound(
            self.store.journal, pieces, self.client, self.pacer, self.state.traffic, lambda: False
        )

    def work(self, times: int) -> None:
        """Something happens, and is signed for."""
        for number in range(times):
            assert self.store.journal.write(journal_notes.admission(open_=bool(number % 2))) == Ok(None)
        assert self.watch.stop() == Ok(None)

    def tell(self) -> int:
        """Everything; how many batches it took."""
        for number in range(200):
            if not self.round.run():
                return number
        pytest.fail("it tells for ever")

    @property
    def told(self) -> int:
        state = self.store.journal.state()
        assert isinstance(state, Ok)
        return state.value.told

    @property
    def seq(self) -> int:
        state = self.store.journal.state()
        assert isinstance(state, Ok)
        return state.value.head.seq

    def close(self) -> None:
        self.client.close()
        self.store.close()


@pytest.fixture
def place(start_hall: Callable[..., HallProcess], tmp_path: Path) -> Iterator[tuple[HallProcess, TestTerminal]]:
    """A hall of its own for every test: flags stay."""
    data = tmp_path / "hall"
    perform(data, "publish")
    hall = start_hall(data)
    terminal = enrolled(hall, tmp_path / "terminal")
    yield hall, terminal
    terminal.http.close()


def board(hall: HallProcess) -> dict[str, Any]:
    """The terminal as clerks' programs see it."""
    with requests.Session() as clerk:
        clerk.trust_env = False
        clerk.get(hall.staff_url + hall.do("staff_link", name="clerk")["path"], timeout=10)
        (row,) = clerk.get(f"{hall.staff_url}/staff/api/terminals", timeout=10).json()
    return dict(row)


def flags(hall: HallProcess) -> set[str]:
    standing = board(hall)["journal"]
    return {flag["kind"] for flag in standing["flags"]} if standing else set()


def data_of(terminal: TestTerminal) -> Path:
    return Path(terminal.machine.layout.root)


def copy_of(terminal: TestTerminal, to: Path) -> Path:
    shutil.copytree(data_of(terminal), to)
    return to


def test_an_honest_journal_arrives_whole_and_raises_no_flag(place: tuple[HallProcess, TestTerminal]) -> None:
    hall, terminal = place
    queue = Queue(data_of(terminal), hall.url)
    assert board(hall)["journal"] is None
    for _ in range(5):
        queue.work(30)
        while queue.store.journal.rotate() == Ok(True):
            pass
        queue.tell()
    assert queue.told == queue.seq
    assert len(queue.store.journal.files.numbers()) > 3
    standing = board(hall)["journal"]
    assert (standing["seq"], standing["signed_seq"], standing["flags"]) == (queue.seq, queue.seq, [])
    assert queue.tell() == 0, "nothing new, nothing said"
    queue.close()


def test_a_long_backlog_goes_in_many_batches_and_again_is_the_same(place: tuple[HallProcess, TestTerminal]) -> None:
    hall, terminal = place
    queue = Queue(data_of(terminal), hall.url, limits=JournalLimits(records=256))
    queue.work(900)
    while queue.store.journal.rotate() == Ok(True):
        pass
    assert queue.tell() > 3
    assert queue.store.journal.told(0) == Ok(None), "the answer got lost, so to speak"
    queue.tell()
    assert queue.told == queue.seq
    assert (board(hall)["journal"]["seq"], flags(hall)) == (queue.seq, set())
    queue.close()


def test_a_hall_that_lost_everything_is_told_again(
    place: tuple[HallProcess, TestTerminal], start_hall: Callable[..., HallProcess], tmp_path: Path
) -> None:
    hall, terminal = place
    backup = tmp_path / "backup"
    hall.stop()
    shutil.copytree(hall.data, backup)
    hall.start()
    queue = Queue(data_of(terminal), hall.url)
    queue.work(40)
    queue.tell()
    hall.stop()
    shutil.rmtree(hall.data)
    shutil.copytree(backup, hall.data)
    hall.start()
    queue.client.close()
    queue.work(5)
    queue.tell()
    assert (board(hall)["journal"]["seq"], flags(hall)) == (queue.seq, set())
    queue.close()


def test_a_disk_that_was_put_back_is_found_and_goes_on(
    place: tuple[HallProcess, TestTerminal], tmp_path: Path, expected_logs: set[str]
) -> None:
    """An image of yesterday's disk: everything in it verifies, and yet the hall knows better."""
    expected_logs.add("offline_queue")
    hall, terminal = place
    queue = Queue(data_of(terminal), hall.url)
    queue.work(5)
    queue.tell()
    queue.close()
    old = copy_of(terminal, tmp_path / "old")
    queue = Queue(data_of(terminal), hall.url)
    queue.work(20)
    queue.tell()
    queue.close()
    restored = Queue(old, hall.url)
    assert verify_journal(old).ok
    restored.work(3)
    restored.tell()
    assert "forked" in flags(hall)
    restored.work(3)
    restored.tell()
    assert restored.told == restored.seq, "it goes on in a new epoch"
    assert "truncated" in flags(hall)
    restored.close()


def test_a_copied_disk_is_found_however_they_take_turns(
    place: tuple[HallProcess, TestTerminal], tmp_path: Path, expected_logs: set[str]
) -> None:
    expected_logs.add("offline_queue")
    hall, terminal = place
    one = Queue(data_of(terminal), hall.url)
    one.work(5)
    one.tell()
    one.close()
    twin = Queue(copy_of(terminal, tmp_path / "twin"), hall.url)
    one = Queue(data_of(terminal), hall.url)
    one.work(2)
    one.tell()
    assert flags(hall) == set()
    twin.work(4)
    twin.tell()
    assert "forked" in flags(hall)
    one.close()
    twin.close()


def test_a_journal_that_was_cut_off_with_every_trace_is_found(place: tuple[HallProcess, TestTerminal]) -> None:
    """The thief deletes the whole queue directory's journal and store: the terminal itself cannot know."""
    hall, terminal = place
    queue = Queue(data_of(terminal), hall.url)
    queue.work(20)
    queue.tell()
    queue.close()
    shutil.rmtree(DataLayout(data_of(terminal)).queue)
    queue = Queue(data_of(terminal), hall.url)
    queue.work(2)
    queue.tell()
    assert flags(hall) == {"truncated"}
    queue.close()


def test_a_lost_store_that_goes_on_from_its_files_is_seen(place: tuple[HallProcess, TestTerminal]) -> None:
    hall, terminal = place
    queue = Queue(data_of(terminal), hall.url)
    queue.work(40)
    while queue.store.journal.rotate() == Ok(True):
        pass
    queue.tell()
    queue.close()
    for path in Path(DataLayout(data_of(terminal)).queue).glob("queue.db*"):
        path.unlink()
    queue = Queue(data_of(terminal), hall.url)
    queue.work(2)
    queue.tell()
    assert queue.told == queue.seq
    (flag,) = board(hall)["journal"]["flags"]
    assert (flag["kind"], flag["reason"]) == ("truncated", "lost")
    queue.close()


def test_another_machine_in_its_place_is_no_wonder(place: tuple[HallProcess, TestTerminal], tmp_path: Path) -> None:
    hall, terminal = place
    queue = Queue(data_of(terminal), hall.url)
    queue.work(5)
    queue.tell()
    queue.close()
    replacement = enrolled(hall, tmp_path / "new machine")
    queue = Queue(data_of(replacement), hall.url)
    queue.work(5)
    queue.tell()
    assert flags(hall) == set()
    assert board(hall)["journal"]["seq"] == queue.seq
    queue.close()
    replacement.http.close()


def test_the_queue_process_signs_when_it_ends_and_tells_when_it_is_back(
    place: tuple[HallProcess, TestTerminal], expected_logs: set[str]
) -> None:
    hall, terminal = place
    expected_logs.add("offline_queue")
    machine = terminal.machine

    def process() -> QueueProcess:
        made = QueueProcess(machine.profile, data=data_of(terminal), software="1.0+test")
        made.start()
        return made

    first = process()
    assert eventually(lambda: board(hall)["heartbeat"])
    first.stop()
    report = verify_journal(data_of(terminal))
    assert (report.ok, report.unsigned, report.checkpoints) == (True, 0, 1)
    second = process()
    standing = eventually(lambda: board(hall)["journal"])
    assert (standing["signed_seq"], standing["flags"]) == (report.last_seq, [])
    second.stop()


# --- by hand ---------------------------------------------------------------------------------------------------------


class Hand:
    """Makes batches as no terminal would."""

    def __init__(self, terminal: TestTerminal, epoch: bytes = b"e" * 16) -> None:
        self.terminal = terminal
        self.head = Head.before(epoch, 0)
        self.begin = Note.of(
            JournalKind.BEGIN, epoch=epoch, before_epoch=b"", before_seq=0, before_head=b"", reason="new"
        )

    def bodies(self, *notes: Note, start: int = 1) -> list[bytes]:
        return [body_of(start + place, 1000, note) for place, note in enumerate(notes)]

    def send(self, before: Head, bodies: list[bytes], *, oldest: int = 1) -> requests.Response:
        return self.terminal.post("/v1/journal", JournalBatch(before, oldest, tuple(bodies)).encode())

    def follow(self, before: Head, bodies: list[bytes]) -> Head:
        for body in bodies:
            before, _ = follow(before, body)
        return before


OPEN, SHUT = journal_notes.admission(open_=True), journal_notes.admission(open_=False)


def mark(answer: requests.Response) -> JournalMark:
    assert answer.status_code == 200, answer.text
    return JournalMark.model_validate_json(answer.content)


def test_what_came_before_is_asked_for_and_overlaps_are_taken_once(place: tuple[HallProcess, TestTerminal]) -> None:
    hall, terminal = place
    hand = Hand(terminal)
    bodies = hand.bodies(hand.begin, OPEN, SHUT, OPEN)
    heads = [hand.follow(hand.head, bodies[:number]) for number in range(5)]
    assert mark(hand.send(heads[2], bodies[2:])).state == "unknown"
    assert mark(hand.send(heads[0], bodies[:2])).seq == 2
    assert mark(hand.send(heads[3], bodies[3:])).seq == 2, "number 3 is still wanted"
    assert mark(hand.send(heads[0], bodies[:3])).seq == 3
    assert mark(hand.send(heads[1], bodies[1:])).seq == 4
    assert mark(hand.send(heads[0], bodies)).head == heads[4].hash.hex()
    assert flags(hall) == set()
    assert mark(hand.send(heads[4], hand.bodies(SHUT, start=5))).seq == 5


def test_an_edit_a_reordering_and_a_swap_are_found(place: tuple[HallProcess, TestTerminal]) -> None:
    hall, terminal = place
    hand = Hand(terminal)
    bodies = hand.bodies(hand.begin, OPEN, SHUT)
    assert mark(hand.send(hand.head, bodies)).seq == 3
    assert hand.send(hand.head, [bodies[0], bodies[2], bodies[1]]).status_code == 422
    assert flags(hall) == {"broken"}
    other = hand.bodies(hand.begin, SHUT, SHUT)
    answer = mark(hand.send(hand.head, other))
    assert (answer.state, answer.seq) == ("forked", 3)
    assert flags(hall) == {"broken", "forked"}
    longer = hand.bodies(hand.begin, SHUT, SHUT, OPEN)
    assert mark(hand.send(hand.head, longer)).state == "forked"
    beyond = hand.follow(hand.head, other)
    assert mark(hand.send(beyond, hand.bodies(OPEN, start=4))).state == "forked"


def test_a_checkpoint_of_another_key_or_terminal_is_refused(place: tuple[HallProcess, TestTerminal]) -> None:
    hall, terminal = place
    hand = Hand(terminal)
    bodies = hand.bodies(hand.begin)
    head = hand.follow(hand.head, bodies)

    def signed(terminal_id: str, key: SigningKey) -> list[bytes]:
        note = checkpoint(head, at_ms=1000, monotonic_ms=1, boot=BOOT, terminal_id=terminal_id, key=key)
        return [*bodies, *hand.bodies(note, start=2)]

    for terminal_id, key in (("T001", SigningKey.generate()), ("T002", terminal.signing)):
        answer = hand.send(hand.head, signed(terminal_id, key))
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_signature")
    assert flags(hall) == {"bad_signature"}
    assert mark(hand.send(hand.head, signed("T001", terminal.signing))).seq == 2


def test_a_gap_that_the_terminal_cannot_fill_is_taken_and_flagged(place: tuple[HallProcess, TestTerminal]) -> None:
    hall, terminal = place
    hand = Hand(terminal)
    bodies = hand.bodies(hand.begin, OPEN, SHUT, OPEN)
    heads = [hand.follow(hand.head, bodies[:number]) for number in range(5)]
    assert mark(hand.send(heads[0], bodies[:2])).seq == 2
    assert mark(hand.send(heads[3], bodies[3:], oldest=4)).seq == 4
    assert flags(hall) == {"gap"}


def test_a_receipt_that_was_never_given_is_found(place: tuple[HallProcess, TestTerminal]) -> None:
    hall, terminal = place
    hand = Hand(terminal)
    submission = terminal.question()
    verdict = terminal.post("/v1/submissions", terminal.seal(submission)).json()
    receipt = base64.b64decode(verdict["receipt"])
    good = hand.bodies(hand.begin, journal_notes.accepted(submission.id, receipt))
    assert mark(hand.send(hand.head, good)).seq == 2
    assert flags(hall) == set()
    bad = hand.bodies(journal_notes.accepted(submission.id, b"forged"), start=3)
    assert mark(hand.send(hand.follow(hand.head, good), bad)).seq == 3
    assert flags(hall) == {"wrong_receipt"}


def test_nonsense_strangers_and_sizes_are_refused(place: tuple[HallProcess, TestTerminal]) -> None:
    hall, terminal = place
    for body in (b"", b"nonsense", b"x" * 70_000):
        assert terminal.post("/v1/journal", body).status_code in (400, 413)
    with requests.Session() as stranger:
        stranger.trust_env = False
        answer = stranger.post(f"{hall.url}/v1/journal", data=b"", verify=str(terminal.http.verify), timeout=10)
        assert answer.status_code == 401
    assert board(hall)["journal"] is None


def test_clerks_see_the_flag_and_take_note(place: tuple[HallProcess, TestTerminal]) -> None:
    hall, terminal = place
    hand = Hand(terminal)
    mark(hand.send(hand.head, hand.bodies(hand.begin, OPEN)))
    mark(hand.send(hand.head, hand.bodies(hand.begin, SHUT)))
    with requests.Session() as clerk:
        clerk.trust_env = False
        clerk.get(hall.staff_url + hall.do("staff_link", name="clerk")["path"], timeout=10)
        for path in ("/staff/terminals", "/staff/live/terminals"):
            assert "流水分叉" in clerk.get(hall.staff_url + path, timeout=10).text
        (flag,) = board(hall)["journal"]["flags"]
        address = f"{hall.staff_url}/staff/terminals/T001/journal/{flag['id']}"
        headers = {"Origin": hall.staff_url, "Sec-Fetch-Site": "same-origin"}
        assert clerk.post(address, headers=headers, timeout=10).status_code == 200
        assert clerk.post(address, headers=headers, timeout=10).status_code == 404
        assert "流水分叉" not in clerk.get(f"{hall.staff_url}/staff/terminals", timeout=10).text
    assert flags(hall) == set()
    mark(hand.send(hand.head, hand.bodies(hand.begin, SHUT)))
    assert flags(hall) == {"forked"}, "it happened again"
