"""Turns for backlogs at a real hall: put off by a 503 with a slot, and never what was just filed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.contract.batch import PENDING_HEADER, SLOT_HEADER, join_batch
from tests.hall.conftest import HallProcess, TestTerminal


@pytest.mark.parametrize("wrong", ["x", "-1", "1.5", "٣", "9" * 10])
def test_a_backlog_that_is_no_number_is_refused(terminal: TestTerminal, wrong: str) -> None:
    body = join_batch([terminal.seal(terminal.question())])
    answer = terminal.post("/v1/batches", body, headers={PENDING_HEADER: wrong.encode()})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_the_second_big_backlog_waits_for_its_turn_and_a_fresh_filing_does_not(
    terminal: TestTerminal, other_terminal: TestTerminal, hall: HallProcess, tmp_path: Path
) -> None:
    first = terminal.post(
        "/v1/batches", join_batch([terminal.seal(terminal.question())]), headers={PENDING_HEADER: "100000"}
    )
    assert first.status_code == 200
    late = join_batch([other_terminal.seal(other_terminal.question())])
    put_off = other_terminal.post("/v1/batches", late, headers={PENDING_HEADER: "5000"})
    assert (put_off.status_code, put_off.json()["code"]) == (503, "busy")
    assert 190 < float(put_off.headers[SLOT_HEADER]) <= 200
    assert int(put_off.headers["Retry-After"]) in (199, 200)
    fresh = other_terminal.post("/v1/batches", late)
    assert fresh.json()["verdicts"][0]["status"] == "accepted"
    again = terminal.post(
        "/v1/batches", join_batch([terminal.seal(terminal.question())]), headers={PENDING_HEADER: "90000"}
    )
    assert again.status_code == 200
