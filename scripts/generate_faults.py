"""Write kiosk/core/fault_table.py from kiosk/core/faults.toml."""

from __future__ import annotations

from pathlib import Path

from kiosk.core.fault_source import python_table, read_table

CORE = Path(__file__).parent.parent / "kiosk" / "core"

if __name__ == "__main__":
    table = read_table((CORE / "faults.toml").read_text(encoding="utf-8"))
    (CORE / "fault_table.py").write_text(python_table(table), encoding="utf-8")
