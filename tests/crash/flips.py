"""Damage by the disk itself: single bits, whole pages. All found; what is damaged is set aside, the rest goes on.

python -m tests.crash.flips [--flips N] [--seed S]
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from kiosk.core.ports import SealedSubmission, SubmissionState
from kiosk.core.result import Err, Ok
from offline_queue.damage.salvage import damaged_files
from offline_queue.drain import Drain
from tests.crash.powercut import sealed_filings
from tests.crash.processes import WORKERS, scratch, side_by_side, watched
from tests.crash.shim import Shim, When, reexec
from tests.crash.workloads import MOST, intake_of, open_store

COUNT = 24


@dataclass
class Outcome:
    """What became of some damage."""

    trials: int = 0
    harmless: int = 0
    """In bytes that nobody uses, or in what can be made again."""
    parked: int = 0
    salvaged: int = 0
    killed: int = 0
    """Salvages that were cut short."""
    faults: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """What another process found."""
        self.trials += other.trials
        self.harmless += other.harmless
        self.parked += other.parked
        self.salvaged += other.salvaged
        self.killed += other.killed
        self.faults += other.faults


def prepare(queue: Path, filings: Sequence[SealedSubmission]) -> None:
    """A store at rest with these filings, at its end and in places laid out beforehand."""
    store = open_store(queue)
    intake = intake_of(store)
    for number, sealed in enumerate(filings):
        if number == len(filings) // 2:
            assert store.keep_house() == Ok(None)
        assert intake.put(sealed, card_tag=b"t" * 32, slip=b"s" * 200) == Ok(None)
    store.close()


@dataclass
class Delivered:
    """What a drain made of a store."""

    good: set[str] = field(default_factory=set)
    wrong: set[str] = field(default_factory=set)
    """Handed over, but not with the bytes that were filed."""
    parked: set[str] = field(default_factory=set)
    set_aside: int = 0


def drain(queue: Path, filings: Sequence[SealedSubmission]) -> Delivered:
    """Hand over whatever the store gives, as the sync worker does: what is damaged is parked."""
    made = Delivered()
    by_id = {sealed.id: sealed for sealed in filings}
    store = open_store(queue)
    try:
        handing = Drain(store)
        store.keep_house()
        waiting = handing.waiting(limit=MOST)
        if isinstance(waiting, Err):
            # A page that nobody had looked at: closed, set aside, salvaged. The worker comes again in a second.
            waiting = handing.waiting(limit=MOST)
        assert isinstance(waiting, Ok), waiting
        for item in waiting.value:
            envelope = handing.envelope(item)
            blobs = [handing.blob(ref) for ref in item.blobs]
            if isinstance(envelope, Err) or any(isinstance(blob, Err) for blob in blobs):
                assert handing.park(item, code="damaged") == Ok(None)
                continue
            sealed = by_id.get(item.id)
            whole = sealed is not None and envelope.value == sealed.envelope
            whole = whole and [blob.value for blob in blobs if isinstance(blob, Ok)] == list(
                sealed.blobs if sealed else ()
            )
            (made.good if whole else made.wrong).add(item.id)
        entries = store.entries(limit=MOST)
        assert isinstance(entries, Ok), entries
        made.parked = {entry.id for entry in entries.value if entry.state is SubmissionState.PARKED}
        made.set_aside = len(damaged_files(queue / "queue.db"))
    finally:
        store.close()
    return made


def flip(path: Path, bit: int) -> None:
    """Change one bit of a file."""
    with path.open("r+b") as file:
        file.seek(bit // 8)
        (byte,) = file.read(1)
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))


def _somewhere(raw: bytes, dice: random.Random) -> int:
    """A bit, seldom one of the zeros that fill places and pages."""
    while True:
        bit = dice.randrange(len(raw) * 8)
        if raw[bit // 8] or dice.random() < 0.1:
            return bit


def one_flip(base: Path, template: Path, filings: Sequence[SealedSubmission], dice: random.Random) -> tuple[str, str]:
    """Flip a bit of a copy; what it came to, and what is wrong with that."""
    queue = base / "queue"
    shutil.rmtree(queue, ignore_errors=True)
    shutil.copytree(template, queue)
    files = [path for path in (queue / "blobs").rglob("*") if path.is_file()]
    path = dice.choice(files) if dice.random() < 0.3 else queue / "queue.db"
    bit = _somewhere(path.read_bytes(), dice)
    flip(path, bit)
    where = f"bit {bit} of {'a blob' if path.parent.name != 'queue' else path.name}"
    try:
        made = drain(queue, filings)
    except Exception as error:  # anything but going on is a fault
        return "fault", f"{where}: {type(error).__name__} {error}"
    if made.wrong:
        return "fault", f"{where}: {len(made.wrong)} handed over with other bytes"
    missing = {sealed.id for sealed in filings} - made.good
    silent = len(missing) - len(made.parked)
    # One bit can spoil one filing, or the name of one. In a salvaged store the damage was found, and told.
    if silent > (1 if made.set_aside else 0) or len(missing) > 1:
        return (
            "fault",
            f"{where}: {len(missing)} not handed over, {len(made.parked)} parked, {made.set_aside} set aside",
        )
    return ("salvaged" if made.set_aside else "parked" if made.parked else "harmless"), ""


def flips(base: Path, template: Path, filings: Sequence[SealedSubmission], dice: random.Random, n: int) -> Outcome:
    """`n` single bits, each in a fresh copy."""
    made = [one_flip(base, template, filings, dice) for _ in range(n)]
    kinds = Counter(kind for kind, _ in made)
    return Outcome(
        trials=n,
        harmless=kinds["harmless"],
        parked=kinds["parked"],
        salvaged=kinds["salvaged"],
        faults=[wrong for _, wrong in made if wrong],
    )


def spoil_page(path: Path, number: int, dice: random.Random, *, size: int) -> None:
    """Fill one page with noise."""
    with path.open("r+b") as file:
        file.seek(number * size)
        file.write(dice.randbytes(size))


def salvages_cut_short(
    base: Path, template: Path, filings: Sequence[SealedSubmission], dice: random.Random, *, first: int, stride: int
) -> Outcome:
    """Kill a salvage at operations `first`, `first` + `stride`, … to its last: the next start loses nothing."""
    outcome = Outcome()
    page = Shim.here().page()
    queue = base / "queue"
    for at in count(first, stride):
        shutil.rmtree(queue, ignore_errors=True)
        shutil.copytree(template, queue)
        page.reset()
        page.die_at, page.die_when = at, dice.choice(list(When))
        status = watched(lambda: open_store(queue).close(), data=queue, page=page, log=base / "log")
        made = drain(queue, filings)
        if len(made.good) != len(filings) or made.set_aside != 1:
            what = f"{len(made.good)} left, {made.set_aside} set aside"
            outcome.faults.append(f"salvage killed at {at} ({page.where()}): {what}")
        if status not in (0, signal.SIGKILL):
            outcome.faults.append(f"salvage, to be killed at {at}: " + (base / "log").read_text())
        outcome.killed += status == signal.SIGKILL
        # One that was to die after an operation which failed by itself, as a deletion of nothing, lived on.
        if page.count < at:
            break
    return outcome


def everything(total: int, *, seed: int, stride: int = 1) -> Outcome:
    """`total` single bits, and salvages killed at every `stride`-th operation, by several processes."""
    outcome = Outcome()
    with scratch("flips-") as base:
        filings = sealed_filings(base, COUNT, seed=seed)
        healthy, spoilt = base / "healthy", base / "spoilt"
        prepare(healthy, filings)
        shutil.copytree(healthy, spoilt)
        spoil_page(spoilt / "queue.db", 0, random.Random(seed), size=100)
        # Here too, so that no child spends its short life on what Python does once.
        rehearsal = shutil.copytree(spoilt, base / "rehearsal")
        if (set_aside := drain(rehearsal, filings).set_aside) != 1:
            outcome.faults.append(f"{set_aside} set aside of a store without its first page")

        def share(worker: int, place: Path) -> dict[str, Any]:
            dice = random.Random(f"{seed} {worker}")
            mine = flips(place, healthy, filings, dice, len(range(worker, total, WORKERS)))
            first = 1 + seed % stride + worker * stride
            mine.add(salvages_cut_short(place, spoilt, filings, dice, first=first, stride=WORKERS * stride))
            return mine.__dict__

        made, faults = side_by_side(share, base=base)
    outcome.faults += faults
    for one_of_them in made:
        outcome.add(Outcome(**one_of_them))
    return outcome


def main(arguments: Any = None) -> int:
    """Exit code 0 when all damage was found."""
    words = argparse.ArgumentParser(description="single bits and cut-short salvages")
    words.add_argument("--flips", type=int, default=3000)
    words.add_argument("--stride", type=int, default=1, help="salvages killed at every n-th operation only")
    words.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    told = words.parse_args(arguments)
    began = time.monotonic()
    outcome = everything(told.flips, seed=told.seed, stride=told.stride)
    sys.stdout.write(
        f"seed {told.seed}\n{outcome.trials} single bits: {outcome.harmless} harmless, {outcome.parked} found, parked,"
        f" {outcome.salvaged} found and the store salvaged, {len(outcome.faults)} faults; {outcome.killed} salvages"
        f" killed (stride {told.stride}); {time.monotonic() - began:.0f} s\n"
    )
    sys.stdout.write("".join(f"{fault}\n" for fault in outcome.faults[:20]))
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    reexec("tests.crash.flips")
    sys.exit(main())
