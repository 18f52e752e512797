"""The disk changes what it was given: bits, pages, whole files. Found, set aside, and everything else goes on."""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk.core.ports import SealedSubmission
from kiosk.core.result import Ok
from offline_queue.damage import pages
from offline_queue.damage.salvage import salvage
from offline_queue.damage.sanity import fits, makes_sense
from offline_queue.disk.files import Locked, OwnerLock
from offline_queue.disk.space import SpaceLimits
from offline_queue.drain import Drain
from offline_queue.outbox import Intake
from offline_queue.store import Store
from tests.crash import flips
from tests.crash.powercut import sealed_filings
from tests.crash.shim import preloaded
from tests.crash.workloads import open_store

COUNT = 12


@pytest.fixture(scope="module")
def filings(tmp_path_factory: pytest.TempPathFactory) -> list[SealedSubmission]:
    return sealed_filings(tmp_path_factory.mktemp("terminal"), COUNT, seed=7)


@pytest.fixture
def dice() -> random.Random:
    seed = random.SystemRandom().randrange(2**32)
    sys.stdout.write(f"seed {seed}\n")
    return random.Random(seed)


@pytest.fixture(autouse=True)
def damage_is_logged(expected_logs: set[str]) -> None:
    expected_logs.add("offline_queue")


@pytest.fixture
def queue(tmp_path: Path, filings: list[SealedSubmission]) -> Path:
    flips.prepare(tmp_path / "queue", filings)
    return tmp_path / "queue"


def test_single_bits(tmp_path: Path, queue: Path, filings: list[SealedSubmission], dice: random.Random) -> None:
    kinds = [flips.one_flip(tmp_path / "trial", queue, filings, dice) for _ in range(150)]
    assert [wrong for _, wrong in kinds if wrong] == []
    assert {"parked", "harmless"} <= {kind for kind, _ in kinds}


def test_a_store_that_checks_nothing_would_be_found(
    tmp_path: Path, queue: Path, filings: list[SealedSubmission], monkeypatch: pytest.MonkeyPatch
) -> None:
    select = "select envelope from submissions join contents using (place) where submissions.seq = ?"

    def unchecked(self: Drain, item: object) -> Ok[bytes]:
        work = self._store.db.run(lambda db: db.execute(select, (item.seq,)))  # type: ignore[attr-defined]
        assert isinstance(work, Ok)
        return Ok(bytes(work.value.fetchone()[0]))

    monkeypatch.setattr(Drain, "envelope", unchecked)
    monkeypatch.setattr("offline_queue.disk.upkeep.Upkeep.look", lambda self: Ok(0))
    dice = random.Random(1)
    kinds = [flips.one_flip(tmp_path / "trial", queue, filings, dice) for _ in range(60)]
    assert any("other bytes" in wrong for _, wrong in kinds)


