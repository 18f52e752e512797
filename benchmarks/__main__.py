"""``python -m benchmarks``: measure, print a table of ratios, keep everything in build/bench.json."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from benchmarks import devices, link, queue
from benchmarks.report import ROOT, Figure, report, table

Part = Callable[[Path, Callable[[str], None]], list[Figure]]
"""From a short folder of its own, and where to tell what it does now."""

PARTS: Mapping[str, Part] = {"devices": devices.measure, "link": link.measure, "queue": queue.measure}


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0: everything was measured; what the figures say is for people to judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json")
    options = parser.parse_args(argv)
    log = Console(stderr=True)
    began = time.monotonic()
    figures: list[Figure] = []
    for name in options.parts or PARTS:
        with tempfile.TemporaryDirectory(prefix="cw-") as folder:
            figures += PARTS[name](Path(folder), partial(_say, log, name))
    told = report(figures, seconds=time.monotonic() - began)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    Console(width=None if sys.stdout.isatty() else 100).print(table(figures))
    log.print(f"{told['commit']} on {told['machine']['cpu']}, {told['seconds']:.0f} s: {options.out}")
    return 0


def _say(log: Console, part: str, text: str) -> None:
    log.print(f"{part}: {text}")


if __name__ == "__main__":
    sys.exit(main())
