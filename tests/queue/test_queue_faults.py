"""Full disks, rotten bits, broken files: refuse in words, drain all the same, heal without a person."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.result import Err, Ok
from offline_queue.disk.database import fault_of
from offline_queue.disk.rows import Waiting
from offline_queue.disk.space import SpaceLimits, free_bytes
from offline_queue.drain import Drain
from offline_queue.outbox import Intake
from offline_queue.store import Store
from tests.queue.conftest import FakeClock, Terminal

MIB = 1024 * 1024


def intake_of(store: Store, clock: FakeClock) -> Intake:
    return Intake(store, clock=clock, region="440699", terminal_id="T001")


def waiting(store: Store) -> tuple[Waiting, ...]:
    found = Drain(store).waiting(limit=1000)
    assert isinstance(found, Ok)
    return found.value


def fault(result: Ok[object] | Err[StoreError]) -> StoreFault:
    assert isinstance(result, Err)
    return result.error.fault


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    where = tmp_path / "disk"
    where.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", where], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting needs root; the file size limit test covers a full disk here")
    yield where
    subprocess.run(["umount", "-l", where], check=True)


def fill(where: Path) -> None:
    with (where / "filler").open("ab", buffering=0) as file:
        for size in (64 * 1024, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                assert error.errno == errno.ENOSPC
    assert free_bytes(where) == 0


def test_at_zero_bytes_free_everything_drains_and_new_work_is_refused(
    small_disk: Path, clock: FakeClock, terminal: Terminal
) -> None:
    store = Store(small_disk / "queue", clock=clock, limits=SpaceLimits(ballast=MIB, floor=0))
    intake = intake_of(store, clock)
    filed = 0
    for serial in range(1, 400):
        done = intake.put(terminal.filing(serial, blobs=1, blob_bytes=20_000), card_tag=b"", slip=b"")
        if isinstance(done, Err):
            assert done.error.fault is StoreFault.DISK_FULL
            break
        filed += 1
    assert filed > 20
    fill(small_disk)
    refused = intake.put(terminal.filing(500), card_tag=b"", slip=b"")
    assert fault(refused) is StoreFault.DISK_FULL

    drain = Drain(store)
    for item in waiting(store):
        assert isinstance(drain.envelope(item), Ok)
        assert drain.accept(item, b"receipt") == Ok(None)
    assert waiting(store) == ()
    entries = store.entries()
    assert isinstance(entries, Ok)
    assert [entry.state.value for entry in entries.value] == ["accepted"] * filed
    store.close()


def test_a_queue_on_a_full_disk_starts_and_drains(small_disk: Path, clock: FakeClock, terminal: Terminal) -> None:
    limits = SpaceLimits(ballast=MIB, floor=0)
    store = Store(small_disk / "queue", clock=clock, limits=limits)
    for serial in range(1, 6):
        assert intake_of(store, clock).put(terminal.filing(serial), card_tag=b"", slip=b"") == Ok(None)
    store.close()
    fill(small_disk)
    again = Store(small_disk / "queue", clock=clock, limits=limits)
    for item in waiting(again):
        assert Drain(again).accept(item, b"receipt") == Ok(None)
    assert waiting(again) == ()
    (small_disk / "filler").unlink()
    assert again.keep_house() == Ok(None)
    assert (small_disk / "queue" / "ballast").stat().st_size == MIB
    again.close()


def test_admission_stops_before_the_disk_is_full(tmp_path: Path, clock: FakeClock, terminal: Terminal) -> None:
    left = [100_000]
    store = Store(tmp_path / "q", clock=clock, limits=SpaceLimits(ballast=0, floor=60_000), free=lambda _: left[0])
    intake = intake_of(store, clock)
    assert intake.put(terminal.filing(1), card_tag=b"", slip=b"") == Ok(None)
    assert (
        fault(intake.put(terminal.filing(2, blobs=1, blob_bytes=50_000), card_tag=b"", slip=b""))
        is StoreFault.DISK_FULL
    )
    left[0] = 59_999
    assert not store.space.accepting()
    assert fault(intake.put(terminal.filing(3), card_tag=b"", slip=b"")) is StoreFault.DISK_FULL
    assert fault(intake.reserve_number()) is StoreFault.DISK_FULL
    assert intake.put(terminal.filing(1), card_tag=b"", slip=b"") == Err(
        StoreError(StoreFault.CONFLICT, "this id was filed with other bytes")
    )
    store.close()


def test_a_write_that_the_system_refuses_leaves_nothing_and_heals(
    tmp_path: Path, clock: FakeClock, terminal: Terminal
) -> None:
    store = Store(tmp_path / "q", clock=clock)
    intake = intake_of(store, clock)
    big = terminal.filing(1, blobs=2, blob_bytes=MIB)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512 * 1024, hard))
    try:
        refused = intake.put(big, card_tag=b"", slip=b"")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert fault(refused) is StoreFault.DISK_FULL
    assert [path for path in (tmp_path / "q" / "blobs").rglob("*") if path.is_file()] == []
    assert intake.put(big, card_tag=b"", slip=b"") == Ok(None)
    store.close()


def flip(path: Path, needle: bytes) -> None:
    """Change one bit of every place where `needle` lies in a file: pages that were freed still hold copies."""
    raw = path.read_bytes()
    assert needle in raw
    path.write_bytes(raw.replace(needle, bytes([needle[0] ^ 0x10]) + needle[1:]))


def test_a_flipped_bit_is_found_and_the_others_are_served(tmp_path: Path, clock: FakeClock, terminal: Terminal) -> None:
    queue = tmp_path / "q"
    store = Store(queue, clock=clock)
    filings = [terminal.filing(serial, blobs=1) for serial in (1, 2, 3)]
    for sealed in filings:
        assert intake_of(store, clock).put(sealed, card_tag=b"", slip=b"") == Ok(None)
    store.close()
    flip(queue / "queue.db", filings[0].envelope[-200:-100])
    store = Store(queue, clock=clock)
    drain, items = Drain(store), waiting(store)
    flip(store.blobs.path(items[1].blobs[0].sha256), filings[1].blobs[0][500:600])
    assert fault(drain.envelope(items[0])) is StoreFault.BROKEN
    assert isinstance(drain.envelope(items[1]), Ok)
    assert fault(drain.blob(items[1].blobs[0])) is StoreFault.BROKEN
    assert drain.envelope(items[2]) == Ok(filings[2].envelope)
    store.blobs.path(items[2].blobs[0].sha256).unlink()
    assert fault(drain.blob(items[2].blobs[0])) is StoreFault.BROKEN
    store.close()


@pytest.mark.parametrize("limit", [0, 512, 4096, 20_000, 40_000, 70_000])
def test_an_io_error_of_the_database_is_survived(
    tmp_path: Path, clock: FakeClock, terminal: Terminal, limit: int
) -> None:
    """The system refuses to let any file grow beyond `limit`: SQLite's writes fail half-way through a transaction."""
    store = Store(tmp_path / "q", clock=clock)
    intake = intake_of(store, clock)
    assert intake.put(terminal.filing(1), card_tag=b"", slip=b"") == Ok(None)
    filings = [terminal.filing(serial) for serial in range(2, 90)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        done = [intake.put(sealed, card_tag=b"", slip=b"") for sealed in filings]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    refused = {result.error.fault for result in done if isinstance(result, Err)}
    assert refused
    assert refused <= {StoreFault.STORE_DOWN, StoreFault.DISK_FULL}
    present = {item.id for item in waiting(store)}
    acknowledged = {sealed.id for sealed, result in zip(filings, done, strict=True) if isinstance(result, Ok)}
    assert acknowledged <= present
    for sealed in filings:
        assert intake.put(sealed, card_tag=b"", slip=b"") == Ok(None)
    assert len(waiting(store)) == len(filings) + 1
    store.close()


def test_a_damaged_store_is_set_aside_and_its_filings_go_on(
    tmp_path: Path, clock: FakeClock, terminal: Terminal, expected_logs: set[str]
) -> None:
    expected_logs.add("offline_queue")
    store = Store(tmp_path / "q", clock=clock)
    filings = [terminal.filing(serial, blobs=serial % 2) for serial in range(1, 40)]
    for sealed in filings:
        assert intake_of(store, clock).put(sealed, card_tag=b"", slip=b"") == Ok(None)
    store.close()
    damaged = tmp_path / "q" / "queue.db"
    with damaged.open("r+b") as file:
        file.write(os.urandom(4096))
    evidence = damaged.read_bytes()
    store = Store(tmp_path / "q", clock=clock)
    assert (tmp_path / "q" / "queue.db.damaged-1").read_bytes() == evidence
    assert store.db.salvaged is not None
    items = waiting(store)
    by_id = {sealed.id: sealed for sealed in filings}
    # Four pages of 1 KiB are gone: the schema, and at most a few filings.
    assert len(items) >= len(filings) - 3
    for item in items:
        assert Drain(store).envelope(item) == Ok(by_id[item.id].envelope)
        assert [Drain(store).blob(ref) for ref in item.blobs] == [Ok(blob) for blob in by_id[item.id].blobs]
    for sealed in filings:
        assert intake_of(store, clock).put(sealed, card_tag=b"", slip=b"") == Ok(None)
    assert len(waiting(store)) == len(filings)
    store.close()
    Store(tmp_path / "q", clock=clock).close()
    assert not (tmp_path / "q" / "queue.db.damaged-2").exists()


def test_our_own_mistakes_are_not_called_storage_trouble(tmp_path: Path, clock: FakeClock) -> None:
    store = Store(tmp_path / "q", clock=clock)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        store.db.run(lambda db: db.execute("select * from missing"))
    store.close()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, ""), StoreFault.DISK_FULL),
        (OSError(errno.EDQUOT, ""), StoreFault.DISK_FULL),
        (OSError(errno.EFBIG, ""), StoreFault.DISK_FULL),
        (OSError(errno.EIO, ""), StoreFault.STORE_DOWN),
        (OSError(errno.EROFS, ""), StoreFault.STORE_DOWN),
    ],
)
def test_what_an_os_error_means(error: OSError, expected: StoreFault) -> None:
    assert fault_of(error) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_FULL, StoreFault.DISK_FULL),
        (sqlite3.SQLITE_IOERR_WRITE, StoreFault.STORE_DOWN),
        (sqlite3.SQLITE_IOERR_FSYNC, StoreFault.STORE_DOWN),
        (sqlite3.SQLITE_CORRUPT, StoreFault.STORE_DOWN),
        (sqlite3.SQLITE_NOTADB, StoreFault.STORE_DOWN),
        (sqlite3.SQLITE_READONLY_DBMOVED, StoreFault.STORE_DOWN),
        (sqlite3.SQLITE_CANTOPEN, StoreFault.STORE_DOWN),
        (sqlite3.SQLITE_BUSY, StoreFault.STORE_DOWN),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, None),
        (sqlite3.SQLITE_ERROR, None),
    ],
)
def test_what_an_sqlite_error_means(code: int, expected: StoreFault | None) -> None:
    error = sqlite3.OperationalError("x")
    error.sqlite_errorcode = code
    assert fault_of(error) is expected
