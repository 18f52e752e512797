"""The twelve-hour promise (P53): what is filed is at the hall within twelve hours. One table for both sides."""

from __future__ import annotations

from enum import StrEnum

NOTICE_S, WARNING_S, BREACH_S = 4 * 3600, 8 * 3600, 12 * 3600
"""Age of the oldest unsent submission, seconds."""


class PromiseLevel(StrEnum):
    """How near the promise is to being broken."""

    NONE = "none"
    NOTICE = "notice"
    WARNING = "warning"
    BREACH = "breach"


def promise_level(oldest_unsent_s: float) -> PromiseLevel:
    """By the age of the oldest unsent submission; 0 when there is none."""
    if oldest_unsent_s >= BREACH_S:
        return PromiseLevel.BREACH
    if oldest_unsent_s >= WARNING_S:
        return PromiseLevel.WARNING
    return PromiseLevel.NOTICE if oldest_unsent_s >= NOTICE_S else PromiseLevel.NONE
