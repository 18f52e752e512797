"""Prefilled answers (少填一半): what the card and held licences already say, with its provenance."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from kiosk.contract.person import LicenceSummary
from kiosk.core.answers import ID_CARD, LICENCE, SOCIAL_CARD, Answer, validate
from kiosk.core.id_card import IdCard
from kiosk.core.item import Item
from kiosk.core.result import Ok
from kiosk.core.social_card import SocialCard

CARD_SOURCES: Mapping[str, Callable[[IdCard], str]] = {
    "card.name": lambda card: card.name,
    "card.address": lambda card: card.address,
    "card.id_number": lambda card: card.id_number,
    "card.nation": lambda card: card.nation,
    "card.birth": lambda card: card.birth.isoformat(),
}
SOCIAL_CARD_SOURCES: Mapping[str, Callable[[SocialCard], str]] = {
    "social_card.card_number": lambda card: card.card_number,
    "social_card.region": lambda card: card.region,
}
_LICENCE_SOURCE = re.compile(r"licence\.([^.]+)\.([A-Za-z][A-Za-z0-9_]*)")


def known_source(source: str) -> bool:
    """Does the terminal understand this: `card.<field>`, `social_card.<field>` or `licence.<type name>.<field>`?"""
    return source in CARD_SOURCES or source in SOCIAL_CARD_SOURCES or _LICENCE_SOURCE.fullmatch(source) is not None


def prefills(
    item: Item,
    *,
    card: IdCard | None,
    licences: Sequence[LicenceSummary],
    at: datetime,
    social_card: SocialCard | None = None,
) -> dict[str, Answer]:
    """Answers to offer, by field. `licences` newest first; only usable ones count, and only values that fit."""
    found: dict[str, Answer] = {}
    for question in (question for page in item.pages for question in page.fields):
        for value, source in _candidates(question.prefill or "", card, licences, social_card):
            match validate(question, value):
                case Ok(good) if good is not None:
                    found.setdefault(question.id, Answer(good, source, at))
    return found


def _candidates(
    source: str, card: IdCard | None, licences: Sequence[LicenceSummary], social_card: SocialCard | None
) -> Iterator[tuple[str, str]]:
    if card is not None and source in CARD_SOURCES:
        yield CARD_SOURCES[source](card), ID_CARD
    if social_card is not None and source in SOCIAL_CARD_SOURCES:
        yield SOCIAL_CARD_SOURCES[source](social_card), SOCIAL_CARD
    if wanted := _LICENCE_SOURCE.fullmatch(source):
        for licence in licences:
            if licence.usable and licence.type_name == wanted[1] and wanted[2] in licence.fields:
                yield licence.fields[wanted[2]], LICENCE + licence.id
