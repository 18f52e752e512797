"""Drafts (草稿) on the disk: one sealed file each, written whole or not at all.

File names are a tag that only the card brings forth, and nothing else; the contents open with the card only.
Those past their days are not offered. They are deleted by the queue process (`offline_queue.journal.watch`), which
knows when the clock is in doubt and leaves a proof.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.result import Err, Ok, Result
from offline_queue.disk.files import make_directory, sync_directory, write_durably
from offline_queue.disk.space import SpaceLimits, free_bytes

_DAY_S = 86_400.0
_SUFFIX = ".draft"
_TEMPORARY = "keeping.tmp"


@dataclass(frozen=True, slots=True)
class DraftLimits:
    """A terminal keeps drafts for its neighbours, not an archive."""

    days: float = 7.0
    count: int = 200
    """The oldest go first."""
    size: int = 16 * 1024 * 1024
    """Bytes of one draft."""


class DraftFiles:
    """The drafts of one terminal; used from one thread."""

    def __init__(
        self,
        folder: Path,
        *,
        limits: DraftLimits | None = None,
        floor: int = SpaceLimits().floor,
        free: Callable[[Path], int] = free_bytes,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`floor`: bytes that are left to filings; drafts give way to them."""
        self._folder = folder
        self._limits = limits or DraftLimits()
        self._floor = floor
        self._free = free
        self._now = now

    def keep(self, tag: bytes, slot: str, sealed: bytes) -> Result[None, StoreError]:
        """Durable when Ok."""
        try:
            make_directory(self._folder)
            self._sweep()
            if len(sealed) > self._limits.size or self._free(self._folder) - len(sealed) < self._floor:
                return Err(StoreError(StoreFault.DISK_FULL, "no room for a draft"))
            write_durably(self._path(tag, slot), sealed, temporary=self._folder / _TEMPORARY)
        except OSError as error:
            return Err(StoreError(StoreFault.STORE_DOWN, f"draft: {type(error).__name__}"))
        return Ok(None)

    def load(self, tag: bytes) -> tuple[bytes, ...]:
        """Newest first; what cannot be read is left where it is and not offered."""
        try:
            self._sweep()
            hers = sorted(self._folder.glob(f"{tag.hex()}-*{_SUFFIX}"), key=_kept_at, reverse=True)
            oldest = self._now() - self._limits.days * _DAY_S
            fresh = [path for path in hers if _kept_at(path) >= oldest]
        except OSError:
            return ()  # a disk that cannot be read must not keep her from beginning anew
        return tuple(sealed for path in fresh if (sealed := _read(path)) is not None)

    def drop(self, tag: bytes, slot: str) -> None:
        """Forget it, durably; one that cannot be removed is offered again, and refused there if it was filed."""
        try:
            self._path(tag, slot).unlink(missing_ok=True)
            if self._folder.is_dir():
                sync_directory(self._folder)
        except OSError:
            pass

    def _path(self, tag: bytes, slot: str) -> Path:
        return self._folder / f"{tag.hex()}-{slot}{_SUFFIX}"

    def _sweep(self) -> None:
        """Remove what is too much, and what a power cut left half written."""
        if not self._folder.is_dir():
            return
        (self._folder / _TEMPORARY).unlink(missing_ok=True)
        kept = sorted(self._folder.glob(f"*{_SUFFIX}"), key=_kept_at, reverse=True)
        for path in kept[self._limits.count :]:
            path.unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _kept_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
