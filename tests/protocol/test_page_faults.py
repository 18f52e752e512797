"""Every scripted fault of the A4 printer, on its real driver process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.sim.fault_scripts import FOLDER, FaultScript, read_scripts
from drivers.sim.page import PagePrinterSim
from kiosk.core.devices import DeviceKind
from tests.protocol.conftest import Rig, plays

PROGRAM = Path(__file__).parent / "programs/page_program.py"
SCRIPTS = read_scripts((FOLDER / "page.toml").read_text(encoding="utf-8"), group="page")
SHORT = frozenset({"page.toner_out", "page.unplugged", "page.aborted"})
"""One of the machine, one of the line, one of the print; the drill plays others on a whole terminal."""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, make_rig: Callable[..., Rig]) -> Rig:
    return make_rig(PagePrinterSim(dir=tmp_path_factory.mktemp("page")), DeviceKind.PAGE, PROGRAM)


@pytest.mark.parametrize("script", plays(SCRIPTS, short=SHORT))
def test_the_fault_is_named_and_left_behind(rig: Rig, script: FaultScript) -> None:
    rig.play(script)


def test_there_are_enough_of_them() -> None:
    assert len(SCRIPTS) >= 14
