"""Part `devices`: drivers alone against simulated hardware, then a whole serving terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks import drivers, terminal
from benchmarks.report import Figure
from drivers.sim.bench import DEVICES

NAMES = (
    *(f"restart_{kind.value}" for kind in DEVICES),
    *("card_event", "card_event_pyscard"),
    *("receipt_to_proven", "receipt_raw_bytes"),
    *("page_to_proven", "page_ipptool"),
    *("frame_gap_at_rest", "frame_gap_driver_hangs", "frame_gap_driver_in_the_ui"),
    *("card_to_screen", "memory_at_rest", "memory_in_use"),
)
"""Figures of this part."""


def measure(root: Path, on_progress: Callable[[str], None]) -> list[Figure]:
    """All figures of the part."""
    figures = [*drivers.measure(root / "d", on_progress), *terminal.measure(root / "s", on_progress)]
    assert tuple(figure.name for figure in figures) == NAMES
    return figures
