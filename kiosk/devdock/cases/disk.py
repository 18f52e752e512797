"""A small disk of its own for a terminal's data, so that "disk full" is the kernel's word and not ours."""

from __future__ import annotations

import subprocess
from pathlib import Path


class SmallDisk:
    """A tmpfs mounted on the data directory; needs root."""

    def __init__(self, mount_point: Path, *, mebibytes: int = 48) -> None:
        self._mount_point = mount_point
        self._mebibytes = mebibytes
        self._ballast = mount_point / "somebody-elses-file"

    def __enter__(self) -> SmallDisk:
        self._mount_point.mkdir(parents=True, exist_ok=True)
        options = f"size={self._mebibytes}m,mode=0700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self._mount_point)], check=True)
        return self

    def __exit__(self, *exc: object) -> None:
        subprocess.run(["umount", "--lazy", str(self._mount_point)], check=True)

    def fill(self) -> None:
        """Not one byte left."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:  # full at this grain
                    continue

    def free(self) -> None:
        """Room again."""
        self._ballast.unlink(missing_ok=True)
