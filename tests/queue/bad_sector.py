"""A program of its own on a disk of which one sector cannot be read: EIO for its 512 bytes of one file.

``python -m tests.queue.bad_sector QUEUE`` opens the store and prints the ids of the filings that can be handed over.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from kiosk.core.clock import SystemClock
from kiosk.core.result import Ok
from offline_queue.drain import Drain
from offline_queue.store import Store

ROOT = Path(__file__).resolve().parents[2]
_SOURCE = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
static int bad(int fd, off_t at, size_t size) {
  struct stat seen;
  off_t sector = atoll(getenv("BAD_SECTOR"));
  return !fstat(fd, &seen) && seen.st_ino == strtoull(getenv("BAD_INODE"), 0, 10)
    && at < sector + 512 && at + (off_t)size > sector;
}
ssize_t pread(int fd, void *data, size_t size, off_t at) {
  if (bad(fd, at, size)) { errno = EIO; return -1; }
  return syscall(SYS_pread64, fd, data, size, at);
}
ssize_t pread64(int fd, void *data, size_t size, off_t at) { return pread(fd, data, size, at); }
ssize_t read(int fd, void *data, size_t size) {
  if (bad(fd, lseek(fd, 0, SEEK_CUR), size)) { errno = EIO; return -1; }
  return syscall(SYS_read, fd, data, size);
}
ssize_t sendfile64(int out, int in, off_t *at, size_t size) {
  if (bad(in, at ? *at : lseek(in, 0, SEEK_CUR), size)) { errno = EIO; return -1; }
  return syscall(SYS_sendfile, out, in, at, size);
}
ssize_t sendfile(int out, int in, off_t *at, size_t size) { return sendfile64(out, in, at, size); }
"""


def handed_over(queue: Path, *, spoilt: int, scratch: Path) -> set[str]:
    """Ids, with the sector around byte `spoilt` of the store's file gone."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    assert compiler, "no C compiler: install gcc"
    source, library = scratch / "sector.c", scratch / "sector.so"
    source.write_text(_SOURCE)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.queue.bad_sector", str(queue)],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "LD_PRELOAD": str(library),
            "BAD_SECTOR": str(spoilt // 512 * 512),
            "BAD_INODE": str((queue / "queue.db").stat().st_ino),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def main() -> int:
    """Open, and read what can be read."""
    store = Store(Path(sys.argv[1]), clock=SystemClock())
    drain = Drain(store)
    waiting = drain.waiting()
    assert isinstance(waiting, Ok), waiting
    for item in waiting.value:
        if isinstance(drain.envelope(item), Ok):
            print(item.id)  # noqa: T201
    store.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
