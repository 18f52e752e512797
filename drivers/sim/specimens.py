"""Specimen cards of every layout; nobody's. Region 440699 is assigned to no place."""

from __future__ import annotations

from datetime import date

from kiosk.core.id_card import CardType, IdCard
from kiosk.core.identity import person_check_character


def specimen(layout: CardType = CardType.RESIDENT) -> IdCard:
    """The same card every time, without photo."""
    match layout:
        case CardType.RESIDENT:
            return _card(layout, "陈样本", _number("44069919480312002"), nation="汉", issuer="样本市公安局样本分局")
        case CardType.HMT:
            return _card(
                layout, "样本港", _number("81000019480312002"), issuer="样本市公安局", permit="H00000000", count="01"
            )
        case CardType.PERMANENT_2017:
            return _card(layout, "", "ABC440699480312", issuer="4406", english="SAMPLE, ERIKA", country="ABC")
        case CardType.PERMANENT_2023:
            return _card(
                layout, "样本", _number("94499919480312002"), english="SAMPLE, ERIKA", country="ABC", count="01"
            )


def _card(
    layout: CardType,
    name: str,
    number: str,
    *,
    nation: str = "",
    issuer: str = "",
    english: str = "",
    country: str = "",
    permit: str = "",
    count: str = "",
) -> IdCard:
    with_address = layout in (CardType.RESIDENT, CardType.HMT)
    return IdCard(
        type=layout,
        name=name or english,
        id_number=number,
        sex="2",
        nation=nation,
        birth=date(1948, 3, 12),
        address="样本市样本区样本路1号" if with_address else "",
        issuer=issuer,
        valid_from=date(2020, 5, 1),
        valid_to=date(2040, 5, 1),
        english_name=english,
        country=country,
        pass_number=permit,
        issue_count=count,
    )


def _number(body: str) -> str:
    return body + person_check_character(body)
