"""Sealed materials as files, named by their SHA-256: ``blobs/ab/abcdef…``. Written before the row that needs them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Set
from pathlib import Path

from offline_queue.disk.files import make_directory, write_durably

_TEMPORARY = ".tmp"


class BlobSpool:
    """The blob directory of one queue. Raises OSError; the store says what that means."""

    def __init__(self, root: Path) -> None:
        self._root = root
        make_directory(root)

    def path(self, sha256: str) -> Path:
        """Where a blob lies."""
        return self._root / sha256[:2] / sha256

    def write(self, data: bytes) -> str:
        """Store durably; the SHA-256, hexadecimal. The same bytes again are the same file."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        make_directory(path.parent)
        write_durably(path, data, temporary=path.with_suffix(_TEMPORARY))
        return sha256

    def read(self, sha256: str) -> bytes:
        """A blob as it lies there; its hash is for the caller to check."""
        return self.path(sha256).read_bytes()

    def remove(self, names: Iterable[str]) -> None:
        """Forget blobs; not durable, because a blob that comes back is swept at the next start."""
        for sha256 in names:
            self.path(sha256).unlink(missing_ok=True)

    def sweep(self, keep: Set[str]) -> int:
        """Remove torn and orphaned files, return how many. Only before anybody else uses the spool."""
        removed = 0
        for directory, _, names in os.walk(self._root):
            for name in names:
                if name not in keep:
                    (Path(directory) / name).unlink()
                    removed += 1
        return removed
