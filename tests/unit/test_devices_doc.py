"""docs/devices.md: generated, whole, and its evidence exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from benchmarks.devices import NAMES
from drivers.sim.fault_scripts import HOST, load_scripts
from kiosk.core.devices import DeviceKind, Fault
from kiosk.core.faults import fault_entry
from kiosk.devdock.devices_doc import devices_page, unscripted_faults
from kiosk.devdock.scorecard import FILE, Grade, ScorecardError, missing_evidence, read_scorecard, score

ROOT = Path(__file__).parents[2]
CARD_TEXT = FILE.read_text("utf-8")
CARD = read_scorecard(CARD_TEXT)
SCRIPTS = load_scripts()
PAGE = (ROOT / "docs" / "devices.md").read_text("utf-8")

NOT_SCRIPTED = {
    Fault.NO_CARD,  # nothing is broken: an answer to a reading for which nothing was laid down
    Fault.NO_DOCUMENT,  # the same of the camera
    Fault.GLYPH_MISSING,  # the street prints no name that our fonts lack: tests/protocol/test_receipt_printer.py
}
"""Faults that no hand can bring about at simulated hardware."""


def test_the_page_is_generated() -> None:
    """Run scripts/generate_devices_doc.py if this fails."""
    assert devices_page(CARD, score(CARD, SCRIPTS), SCRIPTS) == PAGE


def test_every_scripted_fault_stands_there_with_both_sentences_in_both_languages() -> None:
    for script in SCRIPTS:
        (row,) = [line for line in PAGE.splitlines() if f"`{script.id}`" in line and script.about in line]
        entry = fault_entry(script.trouble, script.device)
        for sentence in (entry.citizen.zh, entry.citizen.en, entry.technician.zh, entry.technician.en):
            assert sentence in row


def test_at_least_sixty_faults_are_scripted_and_eight_of_each_device() -> None:
    assert len(SCRIPTS) >= 60
    for kind in DeviceKind:
        assert sum(script.group == kind for script in SCRIPTS) >= 8, kind
    assert any(script.group == HOST for script in SCRIPTS)


def test_every_fault_is_brought_about_by_a_script() -> None:
    assert {trouble for trouble in unscripted_faults(SCRIPTS) if isinstance(trouble, Fault)} == NOT_SCRIPTED


def test_the_evidence_exists() -> None:
    tests = {str(path.relative_to(ROOT)): _tests(path) for path in (ROOT / "tests").rglob("test_*.py")}
    assert missing_evidence(CARD, SCRIPTS, figures=NAMES, tests=tests) == []


def test_no_driver_is_worse_than_gold() -> None:
    """For platinum the receipt printer, the camera and the scanner want somebody else's device."""
    grades = {result.device: result.grade for result in score(CARD, SCRIPTS)}
    for kind, grade in grades.items():
        assert grade is (Grade.PLATINUM if CARD.device[kind].get("peer") else Grade.GOLD), kind


def test_a_grade_needs_all_below_it() -> None:
    without = {
        kind: {key: value for key, value in shown.items() if key != "fuzzed"} for kind, shown in CARD.device.items()
    }
    assert {result.grade for result in score(CARD.model_copy(update={"device": without}), SCRIPTS)} == {Grade.SILVER}
    assert {result.grade for result in score(CARD, ())} == {Grade.BRONZE}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id = "proof"', 'id = "fuzzed"', "fuzzed"),
        ("peer = [", "pear = [", "pear"),
        ("[device.receipt]", "[device.toaster]", "toaster"),
        ('grade = "gold"', 'grade = "golden"', "golden"),
    ],
)
def test_a_wrong_scorecard_is_refused(old: str, new: str, message: str) -> None:
    assert old in CARD_TEXT
    with pytest.raises(ScorecardError, match=message):
        read_scorecard(CARD_TEXT.replace(old, new, 1))


def test_evidence_that_does_not_exist_is_named() -> None:
    missing = missing_evidence(CARD, (), figures=(), tests={})
    assert len(missing) == sum(len(pieces) for shown in CARD.device.values() for pieces in shown.values())
    assert all(re.match(r"\w+\.\w+: ", line) for line in missing)


def _tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
