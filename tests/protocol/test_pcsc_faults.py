"""Every scripted fault of the ID card reader by PC/SC, through its real worker and a real pcscd: seen and healed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from drivers.sim.fault_scripts import FOLDER, FaultScript, read_scripts
from drivers.sim.id_card import CardReaderSim
from kiosk.core.devices import DeviceKind
from tests.protocol.conftest import plays

SCRIPTS = read_scripts((FOLDER / "id_card.toml").read_text("utf-8"), group=DeviceKind.ID_CARD)
SHORT = frozenset({"id_card.service_dead", "id_card.bank", "id_card.torn"})
"""One of the service, another card, one in the middle of reading; the drill plays others on a whole terminal."""


@pytest.fixture(scope="module")
def rig(make_rig: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_rig(CardReaderSim(dir=tmp_path_factory.mktemp("card")), DeviceKind.ID_CARD, "drivers.idcard")


@pytest.mark.parametrize("script", plays(SCRIPTS, short=SHORT))
def test_scripted_fault(rig: Any, script: FaultScript) -> None:
    rig.play(script)


def test_no_two_scripts_do_the_same() -> None:
    assert len({repr(script.break_) for script in SCRIPTS}) == len(SCRIPTS) >= 14
