"""Queues side by side on one disk, turn by turn: what a put takes, and a put with its delivery.

``python -m benchmarks.queue_sides FOLDER`` under `syncs.c` does it where a sync takes longer, and writes JSON.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.forms import forms
from benchmarks.queue_cost import FORM
from benchmarks.queue_peers import CONTENDERS, Contender, opened, renamed
from benchmarks.report import ROOT

ROUNDS = 8
BATCH = 32
_FORMS = 64


@dataclass
class Sides:
    """Microseconds, by contender."""

    puts: dict[str, list[float]] = field(default_factory=dict)
    cycles: dict[str, list[float]] = field(default_factory=dict)


def side_by_side(contenders: Sequence[Contender], root: Path) -> Sides:
    """Put, and put-claim-ack, alternating round by round."""
    samples = list(itertools.islice(forms("bench", only=FORM), _FORMS))
    queues = opened(contenders, root)
    sides = Sides({name: [] for name in queues}, {name: [] for name in queues})
    serial = 0
    for turn in range(ROUNDS + 1):
        for name, queue in queues.items():
            filings = [renamed(samples[(serial + n) % _FORMS], serial + n) for n in range(BATCH)]
            serial += BATCH
            taken = []
            for filing in filings:
                began = time.perf_counter()
                queue.put(filing)
                taken.append((time.perf_counter() - began) * 1e6)
            began = time.perf_counter()
            queue.deliver(BATCH)
            delivered = (time.perf_counter() - began) * 1e6 / BATCH
            if turn > 0:  # the first one lays out files
                sides.puts[name] += taken
                sides.cycles[name] += [put + delivered for put in taken]
    for queue in queues.values():
        queue.close()
    return sides


def on_a_slower_disk(root: Path, *, counter: Path, sync_us: int) -> Sides:
    """The durable ones again where no sync takes less than this; `counter`: `queue_cost.build_counter`."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.queue_sides", str(root)],
        cwd=ROOT,
        env={**os.environ, "LD_PRELOAD": str(counter), "SYNC_US": str(sync_us)},
        capture_output=True,
        text=True,
        check=True,
    )
    return Sides(**json.loads(told.stdout))


if __name__ == "__main__":
    durable = [contender for contender in CONTENDERS if contender.durable]
    sys.stdout.write(json.dumps(asdict(side_by_side(durable, Path(sys.argv[1])))) + "\n")
