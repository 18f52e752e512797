"""Materials: what counts lies on the disk, whatever becomes of the hall in between."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hall.hall import open_hall
from hall.store.blobs import BlobRefused, Blobs
from kiosk.contract.envelope import BlobRef
from kiosk.contract.problems import ProblemCode
from kiosk.contract.sync import BlobState
from tests.hall.test_hall_corrections import LaterClock

DATA = b"x" * 100
REF = BlobRef(sha256=hashlib.sha256(DATA).hexdigest(), size=len(DATA))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def blobs(root: Path) -> Blobs:
    return Blobs(root, reserve_bytes=0)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The inodes that were synced."""
    inodes: set[int] = set()
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        fsync(descriptor)
        inodes.add(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", noted)
    return inodes


def break_disk(patched: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    patched.setattr(os, "fsync", broken)


def upload(blobs: Blobs, data: bytes = DATA, *, offset: int = 0) -> BlobState:
    async def chunks() -> AsyncIterator[bytes]:
        yield data

    return asyncio.run(blobs.append(REF.sha256, terminal_id="T001", offset=offset, length=REF.size, chunks=chunks()))


def half(blobs: Blobs) -> int:
    """How much of it is here after a broken connection."""
    return upload(blobs, DATA[:50]).offset


def left_whole(root: Path) -> Path:
    """As a hall leaves it that is killed between the last write and its fsync."""
    part = root / "incoming" / f"T001-{REF.sha256}"
    part.write_bytes(DATA)
    return part


def test_a_material_and_every_folder_on_its_way_are_synced(root: Path, blobs: Blobs, synced: set[int]) -> None:
    assert upload(blobs).complete
    place = root / REF.sha256[:2] / REF.sha256[2:4] / REF.sha256
    assert {path.stat().st_ino for path in (place, *place.parents[:3])} <= synced


def test_what_a_killed_hall_had_written_is_synced_before_it_counts(root: Path, blobs: Blobs, synced: set[int]) -> None:
    inode = left_whole(root).stat().st_ino
    assert blobs.missing((REF,)) == ()
    assert inode in synced


def test_what_the_disk_does_not_keep_is_asked_for_again(
    blobs: Blobs, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed fsync is told once; afterwards the kernel calls the lost pages clean."""
    with monkeypatch.context() as patched:
        break_disk(patched)
        with pytest.raises(BlobRefused) as refused:
            upload(blobs)
        assert refused.value.code is ProblemCode.BUSY
        left_whole(root)
        assert blobs.missing((REF,)) == (REF.sha256,)
    assert blobs.missing((REF,)) == (REF.sha256,)
    assert blobs.state(REF.sha256, terminal_id="T001").offset == 0
    assert upload(blobs).complete


def test_a_half_upload_stays_for_a_month(tmp_path: Path) -> None:
    clock = LaterClock()
    hall = open_hall(tmp_path / "hall", clock=clock)
    assert half(hall.blobs) == 50
    for days, kept in ((0, 50), (29, 50), (2, 0)):
        clock.ahead += timedelta(days=days)
        hall.jobs.run_due()
        assert hall.blobs.state(REF.sha256, terminal_id="T001").offset == kept
    assert upload(hall.blobs).complete
    clock.ahead += timedelta(days=400)
    hall.jobs.run_due()
    assert hall.blobs.missing((REF,)) == ()
    hall.close()


def test_an_upload_that_is_going_on_is_not_forgotten(blobs: Blobs) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield DATA[:50]
        blobs.forget_halves(datetime.now(UTC) + timedelta(days=400))
        yield DATA[50:]

    done = asyncio.run(blobs.append(REF.sha256, terminal_id="T001", offset=0, length=REF.size, chunks=chunks()))
    assert done.complete
    assert blobs.missing((REF,)) == ()
