"""The synthetic persons of the street, and the cards they carry."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from kiosk.core.id_card import CardType, IdCard

PERSONS_FILE = files("kiosk.devdock") / "persons.toml"


@dataclass(frozen=True, slots=True)
class SyntheticPerson:
    """Somebody who does not exist. `records` are what the hall's departments know of them."""

    key: str
    label: str
    card: IdCard
    records: tuple[str, ...]


def load_persons() -> dict[str, SyntheticPerson]:
    """All persons by key."""
    table = tomllib.loads(PERSONS_FILE.read_text(encoding="utf-8"))
    return {key: _person(key, row) for key, row in table.items()}


def _person(key: str, row: dict[str, str]) -> SyntheticPerson:
    return SyntheticPerson(
        key=key,
        label=row["label"],
        records=tuple(row["records"]),
        card=IdCard(
            type=CardType(row["type"]),
            name=row["name"],
            id_number=row["id_number"],
            sex=row["sex"],
            nation=row["nation"],
            birth=date.fromisoformat(row["birth"]),
            address=row["address"],
            issuer=row["issuer"],
            valid_from=date.fromisoformat(row["valid_from"]),
            valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            english_name=row.get("english_name", ""),
            country=row.get("country", ""),
            pass_number=row.get("pass_number", ""),
            photo=_photo(key),
        ),
    )


def _photo(key: str) -> bytes:
    """1,024 bytes that stand for the chip's photo: different for each person, the same every time."""
    import hashlib

    return hashlib.shake_256(f"synthetic photo of {key}".encode()).digest(1024)
