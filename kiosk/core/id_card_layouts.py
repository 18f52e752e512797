"""Where each field lies in the 256-byte text block of an identity card.

Ministry of Public Security machine-reading rules for resident cards and residence permits; National Immigration
Administration rules for the foreigners' cards of 2017 and 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from kiosk.core.id_card import CardType

Field = Literal[
    "name", "english", "english_more", "sex", "nation", "birth", "address", "id", "issuer", "country", "from", "to",
    "pass", "count", "type",
]  # fmt: skip
Layout = Mapping[Field, tuple[int, int]]
"""Byte offset and length of each field."""

_RESIDENT: Layout = {
    "name": (0, 30),
    "sex": (30, 2),
    "nation": (32, 4),
    "birth": (36, 16),
    "address": (52, 70),
    "id": (122, 36),
    "issuer": (158, 30),
    "from": (188, 16),
    "to": (204, 16),
    "type": (248, 2),
}
LAYOUTS: Mapping[CardType, Layout] = {
    CardType.RESIDENT: _RESIDENT,
    CardType.HMT: {
        **{name: place for name, place in _RESIDENT.items() if name != "nation"},
        "pass": (220, 18),
        "count": (238, 4),
    },
    CardType.PERMANENT_2017: {
        "english": (0, 120),
        "sex": (120, 2),
        "id": (122, 30),
        "country": (152, 6),
        "name": (158, 30),
        "from": (188, 16),
        "to": (204, 16),
        "birth": (220, 16),
        "issuer": (240, 8),
        "type": (248, 2),
    },
    CardType.PERMANENT_2023: {
        "name": (0, 30),
        "sex": (30, 2),
        "count": (32, 4),
        "birth": (36, 16),
        "english": (52, 70),
        "id": (122, 36),
        "from": (188, 16),
        "to": (204, 16),
        "english_more": (220, 22),
        "country": (242, 6),
        "type": (248, 2),
    },
}
CARD_TYPES = {
    " ": CardType.RESIDENT,
    "J": CardType.HMT,
    "I": CardType.PERMANENT_2017,
    "Y": CardType.PERMANENT_2023,
}
"""By the character at byte 248."""
CHARACTER_OF = {kind: character for character, kind in CARD_TYPES.items()}
