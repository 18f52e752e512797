"""What a printer of a certain make knows and has; written from the makers' manuals, not from the driver's table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Make:
    """A make of thermal printer."""

    name: str
    """What it answers to GS I 67; empty: it knows no GS I and takes it for text."""
    firmware: str = "1.00 ESC/POS"
    serial: str = "J2WK004217"
    dots: int = 576
    buffer: int = 4096
    process_id: bool = True
    """GS ( H; a make without it prints its bytes as text."""
    sensor: bool = True
    """GS r."""
    status_back: bool = True
    """GS a."""
    recall: bool = True
    """DLE DC4 8."""
    cutter: bool = True
    near_end: bool = True
    presenter: bool = False
    """Holds the slip in its mouth and tells so (DLE EOT 20)."""


MAKES = {
    "epson-576": Make(name="TM-T82II"),
    "epson-512": Make(name="TM-T88V", dots=512),
    "clone-80": Make(name="XP-80C", firmware="V2.1", process_id=False, recall=False),
    "clone-80-bare": Make(name="", process_id=False, sensor=False, status_back=False, recall=False, near_end=False),
    "clone-58": Make(
        name="POS-58II",
        firmware="V5.01",
        dots=384,
        buffer=2048,
        process_id=False,
        status_back=False,
        recall=False,
        cutter=False,
        near_end=False,
    ),
    "custom-presenter": Make(
        name="VKP80III", firmware="3.04", process_id=False, status_back=False, recall=False, presenter=True
    ),
    "unnamed-80": Make(name=""),
    "nameless-clone": Make(name="", process_id=False, recall=False),
}
"""The last two do not say who they are; of them the first knows GS ( H."""
DEFAULT = "epson-576"
