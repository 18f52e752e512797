"""What a drill found: for each scripted fault whether it was seen, named and got over, and how soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from drivers.sim.fault_scripts import FaultScript
from kiosk.core.faults import fault_entry


@dataclass(frozen=True, slots=True)
class Outcome:
    """One fault, played. Seconds are None for what did not happen in time."""

    script: FaultScript
    detected_s: float | None = None
    """The terminal saw that something is wrong."""
    named_s: float | None = None
    """And what."""
    recovered_s: float | None = None
    """After it was mended."""
    doctor: str = ""
    """What the doctor said of it."""
    error: str = ""
    """What went otherwise than the script says."""
    patience: float = 1.0
    """The limits were stretched by this much."""

    @property
    def ok(self) -> bool:
        """Detected, named, recovered, all within the limits, and the doctor was right."""
        return not self.error and self.worst_ratio is not None and self.worst_ratio <= self.patience

    @property
    def worst_ratio(self) -> float | None:
        """The larger share of a limit that was used, 1.0 being all of it."""
        if self.named_s is None or self.recovered_s is None:
            return None
        return max(self.named_s / self.script.within_s, self.recovered_s / self.script.recovers_s)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "id": self.script.id,
            "device": self.script.device.value,
            "rig": self.script.rig,
            "expected": self.script.expect.model_dump(mode="json", exclude_none=True),
            "ok": self.ok,
            "detected_s": _rounded(self.detected_s),
            "named_s": _rounded(self.named_s),
            "within_s": self.script.within_s,
            "recovered_s": _rounded(self.recovered_s),
            "recovers_s": self.script.recovers_s,
            "worst_ratio": _rounded(self.worst_ratio),
            "doctor": self.doctor,
            "error": self.error,
        }


def describe(script: FaultScript) -> dict[str, Any]:
    """A scripted fault and its row of the fault table, as plain data."""
    entry = fault_entry(script.trouble, script.device)
    return {
        "id": script.id,
        "about": script.about,
        "device": script.device.value,
        "rig": script.rig,
        "expected": script.expect.model_dump(mode="json", exclude_none=True),
        "brought_out_by_self_test": script.test,
        "within_s": script.within_s,
        "recovers_s": script.recovers_s,
        "lasts": entry.lasts.value,
        "mends": entry.mends.value,
        "citizen": {"zh": entry.citizen.zh, "en": entry.citizen.en},
        "technician": {"zh": entry.technician.zh, "en": entry.technician.en},
    }


def summary(outcomes: Sequence[Outcome], *, seconds: float) -> dict[str, Any]:
    """The whole drill in numbers."""
    ratios = [ratio for outcome in outcomes if (ratio := outcome.worst_ratio) is not None]
    return {
        "faults": len(outcomes),
        "detected": sum(outcome.detected_s is not None for outcome in outcomes),
        "named": sum(outcome.named_s is not None for outcome in outcomes),
        "recovered": sum(outcome.recovered_s is not None for outcome in outcomes),
        "ok": sum(outcome.ok for outcome in outcomes),
        "worst_ratio": _rounded(max(ratios, default=None)),
        "seconds": round(seconds, 1),
    }


def table(outcomes: Sequence[Outcome], *, seconds: float) -> RenderableType:
    """For people, on 80 columns."""
    rows = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    rows.add_column("", no_wrap=True)
    rows.add_column("故障 fault", no_wrap=True)
    for title in ("发现\nseen", "认出\nnamed", "限\nlimit", "恢复\nwell", "限\nlimit"):
        rows.add_column(title, justify="right", no_wrap=True)
    for outcome in outcomes:
        rows.add_row(
            Text("✓", style="green") if outcome.ok else Text("✗", style="bold red"),
            Text(outcome.script.id),
            _told(outcome.detected_s),
            _told(outcome.named_s),
            f"{outcome.script.within_s:g}",
            _told(outcome.recovered_s),
            f"{outcome.script.recovers_s:g}",
        )
    misses = [Text(f"✗ {outcome.script.id}: {outcome.error}", style="red") for outcome in outcomes if not outcome.ok]
    counts = summary(outcomes, seconds=seconds)
    words = (
        f"{counts['faults']} faults: {counts['detected']} detected, {counts['named']} named, "
        f"{counts['recovered']} recovered, {counts['ok']} wholly right; {seconds:.0f} s"
    )
    style = "green" if counts["ok"] == counts["faults"] else "bold red"
    return Group(rows, *misses, Padding(Text(words, style=style), (1, 0)))


def _told(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.2f}"


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 3)
