"""What terminals say of paper: in their own name, as often as they like, never weaker than before."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from hall.catalogue.bundles import load_draft, own_catalogue
from hall.hall import open_hall
from hall.licences.papers_printed import summary
from kiosk.contract.wire import canonical_json
from kiosk.core.item import load_item
from tests.hall.conftest import INSURED, LEE, HallProcess, TestTerminal

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture
def job(terminal: TestTerminal) -> dict[str, Any]:
    """A certificate to be printed on this terminal."""
    request = {"request_id": str(uuid.uuid4()), "item_code": INSURED, "item_version": 1, "answers": {}}
    made = terminal.post("/v1/me/certificates", request, headers=terminal.bearer())
    assert made.status_code == 200, made.text
    return dict(made.json())


def tell(terminal: TestTerminal, job: dict[str, Any], outcome: str, **more: Any) -> int:
    """No citizen is there: only the terminal's certificate speaks."""
    told = {"outcome": outcome, "pages": 1, "at": AT.isoformat(), **more}
    return terminal.post(f"/v1/print-jobs/{job['id']}/outcome", told).status_code


def known(hall: HallProcess, job: dict[str, Any]) -> dict[str, Any]:
    """As a clerk's program sees it."""
    with requests.Session() as clerk:
        clerk.trust_env = False
        clerk.get(hall.staff_url + hall.do("staff_link", name="clerk")["path"], timeout=10)
        rows = clerk.get(f"{hall.staff_url}/staff/api/print-jobs", timeout=10).json()
    return next(row for row in rows if row["id"] == job["id"])


def test_a_terminal_tells_alone_and_the_same_again_is_the_same(
    terminal: TestTerminal, hall: HallProcess, job: dict[str, Any]
) -> None:
    assert known(hall, job)["outcome"] == ""
    for _ in range(3):
        assert tell(terminal, job, "proven", number=job["id"], serial="GD000101") == 204
    row = known(hall, job)
    assert (row["outcome"], row["serials"], len(row["papers"])) == ("proven", ["GD000101"], 1)
    assert "person" not in row


@pytest.mark.parametrize(
    ("first", "then", "stays"),
    [
        ("unknown", "proven", "proven"),
        ("unknown", "failed", "failed"),
        ("failed", "proven", "proven"),
        ("proven", "failed", "proven"),
        ("proven", "unknown", "proven"),
        ("failed", "unknown", "failed"),
        ("proven", "void", "void"),
        ("void", "proven", "void"),
    ],
)
def test_a_weaker_word_takes_nothing_back(
    terminal: TestTerminal, hall: HallProcess, job: dict[str, Any], first: str, then: str, stays: str
) -> None:
    for outcome in (first, then):
        assert tell(terminal, job, outcome, number=job["id"]) == 204
    row = known(hall, job)
    assert (row["outcome"], [paper["outcome"] for paper in row["papers"]]) == (stays, [stays])


def test_every_sheet_of_a_job_is_accounted_for(terminal: TestTerminal, hall: HallProcess, job: dict[str, Any]) -> None:
    """A jam, a paper that nobody could read, and one that counts."""
    number, second = job["id"], f"{job['id']}-2"
    later = [(AT + timedelta(minutes=n)).isoformat() for n in range(4)]
    tell(terminal, job, "failed", number=number, attempt=1, serial="GD1", reason="jammed", fault="jam", at=later[0])
    tell(terminal, job, "proven", number=number, attempt=2, serial="GD2", at=later[1])
    tell(terminal, job, "void", number=number, attempt=2, serial="GD2", reason="unreadable", at=later[2])
    tell(terminal, job, "proven", number=second, attempt=1, serial="GD3", at=later[3])
    row = known(hall, job)
    assert (row["outcome"], row["serials"]) == ("proven", ["GD3"])
    assert [(paper["serial"], paper["outcome"], paper["reason"]) for paper in row["papers"]] == [
        ("GD1", "failed", "jammed"),
        ("GD2", "void", "unreadable"),
        ("GD3", "proven", ""),
    ]


