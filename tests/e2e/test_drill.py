"""The drill, short: one fault of each device and of the host on the street's serving terminal. All: `make drill`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drivers.sim.fault_scripts import Expected, FaultScript, choose, load_scripts
from kiosk.core.devices import DeviceKind, DeviceState, Fault
from kiosk.devdock.drill import Player, desk_of, drill, wait_well
from kiosk.devdock.drill_report import Outcome
from kiosk.devdock.eyes import Eyes
from kiosk.devdock.sim_cli import app
from kiosk.devdock.street import Street, Terminal

pytestmark = pytest.mark.xdist_group("street")

PATIENCE = 4.0
"""The cores are shared with other tests; `make drill` keeps to the limits."""
SHORT = (
    "id_card.unplugged",
    "receipt.paper_out",
    "receipt.paper_out_printing",
    "page.jam",
    "camera.gone",
    "social_card.bank_card",
    "scanner.interference",
    "site_io.cabinet_open",
    "host.page_killed",
    "host.scanner_killed_thrice",
)
"""Seen by themselves, brought out by a self-test, and over in a blink."""


@pytest.fixture
def terminal(shared_street: Street) -> Terminal:
    """With everything well."""
    first = next(iter(shared_street.terminals.values()))
    wait_well(first)
    return first


@pytest.mark.street
@pytest.mark.timeout(600)
def test_faults_are_detected_named_and_got_over(terminal: Terminal) -> None:
    scripts = choose(load_scripts(), ids=SHORT)
    assert {script.device for script in scripts} == set(DeviceKind)
    told: list[str] = []
    outcomes = drill(terminal, scripts, patience=PATIENCE, on_done=lambda outcome: told.append(outcome.script.id))
    assert [outcome.as_json() for outcome in outcomes if not outcome.ok] == []
    assert sorted(told) == sorted(SHORT)
    for outcome in outcomes:
        assert outcome.detected_s is not None and outcome.named_s is not None and outcome.recovered_s is not None
        assert 0 <= outcome.detected_s <= outcome.named_s <= outcome.script.within_s * PATIENCE
        assert outcome.doctor


@pytest.mark.street
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("id_", "wrong", "words"),
    [
        ("receipt.paper_out", {"fault": Fault.COVER_OPEN}, "expected fault cover_open"),
        ("receipt.paper_out", {"state": DeviceState.OFFLINE}, "state offline"),
        ("site_io.cabinet_open", {"fault": Fault.ON_BATTERY}, "expected fault on_battery"),
        ("social_card.bank_card", {"fault": Fault.CARD_TRANSIT}, "expected fault card_transit"),
    ],
)
def test_a_wrong_expectation_turns_the_drill_red(
    terminal: Terminal, id_: str, wrong: dict[str, object], words: str
) -> None:
    (script,) = choose(load_scripts(), ids=[id_])
    (outcome,) = drill(terminal, [_changed(script, expect=script.expect.model_copy(update=wrong))])
    assert not outcome.ok
    assert outcome.named_s is None
    assert words in outcome.error
    assert outcome.recovered_s is not None  # mended all the same, for whoever comes next


@pytest.mark.street
@pytest.mark.timeout(300)
def test_a_fault_that_is_not_mended_turns_the_drill_red(terminal: Terminal) -> None:
    (script,) = choose(load_scripts(), ids=["receipt.paper_out"])
    try:
        (outcome,) = drill(terminal, [_changed(script, heal=())])
        assert not outcome.ok
        assert outcome.named_s is not None and outcome.recovered_s is None
        assert "does not recover" in outcome.error
        (refused,) = _play(terminal, script)
        assert "not well before" in refused.error
    finally:
        terminal.hardware.do("receipt.set", paper="full")
        wait_well(terminal)


@pytest.mark.street
@pytest.mark.timeout(300)
def test_a_fault_that_does_not_happen_turns_the_drill_red(terminal: Terminal) -> None:
    (script,) = choose(load_scripts(), ids=["page.jam"])
    harmless = _changed(script, break_=script.heal)
    (outcome,) = drill(terminal, [harmless])
    assert not outcome.ok
    assert outcome.detected_s is None


def test_the_list_says_everything_of_every_fault() -> None:
    listed = CliRunner().invoke(app, ["faults", "--json"])
    assert listed.exit_code == 0
    rows = json.loads(listed.stdout)
    assert [row["id"] for row in rows] == [script.id for script in load_scripts()]
    assert len(rows) >= 60
    for row in rows:
        assert row["citizen"]["zh"] and row["citizen"]["en"] and row["technician"]["zh"] and row["technician"]["en"]
    pages = json.loads(CliRunner().invoke(app, ["faults", "--json", "--device", "page"]).stdout)
    assert {row["device"] for row in pages} == {"page"}


def test_wrong_use_is_told_in_one_line(tmp_path: Path) -> None:
    unknown = CliRunner().invoke(app, ["drill", "--only", "page.on_fire"])
    assert (unknown.exit_code, unknown.stderr.count("\n")) == (2, 1)
    (tmp_path / "page.toml").write_text("[[fault]]", encoding="utf-8")
    wrong = CliRunner().invoke(app, ["faults", "--faults", str(tmp_path)])
    assert wrong.exit_code == 2
    assert "page.toml: fault.0.id" in wrong.stderr


def _changed(script: FaultScript, **what: object) -> FaultScript:
    """The same fault with a lie in its script, and short limits: the lie is not to be waited for."""
    changed = script.model_copy(update={"within_s": 4.0, "recovers_s": 4.0, **what})
    assert isinstance(changed.expect, Expected)
    return changed


def _play(terminal: Terminal, script: FaultScript) -> list[Outcome]:
    with Eyes(desk_of(terminal)).open() as eyes:
        return [Player(terminal, eyes, patience=0.1).play(script)]
