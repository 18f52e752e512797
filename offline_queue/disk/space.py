"""Room on the disk: stop taking new work before it is full, and keep a ballast to drain with when it is.

In WAL mode even a DELETE needs room first, so a full disk would stop draining too; removing the ballast gives it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from offline_queue.disk.files import sync_directory

EXHAUSTED = 64 * 1024
"""Bytes; SQLite cannot even extend its shared-memory file."""


@dataclass(frozen=True, slots=True)
class SpaceLimits:
    """Bytes."""

    ballast: int = 8 * 1024 * 1024
    """More than the largest WAL and transaction together."""
    floor: int = 32 * 1024 * 1024
    """New work is refused when less than this would be left."""


def free_bytes(directory: Path) -> int:
    """What an unprivileged process could still write there."""
    stat = os.statvfs(directory)
    return stat.f_bavail * stat.f_frsize


class DiskSpace:
    """Ballast and admission of one queue directory."""

    def __init__(self, directory: Path, *, limits: SpaceLimits, free: Callable[[Path], int] = free_bytes) -> None:
        self._directory = directory
        self._ballast = directory / "ballast"
        self._limits = limits
        self._free = free

    def accepting(self, size: int = 0) -> bool:
        """May `size` more bytes be taken?"""
        return self._free(self._directory) - size >= self._limits.floor

    def exhausted(self) -> bool:
        """Is there so little left that SQLite's I/O errors mean a full disk?"""
        return self._free(self._directory) < EXHAUSTED

    def keep_ballast(self) -> None:
        """Create the ballast if it is missing and there is room for it; else leave that for later."""
        if self._limits.ballast == 0 or self._ballast.exists():
            return
        if self._free(self._directory) < self._limits.ballast + self._limits.floor:
            return
        temporary = self._ballast.with_suffix(".tmp")
        # A disk that fails here says so where it matters: at the next filing.
        with suppress(OSError):
            try:
                with temporary.open("wb") as file:
                    os.posix_fallocate(file.fileno(), 0, self._limits.ballast)
                temporary.rename(self._ballast)
            except OSError:
                temporary.unlink(missing_ok=True)

    def release_ballast(self) -> bool:
        """Give the reserved room to the drain; False if it was gone already, or if this disk does not even do that."""
        try:
            self._ballast.unlink()
            sync_directory(self._directory)
        except OSError:
            return False
        return True
