"""Files that survive a power cut: temporary name, fsync, rename, fsync of the directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


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

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise Locked("another process owns the queue") from None

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._descriptor)
