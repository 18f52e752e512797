"""What one filing costs the disk, put and delivered: fsyncs, and bytes. Counted in a process of its own.

``python -m benchmarks.queue_cost FOLDER NAME COUNT`` under the counter `syncs.c` writes one line of JSON.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.forms import forms
from benchmarks.queue_peers import CONTENDERS, opened, renamed
from benchmarks.report import ROOT

BATCH = 64
FORM = "440604-RS-0240"
"""Its JSON is about 2.3 KB."""


def build_counter(folder: Path) -> Path:
    """The shared object; needs a C compiler."""
    made = folder / "syncs.so"
    source = Path(__file__).with_name("syncs.c")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(made), str(source)], check=True)
    return made


def cost(folder: Path, name: str, *, counter: Path, count: int) -> dict[str, float]:
    """Per filing: fsyncs, bytes given to the system, bytes that went to the disk."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.queue_cost", str(folder), name, str(count)],
        cwd=ROOT,
        env={**os.environ, "LD_PRELOAD": str(counter)},
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, float] = json.loads(told.stdout)
    return answer


def _io() -> dict[str, int]:
    lines = Path("/proc/self/io").read_text().splitlines()
    return {name: int(value) for name, value in (line.split(": ") for line in lines)}


def main(folder: Path, name: str, count: int) -> None:
    """Put and deliver in batches; the first ones are not counted, for files are being laid out."""
    counter = ctypes.CDLL(None)
    counter.bench_syncs.restype = ctypes.c_long
    chosen = [contender for contender in CONTENDERS if contender.name == name]
    samples = list(itertools.islice(forms("cost", only=FORM), 64))
    filings = [renamed(samples[serial % len(samples)], serial) for serial in range(count + BATCH)]
    queue = opened(chosen, folder)[name]

    def batch(start: int) -> None:
        for filing in filings[start : start + BATCH]:
            queue.put(filing)
        queue.deliver(BATCH)

    batch(0)
    before, syncs = _io(), counter.bench_syncs()
    for start in range(BATCH, count + BATCH, BATCH):
        batch(start)
    after = _io()
    told = {
        "syncs": (counter.bench_syncs() - syncs) / count,
        "handed_kib": (after["wchar"] - before["wchar"]) / count / 1024,
        "written_kib": (after["write_bytes"] - before["write_bytes"]) / count / 1024,
    }
    queue.close()
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
