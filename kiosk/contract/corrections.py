"""Why a filing comes back for correction (补正): codes that say nothing about anybody."""

from __future__ import annotations

from enum import StrEnum


class CorrectionReason(StrEnum):
    """Stable codes."""

    LICENCE_INVALID = "licence_invalid"
    """A licence that was reused ran out, or was withdrawn, before the department looked."""
    LICENCE_MISSING = "licence_missing"
    """The department finds no such licence of this person."""
    OTHER = "other"
    """The department's own words say it."""
