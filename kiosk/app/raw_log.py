"""What a program writes on stderr, kept from filling the disk."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

LIMIT = 1024 * 1024


def keep_small(path: Path, *, limit: int = LIMIT) -> None:
    """Set aside, as ``.1``, what is more than `limit` bytes, and begin anew; at most twice `limit` is on the disk.

    The file stays the same, because the program holds it open (for appending, so that it goes on at the new end); of
    the old one the last `limit` bytes are kept. Neither an absent file nor a failing disk is this function's business.
    """
    with contextlib.suppress(OSError), path.open("r+b") as log:
        size = log.seek(0, os.SEEK_END)
        if size <= limit:
            return
        log.seek(size - limit)
        with contextlib.suppress(OSError):  # a full disk gets its space back all the same
            path.with_name(f"{path.name}.1").write_bytes(log.read(limit))
        log.truncate(0)
