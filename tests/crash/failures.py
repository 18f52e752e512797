"""Every operation on a file fails once, and from then on: what was acknowledged stays, the rest is refused in words.

python -m tests.crash.failures [--seed S] [--stride N]
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import json
import random
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from kiosk.core.ports import SealedSubmission, StoreError, StoreFault
from kiosk.core.result import Err, Ok
from offline_queue.disk.schema import SchemaError
from offline_queue.drafts import DraftFiles
from offline_queue.drain import Drain
from offline_queue.store import Store
from tests.crash.actors import Told
from tests.crash.powercut import sealed_filings
from tests.crash.processes import WORKERS, scratch, side_by_side, watched
from tests.crash.shim import Page, Shim, reexec
from tests.crash.workloads import Expected, check, intake_of, open_store

FOREVER = 10**9
WAYS = (
    (errno.EIO, 1),
    (errno.EIO, FOREVER),
    (errno.ENOSPC, 1),
    (errno.ENOSPC, FOREVER),
    # As ext4 turns read-only after an error.
    (errno.EROFS, FOREVER),
)
"""Which error, and how often in a row."""
_REFUSALS = frozenset({StoreFault.DISK_FULL, StoreFault.STORE_DOWN})
CARD = b"t" * 32


@dataclass
class Outcome:
    """What became of all of them."""

    runs: int = 0
    operations: int = 0
    """The last that was made to fail."""
    refused: int = 0
    did_not_open: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """What another process found in the same sweep."""
        self.runs += other.runs
        self.operations = max(self.operations, other.operations)
        self.refused += other.refused
        self.did_not_open += other.did_not_open
        self.kinds = dict(Counter(self.kinds) + Counter(other.kinds))
        self.faults += other.faults


@dataclass
class Visit:
    """One short life of a queue whose disk fails."""

    data: Path
    filings: Sequence[SealedSubmission]
    say: Callable[[str], None]

    def run(self, heal: Callable[[], None]) -> None:
        """Everything once on the failing disk, then `heal`, then everything that was refused again."""
        refused = list(range(len(self.filings)))
        store = self._open()
        if store is not None:
            refused = self._all_of_it(store)
            store.close()
        heal()
        store = self._open()
        if store is None:
            raise AssertionError("the store does not open on a healthy disk")
        intake = intake_of(store)
        for number in refused:
            done = intake.put(self.filings[number], card_tag=CARD, slip=b"s")
            if isinstance(done, Err):
                raise AssertionError(f"refused on a healthy disk: {done.error}")
            self.say(f"put {number}")
        store.close()

    def _open(self) -> Store | None:
        try:
            return open_store(self.data / "queue")
        except (sqlite3.Error, SchemaError, OSError) as error:
            # As the queue process: it says why and its supervisor tries again.
            self.say(f"closed {type(error).__name__}")
            return None

    def _all_of_it(self, store: Store) -> list[int]:
        """The numbers of those that were refused."""
        intake, drain, refused = intake_of(store), Drain(store), []
        number = intake.reserve_number()
        if isinstance(number, Ok):
            self.say(f"number {number.value}")
        for position, sealed in enumerate(self.filings):
            self.say(f"putting {position}")
            if self._well(intake.put(sealed, card_tag=CARD, slip=b"s" * 600)):
                self.say(f"put {position}")
            else:
                refused.append(position)
            if position == len(self.filings) // 2:
                self._drain(drain)
                self._well(store.keep_house())
        drafts = DraftFiles(self.data / "drafts", floor=0)
        self.say("keeping 1 " + _HASH)
        if self._well(drafts.keep(CARD, "1", _DRAFT)):
            self.say("kept 1 " + _HASH)
        self._drain(drain)
        self._well(store.backlog())
        self._well(store.entries())
        return refused

    def _drain(self, drain: Drain) -> None:
        waiting = drain.waiting(limit=2)
        if not self._well(waiting) or isinstance(waiting, Err):
            return
        for item in waiting.value:
            if self._well(drain.envelope(item)) and all(self._well(drain.blob(ref)) for ref in item.blobs):
                self.say(f"accepting {item.id}")
                if self._well(drain.accept(item, b"r" * 126)):
                    self.say(f"accepted {item.id}")

    def _well(self, result: Ok[Any] | Err[StoreError]) -> bool:
        """Ok, or refused in words that may be said to a citizen."""
        if isinstance(result, Ok):
            return True
        if result.error.fault not in _REFUSALS:
            raise AssertionError(f"called {result.error}")
        self.say(f"refused {result.error.fault}")
        return False


_DRAFT = b"a draft" * 100
_HASH = hashlib.sha256(_DRAFT).hexdigest()


def one(
    base: Path, filings: Sequence[SealedSubmission], page: Page, *, at: int, error: int, lasting: int
) -> tuple[list[str], list[str]]:
    """Fail the `at`-th operation (0: none) and the `lasting` - 1 after it; what was said, and what is wrong."""
    data = base / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    page.reset()
    page.all, page.fail_at, page.fail_for, page.fail_errno = 1, at, lasting, error
    told = Told.new()

    def heal() -> None:
        page.fail_at = 0

    log = base / "log"
    status = watched(lambda: Visit(data, filings, told.say).run(heal), data=data, page=page, log=log)
    said = [" ".join(line) for line in told.lines()]
    told.close()
    marks = [words for words in said if not words.startswith(("refused", "closed"))]
    # Whatever was refused has been filed afterwards, so that everything must be there in the end.
    wrong = [] if status == 0 else ["broke: " + log.read_text()[-600:]]
    if status == 0 and Expected.of(marks).put != set(range(len(filings))):
        wrong.append("not everything could be filed in the end")
    return said, wrong + check(data, filings, marks)


def sweep(base: Path, filings: Sequence[SealedSubmission], *, first: int, stride: int) -> Outcome:
    """Operations `first`, `first` + `stride`, … to the last one, each for each error, once and lastingly."""
    outcome = Outcome()
    kinds: Counter[str] = Counter()
    page = Shim.here().page()
    for error, lasting in WAYS:
        for at in count(first, stride):
            said, wrong = one(base, filings, page, at=at, error=error, lasting=lasting)
            if not page.failed:
                break
            outcome.runs += 1
            outcome.operations = max(outcome.operations, at)
            kinds[page.where()] += 1
            outcome.refused += any(words.startswith("refused") for words in said)
            outcome.did_not_open += any(words.startswith("closed") for words in said)
            lasts = "once" if lasting == 1 else "lasting"
            where = f"{errno.errorcode[error]} at operation {at} ({page.where()}), {lasts}"
            outcome.faults += [f"{where}: {words}" for words in wrong]
    outcome.kinds = dict(kinds)
    return outcome


def sweeps(*, seed: int, stride: int = 1) -> Outcome:
    """All of them, by several processes."""
    outcome = Outcome()
    with scratch("failures-") as base:
        filings = sealed_filings(base, 6, seed=seed)
        # Here too, so that no child spends its short life on what Python does once.
        Visit(base / "rehearsal", filings, lambda words: None).run(lambda: None)
        page = Shim.here().page()
        _, outcome.faults = one(base, filings, page, at=0, error=0, lasting=0)
        first = 1 + seed % stride

        def share(worker: int, place: Path) -> dict[str, Any]:
            return sweep(place, filings, first=first + worker * stride, stride=WORKERS * stride).__dict__

        made, faults = side_by_side(share, base=base)
    outcome.faults += faults
    for one_of_them in made:
        outcome.add(Outcome(**one_of_them))
    return outcome


def main(arguments: Any = None) -> int:
    """Exit code 0 when nothing was lost and nothing broke."""
    words = argparse.ArgumentParser(description="errors injected at every operation")
    words.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    words.add_argument("--stride", type=int, default=1, help="only every n-th operation")
    words.add_argument("--json", action="store_true")
    told = words.parse_args(arguments)
    began = time.monotonic()
    outcome = sweeps(seed=told.seed, stride=told.stride)
    if told.json:
        sys.stdout.write(json.dumps({**outcome.__dict__, "seed": told.seed}) + "\n")
        return 1 if outcome.faults else 0
    sys.stdout.write(
        f"seed {told.seed}\n{outcome.runs} failures up to operation {outcome.operations} (EIO, ENOSPC, EROFS; once and"
        f" lasting): {outcome.refused} times something was refused, {outcome.did_not_open} times it did not open,"
        f" {len(outcome.faults)} faults; {time.monotonic() - began:.0f} s\n"
    )
    sys.stdout.write("".join(f"{fault}\n" for fault in outcome.faults[:20]))
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    reexec("tests.crash.failures")
    sys.exit(main())
