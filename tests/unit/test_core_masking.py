"""Masks: enough to recognise oneself, never the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.masking import mask_id_number, mask_licence_number, mask_name, mask_phone


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("", ""),
        ("张", "*"),
        ("张三", "张*"),
        ("张小三", "张*三"),
        ("欧阳小三", "欧**三"),
        ("买买提·吐尔逊", "买*****逊"),
        ("𠅤小𬱖", "𠅤*𬱖"),
        ("葛\U000e0101三", "葛\U000e0101*"),
        ("SAMPLE", "S****E"),
    ],
)
def test_names(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("440699194803121234", "440699********1234"),
        ("DEU440699200101", "DEU440*****0101"),
        ("1234567890", "******7890"),
        ("1234", "**34"),
        ("1", "*"),
        ("", ""),
    ],
)
def test_id_numbers(number: str, masked: str) -> None:
    assert mask_id_number(number) == masked


def test_phones_and_licences() -> None:
    assert mask_phone("13812341234") == "138****1234"
    assert mask_phone("12345") == "***45"
    assert mask_licence_number("JZZ20260001") == "*******0001"
    assert mask_licence_number("0001") == "**01"


@given(st.text(min_size=1))
def test_length_stays_and_something_is_hidden(text: str) -> None:
    for mask in (mask_id_number, mask_phone, mask_licence_number):
        assert len(mask(text)) == len(text)
        assert "*" in mask(text)


@given(st.text(min_size=1).filter(lambda text: bool(text.strip())))
def test_names_hide_at_least_one_character(name: str) -> None:
    assert "*" in mask_name(name)
