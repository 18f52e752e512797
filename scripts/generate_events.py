"""Write kiosk/core/event_table.py from kiosk/core/events.toml."""

from __future__ import annotations

from pathlib import Path

from kiosk.core.event_source import python_table, read_catalogue

CORE = Path(__file__).parent.parent / "kiosk" / "core"

if __name__ == "__main__":
    entries = read_catalogue((CORE / "events.toml").read_text(encoding="utf-8"))
    (CORE / "event_table.py").write_text(python_table(entries), encoding="utf-8")
