"""Write docs/devices.md from the fault table, the fault scripts and the scorecard."""

from __future__ import annotations

from pathlib import Path

from drivers.sim.fault_scripts import load_scripts
from kiosk.devdock.devices_doc import devices_page
from kiosk.devdock.scorecard import FILE, read_scorecard, score

PAGE = Path(__file__).parent.parent / "docs" / "devices.md"

if __name__ == "__main__":
    scripts = load_scripts()
    card = read_scorecard(FILE.read_text(encoding="utf-8"))
    PAGE.write_text(devices_page(card, score(card, scripts), scripts), encoding="utf-8")
