"""Every scripted fault of an ID card reader that speaks SAM_V, through its real worker, on a pty: seen and healed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from drivers.sim.fault_scripts import FOLDER, FaultScript, read_scripts
from drivers.sim.id_card import CardReaderSim, Transport
from kiosk.core.devices import DeviceKind
from tests.protocol.conftest import plays

SCRIPTS = read_scripts((FOLDER / "sam_v" / "id_card.toml").read_text("utf-8"), group=DeviceKind.ID_CARD)
SHORT = frozenset({"id_card.sam_line_unplugged", "id_card.sam_bad_checksum", "id_card.sam_no_random"})
"""One of the line, one of a frame, one of the card."""


@pytest.fixture(scope="module")
def rig(make_rig: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    sim = CardReaderSim(dir=tmp_path_factory.mktemp("card"), transport=Transport.SAM)
    return make_rig(sim, DeviceKind.ID_CARD, "drivers.idcard")


@pytest.mark.parametrize("script", plays(SCRIPTS, short=SHORT))
def test_scripted_fault(rig: Any, script: FaultScript) -> None:
    rig.play(script)


def test_no_two_scripts_do_the_same() -> None:
    assert len({repr(script.break_) for script in SCRIPTS}) == len(SCRIPTS) >= 14
