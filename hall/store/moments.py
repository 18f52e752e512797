"""Instants as the database keeps them, and time limits (时限) in working days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from kiosk.contract.bundle import Calendar
from kiosk.core.clock import CHINA
from kiosk.core.item import Span
from kiosk.core.workdays import due_day

_FIRST = datetime(1970, 1, 2, tzinfo=UTC)
_AHEAD = timedelta(days=400)


def to_ms(at: datetime) -> int:
    """Whole milliseconds since 1970 UTC."""
    return round(at.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    """Back again, UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def believed(at: datetime, now: datetime) -> int:
    """An instant of somebody else's clock, as the database keeps it: a mad one says nothing that no page can show."""
    return to_ms(min(max(at, _FIRST), now + _AHEAD))


def due(received: datetime, limit: Span, calendar: Calendar) -> datetime:
    """The end of the last day of a time limit, China time."""
    day = due_day(received.astimezone(CHINA).date(), limit, calendar)
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=CHINA).astimezone(UTC)


def years_later(day: date, years: int) -> date:
    """The last day of so many years that begin on `day`: one year from 2026-11-22 ends on 2027-11-21."""
    try:
        return day.replace(year=day.year + years) - timedelta(days=1)
    except ValueError:  # 29 February
        return date(day.year + years, 2, 28)
