"""Working days (工作日): days of the week, but for what the State Council announces for a year (放假调休)."""

from __future__ import annotations

from datetime import date, timedelta

from kiosk.contract.bundle import Calendar
from kiosk.core.item import Span

_SATURDAY = 5


def is_workday(day: date, calendar: Calendar) -> bool:
    """Do offices work? A weekend may be made a working day, a weekday a day off; other years go by the week."""
    return day in calendar.workdays or (day.weekday() < _SATURDAY and day not in calendar.days_off)


def due_day(received: date, limit: Span, calendar: Calendar) -> date:
    """The last day of a time limit; the day of receipt does not count, nor do days off when workdays are meant."""
    day, left = received, limit.days
    while left > 0:
        day += timedelta(days=1)
        if limit.unit == "day" or is_workday(day, calendar):
            left -= 1
    return day
