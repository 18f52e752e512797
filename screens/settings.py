"""What the composition root tells the screens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ScreenSettings:
    """Size of the panel in pixels, where the pinyin table lies, and how the window behaves."""

    pinyin: Path
    width: int = 1080
    height: int = 1920
    motion: bool = True
    """False: no animation (tests, scripted cases)."""
    kiosk: bool = False
    """Full screen, no frame, no mouse pointer, cannot be closed."""
    now: Callable[[], datetime] = field(default=_now)
    """Aware wall time for the header."""
    forget_display_after_s: int = 90
    """Large type and contrast chosen on the attract screen are undone when nobody went on."""
