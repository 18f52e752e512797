"""Real power loss as the kernel makes it: FS_IOC_SHUTDOWN on ext4 and xfs while a queue works on them.

Needs root, loop devices and mkfs; says so where they are missing. Nothing but files made here is touched.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kiosk.core.ports import SealedSubmission
from offline_queue.disk.files import sync_directory
from tests.crash.actors import Told, fork
from tests.crash.workloads import Careless, Work, check

_FS_IOC_SHUTDOWN = 0x8004587D
"""_IOR('X', 125, __u32); linux/fs.h and fs/xfs/libxfs/xfs_fs.h."""
_NOLOGFLUSH = struct.pack("I", 2)
"""Nothing that is still in memory, not even the journal, reaches the disk."""
_MKFS = {
    "ext4": (64, ("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0")),
    "xfs": (320, ("mkfs.xfs", "-q", "-f")),
}
_STEPS = 100_000
_FILINGS = 25
"""Up to so many are acknowledged before the power goes."""
_PATIENCE_S = 10.0


@dataclass
class Disk:
    """A file system in a file."""

    kind: str
    base: Path

    @property
    def place(self) -> Path:
        """Where it is mounted."""
        return self.base / self.kind

    @property
    def image(self) -> Path:
        """The file."""
        return self.base / f"{self.kind}.img"

    def make(self) -> str:
        """Make and mount it; why that is not possible, if it is not."""
        megabytes, command = _MKFS[self.kind]
        if shutil.which(command[0]) is None:
            return f"{command[0]} is not installed"
        with self.image.open("wb") as file:
            file.truncate(megabytes * 1024 * 1024)
        self.place.mkdir()
        made = subprocess.run([*command, self.image], capture_output=True, text=True, check=False)
        return made.stderr.strip() if made.returncode else self.mount()

    def mount(self) -> str:
        """Mount it; the journal is replayed as after a power cut."""
        command = ["mount", "-o", "loop", "-t", self.kind, self.image, self.place]
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        return mounted.stderr.strip() if mounted.returncode else ""

    def unmount(self) -> None:
        """Take it away, also when it is busy for a moment."""
        for _ in range(50):
            if subprocess.run(["umount", self.place], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.05)
        subprocess.run(["umount", "-l", self.place], check=False)

    def power_off(self) -> None:
        """The kernel forgets everything that was not synced."""
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _FS_IOC_SHUTDOWN, _NOLOGFLUSH)
        finally:
            os.close(descriptor)


def hindrance() -> str:
    """Why this cannot be done here; empty when it can."""
    if os.geteuid() != 0:
        return "not root"
    if not Path("/dev/loop-control").exists():
        return "no loop devices"
    return ""


def one(disk: Disk, work: Sequence[SealedSubmission], dice: random.Random, careless: Careless) -> tuple[int, list[str]]:
    """One shutdown at a random moment: how many filings were acknowledged by then, and what is wrong afterwards."""
    # A name of its own: what was removed after the last power cut may come back with the next one.
    data = disk.place / f"data-{dice.getrandbits(64):x}"
    told = Told.new()
    day = Work(data, work, told.say, random.Random(dice.random()), _STEPS, careless=careless)

    def child() -> int:
        data.mkdir()
        with contextlib.suppress(Exception):  # the disk vanishes under it; what it said before counts
            day.run()
        signal.pause()
        return 0

    pid = fork(child, log=disk.base / "log")
    # Heard before the power goes: these were promised for certain.
    marks: list[str] = []
    wanted, end = dice.randint(0, _FILINGS), time.monotonic() + _PATIENCE_S
    while sum(words.startswith("put ") for words in marks) < wanted and time.monotonic() < end:
        time.sleep(dice.uniform(0, 0.01))
        marks += [" ".join(line) for line in told.lines()]
    disk.power_off()
    begun = [" ".join(line) for line in told.lines()]
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    begun += [" ".join(line) for line in told.lines()]
    told.close()
    disk.unmount()
    if why := disk.mount():
        return 0, [f"unreadable: {disk.kind} does not mount: {why}"]
    # What came late may have begun; it is no promise, for the power was gone before we heard it.
    late = [words for words in begun if not words.startswith(("put ", "accepted ", "number ", "kept ", "dropped "))]
    wrong = check(data, work, [*marks, *late]) if (data / "queue" / "queue.db").exists() or marks else []
    shutil.rmtree(data, ignore_errors=True)
    sync_directory(disk.place)
    return sum(words.startswith("put ") for words in marks), wrong


def run(
    count: int, *, seed: int, say: Callable[[str], None], careless: Careless = Careless.NOT, only: str = ""
) -> list[str]:
    """`count` shutdowns, half on each file system; what went wrong."""
    from tests.crash.powercut import sealed_filings

    if why := hindrance():
        say(f"real file-system shutdowns: NOT RUN, {why}")
        return []
    faults: list[str] = []
    base = Path(tempfile.mkdtemp(prefix="shutdown-"))
    try:
        work = sealed_filings(base, 400, seed=seed)
        disks = [Disk(kind, base) for kind in _MKFS if not only or kind == only]
        hindered = {disk.kind: disk.make() for disk in disks}
        usable = [disk for disk in disks if not hindered[disk.kind]]
        for kind, why in hindered.items():
            if why:
                say(f"real shutdowns of {kind}: NOT RUN, {why}")
        for disk in usable:
            began = time.monotonic()
            dice = random.Random(f"{seed} {disk.kind}")
            share = -(-count // len(usable))
            acknowledged = losing = 0
            for _ in range(share):
                put, wrong = one(disk, work, dice, careless)
                acknowledged += put
                losing += bool(wrong)
                faults += [f"{disk.kind}, seed {seed}: {words}" for words in wrong[:2]]
            say(
                f"{share} real shutdowns of {disk.kind}: {acknowledged} filings acknowledged, {losing} shutdowns lost"
                f" something; {time.monotonic() - began:.0f} s"
            )
    finally:
        for disk in (Disk(kind, base) for kind in _MKFS):
            if os.path.ismount(disk.place):
                disk.unmount()
        shutil.rmtree(base, ignore_errors=True)
    return faults
