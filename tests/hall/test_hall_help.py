"""呼叫帮助 at the hall: heard, shown loudly, taken note of by a clerk, told to the terminal."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from hall.store.moments import to_ms
from tests.hall.conftest import HallProcess, TestTerminal

NOW = datetime.now(UTC)


def beat(terminal: TestTerminal, called_at: datetime | None) -> Any:
    """The hall's answer to a heartbeat."""
    values = {"software": "0", "bundle": 1, "pending": 0, "parked": 0, "oldest_unsent_s": 0, "devices": []}
    answer = terminal.post(
        "/v1/heartbeat",
        {
            **values,
            "terminal_id": terminal.id,
            "at": datetime.now(UTC).isoformat(),
            "help_called_at": called_at and called_at.isoformat(),
        },
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["help_acknowledged_at"]


def page(staff: requests.Session, hall: HallProcess, path: str) -> str:
    answer = staff.get(f"{hall.staff_url}/staff/{path}", timeout=10)
    assert answer.status_code == 200
    return answer.text


def button(text: str, terminal: TestTerminal) -> str:
    """Where the button of this terminal's call leads."""
    found = re.search(rf'action="(/staff/terminals/{terminal.id}/help/-?\d+)"', text)
    assert found, text
    return found.group(1)


def known(staff: requests.Session, hall: HallProcess, terminal: TestTerminal) -> Any:
    rows = staff.get(f"{hall.staff_url}/staff/api/terminals", timeout=10).json()
    return next(row["help"] for row in rows if row["id"] == terminal.id)


def test_a_call_is_shown_on_every_page_and_the_word_comes_back(
    hall: HallProcess, staff: requests.Session, terminal: TestTerminal
) -> None:
    assert beat(terminal, None) is None
    assert known(staff, hall, terminal) is None
    assert "呼叫帮助" not in page(staff, hall, "")
    called = datetime.now(UTC) - timedelta(minutes=7)
    assert beat(terminal, called) is None
    for path in ("", "tickets", "terminals", "live/help"):
        text = page(staff, hall, path)
        for expected in ("T001 有人呼叫帮助", "样本站 · 1号机", "7 分钟", "知道了"):
            assert expected in text, (path, expected)
    assert 'class="card terminal calling"' in page(staff, hall, "live/terminals")
    assert beat(terminal, called) is None
    done = staff.post(hall.staff_url + button(page(staff, hall, ""), terminal), timeout=10)
    assert (done.status_code, "有人呼叫" in done.text) == (200, False)
    assert "呼叫已由 测试员 知悉" in done.text
    assert page(staff, hall, "live/help").strip() == ""
    at = beat(terminal, called)
    assert abs((datetime.fromisoformat(at) - datetime.now(UTC)).total_seconds()) < 60
    assert (known(staff, hall, terminal)["acknowledged_by"], beat(terminal, None)) == ("测试员", None)


def test_a_clerk_takes_note_only_of_what_he_saw(
    hall: HallProcess, staff: requests.Session, other_terminal: TestTerminal
) -> None:
    first = NOW
    beat(other_terminal, first)
    seen = button(page(staff, hall, "live/help"), other_terminal)
    second = first + timedelta(seconds=30)
    beat(other_terminal, second)
    staff.post(hall.staff_url + seen, timeout=10)
    assert beat(other_terminal, first) is not None
    assert beat(other_terminal, second) is None
    staff.post(hall.staff_url + button(page(staff, hall, "live/help"), other_terminal), timeout=10)
    by_first = beat(other_terminal, second)
    staff.post(hall.staff_url + seen, timeout=10)
    assert beat(other_terminal, second) == by_first, "the first clerk counts"


@pytest.mark.parametrize("called", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2031-01-01T00:00:00Z"])
def test_a_terminal_with_a_mad_clock_is_heard_all_the_same(
    hall: HallProcess, staff: requests.Session, other_terminal: TestTerminal, called: str
) -> None:
    class Mad:
        def isoformat(self) -> str:
            return called

    assert beat(other_terminal, Mad()) is None  # type: ignore[arg-type]
    text = page(staff, hall, "terminals")
    assert "不到 1 分钟" in text
    staff.post(hall.staff_url + button(text, other_terminal), timeout=10)
    assert beat(other_terminal, Mad()) is not None  # type: ignore[arg-type]


def test_who_may_take_note(hall: HallProcess, staff: requests.Session, terminal: TestTerminal) -> None:
    called = datetime.now(UTC)
    beat(terminal, called)
    path = f"{hall.staff_url}/staff/terminals/{terminal.id}/help/{to_ms(called)}"
    assert requests.post(path, timeout=10).status_code == 401
    assert staff.get(path, timeout=10).status_code == 405
    for wrong in (f"{to_ms(called) + 1}", "x", "9" * 40):
        assert staff.post(path.rsplit("/", 1)[0] + "/" + wrong, timeout=10).status_code in (404, 422)
    assert beat(terminal, called) is None
    assert staff.post(path, timeout=10).status_code == 200
    assert beat(terminal, called) is not None


def test_a_call_survives_a_killed_hall(hall: HallProcess, staff: requests.Session, terminal: TestTerminal) -> None:
    called = datetime.now(UTC)
    beat(terminal, called)
    hall.kill()
    hall.start()
    assert not known(staff, hall, terminal)["acknowledged_at"]
    staff.post(hall.staff_url + button(page(staff, hall, ""), terminal), timeout=10)
    hall.kill()
    hall.start()
    assert beat(terminal, called) is not None