def test_only_the_terminal_that_prints_it_may_tell(
    terminal: TestTerminal, other_terminal: TestTerminal, job: dict[str, Any]
) -> None:
    assert tell(other_terminal, job, "proven") == 404
    assert tell(terminal, {"id": "nothing"}, "proven") == 404
    assert tell(terminal, job, "nonsense") == 400
    assert tell(terminal, job, "proven", more="nonsense") == 400


def test_her_earlier_job_is_opened_again_for_her_alone(
    terminal: TestTerminal, other_terminal: TestTerminal, job: dict[str, Any]
) -> None:
    path = f"/v1/me/print-jobs/{job['id']}"
    assert terminal.get(path, headers=terminal.bearer()).json() == job
    assert terminal.get(path, headers=terminal.bearer(LEE)).status_code == 404
    assert other_terminal.get(path, headers=other_terminal.bearer()).status_code == 404
    assert terminal.get(path).status_code == 401


def test_the_clerks_page_shows_them(terminal: TestTerminal, hall: HallProcess, job: dict[str, Any]) -> None:
    tell(terminal, job, "unknown", number=job["id"], serial="GD000777")
    with requests.Session() as clerk:
        clerk.trust_env = False
        clerk.get(hall.staff_url + hall.do("staff_link", name="clerk")["path"], timeout=10)
        page = clerk.get(f"{hall.staff_url}/staff/prints", timeout=10).text
        live = clerk.get(f"{hall.staff_url}/staff/live/prints", timeout=10).text
    for text in (page, live):
        assert "GD000777" in text
        assert "不确定" in text


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59.999999+00:00", "0001-01-01T00:00:00+08:00"])
def test_a_paper_of_a_mad_clock_closes_no_page(
    terminal: TestTerminal, job: dict[str, Any], staff: requests.Session, at: str
) -> None:
    assert tell(terminal, job, "proven", at=at) < 300
    assert staff.get(f"{terminal.hall.staff_url}/staff/prints", timeout=10).status_code == 200
    assert staff.get(f"{terminal.hall.staff_url}/staff/api/print-jobs", timeout=10).status_code == 200


def test_numbered_paper_is_said_by_the_item_and_told_to_the_terminal(tmp_path: Path) -> None:
    hall = open_hall(tmp_path / "hall")
    try:
        draft = load_draft(own_catalogue())
        hall.catalogue.publish(draft)
        insured = next(item for item in draft.items if item.code == INSURED)
        assert hall.catalogue.paper_of(insured.name) == "plain"
        numbered = insured.model_copy(
            update={
                "version": insured.version + 1,
                "results": tuple(result.model_copy(update={"paper": "numbered"}) for result in insured.results),
            }
        )
        others = tuple(item for item in draft.items if item.code != INSURED)
        hall.catalogue.publish(replace(draft, items=(*others, numbered)))
        assert hall.catalogue.paper_of(insured.name) == "numbered"
        assert hall.catalogue.paper_of("居住证") == "plain"
    finally:
        hall.close()


def test_an_item_that_says_nothing_of_paper_is_published_as_before() -> None:
    """Item versions never change: the new field may not show in the documents of old ones."""
    for item in load_draft(own_catalogue()).items:
        results = item.model_dump(mode="json", by_alias=True)["results"]
        assert all("paper" not in result for result in results)
        assert load_item(canonical_json(item.model_dump(mode="json", by_alias=True))) == item


@pytest.mark.parametrize(
    ("heard", "word"),
    [
        ((), ""),
        (("failed", "proven"), "proven"),
        (("proven", "failed"), "proven"),
        (("failed", "unknown"), "unknown"),
        (("void", "failed"), "failed"),
        (("void",), "void"),
    ],
)
def test_one_word_for_all_papers(heard: tuple[str, ...], word: str) -> None:
    assert summary(heard) == word
