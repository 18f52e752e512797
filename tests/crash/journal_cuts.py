"""Power cuts while the journal is written, signed, closed into files and shortened: what is left verifies.

python -m tests.crash.journal_cuts [--cuts N] [--seed S] [--careless …]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from kiosk.contract.signing import SigningKey
from kiosk.core.clock import SystemClock
from kiosk.core.print_ledger import PaperKind, PrintOrder
from kiosk.core.result import Ok
from offline_queue.disk.space import SpaceLimits
from offline_queue.journal.check import verify_journal
from offline_queue.journal.table import JournalLimits
from offline_queue.journal.watch import JournalWatch, Signer, WatchDelays
from offline_queue.paper.ledger import Ledger
from offline_queue.store import Store
from tests.crash.powercut import trace_of
from tests.crash.processes import scratch
from tests.crash.replay import Names, cuts
from tests.crash.shim import Shim, reexec
from tests.crash.workloads import Careless, be_careless

_LIMITS = SpaceLimits(ballast=64 * 1024, floor=0)
_STEPS = 60


def open_store(data: Path) -> Store:
    """Small files, so that many are closed."""
    return Store(data / "queue", clock=SystemClock(), limits=_LIMITS, journal=JournalLimits(records=12))


@dataclass
class Journalling:
    """A queue that prints; every printing that it was told to be durable is a mark."""

    data: Path
    dice: random.Random
    careless: Careless

    def run(self) -> None:
        """Some minutes of it."""
        be_careless(self.careless)
        clock = SystemClock()
        store = open_store(self.data)
        signer = Signer("T001", SigningKey.generate())
        delays = WatchDelays(look=0.0, checkpoint_records=7)
        watch = JournalWatch(store, clock=clock, boot=b"b" * 16, signer=signer, delays=delays)
        assert watch.start(software="test") == Ok(None)
        ledger = Ledger(store, wake=lambda: None)
        if self.careless is Careless.SYNCHRONOUS_NORMAL:
            store.db.run(lambda db: db.execute("pragma synchronous = normal"))
        for number in range(_STEPS):
            job = f"job-{number}"
            assert isinstance(ledger.intend(PrintOrder(job, PaperKind.PAGE, 1, job), card_tag=b""), Ok)
            Shim.here().mark(job)
            assert watch.tick() == Ok(None)
            if self.dice.random() < 0.1:
                oldest, *_ = (*store.journal.files.numbers(), 0)
                if oldest:
                    os.utime(store.journal.files.path(oldest), (0, 0))
                    state = store.journal.state()
                    assert isinstance(state, Ok)
                    assert store.journal.told(state.value.head.seq) == Ok(None)
                    assert store.journal.shorten(older_than=1.0) == Ok(None)
        store.close()


def faults_of(image: Path, marks: list[str]) -> list[str]:
    """What is wrong with what a power cut left."""
    if not (image / "queue" / "queue.db").exists():
        return ["lost the store"] if marks else []
    store = open_store(image)
    known = store.db.run(lambda db: {row[0] for row in db.execute("select job from prints")})
    store.close()
    assert isinstance(known, Ok), known
    report = verify_journal(image)
    wrong = [f"lost {len(set(marks) - known.value)}"] if not set(marks) <= known.value else []
    wrong += [f"{finding.code} at {finding.seq} in {finding.where}" for finding in report.findings]
    return wrong + [f"began anew: {reason}" for _, reason in report.restarts]


def main() -> int:
    """Exit code 0 when every journal verifies, without a new beginning."""
    words = argparse.ArgumentParser(description="power cuts of the journal")
    words.add_argument("--cuts", type=int, default=2000)
    words.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    words.add_argument("--careless", type=Careless, default=Careless.NOT, choices=list(Careless))
    told = words.parse_args()
    dice = random.Random(told.seed)
    faults: list[str] = []
    done = 0
    with scratch("journal-cuts-") as base:
        while done < told.cuts:
            data, start, image = base / "data", base / "start", base / "image"
            for path in (data, start):
                shutil.rmtree(path, ignore_errors=True)
                path.mkdir()
            work = Journalling(data, random.Random(dice.random()), told.careless)
            records = trace_of(work, trace=base / "trace")
            for names in Names:
                share = min(50, told.cuts - done)
                for marks in cuts(records, root=data, start=start, names=names, count=share, dice=dice, image=image):
                    done += 1
                    faults += [f"{names} after {len(marks)} marks: {wrong}" for wrong in faults_of(image, marks)]
    print(json.dumps({"seed": told.seed, "cuts": done, "faults": faults}))  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    reexec("tests.crash.journal_cuts")
    sys.exit(main())
