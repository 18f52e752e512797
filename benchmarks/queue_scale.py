"""A hundred thousand waiting and as many past: what that does to a claim, to memory, to opening, to the disk.

``python -m benchmarks.queue_scale FOLDER ROWS`` writes one line of JSON. Rows are laid in by the store's own
put, without its fsyncs; their envelopes are real ones under other ids.
"""

from __future__ import annotations

import dataclasses
import gc
import itertools
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.forms import forms
from benchmarks.queue_cost import FORM
from benchmarks.queue_peers import Ours, renamed
from benchmarks.report import ROOT
from kiosk.contract.envelope import parse_envelope
from kiosk.contract.sealing import seal_submission
from kiosk.contract.signing import SigningKey
from kiosk.core.clock import SystemClock
from kiosk.core.result import Ok
from offline_queue.disk.contents import Filed
from offline_queue.disk.database import Arrived
from offline_queue.disk.upkeep import UpkeepLimits
from offline_queue.drain import Drain
from offline_queue.store import Store

CLAIM = 32
_AT_ONCE = 1000
_CLAIMS = 200
_ENVELOPES = 64


def scale(folder: Path, rows: int) -> dict[str, Any]:
    """The figures, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.queue_scale", str(folder), str(rows)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(told.stdout)
    return answer


def fill(store: Store, rows: int, *, start: int = 0) -> None:
    """Filings as if they had been put."""
    signing, session = SigningKey.generate(), Ours.seal()
    chosen = list(itertools.islice(forms("scale", only=FORM), _ENVELOPES))
    envelopes = [
        seal_submission(renamed(form, serial), sealed_blobs=(), session=session, signing=signing)
        for serial, form in enumerate(chosen)
    ]
    hashes = [parse_envelope(raw).sha256 for raw in envelopes]

    def work(db: sqlite3.Connection) -> None:
        for serial in range(start, start + rows):
            form = renamed(chosen[serial % _ENVELOPES], serial)
            filed = Filed(
                id=form.id,
                application_no=form.application_no,
                sha256=hashes[serial % _ENVELOPES],
                envelope=envelopes[serial % _ENVELOPES],
                blobs=(),
                card_tag=b"",
                slip=b"",
                created_at=store.now(),
            )
            store.db.arrivals.add(db, filed)

    # The fsyncs of so many puts are not what is measured here.
    assert isinstance(store.db.run(_synchronous("off"), arrived=Arrived.COMMITTED), Ok)
    assert isinstance(store.db.run(work, arrived=Arrived.AS_IT_IS), Ok)
    assert isinstance(store.db.run(_synchronous("full"), arrived=Arrived.COMMITTED), Ok)


def _synchronous(how: str) -> Callable[[sqlite3.Connection], None]:
    return lambda db: db.execute(f"pragma synchronous = {how}").close()


def deliver(store: Store, rows: int, *, batch: int) -> None:
    """The hall has signed for the oldest ones."""
    drain = Drain(store)
    for _ in range(0, rows, batch):
        waiting = drain.waiting(limit=batch)
        assert isinstance(waiting, Ok)
        assert drain.accept_many([(item, os.urandom(126)) for item in waiting.value]) == Ok(None)


def claims_us(*stores: Store) -> list[float]:
    """Medians of a claim of 32 from each, in microseconds; in turn, so that what else the machine does hits all."""
    drains = [Drain(store) for store in stores]
    taken: list[list[float]] = [[] for _ in stores]
    for _ in range(_CLAIMS):
        for drain, times in zip(drains, taken, strict=True):
            began = time.perf_counter()
            waiting = drain.waiting(limit=CLAIM)
            times.append(time.perf_counter() - began)
            assert isinstance(waiting, Ok) and len(waiting.value) == CLAIM
    return [statistics.median(times) * 1e6 for times in taken]


def rss_kib() -> int:
    """Resident memory of this process."""
    gc.collect()
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def disk_bytes(folder: Path) -> int:
    """Database and WAL."""
    return sum(path.stat().st_size for path in folder.glob("queue.db*") if not path.name.endswith("-shm"))


@contextmanager
def timed_steps(store: Store, steps: list[float]) -> Iterator[None]:
    """How long each piece of work holds the connection."""
    run = store.db.run

    def timed(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return run(*arguments, **options)
        finally:
            steps.append(time.perf_counter() - began)

    vars(store.db)["run"] = timed
    try:
        yield
    finally:
        del vars(store.db)["run"]


def live_bytes(folder: Path, scratch: Path) -> int:
    """What a copy without any gap takes."""
    connection = sqlite3.connect(folder / "queue.db")
    try:
        connection.execute("vacuum into ?", (str(scratch),))
    finally:
        connection.close()
    size = scratch.stat().st_size
    scratch.unlink()
    return size


def main(folder: Path, rows: int) -> None:
    """Measure."""
    shutil.rmtree(folder, ignore_errors=True)
    small, large = folder / "small", folder / "large"
    told: dict[str, Any] = {}
    store = Store(small, clock=SystemClock())
    fill(store, CLAIM)
    store.close()

    store = Store(large, clock=SystemClock())
    fill(store, rows)
    deliver(store, rows, batch=_AT_ONCE)
    fill(store, rows, start=rows)
    store.close()
    del store
    told.update(_in_new_process(large))

    limits = dataclasses.replace(UpkeepLimits(), compact_s=30.0)
    store = Store(large, clock=SystemClock(), upkeep=limits)
    steps: list[float] = []
    with timed_steps(store, steps):
        deliver(store, rows, batch=64)
        told["full_bytes"] = disk_bytes(large)
        began = time.perf_counter()
        assert store.keep_house() == Ok(None)
        told["back_s"] = time.perf_counter() - began
    told["steps_ms"] = [step * 1000 for step in steps]
    store.close()
    told["disk_ratio"] = disk_bytes(large) / live_bytes(large, folder / "copy.db")
    shutil.rmtree(folder)
    sys.stdout.write(json.dumps(told) + "\n")


def _in_new_process(large: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.queue_scale", "--open", str(large.parent / "small"), str(large)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(told.stdout)
    return answer


def measure_open(small: Path, large: Path) -> None:
    """Memory and time of a process that opens a small store, then a large one, and works with it."""
    few = Store(small, clock=SystemClock())
    claims_us(few)
    before = rss_kib()
    opens = []
    for _ in range(5):
        began = time.perf_counter()
        store = Store(large, clock=SystemClock())
        opens.append((time.perf_counter() - began) * 1000)
        store.close()
    store = Store(large, clock=SystemClock())
    empty, full = claims_us(few, store)
    backlog = store.backlog()
    assert isinstance(backlog, Ok)
    told = {
        "open_ms": opens,
        "claim_empty_us": empty,
        "claim_full_us": full,
        "rss_mib": (rss_kib() - before) / 1024,
    }
    store.close()
    few.close()
    sys.stdout.write(json.dumps(told | {"pending": backlog.value.pending}) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "--open":
        measure_open(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main(Path(sys.argv[1]), int(sys.argv[2]))
