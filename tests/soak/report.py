"""What came of a soak, and how it is counted."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Report:
    """What came of it."""

    seed: int
    seconds: float
    days: float
    told: int
    papers: int
    """Photographed ones among them."""
    at_hall: int
    doubtful: int
    lost: list[str]
    doubled: list[str]
    unasked: list[str]
    not_accepted: list[str]
    """Unsent at a terminal, or accepted there and not at the hall."""
    forgotten: int
    """At the terminals, because their time was over."""
    faults: Counter[str]
    rss_mib: tuple[int, int]
    """Of queue processes: at most in the first and in the last quarter."""
    disk_kib: int
    """Of the largest queue."""
    renewals: int

    def faultless(self) -> bool:
        """Nothing lost, doubled, made up or stuck."""
        return not (self.lost or self.doubled or self.unasked or self.not_accepted)

    def words(self) -> str:
        faults = ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items()))
        return (
            f"soak: seed {self.seed}, {self.seconds:.0f} s, {self.days:.1f} days, {self.told} told,"
            f" {self.papers} papers among them, {self.at_hall} at the hall, {self.doubtful} in doubt,"
            f" lost {len(self.lost)}, doubled {len(self.doubled)}, unasked {len(self.unasked)},"
            f" stuck {len(self.not_accepted)}, forgotten in time {self.forgotten}; {faults}; {self.renewals} renewals;"
            f" RSS {self.rss_mib[0]} → {self.rss_mib[1]} MiB, disk {self.disk_kib} KiB"
        )


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
