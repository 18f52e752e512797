"""Looks for what a citizen may have left behind: her name, number or address in any file of a terminal or the hall."""

from __future__ import annotations

from pathlib import Path

from kiosk.devdock.persons import SyntheticPerson
from kiosk.devdock.street import Street


def traces(street: Street) -> list[str]:
    """`person's label in file` for every hit; the secret itself is never told.

    Everything but the simulated world outside: cards, papers and the paper under the camera.
    """
    parts = [street.root / "hall", street.root / "hall-logs"]
    parts += [terminal.root / part for terminal in street.terminals.values() for part in ("data", "logs")]
    secrets = {
        f"{person.key}'s {label}": forms
        for person in street.persons.values()
        for label, forms in secrets_of(person).items()
    }
    return [hit for part in parts for hit in search(part, secrets)]


def secrets_of(person: SyntheticPerson) -> dict[str, list[bytes]]:
    """What must not be found, in every encoding that our parts use."""
    card = person.card
    words = {"number": card.id_number, "name": card.name, "address": card.address}
    return {
        label: [text.encode(code) for code in ("utf-8", "utf-16-le", "gb18030")] + [_escaped(text)]
        for label, text in words.items()
        if len(text) > 2
    }


def _escaped(text: str) -> bytes:
    """As JSON or Python would write it in ASCII."""
    return text.encode("ascii", "backslashreplace")


def search(root: Path, secrets: dict[str, list[bytes]]) -> list[str]:
    """`label in file` for every hit. What is gone by the time of reading is no trace."""
    hits = []
    for path in sorted(root.rglob("*")):
        try:
            data = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:
            continue
        where = path.relative_to(root)
        hits += [f"{label} in {where}" for label, forms in secrets.items() if any(form in data for form in forms)]
    return hits
