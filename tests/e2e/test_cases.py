"""Every scripted person, on the whole street of real processes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kiosk.devdock.cases.finger import Finger
from kiosk.devdock.cases.model import CaseError, load_case
from kiosk.devdock.cases.play import play_one, tidy
from kiosk.devdock.cases.runner import CaseRunner, Report
from kiosk.devdock.street import Street
from tests.security.traces import traces

CASES = sorted((Path(__file__).resolve().parents[1] / "cases").glob("*.yaml"))
SHARED = [path for path in CASES if not load_case(path).fresh]
FRESH = [path for path in CASES if load_case(path).fresh]


# One worker plays all the streets, so that no two of them share the two cores; the other runs everything else.
pytestmark = pytest.mark.xdist_group("street")


def _judge(report: Report) -> None:
    told = json.dumps(report.as_json(), ensure_ascii=False, indent=1)
    assert report.ok, f"{report.case}: {report.error}\n{told[-3000:]}"


@pytest.mark.street
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.stem)
def test_case_on_the_shared_street(path: Path, shared_street: Street, tmp_path: Path) -> None:
    report = CaseRunner(load_case(path), shared_street, tmp_path).run()
    # While everything runs: write-ahead logs and temporary files are there too.
    found = traces(shared_street)
    tidy(shared_street)
    _judge(report)
    assert found == []


@pytest.mark.street
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", FRESH, ids=lambda path: path.stem)
def test_case_on_a_street_of_its_own(path: Path, tmp_path: Path) -> None:
    case = load_case(path)
    if case.needs_root and os.geteuid() != 0:
        pytest.skip("mounts a small disk: needs root")
    _judge(play_one(case, tmp_path))


@pytest.mark.street
@pytest.mark.timeout(600)
def test_a_finger_leaves_alone_what_is_not_as_it_was_seen(shared_street: Street) -> None:
    terminal = next(iter(shared_street.terminals.values()))
    screen = terminal.screen
    seen, _ = screen.do("tree")
    start = next(node for node in seen["nodes"] if node["name"] == "开始")
    x, y, width, height = start["rect"]
    moved = {**start, "rect": [x, y + 1, width, height]}
    assert not screen.do("tap", node=moved, x=x + width / 2, y=y + height / 2)[0]["tapped"]
    assert terminal.view() == "attract"
    assert screen.do("tap", node=start, x=x + width / 2, y=y + height / 2)[0]["tapped"]
    Finger(terminal).wait_view("home", within_s=10)
    tidy(shared_street)


@pytest.mark.street
@pytest.mark.timeout(600)
def test_a_name_in_any_file_is_found(shared_street: Street) -> None:
    person = next(person for person in shared_street.persons.values() if len(person.card.name) > 2)
    planted = shared_street.root / "hall" / "planted"
    planted.write_text(person.card.name, encoding="utf-8")
    try:
        assert f"{person.key}'s name in planted" in traces(shared_street)
    finally:
        planted.unlink()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("case: x\ntitle: t\nwhy: w\nsteps: [{taps: 开始}]", "taps"),
        ("case: x\ntitle: t\nwhy: w\nsteps: [{tap: 开始, view: home}]", "says 2 things"),
        ("case: x\ntitle: t\nwhy: w\nsteps: [{within: 3}]", "says 0 things"),
        ("case: x\ntitle: t\nwhy: w\nsteps: [{tap: 开始", "x.yaml"),
        ("case: x\ntitle: t\nsteps: []", "why"),
    ],
)
def test_a_wrong_case_file_says_where(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CaseError, match=words):
        load_case(path)
