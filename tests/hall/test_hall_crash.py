"""kill -9 in the middle of a storm: what was acknowledged is there, exactly once; what was not can be sent again."""

from __future__ import annotations

import base64
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from hall.admin import perform
from kiosk.contract.signing import key_id, verify_receipt
from kiosk.contract.submission import Submission
from tests.hall.conftest import HallProcess, TestTerminal, enrolled, terminal_of

StartHall = Callable[..., HallProcess]
SENDERS, EACH, KILLS = 4, 30, 4


def test_acknowledged_is_there_exactly_once(
    tmp_path: Path, start_hall: StartHall, record_property: Callable[[str, object], None]
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    record_property("seed", seed)
    chance = random.Random(seed)
    data = tmp_path / "hall"
    perform(data, "publish")
    hall = start_hall(data, decide_after=0.0)
    terminal = enrolled(hall, tmp_path / "terminal")
    filings = [(submission, terminal.seal(submission)) for submission in _filings(terminal)]
    acknowledged: dict[str, str] = {}
    ending = threading.Event()

    def send(part: int) -> None:
        """As a terminal's queue does: again and again, until a receipt comes."""
        mine = terminal_of(terminal.machine, hall)
        try:
            for submission, raw in filings[part::SENDERS]:
                while submission.id not in acknowledged and not ending.is_set():
                    try:
                        answer = mine.post("/v1/submissions", raw)
                    except requests.RequestException:
                        time.sleep(0.05)
                        continue
                    if answer.status_code in (200, 201):
                        acknowledged[submission.id] = answer.json()["receipt"]
        finally:
            mine.http.close()

    threads = [threading.Thread(target=send, args=(part,)) for part in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.02, 0.25))
            hall.kill()
            hall.start()
        for thread in threads:
            thread.join(60)
    finally:
        ending.set()  # senders that still wait for a receipt give up
        for thread in threads:
            thread.join()
    assert len(acknowledged) == len(filings), f"seed {seed}"

    sign = terminal.keys()["sign"]
    rows = _rows(hall)
    for submission, raw in filings:
        receipt = verify_receipt(base64.b64decode(acknowledged[submission.id]), {key_id(sign): sign})
        assert receipt.submission_id == submission.id
        assert [(row["effects"], row["sha256"]) for row in rows if row["id"] == submission.id] == [(1, receipt.sha256)]
        again = terminal.post("/v1/submissions", raw)
        assert (again.status_code, again.json()["receipt"]) == (200, acknowledged[submission.id]), f"seed {seed}"
    assert len(rows) == len(filings)
    terminal.http.close()
    hall.stop()
    assert hall.log.read_text() == ""


def test_every_case_is_decided_in_spite_of_kills(tmp_path: Path, start_hall: StartHall) -> None:
    data = tmp_path / "hall"
    perform(data, "publish")
    hall = start_hall(data, decide_after=0.05)
    terminal = enrolled(hall, tmp_path / "terminal")
    for submission in _filings(terminal, 12):
        assert terminal.post("/v1/submissions", terminal.seal(submission)).status_code == 201
        if submission.application_no.endswith(("A", "B", "C", "D", "E", "2", "3")):
            hall.kill()
            hall.start()
    deadline = time.monotonic() + 60  # a lease of a killed hall ends after 30 s
    while any(row["state"] != "answered" for row in _rows(hall)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    terminal.http.close()
    hall.stop()


def test_two_halls_on_one_directory_are_refused(tmp_path: Path, start_hall: StartHall) -> None:
    data = tmp_path / "hall"
    perform(data, "init")
    hall = start_hall(data)
    with pytest.raises(AssertionError, match="a hall is running"):
        start_hall(data)
    hall.stop()


def test_it_stops_within_a_second_though_terminals_stay_connected(tmp_path: Path, start_hall: StartHall) -> None:
    data = tmp_path / "hall"
    perform(data, "init")
    hall = start_hall(data)
    terminal = enrolled(hall, tmp_path / "terminal")
    assert terminal.get("/v1/bundle/manifest").status_code == 404
    assert hall.stop() < 3, "far less, but this machine is shared"
    terminal.http.close()
    assert hall.log.read_text() == ""


def _filings(terminal: TestTerminal, count: int = SENDERS * EACH) -> list[Submission]:
    return [terminal.question() for _ in range(count)]


def _rows(hall: HallProcess) -> list[dict[str, str]]:
    with requests.Session() as http:
        http.trust_env = False
        http.get(hall.staff_url + hall.do("staff_link", name="测试员")["path"], timeout=10)
        rows: list[dict[str, str]] = http.get(hall.staff_url + "/staff/api/submissions", timeout=10).json()
        return rows
