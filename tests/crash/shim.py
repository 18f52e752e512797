"""The preloaded write watcher `shim.c` from Python: build it, run a program under it, arm it in a forked child."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(__file__).with_name("shim.c")
_PR_SET_PDEATHSIG = 1


class Op(IntEnum):
    """As in `shim.c`."""

    OPEN = 1
    CLOSE = 2
    WRITE = 3
    SYNC = 4
    TRUNCATE = 5
    RENAME = 6
    UNLINK = 7
    MKDIR = 8
    RMDIR = 9
    LINK = 10
    DUP = 11
    MARK = 12
    READ = 13
    STRANGE = 14
    ALLOCATE = 15


class When(IntEnum):
    """On which side of an operation the process dies."""

    BEFORE = 0
    AFTER = 1
    HALFWAY = 2


class Page(ctypes.Structure):
    """Shared between a process and whoever watches it; `struct page`."""

    _fields_ = (
        ("count", ctypes.c_uint64),
        ("die_at", ctypes.c_uint64),
        ("die_when", ctypes.c_uint64),
        ("fail_at", ctypes.c_uint64),
        ("fail_for", ctypes.c_uint64),
        ("fail_errno", ctypes.c_uint64),
        ("all", ctypes.c_uint64),
        ("fired", ctypes.c_uint64),
        ("failed", ctypes.c_uint64),
        ("path", ctypes.c_char * 232),
    )

    def reset(self) -> None:
        """As new."""
        ctypes.memset(ctypes.addressof(self), 0, ctypes.sizeof(self))

    def where(self) -> str:
        """The operation that was cut or failed: kind and file, without hashes."""
        if not self.fired:
            return ""
        name = re.sub("[0-9a-f]{64}", "SHA256", Path(os.fsdecode(self.path)).name)
        return f"{Op(self.fired).name.lower()} {re.sub('^[0-9a-f]{2}$', 'XX', name)}"


@dataclass(frozen=True)
class Shim:
    """The watcher inside this process; only where it was preloaded."""

    library: ctypes.CDLL

    @classmethod
    def here(cls) -> Shim:
        """RuntimeError in a process that was started without it."""
        library = ctypes.CDLL(None)
        try:
            library.crash_page.restype = ctypes.POINTER(Page)
            library.crash_arm.argtypes = (ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int)
            library.crash_mark.argtypes = (ctypes.c_char_p,)
        except AttributeError:
            raise RuntimeError("start this program with tests.crash.shim.preloaded") from None
        return cls(library)

    def page(self) -> Page:
        """A fresh page; to be made before the fork."""
        page: Page = self.library.crash_page().contents
        return page

    def arm(self, root: Path, page: Page, *, trace: int = -1) -> None:
        """From now on what this process does below `root` counts; `trace`: a descriptor to write it down to."""
        self.library.crash_arm(os.fsencode(root), ctypes.addressof(page), trace)

    def mark(self, word: str) -> None:
        """A promise made at this point of the trace."""
        self.library.crash_mark(word.encode())


def built() -> Path:
    """The compiled watcher; compiled when its source has changed. RuntimeError without a C compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise RuntimeError("no C compiler: install gcc")
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]
    library = ROOT / "build" / "crash" / f"shim-{digest}.so"
    if not library.exists():
        library.parent.mkdir(parents=True, exist_ok=True)
        fresh = library.with_suffix(f".{os.getpid()}")
        flags = ("-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
        subprocess.run([compiler, *flags, "-o", fresh, SOURCE, "-lpthread"], check=True)
        fresh.rename(library)
    return library


def preloaded(module: str, *words: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``python -m module`` with the watcher inside, from the checkout; it dies with us."""
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
        preexec_fn=die_with_parent,
    )


def environment() -> dict[str, str]:
    """For a program with the watcher inside."""
    return {**os.environ, "LD_PRELOAD": str(built()), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def reexec(module: str) -> None:
    """Start this program again with the watcher inside, if it is not there; for `main`."""
    try:
        Shim.here()
    except RuntimeError:
        os.chdir(ROOT)
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], environment())


def die_with_parent() -> None:
    """Ask the kernel for SIGKILL when whoever started us is gone."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
