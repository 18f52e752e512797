"""Places in memory, watched children, and work spread over processes: what all the crash programs begin with."""

from __future__ import annotations

import gc
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.crash.actors import fork
from tests.crash.shim import Page, Shim

WORKERS = 2


_ROOM = 1 << 30
"""Bytes free without which nothing is put into memory."""


@contextmanager
def scratch(prefix: str, *, keep: bool = False) -> Iterator[Path]:
    """A directory in memory, where there is room: the images are many, and who is killed there loses nothing by it."""
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() and shutil.disk_usage(memory).free > _ROOM else None
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    try:
        yield path
    finally:
        if not keep:
            shutil.rmtree(path, ignore_errors=True)


def watched(work: Callable[[], object], *, data: Path, page: Page, log: Path, trace: Path | None = None) -> int:
    """Do `work` in a child whose every operation below `data` is counted, and written to `trace`; its wait status.

    `log` holds what it said, and nothing older.
    """

    def child() -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        Shim.here().arm(data, page, trace=-1 if trace is None else os.open(trace, flags))
        work()
        return 0

    log.unlink(missing_ok=True)
    _, status = os.waitpid(fork(child, log=log), 0)
    return status


def side_by_side(
    work: Callable[[int, Path], dict[str, Any]], *, base: Path, workers: int = WORKERS
) -> tuple[list[dict[str, Any]], list[str]]:
    """`work(number, its own folder)` in as many processes at once; what each made, and why some made nothing."""
    # What was imported until here belongs to all of them for good: the collector must not touch, thus copy, it.
    gc.freeze()
    folders: dict[int, Path] = {}
    for number in range(workers):
        folder = base / f"worker-{number}"
        folder.mkdir()

        def child(number: int = number, folder: Path = folder) -> None:
            (folder / "made.json").write_text(json.dumps(work(number, folder)))

        folders[fork(child, log=folder / "worker.log")] = folder
    made, faults = [], []
    for pid, folder in folders.items():
        _, status = os.waitpid(pid, 0)
        if status:
            faults.append("worker failed: " + (folder / "worker.log").read_text(errors="replace")[-2000:])
        else:
            made.append(json.loads((folder / "made.json").read_text()))
    return made, faults
