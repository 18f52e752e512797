"""`make powercut`: thousands of simulated power cuts at random points of real days, and real shutdowns of file systems.

python -m tests.crash.powercut [--cuts N] [--seed S] [--careless …] [--peers N] [--shutdowns N]
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiosk.core.ports import SealedSubmission
from offline_queue.seal import TerminalSealer
from tests.crash import peers, shutdowns
from tests.crash.filings import filings
from tests.crash.processes import WORKERS, scratch, side_by_side, watched
from tests.crash.replay import Names, cuts, read_trace
from tests.crash.shim import Shim, reexec
from tests.crash.workloads import Careless, Day, Work, check, yesterdays_store

CUTS_A_TRACE = 200
_STEPS = 70


@dataclass
class Outcome:
    """What became of some cuts."""

    cuts: int = 0
    by: dict[str, int] = field(default_factory=dict)
    """Cuts by kind of day and rule for names."""
    operations: int = 0
    losing: int = 0
    """Cuts after which something acknowledged was missing."""
    unreadable: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Both together."""
        self.cuts += other.cuts
        self.by = dict(Counter(self.by) + Counter(other.by))
        self.operations += other.operations
        self.losing += other.losing
        self.unreadable += other.unreadable
        self.faults += other.faults[: 20 - len(self.faults)]


def sealed_filings(base: Path, count: int, *, seed: int) -> list[SealedSubmission]:
    """Filings sealed by a terminal that exists only for them."""
    from tests.queue.conftest import HallSecrets, make_pki, make_terminal

    terminal = make_terminal(base / "identity", make_pki(), HallSecrets.generate())
    sealer = TerminalSealer.of(terminal.data)
    return list(filings(sealer, terminal_id="T001", count=count, dice=random.Random(seed), large=0.0))


def one_trace(base: Path, work: Sequence[SealedSubmission], *, seed: int, count: int, careless: Careless) -> Outcome:
    """One day, traced in a process of its own, then cut `count` times."""
    dice = random.Random(seed)
    day = dice.choice(list(Day))
    data, start = base / "data", base / "start"
    for path in (data, start):
        shutil.rmtree(path, ignore_errors=True)
    before: list[str] = []
    if day is Day.MIGRATION:
        old = dice.randint(4, 20)
        yesterdays_store(data / "queue", work[-old:], version=dice.choice((1, 1, 2)))
        before = [f"put {number}" for number in range(len(work) - old, len(work))]
    data.mkdir(exist_ok=True)
    shutil.copytree(data, start)
    trace = base / "trace"
    records = trace_of(
        Work(data, work, Shim.here().mark, random.Random(seed), _STEPS, day=day, careless=careless), trace=trace
    )
    outcome = Outcome(operations=len(records))
    for names in Names:
        share = count // len(Names)
        image = base / "image"
        for marks in cuts(records, root=data, start=start, names=names, count=share, dice=dice, image=image):
            outcome.cuts += 1
            wrong = check(image, work, [*before, *marks])
            outcome.losing += any(words.startswith("lost") for words in wrong)
            outcome.unreadable += any(words.startswith("unreadable") for words in wrong)
            if wrong:
                outcome.faults.append(f"seed {seed} {day} {names} after {len(marks)} marks: {'; '.join(wrong[:3])}")
        outcome.by[f"{day} {names}"] = share
    return outcome


def trace_of(work: Any, *, trace: Path) -> list[Any]:
    """Run `work` in a child that is watched; its operations."""
    log = trace.with_suffix(".log")
    if watched(work.run, data=work.data, page=Shim.here().page(), log=log, trace=trace) != 0:
        raise RuntimeError(log.read_text())
    return read_trace(trace.read_bytes())


def simulate(total: int, *, seed: int, careless: Careless = Careless.NOT, workers: int = WORKERS) -> Outcome:
    """`total` cuts, spread over traces and processes."""
    outcome = Outcome()
    per_trace = min(CUTS_A_TRACE, max(20, total // (3 * workers)))
    traces = -(-total // per_trace)
    with scratch("powercut-") as base:
        work = sealed_filings(base, 120, seed=seed)

        def share(worker: int, place: Path) -> dict[str, Any]:
            mine = Outcome()
            for number in range(worker, traces, workers):
                mine.add(one_trace(place, work, seed=seed + number, count=per_trace, careless=careless))
            return mine.__dict__

        made, outcome.faults = side_by_side(share, base=base, workers=workers)
        for one in made:
            outcome.add(Outcome(**one))
    return outcome


def main(arguments: Any = None) -> int:
    """Exit code 0 when nothing acknowledged was lost and every store could be read."""
    words = argparse.ArgumentParser(description="power cuts, simulated and real")
    words.add_argument("--cuts", type=int, default=10_000)
    words.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    words.add_argument("--careless", type=Careless, default=Careless.NOT, choices=list(Careless))
    words.add_argument("--peers", type=int, default=500, help="cuts for each peer; 0: none")
    words.add_argument("--shutdowns", type=int, default=200, help="real file-system shutdowns; 0: none")
    words.add_argument("--json", action="store_true")
    told = words.parse_args(arguments)
    say = (lambda text: None) if told.json else (lambda text: print(text, flush=True))  # noqa: T201
    say(f"seed {told.seed}")
    began = time.monotonic()
    outcome = simulate(told.cuts, seed=told.seed, careless=told.careless)
    say(
        f"{outcome.cuts} simulated power cuts in {outcome.operations} operations: {outcome.losing} lost something,"
        f" {outcome.unreadable} left an unreadable store; {time.monotonic() - began:.0f} s"
    )
    for kind, count in sorted(outcome.by.items()):
        say(f"  {count:6} {kind}")
    faults = list(outcome.faults)
    if outcome.cuts < told.cuts:
        faults.append(f"only {outcome.cuts} cuts")
    if told.shutdowns:
        faults += shutdowns.run(told.shutdowns, seed=told.seed, say=say)
    if told.peers:
        peers.table(told.peers, seed=told.seed, say=say)
    for fault in faults:
        say(fault)
    if told.json:
        print(json.dumps({**outcome.__dict__, "seed": told.seed, "faults": faults}))  # noqa: T201
    return 1 if faults or outcome.losing or outcome.unreadable else 0


if __name__ == "__main__":
    reexec("tests.crash.powercut")
    sys.exit(main())
