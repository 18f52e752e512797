"""Every scripted fault of the receipt printer, on its real worker process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from drivers.sim.fault_scripts import FaultScript, load_scripts
from drivers.sim.receipt import ReceiptPrinterSim
from kiosk.core.devices import DeviceKind
from tests.protocol.conftest import plays

SCRIPTS = [script for script in load_scripts() if script.id.startswith("receipt.")]
SHORT = frozenset({"receipt.cover_open", "receipt.garbage", "receipt.cutter_jams"})
"""One while idle, one of the line, one in the middle of a slip; the drill plays others on a whole terminal."""


@pytest.fixture(scope="module")
def rig(make_rig: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    sim = ReceiptPrinterSim(dir=tmp_path_factory.mktemp("receipt"))
    return make_rig(sim, DeviceKind.RECEIPT, "drivers.receipt")


@pytest.mark.parametrize("script", plays(SCRIPTS, short=SHORT))
def test_a_scripted_fault_is_seen_and_mended(rig: Any, script: FaultScript) -> None:
    rig.play(script)
