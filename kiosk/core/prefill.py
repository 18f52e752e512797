"""Prefilled answers (少填一半): what the card and held licences already say, with its provenance."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from kiosk.contract.person import LicenceSummary
from kiosk.core.answers import ID_CARD, LICENCE, Answer, validate
from kiosk.core.id_card import IdCard
from kiosk.core.item import Item
from kiosk.core.result import Ok

CARD_FIELDS = ("name", "address", "id_number", "nation", "birth")
_LICENCE_SOURCE = re.compile(r"licence\.([^.]+)\.([A-Za-z][A-Za-z0-9_]*)")


def known_source(source: str) -> bool:
    """Is this a prefill that the terminal understands: `card.<field>` or `licence.<type name>.<field>`?"""
    return source.removeprefix("card.") in CARD_FIELDS or _LICENCE_SOURCE.fullmatch(source) is not None


def prefills(item: Item, *, card: IdCard | None, licences: Sequence[LicenceSummary], at: datetime) -> dict[str, Answer]:
    """Answers to offer, by field. `licences` newest first; only usable ones count, and only values that fit."""
    found: dict[str, Answer] = {}
    for question in (question for page in item.pages for question in page.fields):
        for value, source in _candidates(question.prefill or "", card, licences):
            match validate(question, value):
                case Ok(good) if good is not None:
                    found.setdefault(question.id, Answer(good, source, at))
    return found


def _candidates(source: str, card: IdCard | None, licences: Sequence[LicenceSummary]) -> Iterator[tuple[str, str]]:
    if card is not None and source.startswith("card."):
        yield _card_value(card, source.removeprefix("card.")), ID_CARD
    if wanted := _LICENCE_SOURCE.fullmatch(source):
        for licence in licences:
            if licence.usable and licence.type_name == wanted[1] and wanted[2] in licence.fields:
                yield licence.fields[wanted[2]], LICENCE + licence.id


def _card_value(card: IdCard, name: str) -> str:
    match name:
        case "name":
            return card.name
        case "address":
            return card.address
        case "id_number":
            return card.id_number
        case "nation":
            return card.nation
        case "birth":
            return card.birth.isoformat()
        case _:
            return ""
