"""What the doctor finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["ok", "warn", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    part: str
    name: str
    verdict: Verdict
    state: str
    advice: str
    seconds: float
    detail: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)
