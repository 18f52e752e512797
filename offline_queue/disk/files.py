"""Files that survive a power cut: temporary name, fsync, rename, fsync of the directory."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

_LOOK_AGAIN_S = 0.02


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(directory: Path) -> None:
    """Create a private directory and everything above it, durably."""
    if directory.is_dir():
        return
    make_directory(directory.parent)
    directory.mkdir(mode=0o700, exist_ok=True)
    sync_directory(directory.parent)


def write_durably(path: Path, data: bytes, *, temporary: Path) -> None:
    """Whole file or no file under `path`, also after a power cut; leaves no temporary file when the disk is full.

    `temporary` must be on the same file system. Raises OSError.
    """
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


class Locked(RuntimeError):
    """Another process owns the store."""


class OwnerLock:
    """An exclusive lock on a file for the life of this process; the kernel drops it when the process dies."""

    def __init__(self, path: Path, *, wait_s: float = 2.0) -> None:
        """Raises Locked if somebody still has it after `wait_s` seconds: a killed owner takes a moment to be gone."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        end = time.monotonic() + wait_s
        while not self._taken():
            if time.monotonic() >= end:
                os.close(self._descriptor)
                raise Locked("another process owns the queue")
            time.sleep(_LOOK_AGAIN_S)

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._descriptor)

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
