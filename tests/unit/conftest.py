"""Makers of synthetic persons, licences and items for the tests of kiosk.core. Region 440699 is not assigned."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiosk.contract.person import LicenceSummary
from kiosk.core.answers import Answer, Answers
from kiosk.core.id_card import CardType, IdCard
from kiosk.core.identity import person_check_character
from kiosk.core.item import Item, load_item

DATA = Path(__file__).parents[2] / "hall" / "catalogue" / "data"
AT = datetime(2026, 11, 22, 6, 26, tzinfo=UTC)


def person_number(body: str = "44069919480312001") -> str:
    """A number with its check character."""
    return body + person_check_character(body)


@pytest.fixture
def at() -> datetime:
    """2026-11-22 14:26 in China."""
    return AT


@pytest.fixture
def make_card() -> Callable[..., IdCard]:
    """A resident card of a woman of 78, changed by keywords."""

    def make(**changes: Any) -> IdCard:
        return IdCard(
            **{
                "type": CardType.RESIDENT,
                "name": "陈样本",
                "id_number": person_number("44069919480312002"),
                "sex": "2",
                "nation": "汉",
                "birth": date(1948, 3, 12),
                "address": "广东省佛山市样本区样本街道样本路1号",
                "issuer": "佛山市公安局样本分局",
                "valid_from": date(2010, 5, 1),
                "valid_to": None,
                **changes,
            }
        )

    return make


@pytest.fixture
def make_item() -> Callable[..., Item]:
    """A small application with two questions, changed by keywords (as in JSON)."""

    def make(**changes: Any) -> Item:
        document = {
            "format": "fuwu/1",
            "code": "440699-TE-0001",
            "version": 1,
            "name": "样本事项",
            "department": "样本局",
            "summary": "一件样本。",
            "kind": "application",
            "limits": {"promised": {"days": 3}},
            "identity": {"level": "card"},
            "offline": "queue",
            "pages": [
                {"id": "one", "title": "一", "fields": [{"id": "moved", "type": "yesno", "label": "搬家了吗"}]},
                {"id": "two", "title": "二", "fields": [{"id": "phone", "type": "phone", "label": "电话"}]},
            ],
            "results": [{"id": "result", "kind": "licence", "name": "样本证", "template": "sample", "media": ["a4"]}],
            **changes,
        }
        return load_item(json.dumps(document).encode())

    return make


@pytest.fixture
def published() -> Callable[[str], Item]:
    """An item of the hall's own catalogue, by file name."""

    def load(name: str) -> Item:
        return load_item(json.dumps(yaml.safe_load((DATA / "items" / f"{name}.yaml").read_text("utf-8"))).encode())

    return load


@pytest.fixture
def renewal(published: Callable[[str], Item]) -> Item:
    """居住证签注 as published."""
    return published("jzz_qz")


@pytest.fixture
def answered() -> Callable[..., Answers]:
    """Answers by the citizen from keywords."""

    def make(**values: Any) -> Answers:
        return Answers({name: Answer(value, "citizen", AT) for name, value in values.items()})

    return make


@pytest.fixture
def make_licence() -> Callable[..., LicenceSummary]:
    """A usable licence, changed by keywords."""

    def make(**changes: Any) -> LicenceSummary:
        return LicenceSummary(
            **{
                "id": "L1",
                "type_name": "社保参保证明",
                "number": "SB0001",
                "issuer": "样本局",
                "holder": "陈*本",
                "valid_from": "2026-01-01",
                "valid_to": "2026-12-31",
                "printable": True,
                "usable": True,
                "fields": {"employer": "样本有限公司"},
                **changes,
            }
        )

    return make
