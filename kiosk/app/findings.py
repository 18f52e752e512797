"""What the doctor finds, and how a technician reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

Verdict = Literal["ok", "warn", "fault"]

_MARKS: Mapping[Verdict, tuple[str, str]] = {
    "ok": ("✓ 正常", "green"),
    "warn": ("! 注意", "yellow"),
    "fault": ("✗ 故障", "bold red"),
}
_GAP = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    part: str
    """Stable name, for machines."""
    name: str
    verdict: Verdict
    state: str
    advice: str = ""
    """What to do with the hands, Chinese and English; empty when nothing is to be done."""
    seconds: float = 0.0
    """How long it took to find out."""
    detail: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def needs_a_hand(findings: Sequence[Finding]) -> bool:
    """Is there a fault?"""
    return any(finding.verdict == "fault" for finding in findings)


def report(findings: Sequence[Finding], *, title: str) -> RenderableType:
    """The whole report, readable on 80 columns and without colours: what to do stands below its part, full width."""
    widths = [max((cell_len(word) for word, _ in _MARKS.values()), default=0)]
    widths += [max((cell_len(finding.name) for finding in findings), default=0)]
    lines = [line for finding in findings for line in _lines(finding, widths)]
    return Group(Padding(Text(title, style="bold"), (1, 0)), *lines, Padding(_sum(findings), (1, 0)))


def _lines(finding: Finding, widths: Sequence[int]) -> list[RenderableType]:
    word, style = _MARKS[finding.verdict]
    row = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    for width in widths:
        row.add_column(width=width, no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row(Text(word, style=style), Text(finding.name), Text(finding.state))
    advice = Padding(Text(f"→ {finding.advice}", style=style), (0, 0, 0, widths[0] + _GAP))
    return [row, advice] if finding.advice else [row]


def _sum(findings: Sequence[Finding]) -> Text:
    faults = sum(finding.verdict == "fault" for finding in findings)
    warnings = sum(finding.verdict == "warn" for finding in findings)
    slowest = max((finding.seconds for finding in findings), default=0.0)
    if faults:
        words, style = f"{faults} 处故障，要人处理。 {faults} to mend.", "bold red"
    elif warnings:
        words, style = f"能用，{warnings} 处要留意。 It serves; {warnings} to look after.", "yellow"
    else:
        words, style = "全部正常。 All well.", "green"
    return Text.assemble((words, style), f"  ({slowest:.1f} s)")
