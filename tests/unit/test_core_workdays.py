"""工作日: the announced days off and worked weekends of 2026, and any calendar whatever."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hall.catalogue.bundles import load_draft, own_catalogue
from kiosk.contract.bundle import Calendar, licence_mark
from kiosk.core.item import Span
from kiosk.core.workdays import due_day, is_workday

OWN = load_draft(own_catalogue()).calendar
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@pytest.mark.parametrize(
    ("received", "days", "expected"),
    [
        ("2026-02-13", 1, "2026-02-14"),  # a Saturday on which offices work, before 春节
        ("2026-02-14", 1, "2026-02-24"),
        ("2026-04-30", 3, "2026-05-08"),
        ("2026-05-08", 1, "2026-05-09"),
        ("2026-09-30", 2, "2026-10-09"),
        ("2026-10-09", 1, "2026-10-10"),
        ("2026-12-31", 1, "2027-01-01"),  # not announced yet when the catalogue was written
    ],
)
def test_time_limits_of_2026(received: str, days: int, expected: str) -> None:
    assert due_day(date.fromisoformat(received), Span(days=days), OWN).isoformat() == expected


def test_the_year_has_as_many_working_days_as_announced() -> None:
    days = [date(2026, 1, 1) + timedelta(n) for n in range(365)]
    weekdays = sum(day.weekday() < 5 for day in days)
    off = sum(day.weekday() < 5 for day in OWN.days_off)
    assert sum(is_workday(day, OWN) for day in days) == weekdays - off + len(OWN.workdays)
    assert all(day.weekday() >= 5 for day in OWN.workdays)


@given(DAYS, st.integers(1, 40), st.sets(DAYS, max_size=60))
def test_a_limit_ends_on_a_working_day_with_so_many_of_them_before(received: date, days: int, off: set[date]) -> None:
    calendar = Calendar(years=tuple(range(2020, 2036)), days_off=tuple(off))
    last = due_day(received, Span(days=days), calendar)
    passed = [received + timedelta(n) for n in range(1, (last - received).days + 1)]
    assert is_workday(last, calendar)
    assert sum(is_workday(day, calendar) for day in passed) == days
    assert due_day(received, Span(days=days, unit="day"), calendar) == received + timedelta(days)


@pytest.mark.parametrize(
    "wrong",
    [
        {"years": (2026,), "days_off": (date(2027, 1, 1),)},
        {"years": (2026,), "days_off": (date(2026, 1, 3),), "workdays": (date(2026, 1, 3),)},
        {"workdays": (date(2026, 1, 4),)},
    ],
)
def test_a_calendar_that_contradicts_itself_is_refused(wrong: dict[str, tuple[object, ...]]) -> None:
    with pytest.raises(ValidationError):
        Calendar.model_validate(wrong)


def test_marks_of_licences_tell_no_numbers() -> None:
    assert licence_mark("粤4406-2026-000123") == licence_mark("粤4406-2026-000123")
    assert "000123" not in licence_mark("粤4406-2026-000123")
    assert len({licence_mark(f"粤4406-2026-{n:06d}") for n in range(1000)}) == 1000
