"""Identity cards: what a card says about its holder. Layouts of the 256-byte block: `id_card_text`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class CardType(StrEnum):
    """The four layouts, told apart by the type character at byte 248."""

    RESIDENT = "resident"
    """居民身份证."""
    HMT = "hmt"
    """港澳台居民居住证."""
    PERMANENT_2017 = "permanent_2017"
    """外国人永久居留身份证, 2017."""
    PERMANENT_2023 = "permanent_2023"
    """外国人永久居留身份证, 2023."""


@dataclass(frozen=True, slots=True)
class IdCard:
    """One identity card as read. Lives in the memory of one session and nowhere else."""

    type: CardType
    name: str
    """Chinese name; the English one where the card has no other. Never empty on a card that was read."""
    id_number: str = field(repr=False)
    sex: str
    """GB/T 2261.1: 0 unknown, 1 male, 2 female, 9 unspecified."""
    nation: str
    """民族 in words, empty on cards that carry none."""
    birth: date
    address: str = field(repr=False)
    """The newest that the card holds: an address added to its chip later wins over the printed one."""
    issuer: str
    valid_from: date
    valid_to: date | None
    """None: 长期."""
    english_name: str = ""
    country: str = ""
    pass_number: str = field(default="", repr=False)
    issue_count: str = ""
    """How often it was issued (签发次数, 换证次数); empty on cards that do not say."""
    photo: bytes = field(default=b"", repr=False)
    """1,024 bytes WLT, opaque."""
    printed_address: str = field(default="", repr=False)
    """What is printed on the card, where the chip holds a newer address; else empty."""
    picture: bytes = field(default=b"", repr=False)
    """The photo as a BMP, where the terminal has a decoder for it; else empty."""

    def __repr__(self) -> str:
        return f"IdCard({self.type.value}, …)"
