"""Figures: many measurements of one thing, judged by a limit and by a peer measured in the same run."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing, measured again and again in one run."""

    name: str
    about: str
    unit: str
    values: tuple[float, ...]
    limit: float | None = None
    """What the worst value should not exceed."""
    peer: str = ""
    """Name of the figure that this one is compared with, measured in turn with it."""

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(f"{self.name}: nothing was measured")

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    @property
    def worst(self) -> float:
        """The largest."""
        return max(self.values)

    def percentile(self, share: float) -> float:
        """Nearest rank: the smallest value that at least this share of all do not exceed."""
        ordered = sorted(self.values)
        return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]

    def as_json(self, peers: dict[str, Figure]) -> dict[str, Any]:
        """Plain data, with the ratios."""
        peer = peers.get(self.peer)
        return {
            "name": self.name,
            "about": self.about,
            "unit": self.unit,
            "n": len(self.values),
            "median": round(self.median, 3),
            "p95": round(self.percentile(0.95), 3),
            "max": round(self.worst, 3),
            "limit": self.limit,
            "max_to_limit": _ratio(self.worst, self.limit),
            "peer": self.peer or None,
            "median_to_peer": _ratio(self.median, peer.median) if peer else None,
            "max_to_peer": _ratio(self.worst, peer.worst) if peer else None,
        }


def report(figures: Sequence[Figure], *, seconds: float) -> dict[str, Any]:
    """Everything, for build/bench.json."""
    by_name = _by_name(figures)
    return {
        "machine": machine(),
        "commit": commit(),
        "seconds": round(seconds, 1),
        "figures": [figure.as_json(by_name) for figure in figures],
    }


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    models = [line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 1024**3, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def commit() -> str:
    """Of the checkout; `-dirty` when files differ from it, empty outside of one."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip()


def table(figures: Sequence[Figure]) -> Table:
    """For people; a ratio above 1 of a limit is red."""
    by_name = _by_name(figures)
    rows = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    rows.add_column("figure", no_wrap=True)
    for head in ("n", "median", "p95", "max", "unit", "max/limit", "to peer"):
        rows.add_column(head, justify="right", no_wrap=True)
    for figure in figures:
        told = figure.as_json(by_name)
        over = told["max_to_limit"]
        ratio = Text("" if over is None else f"{over:.2f}", style="red" if over is not None and over > 1 else "green")
        values = (figure.median, figure.percentile(0.95), figure.worst)
        rows.add_row(
            figure.name,
            str(len(figure.values)),
            *(_shown(value) for value in values),
            figure.unit,
            ratio,
            "" if told["median_to_peer"] is None else f"{told['median_to_peer']:.2f} / {told['max_to_peer']:.2f}",
        )
    rows.caption = "to peer: median to the peer's median / max to the peer's max; below 1 is better"
    return rows


def _by_name(figures: Iterable[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures}


def _ratio(value: float, to: float | None) -> float | None:
    return None if not to else round(value / to, 3)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _shown(value: float) -> str:
    """Three digits that say something."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
