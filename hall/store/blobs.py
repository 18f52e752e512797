"""Sealed materials as files named by their SHA-256, ``ab/cd/<sha256>``; uploads go on where they stopped.

An offset is reported only for bytes that an fsync has put on the disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from hall.store.files import private_directory, sync_directory
from hall.store.jobs import Handler, Job, NotYet
from kiosk.contract.envelope import BlobRef
from kiosk.contract.problems import ProblemCode
from kiosk.contract.sync import BlobState
from kiosk.core.clock import Clock

MAX_BLOB_BYTES = 64 * 1024 * 1024
_RESERVE_BYTES = 256 * 1024 * 1024
"""Free space below which no upload is taken, so that the database can always commit."""
_HALF_STAYS = timedelta(days=30)
_DAY_MS = 24 * 3_600_000
_NAME = re.compile(r"^[0-9a-f]{64}$")


class BlobRefused(Exception):
    """An upload that cannot go on; the code says why."""

    def __init__(self, code: ProblemCode) -> None:
        super().__init__(code.value)
        self.code = code


class Blobs:
    """The folder of materials."""

    def __init__(self, root: Path, *, reserve_bytes: int = _RESERVE_BYTES) -> None:
        self._root = private_directory(root)
        self._incoming = private_directory(root / "incoming")
        self._reserve = reserve_bytes
        self._busy: set[Path] = set()

    def missing(self, blobs: Iterable[BlobRef]) -> tuple[str, ...]:
        """Which of these are not here whole."""
        return tuple(blob.sha256 for blob in blobs if not self._has(blob) and not self._finish_whole_part(blob))

    def read(self, sha256: str) -> bytes:
        """The sealed bytes; FileNotFoundError."""
        return self._place(sha256).read_bytes()

    def state(self, sha256: str, *, terminal_id: str) -> BlobState:
        """How much is here, durable."""
        place = self._place(sha256)
        if place.exists():
            return BlobState(sha256=sha256, offset=place.stat().st_size, complete=True)
        part = self._part(sha256, terminal_id)
        return BlobState(sha256=sha256, offset=part.stat().st_size if part.exists() else 0, complete=False)

    async def append(
        self, sha256: str, *, terminal_id: str, offset: int, length: int, chunks: AsyncIterator[bytes]
    ) -> BlobState:
        """Take bytes from `offset` on; BlobRefused. What arrived before a broken connection is kept."""
        if length > MAX_BLOB_BYTES or offset > length:
            raise BlobRefused(ProblemCode.TOO_LARGE)
        if shutil.disk_usage(self._root).free < self._reserve:
            raise BlobRefused(ProblemCode.BUSY)
        # Each terminal has parts of its own: nobody can spoil another's upload.
        part = self._part(sha256, terminal_id)
        if part in self._busy:
            raise BlobRefused(ProblemCode.BUSY)
        self._busy.add(part)
        try:
            state = self.state(sha256, terminal_id=terminal_id)
            if state.complete:
                return state
            if offset != state.offset:
                raise BlobRefused(ProblemCode.OFFSET_MISMATCH)
            size = await self._write(part, offset, length, chunks)
            if size < length:
                return BlobState(sha256=sha256, offset=size, complete=False)
            await asyncio.to_thread(self._finish, part, sha256)
            return BlobState(sha256=sha256, offset=length, complete=True)
        finally:
            self._busy.discard(part)

    def forget_halves(self, before: datetime) -> None:
        """Remove uploads that nobody went on with since; who comes after all begins anew."""
        for part in self._incoming.iterdir():
            with suppress(OSError):  # finished meanwhile; what cannot be removed is tried again tomorrow
                if part not in self._busy and part.stat().st_mtime < before.timestamp():
                    part.unlink()

    async def _write(self, part: Path, offset: int, length: int, chunks: AsyncIterator[bytes]) -> int:
        size = offset
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
            try:
                async for chunk in chunks:
                    if size + len(chunk) > length:
                        raise BlobRefused(ProblemCode.TOO_LARGE)
                    file.write(chunk)
                    size += len(chunk)
            finally:
                file.flush()
                await asyncio.to_thread(_sync, part, file.fileno())
        return size

    def _finish_whole_part(self, blob: BlobRef) -> bool:
        """A hall that died between the last byte and the rename left the part whole under its old name."""
        for part in self._incoming.glob(f"*-{blob.sha256}"):
            if part not in self._busy and part.stat().st_size == blob.size:
                try:
                    self._finish(part, blob.sha256)
                except BlobRefused:
                    continue
                return True
        return False

    def _finish(self, part: Path, sha256: str) -> None:
        with part.open("rb") as file:
            _sync(part, file.fileno())  # a hall that was killed had perhaps not come to it
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            part.unlink()
            raise BlobRefused(ProblemCode.HASH_MISMATCH)
        place = self._place(sha256)
        private_directory(place.parent)
        for folder in (self._root, place.parent.parent):  # what was made in them now, or by a hall that was killed then
            sync_directory(folder)
        part.rename(place)
        sync_directory(place.parent)

    def _has(self, blob: BlobRef) -> bool:
        place = self._place(blob.sha256)
        return place.exists() and place.stat().st_size == blob.size

    def _place(self, sha256: str) -> Path:
        if not _NAME.match(sha256):
            raise ValueError("not a SHA-256")
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def _part(self, sha256: str, terminal_id: str) -> Path:
        return self._incoming / f"{terminal_id}-{sha256}"


def tidying(blobs: Blobs, clock: Clock) -> Handler:
    """A job that is never done: every day it forgets half uploads."""

    def tidy(_: Job) -> None:
        blobs.forget_halves(clock.now() - _HALF_STAYS)
        raise NotYet(_DAY_MS)

    return tidy


def _sync(part: Path, descriptor: int) -> None:
    """BlobRefused if the disk does not keep it; nothing of it counts then, for a second fsync would say all is well."""
    try:
        os.fsync(descriptor)
    except OSError:
        part.unlink(missing_ok=True)
        raise BlobRefused(ProblemCode.BUSY) from None
