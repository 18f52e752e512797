"""A terminal's identity changes as a whole: the folder of the next one takes the place of ``identity/`` in one step.

``identity.next`` is being made ready, ``identity.old`` is what was there before, kept until the hall has answered to
the new one. At a crash each folder is one whole generation or an unfinished next one, never a mixture.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from offline_queue.disk.files import sync_directory, write_durably

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_PRIVATE = 0o600
REPLACES = "replaces"
"""SHA-256 of the certificate whose place a generation takes."""
RENEWED = ("tls.key", "tls.pem", "signing.key", "terminal.json", "ca.pem", REPLACES)
"""What a generation brings anew; everything else in the folder moves along."""


@dataclass(frozen=True, slots=True)
class Generations:
    """The folders of one data directory."""

    current: Path

    @property
    def next(self) -> Path:
        """Being made ready."""
        return self.current.with_name(self.current.name + ".next")

    @property
    def old(self) -> Path:
        """Before the current one; there only until that is proven."""
        return self.current.with_name(self.current.name + ".old")

    def keep(self, folder: Path, files: Mapping[str, bytes]) -> None:
        """Write private files into a folder, durably; OSError."""
        folder.mkdir(mode=0o700, exist_ok=True)
        for name, data in files.items():
            write_durably(folder / name, data, temporary=folder / f"{name}.tmp")
            (folder / name).chmod(_PRIVATE)
        sync_directory(folder.parent)

    def swap_in(self) -> None:
        """The next one becomes the current one; OSError, and then nothing has changed."""
        for path in self.current.iterdir():
            if path.is_file() and path.name not in RENEWED and not path.name.endswith(".tmp"):
                self.keep(self.next, {path.name: path.read_bytes()})
        _exchange(self.current, self.next)
        self.settle()

    def settle(self) -> None:
        """After a swap, also one that a crash cut off: what lies under ``next`` now is the old one."""
        self.next.rename(self.old)
        sync_directory(self.current.parent)

    def swap_back(self) -> None:
        """The current one is refused: the old one is the current one again, the refused one is gone."""
        _exchange(self.current, self.old)
        sync_directory(self.current.parent)
        self.forget(self.old)

    def forget(self, folder: Path) -> None:
        """Its keys are gone from here."""
        if folder.is_dir():
            # Under the name of the unfinished first: half a generation is never taken for a whole one.
            (folder / "terminal.json").unlink(missing_ok=True)
            shutil.rmtree(folder)
            sync_directory(folder.parent)


def _exchange(one: Path, other: Path) -> None:
    """Two names change places in one step (renameat2(2), Linux 3.15); OSError where the file system cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    if done != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one.name))
    sync_directory(one.parent)
