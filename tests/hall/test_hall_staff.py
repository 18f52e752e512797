"""The clerks' pages: one-time links, masked names, papers, history, terminals; nothing for strangers."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import requests

from hall.web import words
from kiosk.contract.sync import DeviceReport
from kiosk.core.devices import DeviceKind, Fault
from tests.hall.conftest import MAY, PICTURE, HallProcess, TestTerminal


@pytest.fixture(scope="module")
def filed(terminal: TestTerminal) -> str:
    """A renewal with a photographed paper; its application number."""
    session = terminal.session()
    held = terminal.get("/v1/me/licences", headers=terminal.bearer()).json()["licences"]
    submission, blob = terminal.renewal(session, licence_id=held[0]["id"])
    assert terminal.put_blob(blob).status_code == 201
    assert terminal.post("/v1/submissions", terminal.seal(submission, blob, session=session)).status_code == 201
    return submission.application_no


def page(staff: requests.Session, hall: HallProcess, path: str) -> requests.Response:
    return staff.get(f"{hall.staff_url}/staff/{path}", timeout=10)


def test_a_link_is_good_once(hall: HallProcess) -> None:
    link = hall.staff_url + str(hall.do("staff_link", name="测试员")["path"])
    with requests.Session() as first, requests.Session() as second:
        assert first.get(link, timeout=10).status_code == 200
        used = second.get(link, timeout=10)
        assert (used.status_code, "一次性链接" in used.text) == (401, True)
        assert second.get(hall.staff_url + "/staff/", timeout=10).status_code == 401
    assert requests.get(hall.staff_url + "/staff/enter/AAAA", timeout=10).status_code == 401


@pytest.mark.parametrize("path", ["", "tickets", "terminals", "live/cases", "cases/x", "cases/x/papers/y"])
def test_strangers_see_nothing(hall: HallProcess, filed: str, path: str) -> None:
    answer = requests.get(f"{hall.staff_url}/staff/{path}", timeout=10)
    assert answer.status_code == 401
    assert filed not in answer.text


@pytest.mark.parametrize("path", ["api/cases", "api/terminals", "api/submissions", "api/bundle"])
def test_programs_need_a_session_too(hall: HallProcess, staff: requests.Session, path: str) -> None:
    answer = requests.get(f"{hall.staff_url}/staff/{path}", timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert page(staff, hall, path).status_code == 200


def test_the_list_shows_masked_names(hall: HallProcess, staff: requests.Session, filed: str) -> None:
    answer = page(staff, hall, "")
    assert words.grouped(filed) in answer.text
    assert "陈*本" in answer.text
    assert MAY[0] not in answer.text
    assert MAY[1] not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "<script>" not in answer.text and "style=" not in answer.text and " on" + "click" not in answer.text
    [row] = [row for row in page(staff, hall, "api/cases").json() if row["application_no"] == filed]
    assert (row["holder"], row["terminal_id"], row["kind"]) == ("陈*本", "T001", "application")


def test_a_case_with_its_papers(hall: HallProcess, staff: requests.Session, filed: str) -> None:
    answer = page(staff, hall, f"cases/{filed}")
    for expected in ("居住证签注", "住自己或家人的房子", "本人填写", "证照库复用", "记录完整", "已收件", "440699"):
        assert expected in answer.text
    assert MAY[1] not in answer.text
    paper = page(staff, hall, f"cases/{filed}/papers/housing")
    assert (paper.content, paper.headers["content-type"]) == (PICTURE, "image/jpeg")
    assert page(staff, hall, f"cases/{filed}/papers/permit").status_code == 404
    assert page(staff, hall, "cases/nothing").status_code == 404


def test_terminals_with_their_health(hall: HallProcess, staff: requests.Session, terminal: TestTerminal) -> None:
    assert "已登记，未报到" in page(staff, hall, "terminals").text
    beat = {
        "terminal_id": terminal.id,
        "at": datetime.now(UTC).isoformat(),
        "software": "0.1.0",
        "bundle": 1,
        "pending": 2,
        "parked": 1,
        "oldest_unsent_s": 9 * 3600,
        "devices": [{"kind": "page", "state": "online", "media": "none", "paper": "out", "toner": "low"}],
    }
    assert terminal.post("/v1/heartbeat", beat).status_code == 200
    text = page(staff, hall, "terminals").text
    assert "在线" in text and "A4打印 缺纸" in text and "tone-bg-warn" in text and "9 小时 0 分" in text
    [row] = [row for row in page(staff, hall, "api/terminals").json() if row["id"] == terminal.id]
    assert row["heartbeat"]["pending"] == 2


def test_other_names_for_this_machine_do_not_get_in(hall: HallProcess, staff: requests.Session) -> None:
    answer = staff.get(hall.staff_url + "/staff/", headers={"Host": "evil.example"}, timeout=10)
    assert answer.status_code == 400


def report(**values: str) -> DeviceReport:
    well = {"kind": "receipt", "state": "online", "media": "none", "paper": "full", "toner": "none"}
    return DeviceReport(**{**well, **values})


@pytest.mark.parametrize(
    ("values", "tone"),
    [
        ({}, "ok"),
        ({"paper": "low"}, "warn"),
        ({"paper": "out"}, "bad"),
        ({"paper": "unknown"}, "warn"),
        ({"toner": "out"}, "bad"),
        ({"state": "offline"}, "bad"),
        ({"state": "unknown"}, "bad"),
        ({"fault": "jam"}, "bad"),
        ({"fault": "something_new"}, "bad"),
    ],
)
def test_only_what_is_known_to_be_well_is_green(values: dict[str, str], tone: str) -> None:
    assert words.device(report(**values))[1] == tone


@pytest.mark.parametrize("kind", DeviceKind)
def test_every_device_and_what_lasts_with_it_has_words_for_clerks(kind: DeviceKind) -> None:
    lasting = (Fault.DRIVER_LOST, Fault.DRIVER_BROKEN, Fault.MISCONFIGURED, Fault.HARDWARE, Fault.CABINET_OPEN)
    for told in [words.device(report(kind=kind.value, fault=fault.value))[0] for fault in lasting]:
        assert re.fullmatch("[\u4e00-\u9fffA-Z0-9]+ [\u4e00-\u9fff]+", told)
        assert not told.endswith(" 故障"), "said more closely"


def test_backlog_ages() -> None:
    tones = [words.tone_of_backlog(hours * 3600) for hours in (0, 4, 8, 12)]
    assert tones == ["ok", "notice", "warn", "bad"]
    assert words.tone_of_backlog(4 * 3600 - 1) == "ok"
    assert [words.span(seconds) for seconds in (3, 42, 300, 7260, 90000)] == [
        "刚刚",
        "42 秒",
        "5 分钟",
        "2 小时 1 分",
        "1 天",
    ]