@pytest.mark.parametrize("number", [0, 1, 2, 5, 20, -3])
def test_a_page_of_noise(queue: Path, filings: list[SealedSubmission], dice: random.Random, number: int) -> None:
    path = queue / "queue.db"
    size = int.from_bytes(path.read_bytes()[16:18], "big")
    flips.spoil_page(path, number % (path.stat().st_size // size), dice, size=size)
    made = flips.drain(queue, filings)
    assert made.wrong == set()
    # A filing lies on two or three pages.
    assert len(made.good) >= COUNT - 2


def page_of(raw: bytes, number: int) -> bytes:
    size = int.from_bytes(raw[16:18], "big")
    return raw[(number - 1) * size : number * size]


@pytest.mark.parametrize("index", ["submissions_unsent", "sqlite_autoindex_blobs_1"])
def test_an_index_that_sends_to_another_row_hides_nothing(
    queue: Path, filings: list[SealedSubmission], index: str
) -> None:
    """SQLite goes where an index points, and does not miss the row to which nothing points any more."""
    raw = (queue / "queue.db").read_bytes()
    with sqlite3.connect(queue / "queue.db") as db:
        (root,) = db.execute("select rootpage from sqlite_master where name = ?", (index,)).fetchone()
    db.close()
    page = page_of(raw, root)
    assert page[0] == 0x0A, "all its entries on one page, each ending with the number of its row"
    (count,) = struct.unpack_from(">H", page, 3)
    cells = struct.unpack_from(f">{count}H", page, 8)
    last, bit = next(
        (cell + page[cell], bit)
        for cell in reversed(cells)
        for bit in range(4)
        if 1 < page[cell + page[cell]] ^ 1 << bit <= count < 128
    )
    flips.flip(queue / "queue.db", (raw.index(page) + last) * 8 + bit)
    made = flips.drain(queue, filings)
    assert made.good == {sealed.id for sealed in filings}
    assert (made.wrong, made.parked, made.set_aside) == (set(), set(), 1)


@pytest.mark.parametrize(("byte", "what"), [(0, "kind"), (4, "number of rows")])
def test_a_page_that_is_wrong_about_itself_loses_none_of_its_rows(
    queue: Path, filings: list[SealedSubmission], byte: int, what: str
) -> None:
    raw = (queue / "queue.db").read_bytes()
    ids = [uuid.UUID(sealed.id).bytes for sealed in filings]
    size = int.from_bytes(raw[16:18], "big")
    pages_ = [page_of(raw, number) for number in range(2, len(raw) // size + 1)]
    full = [page for page in pages_ if page[0] == 0x0D and page[4] == 2 and any(id_ in page for id_ in ids)]
    assert full, f"no page with two filings whose {what} could change"
    for page in full[:4]:
        (queue / "queue.db").write_bytes(raw)
        flips.flip(queue / "queue.db", (raw.index(page) + byte) * 8 + 1)
        made = flips.drain(queue, filings)
        assert made.good == {sealed.id for sealed in filings}
        assert (made.wrong, made.parked) == (set(), set())


@pytest.mark.parametrize(
    "changed",
    [
        "update contents set place = place + 1 where place = (select max(place) from contents)",
        "update contents set seq = seq + 32 where place = (select min(place) from contents where taken = 1)",
        "update submissions set place = place + 1 where seq = (select max(seq) from submissions)",
    ],
)
def test_contents_that_are_no_longer_where_they_belong_are_put_back(
    queue: Path, filings: list[SealedSubmission], changed: str
) -> None:
    """Each by one bit. Taken for new filings, they would not let the store open."""
    with sqlite3.connect(queue / "queue.db") as db:
        assert db.execute(changed).rowcount == 1
    db.close()
    made = flips.drain(queue, filings)
    assert made.good == {sealed.id for sealed in filings}
    assert (made.wrong, made.parked, made.set_aside) == (set(), set(), 1)


def test_a_deleted_log_loses_only_what_was_in_it(tmp_path: Path, queue: Path, filings: list[SealedSubmission]) -> None:
    """At rest everything is in the database file; a log that somebody deletes while filings lie in it takes those."""
    store = open_store(queue)
    copy = tmp_path / "copy"
    shutil.copytree(queue, copy)
    store.close()
    (copy / "queue.db-wal").unlink(missing_ok=True)
    assert len(flips.drain(copy, filings).good) == COUNT


def test_a_file_of_nothing_is_set_aside(queue: Path, filings: list[SealedSubmission]) -> None:
    (queue / "queue.db").write_bytes(b"nothing " * 4096)
    made = flips.drain(queue, filings)
    assert (made.good, made.set_aside) == (set(), 1)
    assert (queue / "queue.db.damaged-1").read_bytes().startswith(b"nothing ")


def test_a_second_damage_is_kept_beside_the_first(
    queue: Path, filings: list[SealedSubmission], dice: random.Random
) -> None:
    for count in (1, 2):
        flips.spoil_page(queue / "queue.db", 0, dice, size=100)
        made = flips.drain(queue, filings)
        assert made.set_aside == count
    assert len(made.good) == COUNT


@pytest.mark.parametrize("readable", [True, False])
def test_contents_outlive_the_row_that_speaks_of_them(
    queue: Path, filings: list[SealedSubmission], dice: random.Random, readable: bool
) -> None:
    """Rows of `submissions` are gone without a trace; what lies in a place and was delivered stays delivered."""
    store = open_store(queue)
    waiting = Drain(store).waiting(limit=COUNT)
    assert isinstance(waiting, Ok)
    delivered = waiting.value[-1]  # it lay in a place
    assert Drain(store).accept(delivered, b"r" * 126) == Ok(None)
    store.close()
    with sqlite3.connect(queue / "queue.db") as db:
        in_place = db.execute("select taken from contents where id = ?", (delivered.id,)).fetchall()
        gone = [waiting.value[number].id for number in (1, COUNT - 2, COUNT - 1)]
        db.executemany("delete from submissions where id = ?", [(id_,) for id_ in gone])
        db.execute("update contents set application_no = ? where id = ?", (filings[0].application_no, gone[0]))
    db.close()
    assert in_place == [(0,)]
    if readable:
        found = salvage(queue / "queue.db")
        assert (found.kept, found.lost) == (COUNT - 1, 1), "a printed receipt speaks of the delivered one"
    else:
        flips.spoil_page(queue / "queue.db", 0, dice, size=100)
    made = flips.drain(queue, filings)
    assert made.good == {sealed.id for sealed in filings} - {delivered.id}
    assert (made.wrong, made.parked) == (set(), set())


def test_a_missing_material_parks_its_filing_only(queue: Path, filings: list[SealedSubmission]) -> None:
    victim = next(sealed for sealed in filings if sealed.blobs)
    lost = hashlib.sha256(victim.blobs[0]).hexdigest()
    (queue / "blobs" / lost[:2] / lost).unlink()
    made = flips.drain(queue, filings)
    assert len(made.good) == COUNT - 1
    assert made.parked == {victim.id}


def test_two_owners_are_refused(queue: Path) -> None:
    store = open_store(queue)
    with pytest.raises(Locked):
        OwnerLock(queue / "lock", wait_s=0.05)
    store.close()


class JumpingClock:
    """A wall clock that somebody sets."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return 1000.0


@pytest.mark.parametrize("days", [365, -365])
def test_a_clock_that_jumps_a_year_loses_nothing(tmp_path: Path, filings: list[SealedSubmission], days: int) -> None:
    clock = JumpingClock()
    store = Store(tmp_path / "queue", clock=clock, limits=SpaceLimits(ballast=0, floor=0))
    intake = Intake(store, clock=clock, region="440604", terminal_id="T001")
    numbers = [intake.reserve_number()]
    for sealed in filings[:6]:
        assert intake.put(sealed, card_tag=b"t" * 32, slip=b"s") == Ok(None)
    waiting = Drain(store).waiting()
    assert isinstance(waiting, Ok)
    assert Drain(store).accept(waiting.value[0], b"r" * 126) == Ok(None)
    clock.wall += timedelta(days=days)
    assert store.keep_house() == Ok(None)
    for sealed in filings[6:]:
        assert intake.put(sealed, card_tag=b"t" * 32, slip=b"s") == Ok(None)
    numbers.append(intake.reserve_number())
    clock.wall -= timedelta(days=days)
    assert store.keep_house() == Ok(None)
    numbers.append(intake.reserve_number())
    assert len({repr(number) for number in numbers}) == 3
    left = Drain(store).waiting()
    assert isinstance(left, Ok)
    # In the order of filing, whatever the clock says.
    assert [item.id for item in left.value] == [sealed.id for sealed in filings[1:]]
    backlog = store.backlog()
    assert isinstance(backlog, Ok)
    assert backlog.value.oldest_unsent_s >= 0
    store.close()


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    where = tmp_path / "disk"
    where.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", where], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("mounting needs root")
    yield where
    subprocess.run(["umount", "-l", where], check=True)


def test_a_store_on_a_read_only_disk_says_so(mounted: Path, filings: list[SealedSubmission]) -> None:
    flips.prepare(mounted / "queue", filings)
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    try:
        with pytest.raises((sqlite3.Error, OSError)):
            open_store(mounted / "queue")
    finally:
        subprocess.run(["mount", "-o", "remount,rw", mounted], check=True)
    assert len(flips.drain(mounted / "queue", filings).good) == COUNT


@pytest.mark.timeout(200)
def test_a_salvage_may_be_killed_anywhere() -> None:
    seed = random.SystemRandom().randrange(2**31)
    # `make faults` goes through every operation.
    done = preloaded("tests.crash.flips", "--flips", "2", "--stride", "12", "--seed", str(seed), timeout=180)
    assert done.returncode == 0, done.stdout


# --- what they are made of -------------------------------------------------------------------------------------------


def test_rows_are_read_as_sqlite_wrote_them(tmp_path: Path, dice: random.Random) -> None:
    path = tmp_path / "x.db"
    db = sqlite3.connect(path)
    db.execute("pragma page_size = 1024")
    db.execute("create table t (a, b, c, d)")
    rows = {
        number: (
            dice.randrange(-(2**62), 2**62),
            dice.random(),
            "字" * dice.randrange(200),
            dice.randbytes(dice.randrange(5000)),
        )
        for number in range(1, 200)
    }
    rows[200] = (0, 1, None, b"")
    db.executemany("insert into t (rowid, a, b, c, d) values (?, ?, ?, ?, ?)", [(n, *row) for n, row in rows.items()])
    db.commit()
    db.close()
    found = {row.rowid: row.values for row in pages.rows_of(path.read_bytes()) if len(row.values) == 4}
    assert found == rows


def test_noise_has_no_rows_and_breaks_nothing(dice: random.Random) -> None:
    for size in (0, 1, 99, 1024, 65536):
        assert len(list(pages.rows_of(dice.randbytes(size)))) < 5
    raw = bytearray(b"\x0d" + dice.randbytes(1023)) * 20
    list(pages.rows_of(bytes(raw)))


def test_what_makes_sense() -> None:
    assert fits("prints", {"kind": "receipt", "state": "intended"})
    assert not fits("prints", {"kind": "receipt", "state": "in4ended"})
    assert not fits("submissions", {"id": "x", "state": "sealed"})
    assert not fits("contents", {"blobs": "[[1]]"})
    assert fits("another", {"anything": object()})
    with sqlite3.connect(":memory:") as db:
        assert not makes_sense(db)
    db.close()
