"""What the disk does not give back holds up nothing else: one sector, one filing, one material, the catalogue."""

from __future__ import annotations

import errno
import hashlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from kiosk.core.result import Ok
from offline_queue.keys.identity import load_identity
from offline_queue.outbox import Intake
from offline_queue.store import Store
from offline_queue.uplink.bundles import BundleKeeper
from tests.queue.bad_sector import handed_over
from tests.queue.conftest import FakeClock, Terminal, TestHall
from tests.queue.worker_bench import Bench


def test_a_sector_that_cannot_be_read_costs_the_filing_on_it_alone(
    terminal: Terminal, clock: FakeClock, tmp_path: Path
) -> None:
    queue = Path(terminal.layout.queue)
    store = Store(queue, clock=clock)
    intake = Intake(store, clock=clock, region="440699", terminal_id="T001")
    spoilt, *others = (terminal.filing(serial) for serial in (1, 2, 3))
    for each in (spoilt, *others):
        assert intake.put(each, card_tag=b"", slip=b"") == Ok(None)
    store.close()
    at = (queue / "queue.db").read_bytes().find(spoilt.envelope[-100:-64])
    assert at > 0
    assert handed_over(queue, spoilt=at, scratch=tmp_path) == {each.id for each in others}
    assert len(list(queue.glob("queue.db.damaged-*"))) > 0, "the evidence is kept"


class _BadSector:
    """SQLite says IOERR for the contents of row 1, and for nothing else."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, sql: str, values: Any = ()) -> Any:
        if sql.startswith("select envelope") and values == (1,):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR_READ, "SQLITE_IOERR_READ"
            raise error
        return self._real.execute(sql, values)


def test_an_envelope_that_cannot_be_read_waits_alone(bench: Bench, hall: TestHall) -> None:
    first, *others = bench.file(1, 2, 3)
    open_ = bench.store.db._open
    bench.store.db._close()
    bench.store.db._open = lambda: _BadSector(open_())  # type: ignore[method-assign,assignment,return-value]
    for _ in range(100):
        bench.worker.step()
        bench.clock.advance(2)
    assert {other.id for other in others} <= set(hall.accepted)
    assert (bench.states()[first.id], bench.codes()[first.id]) == ("sealed", "unreadable")


def test_a_material_that_cannot_be_read_does_not_stop_the_line(bench: Bench) -> None:
    (first,) = bench.file(1, blobs=1)
    path = bench.store.blobs.path(hashlib.sha256(first.blobs[0]).hexdigest())
    path.unlink()
    path.mkdir()  # reading it is an OSError, as EIO is
    pauses = 0
    for _ in range(100):
        bench.worker.step()
        pauses += bench.worker._pacer.paused() > 0
        bench.clock.advance(2)
    assert (pauses, bench.codes()[first.id]) == (0, "unreadable")


def test_a_catalogue_that_cannot_be_read_is_none_and_is_fetched_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.settle()
    assert bench.bundles.number == 1
    file = Path(bench.terminal.layout.bundle_file)
    read = Path.read_bytes

    def broken(path: Path) -> bytes:
        if path == file:
            raise OSError(errno.EIO, "Input/output error")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", broken)
    keys = load_identity(bench.terminal.data).enrolled_keys
    assert BundleKeeper(file, enrolled_keys=keys).number == 0
