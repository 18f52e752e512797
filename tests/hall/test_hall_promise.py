"""The twelve-hour promise (P53) on the hall's board: what a terminal said, and how long it has been silent since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests

from hall.terminals.registry import TerminalHealth
from hall.web import words
from kiosk.contract.promise import PromiseLevel, promise_level
from kiosk.contract.sync import Heartbeat
from tests.hall.conftest import HallProcess, TestTerminal

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HOUR = 3600


def health(*, pending: int = 1, oldest_s: int = 0, heard_ago_s: int = 0, successor: str = "") -> TerminalHealth:
    beat = Heartbeat(
        terminal_id="T001", at=NOW, software="t", bundle=1, pending=pending, parked=0, oldest_unsent_s=oldest_s
    )
    heard = NOW - timedelta(seconds=heard_ago_s)
    return TerminalHealth("T001", "1号机", "样本站", "", "24小时", (), "enrolled", heard, beat, successor)


@pytest.mark.parametrize(
    ("seconds", "level"),
    [
        (0, PromiseLevel.NONE),
        (4 * HOUR - 1, PromiseLevel.NONE),
        (4 * HOUR, PromiseLevel.NOTICE),
        (8 * HOUR - 1, PromiseLevel.NOTICE),
        (8 * HOUR, PromiseLevel.WARNING),
        (12 * HOUR - 1, PromiseLevel.WARNING),
        (12 * HOUR, PromiseLevel.BREACH),
    ],
)
def test_levels(seconds: int, level: PromiseLevel) -> None:
    assert promise_level(seconds) is level
    assert health(oldest_s=seconds).promise(NOW) is level


@pytest.mark.parametrize("level", PromiseLevel)
def test_every_level_has_a_word_a_tone_and_an_icon(level: PromiseLevel) -> None:
    word, tone, icon = words.PROMISE[level]
    assert word and tone and icon
    assert len({entry[0] for entry in words.PROMISE.values()}) == len(PromiseLevel), "never colour alone"


def test_a_silent_terminal_s_backlog_goes_on_growing_old() -> None:
    silent = health(oldest_s=3 * HOUR, heard_ago_s=9 * HOUR)
    assert silent.oldest_unsent_s(NOW) == 12 * HOUR
    assert silent.promise(NOW) is PromiseLevel.BREACH
    assert health(pending=0, oldest_s=0, heard_ago_s=20 * HOUR).promise(NOW) is PromiseLevel.NONE, "nothing waited"
    assert health(oldest_s=3 * HOUR, heard_ago_s=-9 * HOUR).oldest_unsent_s(NOW) == 3 * HOUR, "a clock set back"


def test_what_was_taken_over_is_the_successor_s() -> None:
    assert health(oldest_s=13 * HOUR, successor="T002").promise(NOW) is PromiseLevel.NONE


def test_the_board_and_its_list_of_those_in_breach(
    hall: HallProcess, terminal: TestTerminal, staff: requests.Session
) -> None:
    def tell(pending: int, oldest_s: int) -> dict[str, object]:
        beat = Heartbeat(
            terminal_id=terminal.id,
            at=datetime.now(UTC),
            software="t",
            bundle=1,
            pending=pending,
            parked=0,
            oldest_unsent_s=oldest_s,
        )
        assert terminal.post("/v1/heartbeat", beat).status_code == 200
        rows = staff.get(hall.staff_url + "/staff/api/terminals", timeout=10).json()
        return next(row for row in rows if row["id"] == terminal.id)

    def text() -> str:
        return staff.get(hall.staff_url + "/staff/terminals", timeout=10).text

    assert tell(0, 0)["level"] == "none"
    assert "超时未送达" not in text()
    for hours, level, word in ((4, "notice", "4 小时"), (8, "warning", "8 小时"), (12, "breach", "12 小时")):
        row = tell(3, hours * HOUR)
        assert (row["level"], row["oldest_unsent_s"]) == (level, pytest.approx(hours * HOUR, abs=30))
        assert "超时未送达 1 台" in text()
        assert f"超过 {word}没送达" in text()
    assert tell(0, 0)["level"] == "none"
    assert "超时未送达" not in text()
